//! Covers the consumer of opportunity events: submissions open cases and rounds, withdrawals close rounds. Delivery
//! order, duplicates, unknown event types and dead letters do not change the outcome.

use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::review::v1 as pb;
use cosell_proto::cosell::review::v1::ReviewCaseState as State;
use cosell_proto::cosell::r#type::v1::ReviewReason;
use cosell_review::Reviews;
use cosell_testkit::harness::eventually;

use crate::support::{
    ALDER, claim_request, client, count, decide_request, get_case, opportunity_record, start, submit,
    submitted, tara, wait_for_round,
};

fn withdrawn(id: &str, revision: i64, round: i32) -> opportunity::OpportunitySubmissionWithdrawn {
    opportunity::OpportunitySubmissionWithdrawn {
        opportunity_id: id.to_owned(),
        account_id: ALDER.to_owned(),
        revision,
        round,
    }
}

#[tokio::test]
async fn rev_001_submission_opens_case_with_submitted_revision() {
    let (app, peer) = start().await;
    let listed = submit(&app, &peer, ALDER, "O7").await;
    assert_eq!((listed.state(), listed.round), (State::Submitted, 1));
    assert_eq!(listed.account_id, ALDER);
    assert_eq!(listed.customer_company_name, "Customer of O7");
    assert_eq!(listed.project_title, "Data platform");
    assert_eq!(listed.involvement_type(), opportunity::InvolvementType::CoSell);
    assert_eq!(listed.target_close_date.map(|date| date.day), Some(30));
    assert!(listed.rounds.is_empty(), "a list must not contain rounds");
    let case = get_case(&app, &listed.review_case_id).await;
    assert_eq!(case.rounds.len(), 1);
    assert_eq!(case.rounds[0].opportunity, Some(opportunity_record("O7", 1)));
    app.finish::<Reviews>().await;
}

#[tokio::test]
async fn rev_001_resubmission_opens_next_round_and_keeps_earlier_round() {
    let (app, peer) = start().await;
    let id = submit(&app, &peer, ALDER, "O7").await.review_case_id;
    client(&app, &tara())
        .claim_review_case(claim_request(&id))
        .await
        .expect("a claim");
    let action_required = pb::DecideReviewRequest {
        reason: ReviewReason::ClarifyRevenue.into(),
        review_comments: "Explain the amount.".to_owned(),
        ..decide_request(&id, pb::ReviewDecision::ActionRequired)
    };
    client(&app, &tara())
        .decide_review(action_required)
        .await
        .expect("a decision");
    // The status changes (revision 2), the partner corrects the record (3), then submits it again (4).
    let returned = opportunity::OpportunityActionRequired {
        opportunity_id: "O7".to_owned(),
        ..Default::default()
    };
    peer.publish_event("opportunity", ALDER, "O7", 2, &returned).await;
    let corrected = opportunity::OpportunityUpdated {
        opportunity_id: "O7".to_owned(),
        ..Default::default()
    };
    peer.publish_event("opportunity", ALDER, "O7", 3, &corrected)
        .await;
    peer.publish_event("opportunity", ALDER, "O7", 4, &submitted(ALDER, "O7", 4, 2))
        .await;
    let listed = wait_for_round(&app, "O7", 2).await;
    assert_eq!(listed.state(), State::Submitted);
    assert_eq!(listed.assignee_member_id, "mem-tara");
    let case = get_case(&app, &id).await;
    let rounds: Vec<_> = case
        .rounds
        .iter()
        .map(|round| (round.round, round.decision()))
        .collect();
    assert_eq!(
        rounds,
        [
            (1, pb::ReviewDecision::ActionRequired),
            (2, pb::ReviewDecision::Unspecified)
        ]
    );
    assert_eq!(case.rounds[0].review_comments, "Explain the amount.");
    assert_eq!(case.rounds[0].decided_by, "mem-tara");
    assert_eq!(case.rounds[1].opportunity, Some(opportunity_record("O7", 4)));
    app.finish::<Reviews>().await;
}

