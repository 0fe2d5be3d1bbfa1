//! `ListOpportunities`: sort orders, pages, filters, page tokens and visibility (OPP-060, PLT-005, ACC-011, ACC-012).

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cosell_opportunity::Opportunities;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::r#type::v1::{DateRange, ReviewStatus, SortOrder, TimestampRange};
use cosell_testkit::harness::{App, aws, partner, refused};
use cosell_types::{Caller, Role};
use prost_types::Timestamp;
use tonic::Code;

use crate::support::{
    ALDER, client_for, create, date, list_all_ids, manager, next_steps_request, record, start, submit,
    submit_request, unrelated_member, user,
};

/// Creates twelve records, one a minute, whose companies, dates and stages repeat in different orders.
async fn create_records(app: &App) -> Vec<pb::Opportunity> {
    let mut records = Vec::new();
    for number in 0..12_i32 {
        let mut input = record(["Cedar", "Alder", "Birch", "Elm"][number as usize % 4]);
        let life_cycle = input.life_cycle.as_mut().expect("a life cycle");
        life_cycle.target_close_date = date(2026, 4 + (number * 5) % 7, 1);
        life_cycle.stage = 1 + number % 3;
        records.push(create(app, &user(), input).await);
        app.clock.advance(chrono::TimeDelta::minutes(1));
    }
    for number in [3, 0, 7] {
        let id = records[number].opportunity_id.clone();
        let answer = client_for(app, &user())
            .opportunities()
            .update_opportunity(next_steps_request(&id, "later"))
            .await
            .expect("an update");
        records[number] = answer.into_inner().opportunity.expect("a record");
        app.clock.advance(chrono::TimeDelta::minutes(1));
    }
    records
}

fn sort_value(record: &pb::Opportunity, key: pb::OpportunitySortKey) -> (i64, String, i64) {
    let id = record.opportunity_id[1..].parse().expect("a number");
    let time = |time: &Option<Timestamp>| time.as_ref().map_or(0, |time| time.seconds);
    let life_cycle = record.life_cycle.as_ref().expect("a life cycle");
    let account = record
        .customer
        .as_ref()
        .and_then(|customer| customer.account.as_ref())
        .expect("an account");
    match key {
        pb::OpportunitySortKey::CustomerCompanyName => (0, account.company_name.clone(), id),
        pb::OpportunitySortKey::CreateTime => (time(&record.create_time), String::new(), id),
        pb::OpportunitySortKey::OpportunityId => (id, String::new(), id),
        pb::OpportunitySortKey::TargetCloseDate => {
            let day = life_cycle.target_close_date.as_ref().expect("a date");
            (
                i64::from(day.year * 10_000 + day.month * 100 + day.day),
                String::new(),
                id,
            )
        }
        _ => (time(&record.update_time), String::new(), id),
    }
}

