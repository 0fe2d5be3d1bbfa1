//! Access to the AWS summary: who reads and updates it in each review status, which fields each side sees in each AWS
//! stage, and row-level security (OPP-017, OPP-051 to OPP-055, ACC-020).

use cosell_opportunity::Opportunities;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::review::v1 as review;
use cosell_proto::cosell::r#type::v1::ReviewStatus;
use cosell_store::Scope;
use cosell_testkit::harness::{Refusal, aws, partner, refused, service};
use cosell_types::{Caller, Role};
use sqlx::Executor as _;
use tonic::Code;

use crate::aws_summary::{
    create_approved, crm, get_summary, sample_summary, seller, summary_in_stage, try_update, update_request,
};
use crate::reviewer::{review_decided, review_started, start_with_review, wait_for_status};
use crate::support::{
    ALDER, BIRCH, client_for, create, date, manager, record, submit, unrelated_member, user,
};

/// The reason of a refused call; `None` for a successful one.
fn denial_reason<T>(answer: Result<T, tonic::Status>) -> Option<String> {
    answer.err().map(|status| Refusal::from(&status).reason)
}

/// The access of a caller to the AWS summary of a record of the ACE user.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    /// Reads the record in every review status.
    Partner,
    /// Has no access to the record.
    Unrelated,
    /// Reads the record once it was submitted.
    Reader,
    /// Reads the record and updates the summary once the record was submitted.
    Writer,
    /// Is not permitted to call these RPCs.
    NotPermitted,
}

#[tokio::test]
async fn opp_051_052_053_summary_access_by_caller_and_review_status() {
    let (app, peer) = start_with_review().await;
    let case = |number: usize| format!("rc-{number:013}");
    let mut records = Vec::new();
    for (number, status) in [
        ReviewStatus::PendingSubmission,
        ReviewStatus::Submitted,
        ReviewStatus::InReview,
        ReviewStatus::ActionRequired,
        ReviewStatus::Approved,
        ReviewStatus::Rejected,
    ]
    .into_iter()
    .enumerate()
    {
        let id = create(&app, &user(), record("Alder")).await.opportunity_id;
        if status != ReviewStatus::PendingSubmission {
            submit(&app, &user(), &id).await;
        }
        let decision = match status {
            ReviewStatus::ActionRequired => Some(review::ReviewDecision::ActionRequired),
            ReviewStatus::Approved => Some(review::ReviewDecision::Approve),
            ReviewStatus::Rejected => Some(review::ReviewDecision::Reject),
            _ => None,
        };
        if status == ReviewStatus::InReview {
            peer.publish_event("review", ALDER, &case(number), 1, &review_started(&id, 1, 1))
                .await;
        }
        if let Some(decision) = decision {
            let decision = review_decided(&id, 1, 1, decision);
            peer.publish_event("review", ALDER, &case(number), 1, &decision)
                .await;
        }
        wait_for_status(&app, &id, status).await;
        records.push((status, id));
    }
    let callers: [(Caller, Access); 11] = [
        (manager(), Access::Partner),
        (user(), Access::Partner),
        (partner("mem-other", ALDER, Role::AceUser), Access::Unrelated),
        (unrelated_member(), Access::Unrelated),
        (
            partner("mem-admin", ALDER, Role::CloudAdmin),
            Access::NotPermitted,
        ),
        (aws("mem-reviewer", Role::Reviewer), Access::Reader),
        (aws("mem-pdm", Role::Pdm), Access::Reader),
        (seller(), Access::Writer),
        (aws("mem-owner", Role::AccountOwner), Access::Writer),
        (crm(), Access::Writer),
        (service("review"), Access::NotPermitted),
    ];
    let mut mismatches = Vec::new();
    for (caller, access) in &callers {
        for (status, id) in &records {
            let is_draft = *status == ReviewStatus::PendingSubmission;
            let read_refusal = match access {
                Access::NotPermitted => Some("ROLE_NOT_PERMITTED"),
                Access::Unrelated => Some("OPPORTUNITY_NOT_FOUND"),
                Access::Reader | Access::Writer if is_draft => Some("OPPORTUNITY_NOT_FOUND"),
                _ if *status == ReviewStatus::Approved => None,
                _ => Some("OPPORTUNITY_NOT_APPROVED"),
            };
            let may_write = *access == Access::Writer;
            let expected = [
                read_refusal,
                if may_write {
                    read_refusal
                } else {
                    Some("ROLE_NOT_PERMITTED")
                },
            ];
            let request = pb::UpdateAwsOpportunitySummaryRequest {
                validate_only: true,
                ..update_request(id, sample_summary("A call"))
            };
            let answers = [
                denial_reason(get_summary(&app, caller, id).await),
                denial_reason(try_update(&app, caller, request).await),
            ];
            if answers.iter().map(Option::as_deref).ne(expected) {
                mismatches.push(format!(
                    "{} in {status:?}: {answers:?}, not {expected:?}",
                    caller.actor()
                ));
            }
        }
    }
    assert!(mismatches.is_empty(), "{mismatches:#?}");
    let (_, in_review) = &records[2];
    let refusal = refused(
        try_update(&app, &crm(), update_request(in_review, sample_summary("A call"))).await,
        Code::FailedPrecondition,
        "OPPORTUNITY_NOT_APPROVED",
    );
    assert_eq!(refusal.metadata["review_status"], "IN_REVIEW");
    app.finish::<Opportunities>().await;
}

