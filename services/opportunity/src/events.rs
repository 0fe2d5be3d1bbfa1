//! Public events: the one place where what happened inside becomes what others are told.

use cosell_events::{About, Cause, Event as Published};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_types::ClosedList as _;

use crate::domain::job::Job;
use crate::domain::values::StageMove;
use crate::domain::{AwsSummary, Event, Opportunity};

/// The name of this context in subjects.
pub const CONTEXT: &str = "opportunity";

/// What a job is called where aggregates are told apart.
const BULK_JOB: &str = "bulk_job";

/// The public form of what happened to a record.
pub fn public(record: &Opportunity, event: &Event, cause: Cause<'_>) -> Published {
    let opportunity_id = record.id().to_string();
    let account_id = record.account().to_string();
    let revision = record.revision();
    let round = record.review().round;
    let about = About {
        context: CONTEXT,
        aggregate: CONTEXT,
        account: record.account(),
        id: &opportunity_id,
        version: revision,
    };
    let id = opportunity_id.clone();
    match event {
        Event::Created => Published::new(
            about,
            cause,
            &pb::OpportunityCreated {
                opportunity_id: id,
                account_id,
                revision,
                cloned_from_opportunity_id: record.cloned_from().map(|id| id.to_string()).unwrap_or_default(),
                review_status: record.review().status.number(),
                referral_offer_id: record.referral_offer().unwrap_or_default().to_owned(),
                lead_id: record.lead().unwrap_or_default().to_owned(),
                engagement_invitation_id: record
                    .source()
                    .map(|source| source.invitation.clone())
                    .unwrap_or_default(),
            },
        ),
        Event::Updated(_) | Event::Related(_) | Event::Tagged => {
            let message = pb::OpportunityUpdated {
                opportunity_id: id,
                account_id,
                revision,
                changed_fields: event.changed_fields(),
                review_status: record.review().status.number(),
                stage: record.details().life_cycle.stage.number(),
            };
            Published::new(about, cause, &message)
        }
        Event::StageChanged { from, .. } => {
            let stage = record.details().life_cycle.stage;
            let message = pb::OpportunityStageChanged {
                opportunity_id: id,
                account_id,
                revision,
                changed_fields: event.changed_fields(),
                previous_stage: from.number(),
                stage: stage.number(),
                stage_move: StageMove::between(*from, stage).number(),
            };
            Published::new(about, cause, &message)
        }
        Event::Reopened(from) => {
            let message = pb::OpportunityReopened {
                opportunity_id: id,
                account_id,
                revision,
                previous_stage: from.number(),
                stage: record.details().life_cycle.stage.number(),
            };
            Published::new(about, cause, &message)
        }
        Event::Assigned { from, job } => {
            let message = pb::OpportunityAssigned {
                opportunity_id: id,
                account_id,
                revision,
                previous_owner_member_id: from.to_string(),
                owner_member_id: record.owner().to_string(),
                bulk_job_id: job.clone().unwrap_or_default(),
            };
            Published::new(about, cause, &message)
        }
        Event::Discarded => Published::new(
            about,
            cause,
            &pb::OpportunityDiscarded {
                opportunity_id: id,
                account_id,
                revision,
            },
        ),
        Event::Submitted => {
            let message = pb::OpportunitySubmitted {
                opportunity_id: id,
                account_id,
                revision,
                round,
                involvement_type: record.involvement().map_or(0, |involvement| involvement.number()),
                visibility: record.visibility().map_or(0, |visibility| visibility.number()),
            };
            Published::new(about, cause, &message)
        }
        Event::Withdrawn => {
            let message = pb::OpportunitySubmissionWithdrawn {
                opportunity_id: id,
                account_id,
                revision,
                round,
            };
            Published::new(about, cause, &message)
        }
        Event::ReviewStarted => {
            let message = pb::OpportunityReviewStarted {
                opportunity_id: id,
                account_id,
                revision,
                round,
            };
            Published::new(about, cause, &message)
        }
        Event::Approved => {
            let message = pb::OpportunityApproved {
                opportunity_id: id,
                account_id,
                revision,
                round,
            };
            Published::new(about, cause, &message)
        }
        Event::ActionRequired(reason) => {
            let reason = reason.number();
            let message = pb::OpportunityActionRequired {
                opportunity_id: id,
                account_id,
                revision,
                round,
                reason,
            };
            Published::new(about, cause, &message)
        }
        Event::Rejected(reason) => {
            let reason = reason.number();
            let message = pb::OpportunityRejected {
                opportunity_id: id,
                account_id,
                revision,
                round,
                reason,
            };
            Published::new(about, cause, &message)
        }
    }
}

/// The change of an AWS summary in logs and metrics.
pub const AWS_SUMMARY_CHANGED: &str = "aws_summary_changed";

/// The public form of a change of the AWS summary. Its versions are its own, so it has an id of its own too: consumers
/// keep the order of versions by that id.
pub fn aws_summary(summary: &AwsSummary, cause: Cause<'_>) -> Published {
    let opportunity_id = summary.opportunity().to_string();
    let id = format!("aws-{opportunity_id}");
    let about = About {
        context: CONTEXT,
        aggregate: "aws_summary",
        account: summary.account(),
        id: &id,
        version: summary.revision(),
    };
    let stage = summary.details().life_cycle.stage.filter(|_| summary.is_closed());
    let message = pb::OpportunityAwsSummaryChanged {
        opportunity_id,
        account_id: summary.account().to_string(),
        revision: summary.revision(),
        // What is hidden from the partner is not told in its events either (OPP-052).
        stage: stage.map_or(0, |stage| stage.number()),
        is_terminal: summary.is_closed(),
    };
    Published::new(about, cause, &message)
}

/// The public form of a job's end.
pub fn bulk_job_finished(job: &Job, cause: Cause<'_>) -> Published {
    let about = About {
        context: CONTEXT,
        aggregate: BULK_JOB,
        account: &job.account,
        id: &job.id,
        version: 1,
    };
    // Only where something was given: a dry run is news for who began it alone.
    let assignee = job
        .plan
        .assignee
        .as_ref()
        .filter(|_| !job.plan.given_by.is_empty());
    let message = pb::BulkJobFinished {
        bulk_job_id: job.id.clone(),
        account_id: job.account.to_string(),
        revision: 1,
        kind: job.kind.number(),
        state: job.state.number(),
        created_by: job.member.to_string(),
        owner_member_id: assignee.map(ToString::to_string).unwrap_or_default(),
        previous_owner_member_ids: job.plan.given_by.iter().map(ToString::to_string).collect(),
        total: job.total,
        processed: job.processed,
        failed: job.failed,
    };
    Published::new(about, cause, &message)
}
