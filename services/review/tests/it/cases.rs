//! Covers the lifecycle of a review case through the API: claim, start and decide, with the events that each publishes.
//! Also covers idempotency, etags, dry runs, concurrent claims, role checks, and republished events.

use cosell_proto::cosell::review::v1 as pb;
use cosell_proto::cosell::review::v1::ReviewCaseState as State;
use cosell_proto::cosell::r#type::v1::ReviewReason;
use cosell_review::Reviews;
use cosell_testkit::harness::{App, Published, aws, eventually, partner, refused, service};
use cosell_types::Role;
use tonic::Code;

use crate::support::{
    ALDER, claim_request, client, count, decide_request, get_case, request_id, start, start_request, submit,
    tara, umar,
};

#[tokio::test]
async fn rev_002_003_case_lifecycle_publishes_each_transition_without_comments() {
    let (app, peer) = start().await;
    let id = submit(&app, &peer, ALDER, "O7").await.review_case_id;
    let unclaimed = client(&app, &tara()).start_review(start_request(&id)).await;
    refused(unclaimed, Code::FailedPrecondition, "CASE_NOT_CLAIMED");
    let claimed = client(&app, &tara())
        .claim_review_case(claim_request(&id))
        .await
        .expect("a claim")
        .into_inner();
    assert_eq!(
        claimed.review_case.expect("the case").assignee_member_id,
        "mem-tara"
    );
    client(&app, &tara())
        .claim_review_case(claim_request(&id))
        .await
        .expect("a repeated claim");
    let claimed_by_other = refused(
        client(&app, &umar()).claim_review_case(claim_request(&id)).await,
        Code::FailedPrecondition,
        "CASE_CLAIMED_BY_ANOTHER",
    );
    assert_eq!(claimed_by_other.metadata["assignee_member_id"], "mem-tara");
    let not_assignee = client(&app, &umar())
        .decide_review(decide_request(&id, pb::ReviewDecision::Approve))
        .await;
    refused(not_assignee, Code::FailedPrecondition, "CASE_CLAIMED_BY_ANOTHER");
    let take_over = pb::ClaimReviewCaseRequest {
        take_over: true,
        ..claim_request(&id)
    };
    client(&app, &umar())
        .claim_review_case(take_over)
        .await
        .expect("a claim that takes the case over");
    let started = client(&app, &umar())
        .start_review(start_request(&id))
        .await
        .expect("a start")
        .into_inner();
    assert_eq!(started.review_case.expect("the case").state(), State::InReview);
    let started_again = refused(
        client(&app, &umar()).start_review(start_request(&id)).await,
        Code::FailedPrecondition,
        "ILLEGAL_TRANSITION",
    );
    assert_eq!(
        (
            started_again.metadata["state"].as_str(),
            started_again.metadata["action"].as_str()
        ),
        ("IN_REVIEW", "START")
    );
    let rejected = pb::DecideReviewRequest {
        reason: ReviewReason::Other.into(),
        review_comments: "A confidential comment".to_owned(),
        ..decide_request(&id, pb::ReviewDecision::Reject)
    };
    client(&app, &umar())
        .decide_review(rejected)
        .await
        .expect("a decision");
    let late = client(&app, &umar())
        .decide_review(decide_request(&id, pb::ReviewDecision::Approve))
        .await;
    refused(late, Code::FailedPrecondition, "ILLEGAL_TRANSITION");
    let case = get_case(&app, &id).await;
    assert_eq!((case.state(), case.revision), (State::Rejected, 5));
    let round = &case.rounds[0];
    assert!(round.start_time.is_some() && round.decide_time.is_some());

    let events = peer.first_events("review", 5).await;
    let event_names: Vec<_> = events
        .iter()
        .map(|event| event.subject.rsplit('.').next().expect("an event name"))
        .collect();
    assert_eq!(
        event_names,
        [
            "review_round_opened",
            "review_case_claimed",
            "review_case_claimed",
            "review_started",
            "review_decided"
        ]
    );
    let decided: pb::ReviewDecided = events[4].message();
    assert_eq!(
        (decided.decision(), decided.reason()),
        (pb::ReviewDecision::Reject, ReviewReason::Other)
    );
    assert_eq!((decided.opportunity_id.as_str(), decided.round), ("O7", 1));
    assert_eq!(
        events[4].header("ce-accountid"),
        ALDER,
        "the event must carry the partner's account"
    );
    assert_eq!(events[4].header("ce-actor"), "mem-umar");
    for event in &events {
        let text = format!("{:?} {}", event.headers, String::from_utf8_lossy(&event.payload));
        assert!(
            !text.contains("confidential") && !text.contains("Customer of"),
            "{text}"
        );
    }
    app.finish::<Reviews>().await;
}

