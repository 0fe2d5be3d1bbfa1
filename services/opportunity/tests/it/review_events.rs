//! Events of the review service: decisions update the record, in any order and number of deliveries, and invalid events
//! become dead letters (OPP-030, OPP-033, OPP-040, PLT-009).

use cosell_opportunity::Opportunities;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::review::v1 as review;
use cosell_proto::cosell::r#type::v1::{ReviewReason, ReviewStatus};
use cosell_testkit::harness::{App, eventually, refused};
use tonic::Code;

use crate::reviewer::{
    CASE, REMARKS, review_decided, review_round_opened, review_started, start_with_review, wait_for_status,
};
use crate::support::{ALDER, client_for, count, create, get, record, submit, user, withdraw_request};

async fn wait_for_cursor(app: &App, version: i64) {
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
async fn opp_030_review_decision_updates_status_and_remarks() {
    let (app, peer) = start_with_review().await;
    let id = create(&app, &user(), record("Alder")).await.opportunity_id;
    submit(&app, &user(), &id).await;
    peer.publish_event("review", ALDER, CASE, 1, &review_round_opened(&id, 1, 1))
        .await;
    peer.publish_event("review", ALDER, CASE, 2, &review_started(&id, 2, 1))
        .await;
    wait_for_status(&app, &id, ReviewStatus::InReview).await;
    let decision = review_decided(&id, 3, 1, review::ReviewDecision::ActionRequired);
    peer.publish_event("review", ALDER, CASE, 3, &decision).await;
    wait_for_status(&app, &id, ReviewStatus::ActionRequired).await;
    let opportunity = get(&app, &user(), &id).await;
    let life_cycle = opportunity.life_cycle.expect("a life cycle");
    assert_eq!(life_cycle.review_comments, REMARKS);
    assert_eq!(life_cycle.review_status_reason(), ReviewReason::ClarifyRevenue);
    assert_eq!(
        opportunity.last_modified_by, "",
        "the last change was made by AWS"
    );
    app.finish::<Opportunities>().await;
}

/// In ACTION_REQUIRED some fields are editable. An update that also contains a locked field changes nothing.
#[tokio::test]
async fn opp_040_update_of_locked_field_is_refused_without_change() {
    let (app, peer) = start_with_review().await;
    let id = create(&app, &user(), record("Alder")).await.opportunity_id;
    submit(&app, &user(), &id).await;
    peer.publish_event("review", ALDER, CASE, 1, &review_round_opened(&id, 1, 1))
        .await;
    let decision = review_decided(&id, 2, 1, review::ReviewDecision::ActionRequired);
    peer.publish_event("review", ALDER, CASE, 2, &decision).await;
    wait_for_status(&app, &id, ReviewStatus::ActionRequired).await;
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
    let locked = client_for(&app, &user())
        .opportunities()
        .update_opportunity(request)
        .await;
    let refusal = refused(locked, Code::FailedPrecondition, "FIELD_NOT_EDITABLE");
    assert_eq!(refusal.paths(), ["opportunity.project.title"]);
    assert_eq!(refusal.metadata["review_status"], "ACTION_REQUIRED");
    assert_eq!(get(&app, &user(), &id).await, before);
    app.finish::<Opportunities>().await;
}

/// Events are delivered in reverse order, twice and with new ids, so the bus does not deduplicate them. Each is applied
/// once.
#[tokio::test]
async fn plt_009_reordered_and_duplicate_deliveries_are_applied_once_in_order() {
    let (app, peer) = start_with_review().await;
    let id = create(&app, &user(), record("Alder")).await.opportunity_id;
    submit(&app, &user(), &id).await;
    let decision = review_decided(&id, 3, 1, review::ReviewDecision::Approve);
    for _ in 0..2 {
        peer.publish_event("review", ALDER, CASE, 3, &decision).await;
        peer.publish_event("review", ALDER, CASE, 2, &review_started(&id, 2, 1))
            .await;
    }
    peer.publish_event("review", ALDER, CASE, 1, &review_round_opened(&id, 1, 1))
        .await;
    wait_for_status(&app, &id, ReviewStatus::Approved).await;
    wait_for_cursor(&app, 3).await;
    assert_eq!(
        get(&app, &user(), &id).await.revision,
        4,
        "created, submitted, in review, approved: once each"
    );
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_033_decision_on_withdrawn_submission_is_ignored() {
    let (app, peer) = start_with_review().await;
    let id = create(&app, &user(), record("Alder")).await.opportunity_id;
    submit(&app, &user(), &id).await;
    client_for(&app, &user())
        .lifecycle()
        .withdraw_submission(withdraw_request(&id))
        .await
        .expect("a withdrawal");
    let before = get(&app, &user(), &id).await;
    peer.publish_event("review", ALDER, CASE, 1, &review_started(&id, 1, 1))
        .await;
    peer.publish_event(
        "review",
        ALDER,
        CASE,
        2,
        &review_decided(&id, 2, 1, review::ReviewDecision::Approve),
    )
    .await;
    wait_for_cursor(&app, 2).await;
    assert_eq!(get(&app, &user(), &id).await, before);
    app.finish::<Opportunities>().await;
}

/// An invalid event becomes a dead letter and parks its review case; other cases are processed.
#[tokio::test]
async fn plt_009_invalid_event_parks_only_its_own_aggregate() {
    let (mut app, peer) = start_with_review().await;
    let id = create(&app, &user(), record("Alder")).await.opportunity_id;
    let other = create(&app, &user(), record("Birch")).await.opportunity_id;
    submit(&app, &user(), &id).await;
    submit(&app, &user(), &other).await;
    let invalid = review::ReviewStarted {
        opportunity_id: "no id".to_owned(),
        ..review_started(&id, 1, 1)
    };
    peer.publish_event("review", ALDER, CASE, 1, &invalid).await;
    peer.publish_event(
        "review",
        ALDER,
        CASE,
        2,
        &review_decided(&id, 2, 1, review::ReviewDecision::Approve),
    )
    .await;
    let second = "rc-0000000000002";
    peer.publish_event(
        "review",
        ALDER,
        second,
        1,
        &review_decided(&other, 1, 1, review::ReviewDecision::Approve),
    )
    .await;
    wait_for_status(&app, &other, ReviewStatus::Approved).await;
    eventually(async || {
        let parked = "SELECT count(*) FROM dead_letter WHERE resolved_at IS NULL";
        match count(&app, parked).await {
            2 => Ok(()),
            found => Err(format!(
                "{found} dead letters, not 2: the invalid event and the one after it"
            )),
        }
    })
    .await;
    let stored = get(&app, &user(), &id).await.life_cycle.expect("a life cycle");
    assert_eq!(stored.review_status(), ReviewStatus::Submitted);
    app.allow_unpublished_events();
    app.finish::<Opportunities>().await;
}
