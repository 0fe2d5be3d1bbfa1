//! Search terms: matching, visibility, index maintenance, limits, and hiding the company of national-security records
//! from AWS (OPP-017, OPP-062, OPP-064).

use cosell_opportunity::Opportunities;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::r#type::v1::SortOrder;
use cosell_testkit::harness::{App, aws, refused};
use cosell_types::{Caller, Role};
use tonic::Code;

use crate::support::{
    client_for, create, list_all_ids, manager, record, start, submit, unrelated_member, user,
    withdraw_request,
};

fn opportunity_with(company: &str, title: &str, problem: &str) -> pb::Opportunity {
    let mut input = record(company);
    let project = input.project.as_mut().expect("a project");
    title.clone_into(&mut project.title);
    problem.clone_into(&mut project.customer_business_problem);
    input
}

async fn search_ids(app: &App, caller: &Caller, search: &str) -> Vec<String> {
    let request = pb::ListOpportunitiesRequest {
        search: search.to_owned(),
        page_size: 2,
        sort_key: pb::OpportunitySortKey::OpportunityId.into(),
        sort_order: SortOrder::Ascending.into(),
        ..Default::default()
    };
    list_all_ids(app, caller, request).await.expect("pages")
}

#[tokio::test]
async fn opp_064_search_terms_match_word_prefixes_of_company_title_and_problem() {
    let app = start().await;
    let mut ids = Vec::new();
    for (company, title, problem) in [
        (
            "Müller & Söhne",
            "Orders/returns in one place",
            "Orders are typed in twice.",
        ),
        (
            "Alder Retail",
            "Data lake 2.0",
            "Nobody knows what O'Brien's shops have sold.",
        ),
        (
            "Birch",
            "A lake house",
            "Müller's orders are lost between two systems.",
        ),
    ] {
        ids.push(
            create(&app, &user(), opportunity_with(company, title, problem))
                .await
                .opportunity_id,
        );
        app.clock.advance(chrono::TimeDelta::minutes(1));
    }
    for (search, expected) in [
        ("müller", &[0, 2][..]),
        ("MÜLLER", &[0, 2]),
        ("müll söhn", &[0]),
        ("returns", &[0]),
        ("return place", &[0]),
        ("turns", &[]),
        ("lake", &[1, 2]),
        ("lake alder", &[1]),
        ("ALD LAK", &[1]),
        ("lake, house!", &[2]),
        ("brien", &[1]),
        ("O'Brien", &[1]),
        ("2.0", &[1]),
        ("orders müller lost", &[2]),
        ("orders müller lost lake nothing", &[]),
        ("orders", &[0, 2]),
        ("o", &[0, 1, 2]),
        ("%", &[0, 1, 2]),
        ("   ", &[0, 1, 2]),
        ("'); --", &[0, 1, 2]),
        ("111111111111", &[]),
    ] {
        let expected: Vec<_> = expected.iter().map(|index| ids[*index].clone()).collect();
        assert_eq!(search_ids(&app, &manager(), search).await, expected, "{search}");
    }
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_064_search_returns_only_records_visible_to_caller() {
    let app = start().await;
    let own = create(
        &app,
        &user(),
        opportunity_with("Alder", "Common lake", "Orders are typed in twice."),
    )
    .await;
    let other = create(
        &app,
        &manager(),
        opportunity_with("Alder", "Common sea", "Orders are typed in twice."),
    )
    .await;
    let other_account_id = create(
        &app,
        &unrelated_member(),
        opportunity_with("Birch", "Common pond", "Orders are typed in twice."),
    )
    .await;
    let [own, other, other_account_id] = [own, other, other_account_id].map(|record| record.opportunity_id);
    let reviewer = aws("mem-reviewer", Role::Reviewer);
    assert_eq!(search_ids(&app, &user(), "common").await, [own.as_str()]);
    assert_eq!(search_ids(&app, &manager(), "common").await.len(), 2);
    assert_eq!(
        search_ids(&app, &unrelated_member(), "common").await,
        [other_account_id.as_str()]
    );
    assert_eq!(
        search_ids(&app, &reviewer, "common").await.len(),
        0,
        "drafts are hidden"
    );
    submit(&app, &user(), &own).await;
    submit(&app, &unrelated_member(), &other_account_id).await;
    let both = search_ids(&app, &reviewer, "common").await;
    assert_eq!(both.len(), 2);
    assert!(!both.contains(&other));
    let withdrawn = client_for(&app, &user())
        .lifecycle()
        .withdraw_submission(withdraw_request(&own))
        .await;
    withdrawn.expect("a withdrawal");
    assert_eq!(search_ids(&app, &reviewer, "common").await, [other_account_id]);
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_064_search_index_follows_record_updates() {
    let app = start().await;
    let created = create(
        &app,
        &user(),
        opportunity_with("Alder", "Old title", "Orders are typed in twice."),
    )
    .await;
    assert_eq!(search_ids(&app, &user(), "old").await.len(), 1);
    let change = pb::UpdateOpportunityRequest {
        opportunity_id: created.opportunity_id.clone(),
        opportunity: Some(opportunity_with(
            "Elm",
            "New title",
            "Orders are typed in thrice.",
        )),
        ..Default::default()
    };
    client_for(&app, &user())
        .opportunities()
        .update_opportunity(change)
        .await
        .expect("an update");
    for (search, number) in [
        ("old", 0),
        ("alder", 0),
        ("twice", 0),
        ("new", 1),
        ("elm thrice", 1),
    ] {
        assert_eq!(search_ids(&app, &user(), search).await.len(), number, "{search}");
    }
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_064_search_with_more_than_ten_terms_is_refused() {
    let app = start().await;
    let list_with_search = async |search: &str| {
        let request = pb::ListOpportunitiesRequest {
            search: search.to_owned(),
            ..Default::default()
        };
        client_for(&app, &user())
            .opportunities()
            .list_opportunities(request)
            .await
    };
    assert!(list_with_search("a b c d e f g h i j J").await.is_ok());
    let refusal = refused(
        list_with_search("a b c d e f g h i j k").await,
        Code::InvalidArgument,
        "INVALID_FIELDS",
    );
    assert_eq!(refusal.paths(), ["search"]);
    let refusal = refused(
        list_with_search(&"a".repeat(256)).await,
        Code::InvalidArgument,
        "INVALID_FIELDS",
    );
    assert_eq!(refusal.paths(), ["search"]);
    app.finish::<Opportunities>().await;
}

/// Searches, filters and sort orders of AWS do not reveal the company of a national-security record.
#[tokio::test]
async fn opp_017_062_064_classified_company_is_hidden_from_aws_queries() {
    let app = start().await;
    let mut classified = opportunity_with("Mallard", "Common secret", "Orders are typed in twice.");
    classified.national_security = Some(true);
    let customer = classified.customer.as_mut().expect("a customer");
    customer.account.as_mut().expect("an account").industry = "Government".to_owned();
    let classified = create(&app, &manager(), classified).await.opportunity_id;
    let alder = create(
        &app,
        &manager(),
        opportunity_with("Alder", "Common lake", "Orders are typed in twice."),
    )
    .await;
    let zander = create(
        &app,
        &manager(),
        opportunity_with("Zander", "Common sea", "Orders are typed in twice."),
    )
    .await;
    let [alder, zander] = [alder, zander].map(|record| record.opportunity_id);
    for id in [&classified, &alder, &zander] {
        submit(&app, &manager(), id).await;
    }
    let list_by_company = async |caller: &Caller, names: &[&str]| {
        let request = pb::ListOpportunitiesRequest {
            page_size: 1,
            filter: Some(pb::OpportunityFilter {
                customer_company_names: names.iter().map(|name| (*name).to_owned()).collect(),
                ..Default::default()
            }),
            sort_key: pb::OpportunitySortKey::CustomerCompanyName.into(),
            sort_order: SortOrder::Ascending.into(),
            ..Default::default()
        };
        list_all_ids(&app, caller, request).await.expect("pages")
    };
    assert_eq!(
        search_ids(&app, &manager(), "mallard").await,
        [classified.as_str()]
    );
    assert_eq!(
        list_by_company(&manager(), &["Mallard", "Zander"]).await,
        [classified.clone(), zander.clone()]
    );
    assert_eq!(
        list_by_company(&manager(), &[]).await,
        [alder.clone(), classified.clone(), zander.clone()]
    );
    for caller in [
        aws("mem-reviewer", Role::Reviewer),
        aws("mem-seller", Role::SalesRepresentative),
    ] {
        for search in ["mallard", "m", "common mallard"] {
            assert_eq!(search_ids(&app, &caller, search).await.len(), 0, "{search}");
        }
        assert_eq!(
            search_ids(&app, &caller, "secret").await,
            [classified.as_str()],
            "the title is visible"
        );
        assert_eq!(
            list_by_company(&caller, &["Mallard", "Zander"]).await,
            [zander.as_str()]
        );
        assert_eq!(
            list_by_company(&caller, &[]).await,
            [classified.clone(), alder.clone(), zander.clone()],
            "sorted by an empty name, across pages too"
        );
    }
    app.finish::<Opportunities>().await;
}