#[tokio::test]
async fn opp_060_list_is_identical_for_each_sort_order_and_page_size() {
    let app = start().await;
    let records = create_records(&app).await;
    for key in [
        pb::OpportunitySortKey::Unspecified,
        pb::OpportunitySortKey::UpdateTime,
        pb::OpportunitySortKey::OpportunityId,
        pb::OpportunitySortKey::CustomerCompanyName,
        pb::OpportunitySortKey::CreateTime,
        pb::OpportunitySortKey::TargetCloseDate,
    ] {
        for order in [
            SortOrder::Unspecified,
            SortOrder::Ascending,
            SortOrder::Descending,
        ] {
            let mut sorted = records.clone();
            sorted.sort_by_key(|record| sort_value(record, key));
            if order != SortOrder::Ascending {
                sorted.reverse();
            }
            let expected: Vec<_> = sorted.into_iter().map(|record| record.opportunity_id).collect();
            for page_size in [0, 1, 2, 7, 100] {
                let request = pb::ListOpportunitiesRequest {
                    page_size,
                    sort_key: key.into(),
                    sort_order: order.into(),
                    ..Default::default()
                };
                let listed = list_all_ids(&app, &manager(), request).await.expect("pages");
                assert_eq!(listed, expected, "{key:?} {order:?} in pages of {page_size}");
            }
        }
    }
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_060_filters_apply_alone_and_combined() {
    let app = start().await;
    let records = create_records(&app).await;
    submit(&app, &user(), &records[1].opportunity_id).await;
    let filtered = |filter: pb::OpportunityFilter| {
        let request = pb::ListOpportunitiesRequest {
            filter: Some(filter),
            ..Default::default()
        };
        async {
            list_all_ids(&app, &manager(), request)
                .await
                .expect("pages")
                .into_iter()
                .collect::<BTreeSet<_>>()
        }
    };
    let ids_where = |predicate: &dyn Fn(usize) -> bool| -> BTreeSet<String> {
        (0..12)
            .filter(|number| predicate(*number))
            .map(|number| records[number].opportunity_id.clone())
            .collect()
    };
    let empty_filter = pb::OpportunityFilter::default;

    let ids = vec![
        records[2].opportunity_id.clone(),
        records[5].opportunity_id.clone(),
        "O9223372036854775807".to_owned(),
    ];
    let filter = pb::OpportunityFilter {
        opportunity_ids: ids,
        ..empty_filter()
    };
    assert_eq!(
        filtered(filter).await,
        ids_where(&|number| number == 2 || number == 5)
    );
    let unknown_ids = vec!["O9223372036854775807".to_owned()];
    let filter = pb::OpportunityFilter {
        opportunity_ids: unknown_ids,
        ..empty_filter()
    };
    assert_eq!(
        filtered(filter).await,
        BTreeSet::new(),
        "an unknown id matches nothing"
    );
    let stages = vec![pb::Stage::Prospect.into(), pb::Stage::TechnicalValidation.into()];
    let filter = pb::OpportunityFilter {
        stages,
        ..empty_filter()
    };
    assert_eq!(filtered(filter).await, ids_where(&|number| number % 3 != 1));
    let review_statuses = vec![ReviewStatus::Submitted.into()];
    let filter = pb::OpportunityFilter {
        review_statuses,
        ..empty_filter()
    };
    assert_eq!(filtered(filter).await, ids_where(&|number| number == 1));
    let customer_company_names = vec!["Alder".to_owned(), "Elm".to_owned(), "elm".to_owned()];
    let filter = pb::OpportunityFilter {
        customer_company_names: customer_company_names.clone(),
        ..empty_filter()
    };
    assert_eq!(
        filtered(filter).await,
        ids_where(&|number| number % 4 == 1 || number % 4 == 3)
    );

    let created = |number: usize| records[number].create_time;
    let span = |start, end| Some(TimestampRange { start, end });
    let filter = pb::OpportunityFilter {
        create_time: span(created(3), created(6)),
        ..empty_filter()
    };
    assert_eq!(
        filtered(filter).await,
        ids_where(&|number| (3..6).contains(&number)),
        "the end is exclusive"
    );
    let filter = pb::OpportunityFilter {
        update_time: span(records[3].update_time, None),
        ..empty_filter()
    };
    assert_eq!(
        filtered(filter).await,
        ids_where(&|number| [0, 1, 3, 7].contains(&number))
    );
    let close_month = |number: usize| 4 + (number * 5) % 7;
    let target_close_date = Some(DateRange {
        start: date(2026, 5, 1),
        end: date(2026, 7, 1),
    });
    let filter = pb::OpportunityFilter {
        target_close_date,
        ..empty_filter()
    };
    assert_eq!(
        filtered(filter).await,
        ids_where(&|number| (5..=7).contains(&close_month(number))),
        "both dates are inclusive"
    );
    let filter = pb::OpportunityFilter {
        target_close_date,
        customer_company_names,
        ..empty_filter()
    };
    let both = ids_where(&|number| (5..=7).contains(&close_month(number)) && number % 2 == 1);
    assert_eq!(filtered(filter).await, both);
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_060_invalid_ranges_are_refused() {
    let app = start().await;
    let time = |seconds| Some(Timestamp { seconds, nanos: 0 });
    let filter = pb::OpportunityFilter {
        create_time: Some(TimestampRange {
            start: time(10),
            end: time(10),
        }),
        update_time: Some(TimestampRange {
            start: time(i64::MAX),
            end: None,
        }),
        target_close_date: Some(DateRange {
            start: date(2026, 2, 30),
            end: date(2026, 1, 1),
        }),
        ..Default::default()
    };
    let request = pb::ListOpportunitiesRequest {
        filter: Some(filter),
        ..Default::default()
    };
    let refusal = refused(
        client_for(&app, &user())
            .opportunities()
            .list_opportunities(request)
            .await,
        Code::InvalidArgument,
        "INVALID_FIELDS",
    );
    assert_eq!(
        refusal.paths(),
        [
            "filter.create_time.end",
            "filter.update_time.start",
            "filter.target_close_date.start"
        ]
    );
    app.finish::<Opportunities>().await;
}

/// The token with an invalid value of the sort key.
fn forge_token(token: &str) -> String {
    let bytes = URL_SAFE_NO_PAD.decode(token).expect("a token");
    let mut content: serde_json::Value = serde_json::from_slice(&bytes).expect("its content");
    content["last"][0] = "yesterday".into();
    URL_SAFE_NO_PAD.encode(content.to_string())
}

#[tokio::test]
async fn plt_005_page_token_is_bound_to_query_and_caller() {
    let app = start().await;
    create_records(&app).await;
    let first = pb::ListOpportunitiesRequest {
        page_size: 2,
        ..Default::default()
    };
    let page = client_for(&app, &manager())
        .opportunities()
        .list_opportunities(first.clone())
        .await
        .expect("a page")
        .into_inner();
    let next = pb::ListOpportunitiesRequest {
        page_token: page.next_page_token.clone(),
        ..first
    };
    assert!(
        client_for(&app, &manager())
            .opportunities()
            .list_opportunities(next.clone())
            .await
            .is_ok()
    );
    let other_size = pb::ListOpportunitiesRequest {
        page_size: 5,
        ..next.clone()
    };
    assert!(
        client_for(&app, &manager())
            .opportunities()
            .list_opportunities(other_size)
            .await
            .is_ok(),
        "the page size may change between pages"
    );
    let other_order = pb::ListOpportunitiesRequest {
        sort_order: SortOrder::Ascending.into(),
        ..next.clone()
    };
    let other_filter = pb::ListOpportunitiesRequest {
        filter: Some(pb::OpportunityFilter {
            stages: vec![1],
            ..Default::default()
        }),
        ..next.clone()
    };
    let junk = pb::ListOpportunitiesRequest {
        page_token: "junk".to_owned(),
        ..next.clone()
    };
    let forged = pb::ListOpportunitiesRequest {
        page_token: forge_token(&next.page_token),
        ..next.clone()
    };
    for request in [other_order, other_filter, junk, forged] {
        let answer = client_for(&app, &manager())
            .opportunities()
            .list_opportunities(request)
            .await;
        refused(answer, Code::InvalidArgument, "PAGE_TOKEN_INVALID");
    }
    for other in [user(), unrelated_member()] {
        let answer = client_for(&app, &other)
            .opportunities()
            .list_opportunities(next.clone())
            .await;
        refused(answer, Code::InvalidArgument, "PAGE_TOKEN_INVALID");
    }
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn acc_011_012_list_returns_only_records_visible_to_caller() {
    let app = start().await;
    let colleague = partner("mem-colleague", ALDER, Role::AceUser);
    let own = create(&app, &user(), record("Alder")).await.opportunity_id;
    let other = create(&app, &colleague, record("Birch")).await.opportunity_id;
    let unrelated_record = create(&app, &unrelated_member(), record("Cedar"))
        .await
        .opportunity_id;
    let mut limited = record("Elm");
    limited.primary_needs_from_aws.clear();
    let limited = create(&app, &user(), limited).await.opportunity_id;
    submit(&app, &user(), &own).await;
    submit(&app, &unrelated_member(), &unrelated_record).await;
    let request = pb::SubmitOpportunityRequest {
        involvement_type: pb::InvolvementType::ForVisibilityOnly.into(),
        visibility: pb::Visibility::Limited.into(),
        ..submit_request(&limited)
    };
    client_for(&app, &user())
        .lifecycle()
        .submit_opportunity(request)
        .await
        .expect("a limited submission");

    let list = async |caller: &Caller| -> BTreeSet<String> {
        let listed = list_all_ids(&app, caller, pb::ListOpportunitiesRequest::default())
            .await
            .expect("pages");
        listed.into_iter().collect()
    };
    let id_set = |ids: &[&String]| ids.iter().map(|id| (*id).clone()).collect::<BTreeSet<_>>();
    assert_eq!(list(&user()).await, id_set(&[&own, &limited]));
    assert_eq!(list(&colleague).await, id_set(&[&other]));
    assert_eq!(list(&manager()).await, id_set(&[&own, &other, &limited]));
    assert_eq!(list(&unrelated_member()).await, id_set(&[&unrelated_record]));
    assert_eq!(
        list(&aws("mem-reviewer", Role::Reviewer)).await,
        id_set(&[&own, &unrelated_record, &limited])
    );
    assert_eq!(
        list(&aws("mem-seller", Role::SalesRepresentative)).await,
        id_set(&[&own, &unrelated_record])
    );
    app.finish::<Opportunities>().await;
}
