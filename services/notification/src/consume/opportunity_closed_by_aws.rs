use cosell_events::{Delivery, HandlerError};
use cosell_proto::cosell::opportunity::v1::{AwsStage, OpportunityClosedByAws};

use super::opportunity_events::{concerned_members, sales_contacts};
use super::{Dependencies, PreparedNotification};
use crate::convert;
use crate::domain::values::NotificationKind;
use crate::domain::{ClosureFacts, RecordRef, TemplateFacts};

/// Notifies those whose own opportunity it is. Stage, close date and closed lost reason are those of the AWS summary as
/// the partner sees it (OPP-052); if AWS has changed its stage since, only the stage of the event is stated.
pub async fn prepare(
    dependencies: &Dependencies,
    delivery: &Delivery,
) -> Result<PreparedNotification, HandlerError> {
    let event: OpportunityClosedByAws = delivery.message()?;
    let id = event
        .opportunity_id
        .parse()
        .map_err(|_| HandlerError::permanent("opportunity_id is invalid"))?;
    let own = dependencies
        .peers
        .find_own_opportunity(delivery.account.as_str(), &event.opportunity_id)
        .await?
        .unwrap_or_default();
    let record = own.opportunity.unwrap_or_default();
    let summary = own.aws_opportunity_summary.unwrap_or_default();
    let aws = summary
        .life_cycle
        .filter(|life_cycle| life_cycle.stage == event.stage)
        .unwrap_or_default();
    let stage = match event.stage() {
        AwsStage::Launched => "Launched",
        AwsStage::ClosedLost => "Closed Lost",
        // Other stages are not shown to the partner (OPP-052).
        _ => "",
    };
    let facts = TemplateFacts {
        records: vec![RecordRef::Opportunity(event.opportunity_id)],
        project: convert::project(&record),
        closure: ClosureFacts {
            stage: stage.to_owned(),
            close_date: convert::date(aws.target_close_date.as_ref()),
            reason: aws.closed_lost_reason,
        },
        ..TemplateFacts::default()
    };
    Ok(PreparedNotification {
        concerned_members: concerned_members(&record),
        contacts: sales_contacts(&record),
        ..PreparedNotification::of_opportunity(NotificationKind::OpportunityClosedByAws, Some(id), facts)
    })
}
