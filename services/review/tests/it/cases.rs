//! Claiming, starting, deciding.

use cosell_proto::cosell::review::v1 as pb;
use cosell_proto::cosell::review::v1::ReviewCaseState as State;
use cosell_proto::cosell::r#type::v1::ReviewReason;
use cosell_review::Reviews;
use cosell_testkit::harness::{App, Published, aws, eventually, partner, refused, service};
use cosell_types::Role;
use tonic::Code;

use crate::support::{ALDER, begin, by, claim, count, decide, get, request_id, start, submit, tara, umar};

#[tokio::test]
async fn rev_002_003_the_way_of_a_case_and_what_others_are_told() {
    let (app, far) = start().await;
    let id = submit(&app, &far, ALDER, "O7").await.review_case_id;
    let free = by(&app, &tara()).start_review(begin(&id)).await;
    refused(free, Code::FailedPrecondition, "CASE_NOT_CLAIMED");
    let claimed = by(&app, &tara())
        .claim_review_case(claim(&id))
        .await
        .expect("a claim")
        .into_inner();
    assert_eq!(
        claimed.review_case.expect("the case").assignee_member_id,
        "mem-tara"
    );
    by(&app, &tara())
        .claim_review_case(claim(&id))
        .await
        .expect("one's own again");
    let taken = refused(
        by(&app, &umar()).claim_review_case(claim(&id)).await,
        Code::FailedPrecondition,
        "CASE_CLAIMED_BY_ANOTHER",
    );
    assert_eq!(taken.metadata["assignee_member_id"], "mem-tara");
    let theirs = by(&app, &umar())
        .decide_review(decide(&id, pb::ReviewDecision::Approve))
        .await;
    refused(theirs, Code::FailedPrecondition, "CASE_CLAIMED_BY_ANOTHER");
    let over = pb::ClaimReviewCaseRequest {
        take_over: true,
        ..claim(&id)
    };
    by(&app, &umar())
        .claim_review_case(over)
        .await
        .expect("a case taken over");
    let started = by(&app, &umar())
        .start_review(begin(&id))
        .await
        .expect("a start")
        .into_inner();
    assert_eq!(started.review_case.expect("the case").state(), State::InReview);
    let twice = refused(
        by(&app, &umar()).start_review(begin(&id)).await,
        Code::FailedPrecondition,
        "ILLEGAL_TRANSITION",
    );
    assert_eq!(
        (
            twice.metadata["state"].as_str(),
            twice.metadata["action"].as_str()
        ),
        ("IN_REVIEW", "START")
    );
    let rejected = pb::DecideReviewRequest {
        reason: ReviewReason::Other.into(),
        review_comments: "A confidential remark".to_owned(),
        ..decide(&id, pb::ReviewDecision::Reject)
    };
    by(&app, &umar())
        .decide_review(rejected)
        .await
        .expect("a decision");
    let late = by(&app, &umar())
        .decide_review(decide(&id, pb::ReviewDecision::Approve))
        .await;
    refused(late, Code::FailedPrecondition, "ILLEGAL_TRANSITION");
    let case = get(&app, &id).await;
    assert_eq!((case.state(), case.revision), (State::Rejected, 5));
    let round = &case.rounds[0];
    assert!(round.start_time.is_some() && round.decide_time.is_some());

    let told = far.first("review", 5).await;
    let verbs: Vec<_> = told
        .iter()
        .map(|event| event.subject.rsplit('.').next().expect("a verb"))
        .collect();
    assert_eq!(
        verbs,
        [
            "review_round_opened",
            "review_case_claimed",
            "review_case_claimed",
            "review_started",
            "review_decided"
        ]
    );
    let decided: pb::ReviewDecided = told[4].message();
    assert_eq!(
        (decided.decision(), decided.reason()),
        (pb::ReviewDecision::Reject, ReviewReason::Other)
    );
    assert_eq!((decided.opportunity_id.as_str(), decided.round), ("O7", 1));
    assert_eq!(
        told[4].header("ce-accountid"),
        ALDER,
        "the event belongs to the partner's account"
    );
    assert_eq!(told[4].header("ce-actor"), "mem-umar");
    for event in &told {
        let text = format!("{:?} {}", event.headers, String::from_utf8_lossy(&event.payload));
        assert!(
            !text.contains("confidential") && !text.contains("Customer of"),
            "{text}"
        );
    }
    app.finish::<Reviews>().await;
}

#[tokio::test]
async fn rev_011_012_wrong_decisions_say_what_is_wrong_and_decide_nothing() {
    let (app, far) = start().await;
    let id = submit(&app, &far, ALDER, "O7").await.review_case_id;
    by(&app, &tara())
        .claim_review_case(claim(&id))
        .await
        .expect("a claim");
    let before = get(&app, &id).await;
    let mut client = by(&app, &tara());
    let bare = client
        .decide_review(decide(&id, pb::ReviewDecision::ActionRequired))
        .await;
    let refusal = refused(bare, Code::InvalidArgument, "INVALID_FIELDS");
    assert_eq!(refusal.paths(), ["reason", "review_comments"]);
    assert!(refusal.fields[0].2.contains("CLARIFY_SOLUTION"), "{refusal:?}");
    let reasoned = pb::DecideReviewRequest {
        reason: ReviewReason::Other.into(),
        ..decide(&id, pb::ReviewDecision::Approve)
    };
    let refusal = refused(
        client.decide_review(reasoned).await,
        Code::InvalidArgument,
        "INVALID_FIELDS",
    );
    assert_eq!(refusal.paths(), ["reason"]);
    let none = pb::DecideReviewRequest {
        decision: 0,
        review_comments: "x".repeat(2001),
        ..decide(&id, pb::ReviewDecision::Approve)
    };
    let refusal = refused(
        client.decide_review(none).await,
        Code::InvalidArgument,
        "INVALID_FIELDS",
    );
    assert_eq!(refusal.paths(), ["decision", "review_comments"]);
    assert_eq!(get(&app, &id).await, before);
    app.finish::<Reviews>().await;
}

