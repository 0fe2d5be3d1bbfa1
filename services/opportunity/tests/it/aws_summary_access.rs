//! Who reads and writes the AWS summary, and what each is shown: by review status, by AWS's stage and by side.

use cosell_opportunity::Opportunities;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::review::v1 as review;
use cosell_proto::cosell::r#type::v1::ReviewStatus;
use cosell_store::Scope;
use cosell_testkit::harness::{Refusal, aws, partner, refused, service};
use cosell_types::{Caller, Role};
use sqlx::Executor as _;
use tonic::Code;

use crate::aws_summary::{approved, change, closing, crm, news, read, seller, write};
use crate::reviewer::{decided, start_with_review, started, until};
use crate::support::{ALDER, BIRCH, by, create, date, manager, record, stranger, submit, user};

/// What a caller is answered: nothing for an answer.
fn reason<T>(answer: Result<T, tonic::Status>) -> Option<String> {
    answer.err().map(|status| Refusal::from(&status).reason)
}

/// How a caller stands to the AWS summary of a record of the ACE user.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stand {
    /// Sees the record in every status.
    Partner,
    /// Does not see the record.
    Stranger,
    /// Sees it once it was submitted, and only reads.
    Reader,
    /// Sees it once it was submitted, and writes.
    Writer,
    /// May not call.
    Outside,
}