#[tokio::test]
async fn rev_011_012_invalid_decision_is_refused_with_field_violations() {
    let (app, peer) = start().await;
    let id = submit(&app, &peer, ALDER, "O7").await.review_case_id;
    client(&app, &tara())
        .claim_review_case(claim_request(&id))
        .await
        .expect("a claim");
    let before = get_case(&app, &id).await;
    let mut client = client(&app, &tara());
    let without_reason = client
        .decide_review(decide_request(&id, pb::ReviewDecision::ActionRequired))
        .await;
    let refusal = refused(without_reason, Code::InvalidArgument, "INVALID_FIELDS");
    assert_eq!(refusal.paths(), ["reason", "review_comments"]);
    assert!(refusal.fields[0].2.contains("CLARIFY_SOLUTION"), "{refusal:?}");
    let with_reason = pb::DecideReviewRequest {
        reason: ReviewReason::Other.into(),
        ..decide_request(&id, pb::ReviewDecision::Approve)
    };
    let refusal = refused(
        client.decide_review(with_reason).await,
        Code::InvalidArgument,
        "INVALID_FIELDS",
    );
    assert_eq!(refusal.paths(), ["reason"]);
    let without_decision = pb::DecideReviewRequest {
        decision: 0,
        review_comments: "x".repeat(2001),
        ..decide_request(&id, pb::ReviewDecision::Approve)
    };
    let refusal = refused(
        client.decide_review(without_decision).await,
        Code::InvalidArgument,
        "INVALID_FIELDS",
    );
    assert_eq!(refusal.paths(), ["decision", "review_comments"]);
    assert_eq!(get_case(&app, &id).await, before);
    app.finish::<Reviews>().await;
}

/// The answer on national security and the owning account are never opened; the refusal names what can be.
#[tokio::test]
async fn rev_013_decision_naming_a_path_that_stays_closed_is_refused() {
    let (app, peer) = start().await;
    let id = submit(&app, &peer, ALDER, "O7").await.review_case_id;
    let mut client = client(&app, &tara());
    client
        .claim_review_case(claim_request(&id))
        .await
        .expect("a claim");
    let before = get_case(&app, &id).await;
    let request = |paths: &[&str]| pb::DecideReviewRequest {
        reason: ReviewReason::ClarifySolution.into(),
        review_comments: "Which product is it?".to_owned(),
        fields_to_correct: paths.iter().map(ToString::to_string).collect(),
        ..decide_request(&id, pb::ReviewDecision::ActionRequired)
    };
    for (path, text) in [
        (
            "national_security",
            "Must not be named: the answer on national security cannot be changed after the submission.",
        ),
        (
            "account_id",
            "Must not be named: the account that owns an opportunity never changes.",
        ),
        (
            "related_entity_identifiers.aws_marketplace_offers",
            "Must be the path of a field that can be corrected, such as `project.title`.",
        ),
    ] {
        let refused_decision = client.decide_review(request(&["project.title", path])).await;
        let refusal = refused(refused_decision, Code::InvalidArgument, "INVALID_FIELDS");
        let expected = ("fields_to_correct[1]", "INVALID_VALUE", text);
        let (field, code, description) = &refusal.fields[0];
        assert_eq!((field.as_str(), code.as_str(), description.as_str()), expected);
        assert_eq!(refusal.fields.len(), 1, "{refusal:?}");
        let allowed = &refusal.details[0].allowed_values;
        for correctable in ["project.title", "related_entity_identifiers.solutions"] {
            assert!(allowed.iter().any(|value| value == correctable), "{allowed:?}");
        }
        assert!(!allowed.iter().any(|value| value == path), "{allowed:?}");
    }
    assert_eq!(get_case(&app, &id).await, before);
    let paths = ["project.title", "related_entity_identifiers.aws_products"];
    let decided = client.decide_review(request(&paths)).await;
    let case = decided.expect("a decision").into_inner().review_case;
    assert_eq!(case.expect("the case").rounds[0].fields_to_correct, paths);
    app.finish::<Reviews>().await;
}