/// The fields hidden from the partner: AWS stage, whether a close date is set, and closed-lost reason.
type StageView = (i32, bool, String);

#[tokio::test]
async fn opp_052_055_summary_view_by_side_in_each_aws_stage() {
    let (app, peer) = start_with_review().await;
    let id = create_approved(&app, &peer, 1, record("Alder")).await;
    let view_of = async |caller: &Caller| -> (StageView, bool, String) {
        let summary = get_summary(&app, caller, &id).await.expect("the AWS summary");
        let life_cycle = summary.life_cycle.expect("a life cycle");
        let has_close_date = life_cycle.target_close_date.is_some();
        let stage_view = (life_cycle.stage, has_close_date, life_cycle.closed_lost_reason);
        let contact = summary.opportunity_team[0].last_name.clone();
        (stage_view, summary.stages_disagree, contact)
    };
    let answer = try_update(&app, &seller(), update_request(&id, sample_summary("A call"))).await;
    answer.expect("a change");
    let pdm = aws("mem-pdm", Role::Pdm);
    let reviewer = aws("mem-reviewer", Role::Reviewer);
    for number in 1..=24 {
        let stage = pb::AwsStage::try_from(number).expect("a stage");
        let mut request = update_request(&id, summary_in_stage(stage));
        request.update_mask = Some(prost_types::FieldMask {
            paths: ["stage", "closed_lost_reason", "target_close_date"]
                .map(|field| format!("life_cycle.{field}"))
                .to_vec(),
        });
        try_update(&app, &crm(), request).await.expect("a change");
        let is_closed = matches!(stage, pb::AwsStage::Launched | pb::AwsStage::ClosedLost);
        let reason = if stage == pb::AwsStage::ClosedLost {
            "Price"
        } else {
            ""
        };
        let full_view = (number, true, reason.to_owned());
        for caller in [&seller(), &pdm, &reviewer, &crm()] {
            let name = "Nguyen".to_owned();
            assert_eq!(
                view_of(caller).await,
                (full_view.clone(), is_closed, name),
                "{stage:?}"
            );
        }
        let partner_view = if is_closed {
            full_view
        } else {
            (0, false, String::new())
        };
        for caller in [&manager(), &user()] {
            // The AWS team is visible in every stage.
            let name = "Nguyen".to_owned();
            assert_eq!(
                view_of(caller).await,
                (partner_view.clone(), is_closed, name),
                "{stage:?}"
            );
        }
    }
    // Once the partner's stage is CLOSED_LOST too, the stages agree again.
    try_update(
        &app,
        &crm(),
        update_request(&id, summary_in_stage(pb::AwsStage::ClosedLost)),
    )
    .await
    .expect("a change");
    assert!(view_of(&user()).await.1);
    let closed = pb::UpdateOpportunityRequest {
        opportunity_id: id.clone(),
        opportunity: Some(pb::Opportunity {
            life_cycle: Some(pb::LifeCycle {
                stage: pb::Stage::ClosedLost.into(),
                closed_lost_reason: pb::ClosedLostReason::Price.into(),
                ..Default::default()
            }),
            ..Default::default()
        }),
        ..Default::default()
    };
    let answer = client_for(&app, &user())
        .opportunities()
        .update_opportunity(closed)
        .await;
    let record = answer
        .expect("a change")
        .into_inner()
        .opportunity
        .expect("the record");
    let life_cycle = record.life_cycle.expect("a life cycle");
    assert_eq!(
        life_cycle.target_close_date,
        date(2026, 3, 2),
        "the partner's close date is the day of its own loss, whatever AWS's is"
    );
    assert!(!view_of(&user()).await.1 && !view_of(&seller()).await.1);
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_053_sales_roles_cannot_access_summary_of_limited_record() {
    let (app, peer) = start_with_review().await;
    let mut limited = record("Alder");
    limited.primary_needs_from_aws.clear();
    let id = create(&app, &user(), limited).await.opportunity_id;
    let submission = pb::SubmitOpportunityRequest {
        opportunity_id: id.clone(),
        involvement_type: pb::InvolvementType::ForVisibilityOnly.into(),
        visibility: pb::Visibility::Limited.into(),
        ..Default::default()
    };
    client_for(&app, &user())
        .lifecycle()
        .submit_opportunity(submission)
        .await
        .expect("a submission");
    let decision = review_decided(&id, 1, 1, review::ReviewDecision::Approve);
    peer.publish_event("review", ALDER, "rc-0000000000001", 1, &decision)
        .await;
    wait_for_status(&app, &id, ReviewStatus::Approved).await;
    for answer in [
        denial_reason(get_summary(&app, &seller(), &id).await),
        denial_reason(try_update(&app, &seller(), update_request(&id, sample_summary("A call"))).await),
    ] {
        assert_eq!(answer.as_deref(), Some("OPPORTUNITY_NOT_FOUND"));
    }
    try_update(&app, &crm(), update_request(&id, sample_summary("A call")))
        .await
        .expect("a change");
    let reviewer = aws("mem-reviewer", Role::Reviewer);
    assert_eq!(
        get_summary(&app, &reviewer, &id)
            .await
            .expect("the AWS summary")
            .revision,
        1
    );
    app.finish::<Opportunities>().await;
}

/// The summary reveals no data that a national-security record hides from AWS.
#[tokio::test]
async fn opp_017_052_summary_contains_no_classified_customer_data() {
    let (app, peer) = start_with_review().await;
    let mut classified = record("Alder Secret Works");
    classified.national_security = Some(true);
    let account = classified
        .customer
        .as_mut()
        .and_then(|customer| customer.account.as_mut());
    account.expect("an account").industry = "Government".to_owned();
    let id = create_approved(&app, &peer, 1, classified).await;
    for caller in [seller(), crm(), aws("mem-reviewer", Role::Reviewer)] {
        let summary = get_summary(&app, &caller, &id).await.expect("the AWS summary");
        let text = format!("{summary:?}");
        for hidden in ["Alder Secret Works", "alder.example", "20457"] {
            assert!(
                !text.contains(hidden),
                "{hidden} is visible to {}",
                caller.actor()
            );
        }
    }
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn acc_020_row_level_security_isolates_summaries_by_account() {
    let (app, peer) = start_with_review().await;
    let id = create_approved(&app, &peer, 1, record("Alder")).await;
    try_update(&app, &seller(), update_request(&id, sample_summary("A call")))
        .await
        .expect("a change");
    for (scope, current, history) in [
        (Some((ALDER, "partner")), 1, 1),
        (Some((BIRCH, "partner")), 0, 0),
        (Some(("", "partner")), 0, 0),
        (None, 0, 0),
        (Some(("999999999999", "aws")), 1, 0),
        (Some(("", "service")), 1, 0),
    ] {
        let visible_rows = async |table| app.database.visible("opportunity_app", scope, table).await;
        assert_eq!(visible_rows("aws_summary").await, current, "{scope:?}");
        assert_eq!(visible_rows("aws_summary_revision").await, history, "{scope:?}");
    }
    let account = ALDER.parse().expect("an account");
    for forbidden in [
        "UPDATE aws_summary_revision SET actor = 'x'",
        "DELETE FROM aws_summary_revision",
        "DELETE FROM aws_summary",
        "UPDATE aws_summary SET account_id = '222222222222'",
    ] {
        let mut tx = app
            .pools
            .calls
            .tx(&Scope::account(&account))
            .await
            .expect("a transaction");
        let done = tx.conn().execute(forbidden).await;
        assert!(done.is_err(), "{forbidden} must be refused");
    }
    app.finish::<Opportunities>().await;
}