#[tokio::test]
async fn opp_051_052_053_every_caller_in_every_review_status() {
    let (app, far) = start_with_review().await;
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
            far.tell("review", ALDER, &case(number), 1, &started(&id, 1, 1))
                .await;
        }
        if let Some(decision) = decision {
            let decision = decided(&id, 1, 1, decision);
            far.tell("review", ALDER, &case(number), 1, &decision).await;
        }
        until(&app, &id, status).await;
        records.push((status, id));
    }
    let callers: [(Caller, Stand); 11] = [
        (manager(), Stand::Partner),
        (user(), Stand::Partner),
        (partner("mem-other", ALDER, Role::AceUser), Stand::Stranger),
        (stranger(), Stand::Stranger),
        (partner("mem-admin", ALDER, Role::CloudAdmin), Stand::Outside),
        (aws("mem-reviewer", Role::Reviewer), Stand::Reader),
        (aws("mem-pdm", Role::Pdm), Stand::Reader),
        (seller(), Stand::Writer),
        (aws("mem-owner", Role::AccountOwner), Stand::Writer),
        (crm(), Stand::Writer),
        (service("review"), Stand::Outside),
    ];
    let mut wrong = Vec::new();
    for (caller, stand) in &callers {
        for (status, id) in &records {
            let is_draft = *status == ReviewStatus::PendingSubmission;
            let seen = match stand {
                Stand::Outside => Some("ROLE_NOT_PERMITTED"),
                Stand::Stranger => Some("OPPORTUNITY_NOT_FOUND"),
                Stand::Reader | Stand::Writer if is_draft => Some("OPPORTUNITY_NOT_FOUND"),
                _ if *status == ReviewStatus::Approved => None,
                _ => Some("OPPORTUNITY_NOT_APPROVED"),
            };
            let may_write = *stand == Stand::Writer;
            let expected = [
                seen,
                if may_write {
                    seen
                } else {
                    Some("ROLE_NOT_PERMITTED")
                },
            ];
            let request = pb::UpdateAwsOpportunitySummaryRequest {
                validate_only: true,
                ..change(id, news("A call"))
            };
            let answers = [
                reason(read(&app, caller, id).await),
                reason(write(&app, caller, request).await),
            ];
            if answers.iter().map(Option::as_deref).ne(expected) {
                wrong.push(format!(
                    "{} in {status:?}: {answers:?}, not {expected:?}",
                    caller.actor()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let (_, waiting) = &records[2];
    let refusal = refused(
        write(&app, &crm(), change(waiting, news("A call"))).await,
        Code::FailedPrecondition,
        "OPPORTUNITY_NOT_APPROVED",
    );
    assert_eq!(refusal.metadata["review_status"], "IN_REVIEW");
    app.finish::<Opportunities>().await;
}

/// Stage, close date and reason, where there is one.
type Shown = (i32, bool, String);

#[tokio::test]
async fn opp_052_055_what_each_side_is_shown_in_each_stage_of_aws() {
    let (app, far) = start_with_review().await;
    let id = approved(&app, &far, 1, record("Alder")).await;
    let shown = async |caller: &Caller| -> (Shown, bool, String) {
        let summary = read(&app, caller, &id).await.expect("the AWS summary");
        let life_cycle = summary.life_cycle.expect("a life cycle");
        let date = life_cycle.target_close_date.is_some();
        let sensitive = (life_cycle.stage, date, life_cycle.closed_lost_reason);
        let person = summary.opportunity_team[0].last_name.clone();
        (sensitive, summary.stages_disagree, person)
    };
    let answer = write(&app, &seller(), change(&id, news("A call"))).await;
    answer.expect("a change");
    let pdm = aws("mem-pdm", Role::Pdm);
    let reviewer = aws("mem-reviewer", Role::Reviewer);
    for number in 1..=24 {
        let stage = pb::AwsStage::try_from(number).expect("a stage");
        let mut request = change(&id, closing(stage));
        request.update_mask = Some(prost_types::FieldMask {
            paths: ["stage", "closed_lost_reason", "target_close_date"]
                .map(|field| format!("life_cycle.{field}"))
                .to_vec(),
        });
        write(&app, &crm(), request).await.expect("a change");
        let is_closed = matches!(stage, pb::AwsStage::Launched | pb::AwsStage::ClosedLost);
        let reason = if stage == pb::AwsStage::ClosedLost {
            "Price"
        } else {
            ""
        };
        let everything = (number, true, reason.to_owned());
        for caller in [&seller(), &pdm, &reviewer, &crm()] {
            let name = "Nguyen".to_owned();
            assert_eq!(
                shown(caller).await,
                (everything.clone(), is_closed, name),
                "{stage:?}"
            );
        }
        let partners = if is_closed {
            everything
        } else {
            (0, false, String::new())
        };
        for caller in [&manager(), &user()] {
            // The people of AWS are shown in every stage.
            let name = "Nguyen".to_owned();
            assert_eq!(
                shown(caller).await,
                (partners.clone(), is_closed, name),
                "{stage:?}"
            );
        }
    }
    // AWS has lost it; the partner agrees, and the flag is gone.
    write(&app, &crm(), change(&id, closing(pb::AwsStage::ClosedLost)))
        .await
        .expect("a change");
    assert!(shown(&user()).await.1);
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
    let answer = by(&app, &user()).opportunities().update_opportunity(closed).await;
    let record = answer
        .expect("a change")
        .into_inner()
        .opportunity
        .expect("the record");
    let life_cycle = record.life_cycle.expect("a life cycle");
    assert_eq!(
        life_cycle.target_close_date,
        date(2026, 9, 30),
        "AWS's date is AWS's"
    );
    assert!(!shown(&user()).await.1 && !shown(&seller()).await.1);
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_053_sales_reach_only_what_is_fully_visible() {
    let (app, far) = start_with_review().await;
    let mut limited = record("Alder");
    limited.primary_needs_from_aws.clear();
    let id = create(&app, &user(), limited).await.opportunity_id;
    let submission = pb::SubmitOpportunityRequest {
        opportunity_id: id.clone(),
        involvement_type: pb::InvolvementType::ForVisibilityOnly.into(),
        visibility: pb::Visibility::Limited.into(),
        ..Default::default()
    };
    by(&app, &user())
        .lifecycle()
        .submit_opportunity(submission)
        .await
        .expect("a submission");
    let decision = decided(&id, 1, 1, review::ReviewDecision::Approve);
    far.tell("review", ALDER, "rc-0000000000001", 1, &decision).await;
    until(&app, &id, ReviewStatus::Approved).await;
    for answer in [
        reason(read(&app, &seller(), &id).await),
        reason(write(&app, &seller(), change(&id, news("A call"))).await),
    ] {
        assert_eq!(answer.as_deref(), Some("OPPORTUNITY_NOT_FOUND"));
    }
    write(&app, &crm(), change(&id, news("A call")))
        .await
        .expect("a change");
    let reviewer = aws("mem-reviewer", Role::Reviewer);
    assert_eq!(
        read(&app, &reviewer, &id)
            .await
            .expect("the AWS summary")
            .revision,
        1
    );
    app.finish::<Opportunities>().await;
}

/// Nothing of what a national-security record keeps from AWS comes back on this way.
#[tokio::test]
async fn opp_017_052_the_aws_side_has_nothing_of_what_is_classified() {
    let (app, far) = start_with_review().await;
    let mut secret = record("Alder Secret Works");
    secret.national_security = Some(true);
    let account = secret
        .customer
        .as_mut()
        .and_then(|customer| customer.account.as_mut());
    account.expect("an account").industry = "Government".to_owned();
    let id = approved(&app, &far, 1, secret).await;
    for caller in [seller(), crm(), aws("mem-reviewer", Role::Reviewer)] {
        let summary = read(&app, &caller, &id).await.expect("the AWS summary");
        let text = format!("{summary:?}");
        for hidden in ["Alder Secret Works", "alder.example", "20457"] {
            assert!(!text.contains(hidden), "{hidden} is told to {}", caller.actor());
        }
    }
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn acc_020_the_database_keeps_the_aws_side_with_the_partners_account() {
    let (app, far) = start_with_review().await;
    let id = approved(&app, &far, 1, record("Alder")).await;
    write(&app, &seller(), change(&id, news("A call")))
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
        let seen = async |table| app.database.visible("opportunity_app", scope, table).await;
        assert_eq!(seen("aws_summary").await, current, "{scope:?}");
        assert_eq!(seen("aws_summary_revision").await, history, "{scope:?}");
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