#[tokio::test]
async fn rev_006_withdrawal_closes_round_after_decision() {
    let (app, peer) = start().await;
    let id = submit(&app, &peer, ALDER, "O7").await.review_case_id;
    client(&app, &tara())
        .claim_review_case(claim_request(&id))
        .await
        .expect("a claim");
    client(&app, &tara())
        .decide_review(decide_request(&id, pb::ReviewDecision::Approve))
        .await
        .expect("a decision");
    peer.publish_event("opportunity", ALDER, "O7", 2, &withdrawn("O7", 2, 1))
        .await;
    eventually(async || match get_case(&app, &id).await.state() {
        State::Withdrawn => Ok(()),
        other => Err(format!("the case is {other:?}")),
    })
    .await;
    let round = get_case(&app, &id).await.rounds.remove(0);
    assert!(round.withdraw_time.is_some());
    assert_eq!(
        round.decision(),
        pb::ReviewDecision::Approve,
        "the round must keep its decision"
    );
    peer.publish_event("opportunity", ALDER, "O7", 3, &submitted(ALDER, "O7", 3, 2))
        .await;
    assert_eq!(wait_for_round(&app, "O7", 2).await.state(), State::Submitted);
    app.finish::<Reviews>().await;
}

/// Delivers the events in reverse order and each twice under different ids, so that the bus cannot discard duplicates.
#[tokio::test]
async fn plt_009_reordered_and_duplicate_deliveries_apply_once() {
    let (app, peer) = start().await;
    for _ in 0..2 {
        peer.publish_event("opportunity", ALDER, "O7", 3, &submitted(ALDER, "O7", 3, 2))
            .await;
        peer.publish_event("opportunity", ALDER, "O7", 2, &withdrawn("O7", 2, 1))
            .await;
    }
    for _ in 0..2 {
        peer.publish_event("opportunity", ALDER, "O7", 1, &submitted(ALDER, "O7", 1, 1))
            .await;
    }
    let case = wait_for_round(&app, "O7", 2).await;
    assert_eq!((case.state(), case.revision), (State::Submitted, 3));
    assert_eq!(count(&app, "SELECT count(*) FROM review_case").await, 1);
    assert_eq!(count(&app, "SELECT count(*) FROM submission").await, 2);
    assert_eq!(count(&app, "SELECT count(*) FROM event_journal").await, 3);
    app.finish::<Reviews>().await;
}

#[tokio::test]
async fn plt_009_unknown_event_types_are_skipped() {
    let (app, peer) = start().await;
    peer.publish_event("opportunity", ALDER, "O7", 1, &pb::ReviewWithdrawn::default())
        .await;
    peer.publish_event("opportunity", ALDER, "O7", 2, &submitted(ALDER, "O7", 2, 1))
        .await;
    assert_eq!(wait_for_round(&app, "O7", 1).await.revision, 1);
    app.finish::<Reviews>().await;
}

/// An event that cannot be applied becomes a dead letter, and later events of the same aggregate wait behind it.
#[tokio::test]
async fn plt_009_dead_letters_are_redriven_in_order() {
    let (app, peer) = start().await;
    let invalid = opportunity::OpportunitySubmitted {
        opportunity_id: "no id".to_owned(),
        ..submitted(ALDER, "O7", 1, 1)
    };
    peer.publish_event("opportunity", ALDER, "O7", 1, &invalid).await;
    peer.publish_event("opportunity", ALDER, "O7", 2, &withdrawn("O7", 2, 1))
        .await;
    eventually(
        async || match count(&app, "SELECT count(*) FROM dead_letter").await {
            2 => Ok(()),
            count => Err(format!("{count} dead letters, not 2")),
        },
    )
    .await;
    // The operator corrects the payload of the dead letter.
    let mut admin = app.database.admin::<Reviews>().await;
    let corrected = prost::Message::encode_to_vec(&submitted(ALDER, "O7", 1, 1));
    sqlx::query("UPDATE dead_letter SET payload = $1 WHERE aggregate_version = 1")
        .bind(corrected)
        .execute(&mut admin)
        .await
        .expect("a corrected dead letter");
    let redriven = app.redrive::<Reviews>("review-opportunity").await;
    assert_eq!(redriven, 2);
    assert_eq!(wait_for_round(&app, "O7", 1).await.state(), State::Withdrawn);
    peer.publish_event("opportunity", ALDER, "O7", 3, &submitted(ALDER, "O7", 3, 2))
        .await;
    assert_eq!(
        wait_for_round(&app, "O7", 2).await.state(),
        State::Submitted,
        "the consumer must process later events of the aggregate"
    );
    app.finish::<Reviews>().await;
}
