//! Submissions open cases, whatever order and number their events come in.

use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::review::v1 as pb;
use cosell_proto::cosell::review::v1::ReviewCaseState as State;
use cosell_proto::cosell::r#type::v1::ReviewReason;
use cosell_review::Reviews;
use cosell_testkit::harness::eventually;

use crate::support::{ALDER, by, case_of, claim, count, decide, get, record, start, submit, submitted, tara};

fn withdrawn(id: &str, revision: i64, round: i32) -> opportunity::OpportunitySubmissionWithdrawn {
    opportunity::OpportunitySubmissionWithdrawn {
        opportunity_id: id.to_owned(),
        account_id: ALDER.to_owned(),
        revision,
        round,
    }
}

#[tokio::test]
async fn rev_001_a_submission_opens_a_case_with_what_was_submitted() {
    let (app, far) = start().await;
    let listed = submit(&app, &far, ALDER, "O7").await;
    assert_eq!((listed.state(), listed.round), (State::Submitted, 1));
    assert_eq!(listed.account_id, ALDER);
    assert_eq!(listed.customer_company_name, "Customer of O7");
    assert_eq!(listed.project_title, "Data platform");
    assert_eq!(listed.involvement_type(), opportunity::InvolvementType::CoSell);
    assert_eq!(listed.target_close_date.map(|date| date.day), Some(30));
    assert!(listed.rounds.is_empty(), "lists show no rounds");
    let case = get(&app, &listed.review_case_id).await;
    assert_eq!(case.rounds.len(), 1);
    assert_eq!(case.rounds[0].opportunity, Some(record("O7", 1)));
    app.finish::<Reviews>().await;
}

#[tokio::test]
async fn rev_001_a_correction_opens_the_next_round_and_keeps_the_earlier_one() {
    let (app, far) = start().await;
    let id = submit(&app, &far, ALDER, "O7").await.review_case_id;
    by(&app, &tara())
        .claim_review_case(claim(&id))
        .await
        .expect("a claim");
    let back = pb::DecideReviewRequest {
        reason: ReviewReason::ClarifyRevenue.into(),
        review_comments: "Explain the amount.".to_owned(),
        ..decide(&id, pb::ReviewDecision::ActionRequired)
    };
    by(&app, &tara()).decide_review(back).await.expect("a decision");
    // The opportunity moved (2) and was corrected (3); only then submitted again (4).
    let other = opportunity::OpportunityActionRequired {
        opportunity_id: "O7".to_owned(),
        ..Default::default()
    };
    far.tell("opportunity", ALDER, "O7", 2, &other).await;
    let other = opportunity::OpportunityUpdated {
        opportunity_id: "O7".to_owned(),
        ..Default::default()
    };
    far.tell("opportunity", ALDER, "O7", 3, &other).await;
    far.tell("opportunity", ALDER, "O7", 4, &submitted(ALDER, "O7", 4, 2))
        .await;
    let listed = case_of(&app, "O7", 2).await;
    assert_eq!(listed.state(), State::Submitted);
    assert_eq!(listed.assignee_member_id, "mem-tara");
    let case = get(&app, &id).await;
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
    assert_eq!(case.rounds[1].opportunity, Some(record("O7", 4)));
    app.finish::<Reviews>().await;
}

#[tokio::test]
async fn rev_006_a_withdrawal_closes_the_round_even_after_a_decision() {
    let (app, far) = start().await;
    let id = submit(&app, &far, ALDER, "O7").await.review_case_id;
    by(&app, &tara())
        .claim_review_case(claim(&id))
        .await
        .expect("a claim");
    by(&app, &tara())
        .decide_review(decide(&id, pb::ReviewDecision::Approve))
        .await
        .expect("a decision");
    far.tell("opportunity", ALDER, "O7", 2, &withdrawn("O7", 2, 1))
        .await;
    eventually(async || match get(&app, &id).await.state() {
        State::Withdrawn => Ok(()),
        other => Err(format!("the case is {other:?}")),
    })
    .await;
    let round = get(&app, &id).await.rounds.remove(0);
    assert!(round.withdraw_time.is_some());
    assert_eq!(
        round.decision(),
        pb::ReviewDecision::Approve,
        "what was decided stays on record"
    );
    far.tell("opportunity", ALDER, "O7", 3, &submitted(ALDER, "O7", 3, 2))
        .await;
    assert_eq!(case_of(&app, "O7", 2).await.state(), State::Submitted);
    app.finish::<Reviews>().await;
}

