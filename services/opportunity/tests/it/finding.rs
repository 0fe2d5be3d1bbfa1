//! Search by words, and what of it AWS learns about companies that it may not see.

use cosell_opportunity::Opportunities;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::r#type::v1::SortOrder;
use cosell_testkit::harness::{App, aws, refused};
use cosell_types::{Caller, Role};
use tonic::Code;

use crate::support::{by, create, manager, pages, record, start, stranger, submit, user, withdraw_request};

fn deal(company: &str, title: &str, problem: &str) -> pb::Opportunity {
    let mut given = record(company);
    let project = given.project.as_mut().expect("a project");
    title.clone_into(&mut project.title);
    problem.clone_into(&mut project.customer_business_problem);
    given
}

async fn found(app: &App, caller: &Caller, search: &str) -> Vec<String> {
    let request = pb::ListOpportunitiesRequest {
        search: search.to_owned(),
        page_size: 2,
        sort_key: pb::OpportunitySortKey::OpportunityId.into(),
        sort_order: SortOrder::Ascending.into(),
        ..Default::default()
    };
    pages(app, caller, request).await.expect("pages")
}

#[tokio::test]
async fn opp_064_every_word_begins_a_word_of_company_title_or_problem() {
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
            create(&app, &user(), deal(company, title, problem))
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
        assert_eq!(found(&app, &manager(), search).await, expected, "{search}");
    }
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_064_only_what_the_caller_may_see_is_found() {
    let app = start().await;
    let own = create(
        &app,
        &user(),
        deal("Alder", "Common lake", "Orders are typed in twice."),
    )
    .await;
    let other = create(
        &app,
        &manager(),
        deal("Alder", "Common sea", "Orders are typed in twice."),
    )
    .await;
    let foreign = create(
        &app,
        &stranger(),
        deal("Birch", "Common pond", "Orders are typed in twice."),
    )
    .await;
    let [own, other, foreign] = [own, other, foreign].map(|record| record.opportunity_id);
    let reviewer = aws("mem-reviewer", Role::Reviewer);
    assert_eq!(found(&app, &user(), "common").await, [own.as_str()]);
    assert_eq!(found(&app, &manager(), "common").await.len(), 2);
    assert_eq!(found(&app, &stranger(), "common").await, [foreign.as_str()]);
    assert_eq!(found(&app, &reviewer, "common").await.len(), 0, "drafts");
    submit(&app, &user(), &own).await;
    submit(&app, &stranger(), &foreign).await;
    let both = found(&app, &reviewer, "common").await;
    assert_eq!(both.len(), 2);
    assert!(!both.contains(&other));
    let taken_back = by(&app, &user())
        .lifecycle()
        .withdraw_submission(withdraw_request(&own))
        .await;
    taken_back.expect("a withdrawal");
    assert_eq!(found(&app, &reviewer, "common").await, [foreign]);
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_064_words_follow_the_record() {
    let app = start().await;
    let made = create(
        &app,
        &user(),
        deal("Alder", "Old title", "Orders are typed in twice."),
    )
    .await;
    assert_eq!(found(&app, &user(), "old").await.len(), 1);
    let change = pb::UpdateOpportunityRequest {
        opportunity_id: made.opportunity_id.clone(),
        opportunity: Some(deal("Elm", "New title", "Orders are typed in thrice.")),
        ..Default::default()
    };
    by(&app, &user())
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
        assert_eq!(found(&app, &user(), search).await.len(), number, "{search}");
    }
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_064_a_search_has_ten_words_at_most() {
    let app = start().await;
    let search = async |search: &str| {
        let request = pb::ListOpportunitiesRequest {
            search: search.to_owned(),
            ..Default::default()
        };
        by(&app, &user())
            .opportunities()
            .list_opportunities(request)
            .await
    };
    assert!(search("a b c d e f g h i j J").await.is_ok());
    let refusal = refused(
        search("a b c d e f g h i j k").await,
        Code::InvalidArgument,
        "INVALID_FIELDS",
    );
    assert_eq!(refusal.paths(), ["search"]);
    let refusal = refused(
        search(&"a".repeat(256)).await,
        Code::InvalidArgument,
        "INVALID_FIELDS",
    );
    assert_eq!(refusal.paths(), ["search"]);
    app.finish::<Opportunities>().await;
}

/// The company of a national-security record shows in no search, filter or order of AWS.
#[tokio::test]
async fn opp_017_062_064_aws_learns_no_classified_company() {
    let app = start().await;
    let mut secret = deal("Mallard", "Common secret", "Orders are typed in twice.");
    secret.national_security = Some(true);
    let customer = secret.customer.as_mut().expect("a customer");
    customer.account.as_mut().expect("an account").industry = "Government".to_owned();
    let secret = create(&app, &manager(), secret).await.opportunity_id;
    let alder = create(
        &app,
        &manager(),
        deal("Alder", "Common lake", "Orders are typed in twice."),
    )
    .await;
    let zander = create(
        &app,
        &manager(),
        deal("Zander", "Common sea", "Orders are typed in twice."),
    )
    .await;
    let [alder, zander] = [alder, zander].map(|record| record.opportunity_id);
    for id in [&secret, &alder, &zander] {
        submit(&app, &manager(), id).await;
    }
    let sorted = async |caller: &Caller, names: &[&str]| {
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
        pages(&app, caller, request).await.expect("pages")
    };
    assert_eq!(found(&app, &manager(), "mallard").await, [secret.as_str()]);
    assert_eq!(
        sorted(&manager(), &["Mallard", "Zander"]).await,
        [secret.clone(), zander.clone()]
    );
    assert_eq!(
        sorted(&manager(), &[]).await,
        [alder.clone(), secret.clone(), zander.clone()]
    );
    for viewer in [
        aws("mem-reviewer", Role::Reviewer),
        aws("mem-seller", Role::SalesRepresentative),
    ] {
        for search in ["mallard", "m", "common mallard"] {
            assert_eq!(found(&app, &viewer, search).await.len(), 0, "{search}");
        }
        assert_eq!(
            found(&app, &viewer, "secret").await,
            [secret.as_str()],
            "the title is shown"
        );
        assert_eq!(sorted(&viewer, &["Mallard", "Zander"]).await, [zander.as_str()]);
        assert_eq!(
            sorted(&viewer, &[]).await,
            [secret.clone(), alder.clone(), zander.clone()],
            "by an empty name, also over pages"
        );
    }
    app.finish::<Opportunities>().await;
}
