use cosell_grpc::convert::{date, timestamp};
use cosell_grpc::{Call, Failure, etags};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_types::{Caller, ClosedList as _};

use super::convert::{number, show_contact, show_related, show_spend, show_step};
use super::{Api, approved, convert_insights};
use crate::domain::{AwsSummary, Opportunity};
use crate::store;

pub async fn handle(
    api: &Api,
    call: Call<pb::GetAwsOpportunitySummaryRequest>,
) -> Result<pb::GetAwsOpportunitySummaryResponse, Failure> {
    let mut tx = api.begin(&call).await?;
    let about = approved(&mut tx, &call, &call.message.opportunity_id).await?;
    let summary = store::aws_summary(&mut tx, &about).await?;
    Ok(pb::GetAwsOpportunitySummaryResponse {
        aws_opportunity_summary: Some(shown(&call.caller, summary, &about)),
    })
}

/// The AWS summary as the caller is shown it (OPP-052).
pub fn shown(caller: &Caller, summary: AwsSummary, about: &Opportunity) -> pb::AwsOpportunitySummary {
    let summary = match caller.account() {
        Some(account) if account == about.account() => summary.for_partner(),
        _ => summary,
    };
    let details = summary.details();
    let life_cycle = &details.life_cycle;
    let project = &details.project;
    pb::AwsOpportunitySummary {
        related_opportunity_id: about.id().to_string(),
        etag: etags::of(summary.revision()),
        revision: summary.revision(),
        update_time: summary.update_time().map(timestamp),
        origin: about.origin().number(),
        visibility: number(about.visibility()),
        involvement_type: number(summary.involvement(about)),
        involvement_type_change_reason: number(details.involvement_type_change_reason),
        life_cycle: Some(pb::AwsLifeCycle {
            stage: number(life_cycle.stage),
            closed_lost_reason: life_cycle.closed_lost_reason.clone(),
            target_close_date: life_cycle.target_close_date.map(date),
            next_steps: life_cycle.next_steps.reveal().clone(),
            next_steps_history: summary.next_steps_history().iter().map(show_step).collect(),
        }),
        opportunity_team: details.opportunity_team.iter().map(show_contact).collect(),
        customer: Some(pb::AwsCustomer {
            contacts: details.customer.contacts.iter().map(show_contact).collect(),
        }),
        related_entity_identifiers: Some(show_related(&details.related_entity_identifiers)),
        project: Some(pb::AwsProject {
            expected_customer_spend: project.expected_customer_spend.iter().map(show_spend).collect(),
            aws_partition: project.aws_partition.clone(),
        }),
        insights: Some(convert_insights::show(&details.insights)),
        software_revenue: details
            .software_revenue
            .as_ref()
            .map(convert_insights::show_revenue),
        cosell_motion: details.cosell_motion.clone(),
        cosell_motion_reason: details.cosell_motion_reason.reveal().clone(),
        strategic: details.strategic,
        stages_disagree: summary.disagrees_with(about.details().life_cycle.stage),
    }
}