/// Backwards, and each twice with ids that the bus cannot recognise: the same rounds come of it, once.
#[tokio::test]
async fn plt_009_order_and_number_of_deliveries_do_not_matter() {
    let (app, far) = start().await;
    for _ in 0..2 {
        far.tell("opportunity", ALDER, "O7", 3, &submitted(ALDER, "O7", 3, 2))
            .await;
        far.tell("opportunity", ALDER, "O7", 2, &withdrawn("O7", 2, 1))
            .await;
    }
    for _ in 0..2 {
        far.tell("opportunity", ALDER, "O7", 1, &submitted(ALDER, "O7", 1, 1))
            .await;
    }
    let case = case_of(&app, "O7", 2).await;
    assert_eq!((case.state(), case.revision), (State::Submitted, 3));
    assert_eq!(count(&app, "SELECT count(*) FROM review_case").await, 1);
    assert_eq!(count(&app, "SELECT count(*) FROM submission").await, 2);
    assert_eq!(count(&app, "SELECT count(*) FROM event_journal").await, 3);
    app.finish::<Reviews>().await;
}

/// Events of types that this version does not know are passed over, not stumbled over.
#[tokio::test]
async fn plt_009_unknown_events_are_passed_over() {
    let (app, far) = start().await;
    far.tell("opportunity", ALDER, "O7", 1, &pb::ReviewWithdrawn::default())
        .await;
    far.tell("opportunity", ALDER, "O7", 2, &submitted(ALDER, "O7", 2, 1))
        .await;
    assert_eq!(case_of(&app, "O7", 1).await.revision, 1);
    app.finish::<Reviews>().await;
}

/// An event that makes no sense is kept for an operator, and what comes after it waits.
#[tokio::test]
async fn plt_009_a_dead_letter_is_redriven_in_order() {
    let (app, far) = start().await;
    let broken = opportunity::OpportunitySubmitted {
        opportunity_id: "no id".to_owned(),
        ..submitted(ALDER, "O7", 1, 1)
    };
    far.tell("opportunity", ALDER, "O7", 1, &broken).await;
    far.tell("opportunity", ALDER, "O7", 2, &withdrawn("O7", 2, 1))
        .await;
    eventually(
        async || match count(&app, "SELECT count(*) FROM dead_letter").await {
            2 => Ok(()),
            seen => Err(format!("{seen} dead letters, not 2")),
        },
    )
    .await;
    // The operator mends the letter, as the publisher should have written it.
    let mut admin = app.database.admin::<Reviews>().await;
    let mended = prost::Message::encode_to_vec(&submitted(ALDER, "O7", 1, 1));
    sqlx::query("UPDATE dead_letter SET payload = $1 WHERE aggregate_version = 1")
        .bind(mended)
        .execute(&mut admin)
        .await
        .expect("a mended letter");
    let redriven = app.redrive::<Reviews>("review-opportunity").await;
    assert_eq!(redriven, 2);
    assert_eq!(case_of(&app, "O7", 1).await.state(), State::Withdrawn);
    far.tell("opportunity", ALDER, "O7", 3, &submitted(ALDER, "O7", 3, 2))
        .await;
    assert_eq!(
        case_of(&app, "O7", 2).await.state(),
        State::Submitted,
        "the aggregate goes on"
    );
    app.finish::<Reviews>().await;
}
