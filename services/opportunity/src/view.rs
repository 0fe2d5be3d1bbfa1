//! Converts records to proto messages, without what is hidden from the caller: classified fields, next steps of drafts,
//! fields of the AWS summary (OPP-017, OPP-052, ACC-012).

use cosell_grpc::convert::{date, timestamp};
use cosell_grpc::etags;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_types::{Caller, ClosedList as _};

use crate::convert::{self, insights, number, show_contact, show_related, show_spend, show_step};
use crate::domain::{AwsSummary, Opportunity};

/// The part of the opportunity that is visible to the caller.
pub fn opportunity(record: &Opportunity, caller: &Caller, catalog: &str) -> pb::Opportunity {
    if caller.account() == Some(record.account()) {
        return convert::opportunity(record, catalog);
    }
    let mut shown = convert::opportunity(&record.clone().without_draft_next_steps(), catalog);
    if record.is_classified() {
        redact_classified(&mut shown);
    }
    shown
}

/// Clears the fields of a national-security opportunity that are hidden from AWS and services (OPP-017).
fn redact_classified(shown: &mut pb::Opportunity) {
    let customer = shown.customer.as_mut();
    if let Some(account) = customer.and_then(|customer| customer.account.as_mut()) {
        account.company_name.clear();
        account.website_url.clear();
        if let Some(address) = &mut account.address {
            address.postal_code.clear();
            address.state_or_region.clear();
        }
    }
}

/// The part of the AWS summary that is visible to the caller (OPP-052).
pub fn aws_summary(caller: &Caller, summary: AwsSummary, record: &Opportunity) -> pb::AwsOpportunitySummary {
    let summary = match caller.account() {
        Some(account) if account == record.account() => summary.for_partner(),
        _ => summary,
    };
    let details = summary.details();
    let life_cycle = &details.life_cycle;
    let project = &details.project;
    pb::AwsOpportunitySummary {
        related_opportunity_id: record.id().to_string(),
        etag: etags::of(summary.revision()),
        revision: summary.revision(),
        update_time: summary.update_time().map(timestamp),
        origin: record.origin().number(),
        visibility: number(record.visibility()),
        involvement_type: number(summary.involvement(record)),
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
        insights: Some(insights::show(&details.insights)),
        software_revenue: details.software_revenue.as_ref().map(insights::show_revenue),
        cosell_motion: details.cosell_motion.clone(),
        cosell_motion_reason: details.cosell_motion_reason.reveal().clone(),
        strategic: details.strategic,
        stages_disagree: summary.disagrees_with(record.details().life_cycle.stage),
    }
}
