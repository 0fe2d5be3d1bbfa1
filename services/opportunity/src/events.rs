//! Maps domain events to the published events of this context.

use cosell_events::{AggregateRef, Cause, Event as Published};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_types::ClosedList as _;

use crate::domain::job::Job;
use crate::domain::values::{AwsStage, StageMove};
use crate::domain::{AwsField, AwsSummary, Event, Opportunity};

/// The name of this context in subjects.
pub const CONTEXT: &str = "opportunity";

/// The aggregate type of bulk jobs.
const BULK_JOB: &str = "bulk_job";

/// The published event of a change of an opportunity.
pub fn opportunity_event(record: &Opportunity, event: &Event, cause: Cause<'_>) -> Published {
    let opportunity_id = record.id().to_string();
    let account_id = record.account().to_string();
    let revision = record.revision();
    let round = record.review().round;
    let aggregate = AggregateRef {
        context: CONTEXT,
        aggregate: CONTEXT,
        account: record.account(),
        id: &opportunity_id,
        version: revision,
    };
    let id = opportunity_id.clone();
    match event {
        Event::Created => Published::new(
            aggregate,
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
                    .shared_from()
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
            Published::new(aggregate, cause, &message)
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
            Published::new(aggregate, cause, &message)
        }
        Event::ClosureCorrected(_) => {
            let message = pb::OpportunityClosureCorrected {
                opportunity_id: id,
                account_id,
                revision,
                changed_fields: event.changed_fields(),
                stage: record.details().life_cycle.stage.number(),
            };
            Published::new(aggregate, cause, &message)
        }
        Event::Reopened(from) => {
            let message = pb::OpportunityReopened {
                opportunity_id: id,
                account_id,
                revision,
                previous_stage: from.number(),
                stage: record.details().life_cycle.stage.number(),
            };
            Published::new(aggregate, cause, &message)
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
            Published::new(aggregate, cause, &message)
        }
        Event::Discarded => Published::new(
            aggregate,
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
            Published::new(aggregate, cause, &message)
        }
        Event::Withdrawn => {
            let message = pb::OpportunitySubmissionWithdrawn {
                opportunity_id: id,
                account_id,
                revision,
                round,
            };
            Published::new(aggregate, cause, &message)
        }
        Event::ReviewStarted => {
            let message = pb::OpportunityReviewStarted {
                opportunity_id: id,
                account_id,
                revision,
                round,
            };
            Published::new(aggregate, cause, &message)
        }
        Event::Approved => {
            let message = pb::OpportunityApproved {
                opportunity_id: id,
                account_id,
                revision,
                round,
            };
            Published::new(aggregate, cause, &message)
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
            Published::new(aggregate, cause, &message)
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
            Published::new(aggregate, cause, &message)
        }
    }
}

/// Name of these changes of the AWS summary in logs and metrics.
pub fn aws_summary_event_name(summary: &AwsSummary, changed: &[AwsField]) -> &'static str {
    match closing_stage(summary, changed) {
        Some(_) => "closed_by_aws",
        None => "aws_summary_changed",
    }
}

/// The stage in which AWS has just closed the opportunity; `None` if the changes do not close it.
fn closing_stage(summary: &AwsSummary, changed: &[AwsField]) -> Option<AwsStage> {
    let stage = summary.details().life_cycle.stage;
    stage.filter(|_| summary.is_closed() && changed.contains(&AwsField::Stage))
}

/// The published event of a change of the AWS summary. The summary has versions of its own, so its aggregate id must
/// differ from that of the opportunity: consumers order versions by aggregate id.
pub fn aws_summary_event(summary: &AwsSummary, changed: &[AwsField], cause: Cause<'_>) -> Published {
    let opportunity_id = summary.opportunity().to_string();
    let id = format!("aws-{opportunity_id}");
    let aggregate = AggregateRef {
        context: CONTEXT,
        aggregate: "aws_summary",
        account: summary.account(),
        id: &id,
        version: summary.revision(),
    };
    let stage = summary.details().life_cycle.stage.filter(|_| summary.is_closed());
    if let Some(stage) = closing_stage(summary, changed) {
        let message = pb::OpportunityClosedByAws {
            opportunity_id,
            account_id: summary.account().to_string(),
            revision: summary.revision(),
            stage: stage.number(),
        };
        return Published::new(aggregate, cause, &message);
    }
    let message = pb::OpportunityAwsSummaryChanged {
        opportunity_id,
        account_id: summary.account().to_string(),
        revision: summary.revision(),
        // The event must not contain a stage that is hidden from the partner (OPP-052).
        stage: stage.map_or(0, |stage| stage.number()),
        is_terminal: summary.is_closed(),
    };
    Published::new(aggregate, cause, &message)
}

/// The published event of the end of a bulk job.
pub fn bulk_job_finished(job: &Job, cause: Cause<'_>) -> Published {
    let aggregate = AggregateRef {
        context: CONTEXT,
        aggregate: BULK_JOB,
        account: &job.account,
        id: &job.id,
        version: 1,
    };
    // Empty if nothing was transferred, such as in a dry run: only the member who started the job is notified.
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
    Published::new(aggregate, cause, &message)
}
