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
    ALDER, by, create, date, manager, next_steps, pages, record, start, stranger, submit, submit_request,
    user,
};

/// Twelve records over twelve minutes, with companies, dates and stages that repeat, in an order of their own each.
async fn fill(app: &App) -> Vec<pb::Opportunity> {
    let mut made = Vec::new();
    for number in 0..12_i32 {
        let mut given = record(["Cedar", "Alder", "Birch", "Elm"][number as usize % 4]);
        let life_cycle = given.life_cycle.as_mut().expect("a life cycle");
        life_cycle.target_close_date = date(2026, 4 + (number * 5) % 7, 1);
        life_cycle.stage = 1 + number % 3;
        made.push(create(app, &user(), given).await);
        app.clock.advance(chrono::TimeDelta::minutes(1));
    }
    for number in [3, 0, 7] {
        let id = made[number].opportunity_id.clone();
        let answer = by(app, &user())
            .opportunities()
            .update_opportunity(next_steps(&id, "later"))
            .await
            .expect("an update");
        made[number] = answer.into_inner().opportunity.expect("a record");
        app.clock.advance(chrono::TimeDelta::minutes(1));
    }
    made
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
async fn opp_060_every_order_in_both_directions_and_pages_of_every_size_make_the_same_list() {
    let app = start().await;
    let made = fill(&app).await;
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
            let mut sorted = made.clone();
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
                let listed = pages(&app, &manager(), request).await.expect("pages");
                assert_eq!(listed, expected, "{key:?} {order:?} in pages of {page_size}");
            }
        }
    }
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_060_each_filter_alone_and_together() {
    let app = start().await;
    let made = fill(&app).await;
    submit(&app, &user(), &made[1].opportunity_id).await;
    let filtered = |filter: pb::OpportunityFilter| {
        let request = pb::ListOpportunitiesRequest {
            filter: Some(filter),
            ..Default::default()
        };
        async {
            pages(&app, &manager(), request)
                .await
                .expect("pages")
                .into_iter()
                .collect::<BTreeSet<_>>()
        }
    };
    let those = |wanted: &dyn Fn(usize) -> bool| -> BTreeSet<String> {
        (0..12)
            .filter(|number| wanted(*number))
            .map(|number| made[number].opportunity_id.clone())
            .collect()
    };
    let none = pb::OpportunityFilter::default;

    let ids = vec![
        made[2].opportunity_id.clone(),
        made[5].opportunity_id.clone(),
        "O9999999999999999999".to_owned(),
    ];
    let filter = pb::OpportunityFilter {
        opportunity_ids: ids,
        ..none()
    };
    assert_eq!(
        filtered(filter).await,
        those(&|number| number == 2 || number == 5)
    );
    let unreadable = vec!["O9999999999999999999".to_owned()];
    let filter = pb::OpportunityFilter {
        opportunity_ids: unreadable,
        ..none()
    };
    assert_eq!(
        filtered(filter).await,
        BTreeSet::new(),
        "an id of no record is still a condition"
    );
    let stages = vec![pb::Stage::Prospect.into(), pb::Stage::TechnicalValidation.into()];
    let filter = pb::OpportunityFilter { stages, ..none() };
    assert_eq!(filtered(filter).await, those(&|number| number % 3 != 1));
    let review_statuses = vec![ReviewStatus::Submitted.into()];
    let filter = pb::OpportunityFilter {
        review_statuses,
        ..none()
    };
    assert_eq!(filtered(filter).await, those(&|number| number == 1));
    let customer_company_names = vec!["Alder".to_owned(), "Elm".to_owned(), "elm".to_owned()];
    let filter = pb::OpportunityFilter {
        customer_company_names: customer_company_names.clone(),
        ..none()
    };
    assert_eq!(
        filtered(filter).await,
        those(&|number| number % 4 == 1 || number % 4 == 3)
    );

    let created = |number: usize| made[number].create_time;
    let span = |start, end| Some(TimestampRange { start, end });
    let filter = pb::OpportunityFilter {
        create_time: span(created(3), created(6)),
        ..none()
    };
    assert_eq!(
        filtered(filter).await,
        those(&|number| (3..6).contains(&number)),
        "the end is outside"
    );
    let filter = pb::OpportunityFilter {
        update_time: span(made[3].update_time, None),
        ..none()
    };
    assert_eq!(
        filtered(filter).await,
        those(&|number| [0, 1, 3, 7].contains(&number))
    );
    let closes = |number: usize| 4 + (number * 5) % 7;
    let target_close_date = Some(DateRange {
        start: date(2026, 5, 1),
        end: date(2026, 7, 1),
    });
    let filter = pb::OpportunityFilter {
        target_close_date,
        ..none()
    };
    assert_eq!(
        filtered(filter).await,
        those(&|number| (5..=7).contains(&closes(number))),
        "both days are inside"
    );
    let filter = pb::OpportunityFilter {
        target_close_date,
        customer_company_names,
        ..none()
    };
    let both = those(&|number| (5..=7).contains(&closes(number)) && number % 2 == 1);
    assert_eq!(filtered(filter).await, both);
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_060_spans_that_end_before_they_begin_are_refused() {
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
        by(&app, &user())
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

/// The token with another value of the sort key, which is none.
fn forge(token: &str) -> String {
    let bytes = URL_SAFE_NO_PAD.decode(token).expect("a token");
    let mut content: serde_json::Value = serde_json::from_slice(&bytes).expect("its content");
    content["last"][0] = "yesterday".into();
    URL_SAFE_NO_PAD.encode(content.to_string())
}

#[tokio::test]
async fn plt_005_a_page_token_belongs_to_its_query_and_its_caller() {
    let app = start().await;
    fill(&app).await;
    let first = pb::ListOpportunitiesRequest {
        page_size: 2,
        ..Default::default()
    };
    let page = by(&app, &manager())
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
        by(&app, &manager())
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
        by(&app, &manager())
            .opportunities()
            .list_opportunities(other_size)
            .await
            .is_ok(),
        "the size may change"
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
        page_token: forge(&next.page_token),
        ..next.clone()
    };
    for request in [other_order, other_filter, junk, forged] {
        let foreign = by(&app, &manager())
            .opportunities()
            .list_opportunities(request)
            .await;
        refused(foreign, Code::InvalidArgument, "PAGE_TOKEN_INVALID");
    }
    for other in [user(), stranger()] {
        let foreign = by(&app, &other)
            .opportunities()
            .list_opportunities(next.clone())
            .await;
        refused(foreign, Code::InvalidArgument, "PAGE_TOKEN_INVALID");
    }
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn acc_011_012_everybody_lists_what_it_may_see() {
    let app = start().await;
    let colleague = partner("mem-colleague", ALDER, Role::AceUser);
    let own = create(&app, &user(), record("Alder")).await.opportunity_id;
    let other = create(&app, &colleague, record("Birch")).await.opportunity_id;
    let foreign = create(&app, &stranger(), record("Cedar")).await.opportunity_id;
    let mut limited = record("Elm");
    limited.primary_needs_from_aws.clear();
    let limited = create(&app, &user(), limited).await.opportunity_id;
    submit(&app, &user(), &own).await;
    submit(&app, &stranger(), &foreign).await;
    let request = pb::SubmitOpportunityRequest {
        involvement_type: pb::InvolvementType::ForVisibilityOnly.into(),
        visibility: pb::Visibility::Limited.into(),
        ..submit_request(&limited)
    };
    by(&app, &user())
        .lifecycle()
        .submit_opportunity(request)
        .await
        .expect("a limited submission");

    let list = async |caller: &Caller| -> BTreeSet<String> {
        let listed = pages(&app, caller, pb::ListOpportunitiesRequest::default())
            .await
            .expect("pages");
        listed.into_iter().collect()
    };
    let set = |ids: &[&String]| ids.iter().map(|id| (*id).clone()).collect::<BTreeSet<_>>();
    assert_eq!(list(&user()).await, set(&[&own, &limited]));
    assert_eq!(list(&colleague).await, set(&[&other]));
    assert_eq!(list(&manager()).await, set(&[&own, &other, &limited]));
    assert_eq!(list(&stranger()).await, set(&[&foreign]));
    assert_eq!(
        list(&aws("mem-reviewer", Role::Reviewer)).await,
        set(&[&own, &foreign, &limited])
    );
    assert_eq!(
        list(&aws("mem-seller", Role::SalesRepresentative)).await,
        set(&[&own, &foreign])
    );
    app.finish::<Opportunities>().await;
}
