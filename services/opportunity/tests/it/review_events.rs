//! What review decides moves the record, whatever order and number the events come in.

use cosell_opportunity::Opportunities;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::review::v1 as review;
use cosell_proto::cosell::r#type::v1::{ReviewReason, ReviewStatus};
use cosell_testkit::harness::{App, eventually, refused};
use tonic::Code;

use crate::reviewer::{CASE, REMARKS, decided, opened, start_with_review, started, until};
use crate::support::{ALDER, by, count, create, get, record, submit, user, withdraw_request};

async fn cursor_reaches(app: &App, version: i64) {
    eventually(async || {
        let reached = count(app, "SELECT coalesce(max(version), 0) FROM aggregate_cursor").await;
        if reached == version {
            Ok(())
        } else {
            Err(format!("the cursor is at {reached}, not {version}"))
        }
    })
    .await;
}

#[tokio::test]
async fn opp_030_a_decision_moves_the_record_and_brings_the_remarks() {
    let (app, far) = start_with_review().await;
    let id = create(&app, &user(), record("Alder")).await.opportunity_id;
    submit(&app, &user(), &id).await;
    far.tell("review", ALDER, CASE, 1, &opened(&id, 1, 1)).await;
    far.tell("review", ALDER, CASE, 2, &started(&id, 2, 1)).await;
    until(&app, &id, ReviewStatus::InReview).await;
    let decision = decided(&id, 3, 1, review::ReviewDecision::ActionRequired);
    far.tell("review", ALDER, CASE, 3, &decision).await;
    until(&app, &id, ReviewStatus::ActionRequired).await;
    let seen = get(&app, &user(), &id).await;
    let life_cycle = seen.life_cycle.expect("a life cycle");
    assert_eq!(life_cycle.review_comments, REMARKS);
    assert_eq!(life_cycle.review_status_reason(), ReviewReason::ClarifyRevenue);
    assert_eq!(seen.last_modified_by, "", "AWS changed it last");
    app.finish::<Opportunities>().await;
}

/// Sent back, some fields may be corrected: locked ones and wrong ones are named together, and nothing is changed.
#[tokio::test]
async fn opp_040_locked_fields_are_named_and_none_is_changed() {
    let (app, far) = start_with_review().await;
    let id = create(&app, &user(), record("Alder")).await.opportunity_id;
    submit(&app, &user(), &id).await;
    far.tell("review", ALDER, CASE, 1, &opened(&id, 1, 1)).await;
    let decision = decided(&id, 2, 1, review::ReviewDecision::ActionRequired);
    far.tell("review", ALDER, CASE, 2, &decision).await;
    until(&app, &id, ReviewStatus::ActionRequired).await;
    let before = get(&app, &user(), &id).await;
    let request = pb::UpdateOpportunityRequest {
        opportunity_id: id.clone(),
        opportunity: Some(pb::Opportunity {
            project: Some(pb::Project {
                title: "Another title".to_owned(),
                customer_business_problem: "Corrected as it was asked for.".to_owned(),
                ..Default::default()
            }),
            ..Default::default()
        }),
        ..Default::default()
    };
    let locked = by(&app, &user())
        .opportunities()
        .update_opportunity(request)
        .await;
    let refusal = refused(locked, Code::FailedPrecondition, "FIELD_NOT_EDITABLE");
    assert_eq!(refusal.paths(), ["opportunity.project.title"]);
    assert_eq!(refusal.metadata["review_status"], "ACTION_REQUIRED");
    assert_eq!(get(&app, &user(), &id).await, before);
    app.finish::<Opportunities>().await;
}

/// Backwards, and each twice with ids that the bus cannot recognise: the record goes through the same steps once.
#[tokio::test]
async fn plt_009_order_and_number_of_deliveries_do_not_matter() {
    let (app, far) = start_with_review().await;
    let id = create(&app, &user(), record("Alder")).await.opportunity_id;
    submit(&app, &user(), &id).await;
    let decision = decided(&id, 3, 1, review::ReviewDecision::Approve);
    for _ in 0..2 {
        far.tell("review", ALDER, CASE, 3, &decision).await;
        far.tell("review", ALDER, CASE, 2, &started(&id, 2, 1)).await;
    }
    far.tell("review", ALDER, CASE, 1, &opened(&id, 1, 1)).await;
    until(&app, &id, ReviewStatus::Approved).await;
    cursor_reaches(&app, 3).await;
    assert_eq!(
        get(&app, &user(), &id).await.revision,
        4,
        "created, submitted, in review, approved: once each"
    );
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_033_a_decision_on_what_was_taken_back_is_passed_over() {
    let (app, far) = start_with_review().await;
    let id = create(&app, &user(), record("Alder")).await.opportunity_id;
    submit(&app, &user(), &id).await;
    by(&app, &user())
        .lifecycle()
        .withdraw_submission(withdraw_request(&id))
        .await
        .expect("a withdrawal");
    let before = get(&app, &user(), &id).await;
    far.tell("review", ALDER, CASE, 1, &started(&id, 1, 1)).await;
    far.tell(
        "review",
        ALDER,
        CASE,
        2,
        &decided(&id, 2, 1, review::ReviewDecision::Approve),
    )
    .await;
    cursor_reaches(&app, 2).await;
    assert_eq!(get(&app, &user(), &id).await, before);
    app.finish::<Opportunities>().await;
}

/// An event that makes no sense is kept for an operator; its case waits, others go on.
#[tokio::test]
async fn plt_009_a_poisoned_event_stops_its_own_aggregate_only() {
    let (mut app, far) = start_with_review().await;
    let id = create(&app, &user(), record("Alder")).await.opportunity_id;
    let other = create(&app, &user(), record("Birch")).await.opportunity_id;
    submit(&app, &user(), &id).await;
    submit(&app, &user(), &other).await;
    let nonsense = review::ReviewStarted {
        opportunity_id: "no id".to_owned(),
        ..started(&id, 1, 1)
    };
    far.tell("review", ALDER, CASE, 1, &nonsense).await;
    far.tell(
        "review",
        ALDER,
        CASE,
        2,
        &decided(&id, 2, 1, review::ReviewDecision::Approve),
    )
    .await;
    let second = "rc-0000000000002";
    far.tell(
        "review",
        ALDER,
        second,
        1,
        &decided(&other, 1, 1, review::ReviewDecision::Approve),
    )
    .await;
    until(&app, &other, ReviewStatus::Approved).await;
    eventually(async || {
        let parked = "SELECT count(*) FROM dead_letter WHERE resolved_at IS NULL";
        match count(&app, parked).await {
            2 => Ok(()),
            seen => Err(format!(
                "{seen} dead letters, not 2: the poisoned one and the one behind it"
            )),
        }
    })
    .await;
    let stored = get(&app, &user(), &id).await.life_cycle.expect("a life cycle");
    assert_eq!(stored.review_status(), ReviewStatus::Submitted);
    app.leaves_events();
    app.finish::<Opportunities>().await;
}