#[tokio::test]
async fn plt_002_003_004_case_writes_are_idempotent_check_etags_and_dry_run() {
    let (app, peer) = start().await;
    let id = submit(&app, &peer, ALDER, "O7").await.review_case_id;
    let mut client = client(&app, &tara());
    let request = pb::ClaimReviewCaseRequest {
        request_id: request_id(),
        ..claim_request(&id)
    };
    for _ in 0..3 {
        client.claim_review_case(request.clone()).await.expect("a claim");
    }
    let stale = pb::StartReviewRequest {
        etag: "\"1\"".to_owned(),
        ..start_request(&id)
    };
    let refusal = refused(client.start_review(stale).await, Code::Aborted, "ETAG_MISMATCH");
    assert_eq!(refusal.metadata["current_etag"], "\"2\"");
    let dry_run = pb::DecideReviewRequest {
        validate_only: true,
        ..decide_request(&id, pb::ReviewDecision::Approve)
    };
    let response = client
        .decide_review(dry_run)
        .await
        .expect("a dry run")
        .into_inner();
    assert_eq!(response.review_case.expect("the case").state(), State::Approved);
    assert_eq!(get_case(&app, &id).await.state(), State::Submitted);
    let decision = pb::DecideReviewRequest {
        request_id: request_id(),
        ..decide_request(&id, pb::ReviewDecision::Approve)
    };
    for _ in 0..3 {
        client.decide_review(decision.clone()).await.expect("a decision");
    }
    assert_eq!(get_case(&app, &id).await.revision, 3);
    assert_eq!(count(&app, "SELECT count(*) FROM event_journal").await, 3);
    app.finish::<Reviews>().await;
}

/// Eight reviewers claim one case concurrently. One claim succeeds; the others are refused with a conflict or with the
/// current assignee.
#[tokio::test]
async fn rev_003_concurrent_claims_have_one_winner() {
    let (app, peer) = start().await;
    let id = submit(&app, &peer, ALDER, "O7").await.review_case_id;
    let claims: Vec<_> = (0..8)
        .map(|number| {
            let reviewer = aws(&format!("mem-reviewer-{number}"), Role::Reviewer);
            let (mut client, request) = (client(&app, &reviewer), claim_request(&id));
            tokio::spawn(async move { client.claim_review_case(request).await })
        })
        .collect();
    let mut accepted = 0;
    for claim in claims {
        match claim.await.expect("a task without panic") {
            Ok(_) => accepted += 1,
            Err(status) if status.code() == Code::Aborted => {}
            other => drop(refused(
                other,
                Code::FailedPrecondition,
                "CASE_CLAIMED_BY_ANOTHER",
            )),
        }
    }
    assert_eq!(accepted, 1);
    assert_eq!(get_case(&app, &id).await.revision, 2);
    app.finish::<Reviews>().await;
}

#[tokio::test]
async fn acc_010_review_case_is_read_by_reviewers_and_services_only() {
    let (app, peer) = start().await;
    let id = submit(&app, &peer, ALDER, "O7").await.review_case_id;
    let read = pb::GetReviewCaseRequest {
        review_case_id: id.clone(),
    };
    let alliance_lead = partner("mem-lead", ALDER, Role::AllianceLead);
    let sales = aws("mem-seller", Role::SalesRepresentative);
    for caller in [&alliance_lead, &sales] {
        let denied = client(&app, caller).get_review_case(read.clone()).await;
        refused(denied, Code::PermissionDenied, "ROLE_NOT_PERMITTED");
    }
    client(&app, &service("opportunity"))
        .get_review_case(read)
        .await
        .expect("a case read by a service");
    let denied = client(&app, &service("opportunity"))
        .claim_review_case(claim_request(&id))
        .await;
    refused(denied, Code::PermissionDenied, "ROLE_NOT_PERMITTED");
    let absent = pb::GetReviewCaseRequest {
        review_case_id: "rc-0000000000000".to_owned(),
    };
    let absent = client(&app, &tara()).get_review_case(absent).await;
    refused(absent, Code::NotFound, "REVIEW_CASE_NOT_FOUND");
    app.finish::<Reviews>().await;
}

/// JetStream discards a republished event by its id, so consumers receive each event once.
#[tokio::test]
async fn plt_009_republished_events_are_deduplicated_by_id() {
    let (app, peer) = start().await;
    let id = submit(&app, &peer, ALDER, "O7").await.review_case_id;
    client(&app, &tara())
        .claim_review_case(claim_request(&id))
        .await
        .expect("a claim");
    let before = peer.first_events("review", 2).await;
    wait_until_published(&app).await;
    assert_eq!(app.republish().await, 2);
    wait_until_published(&app).await;
    assert_eq!(
        peer.count("review").await,
        2,
        "the bus must discard republished events by their ids"
    );
    let ids = |events: &[Published]| {
        events
            .iter()
            .map(|event| event.header("ce-id").to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(&peer.first_events("review", 2).await), ids(&before));
    app.finish::<Reviews>().await;
}

async fn wait_until_published(app: &App) {
    eventually(
        async || match count(app, "SELECT count(*) FROM outbox_pending").await {
            0 => Ok(()),
            pending => Err(format!("{pending} events are pending")),
        },
    )
    .await;
}