#[tokio::test]
async fn plt_002_003_004_repetitions_etags_and_rehearsals() {
    let (app, far) = start().await;
    let id = submit(&app, &far, ALDER, "O7").await.review_case_id;
    let mut client = by(&app, &tara());
    let request = pb::ClaimReviewCaseRequest {
        request_id: request_id(),
        ..claim(&id)
    };
    for _ in 0..3 {
        client.claim_review_case(request.clone()).await.expect("a claim");
    }
    let stale = pb::StartReviewRequest {
        etag: "\"1\"".to_owned(),
        ..begin(&id)
    };
    let refusal = refused(client.start_review(stale).await, Code::Aborted, "ETAG_MISMATCH");
    assert_eq!(refusal.metadata["current_etag"], "\"2\"");
    let rehearsal = pb::DecideReviewRequest {
        validate_only: true,
        ..decide(&id, pb::ReviewDecision::Approve)
    };
    let answer = client
        .decide_review(rehearsal)
        .await
        .expect("as if done")
        .into_inner();
    assert_eq!(answer.review_case.expect("the case").state(), State::Approved);
    assert_eq!(get(&app, &id).await.state(), State::Submitted);
    let decision = pb::DecideReviewRequest {
        request_id: request_id(),
        ..decide(&id, pb::ReviewDecision::Approve)
    };
    for _ in 0..3 {
        client.decide_review(decision.clone()).await.expect("a decision");
    }
    assert_eq!(get(&app, &id).await.revision, 3);
    assert_eq!(count(&app, "SELECT count(*) FROM event_journal").await, 3);
    app.finish::<Reviews>().await;
}

/// Many reviewers at once: one gets the case, the others are told who has it.
#[tokio::test]
async fn rev_003_of_many_claims_one_wins() {
    let (app, far) = start().await;
    let id = submit(&app, &far, ALDER, "O7").await.review_case_id;
    let claims: Vec<_> = (0..8)
        .map(|number| {
            let reviewer = aws(&format!("mem-reviewer-{number}"), Role::Reviewer);
            let (mut client, request) = (by(&app, &reviewer), claim(&id));
            tokio::spawn(async move { client.claim_review_case(request).await })
        })
        .collect();
    let mut won = 0;
    for claim in claims {
        match claim.await.expect("no panic") {
            Ok(_) => won += 1,
            Err(status) if status.code() == Code::Aborted => {}
            other => drop(refused(
                other,
                Code::FailedPrecondition,
                "CASE_CLAIMED_BY_ANOTHER",
            )),
        }
    }
    assert_eq!(won, 1);
    assert_eq!(get(&app, &id).await.revision, 2);
    app.finish::<Reviews>().await;
}

#[tokio::test]
async fn acc_010_review_is_for_reviewers() {
    let (app, far) = start().await;
    let id = submit(&app, &far, ALDER, "O7").await.review_case_id;
    let read = pb::GetReviewCaseRequest {
        review_case_id: id.clone(),
    };
    let lead = partner("mem-lead", ALDER, Role::AllianceLead);
    let seller = aws("mem-seller", Role::SalesRepresentative);
    for outsider in [&lead, &seller] {
        let hidden = by(&app, outsider).get_review_case(read.clone()).await;
        refused(hidden, Code::PermissionDenied, "ROLE_NOT_PERMITTED");
    }
    by(&app, &service("opportunity"))
        .get_review_case(read)
        .await
        .expect("services read cases");
    let theirs = by(&app, &service("opportunity"))
        .claim_review_case(claim(&id))
        .await;
    refused(theirs, Code::PermissionDenied, "ROLE_NOT_PERMITTED");
    let absent = pb::GetReviewCaseRequest {
        review_case_id: "rc-0000000000000".to_owned(),
    };
    let absent = by(&app, &tara()).get_review_case(absent).await;
    refused(absent, Code::NotFound, "REVIEW_CASE_NOT_FOUND");
    app.finish::<Reviews>().await;
}

/// The far end of the stream knows each event once, however often a relay says it.
#[tokio::test]
async fn plt_009_republished_events_are_the_same_events() {
    let (app, far) = start().await;
    let id = submit(&app, &far, ALDER, "O7").await.review_case_id;
    by(&app, &tara())
        .claim_review_case(claim(&id))
        .await
        .expect("a claim");
    let before = far.first("review", 2).await;
    all_published(&app).await;
    assert_eq!(app.republish().await, 2);
    all_published(&app).await;
    assert_eq!(
        far.count("review").await,
        2,
        "the bus recognised them by their ids"
    );
    let ids = |events: &[Published]| {
        events
            .iter()
            .map(|event| event.header("ce-id").to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(&far.first("review", 2).await), ids(&before));
    app.finish::<Reviews>().await;
}

async fn all_published(app: &App) {
    eventually(
        async || match count(app, "SELECT count(*) FROM outbox_pending").await {
            0 => Ok(()),
            left => Err(format!("{left} events are pending")),
        },
    )
    .await;
}
