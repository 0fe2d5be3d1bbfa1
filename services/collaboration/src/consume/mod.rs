//! Consumers: events of the partner context update the replicas of the directory and of connections; events of the
//! opportunity context make snapshot jobs due and archive channels.

mod connection_events;
mod opportunity_events;
mod opportunity_stage_changed;

use cosell_events::{Delivery, Handler, HandlerError};
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::partner::v1 as partner;
use cosell_store::Tx;
use cosell_types::{Clock, ClosedList as _};

use crate::domain::values::SnapshotTemplate;

/// The opportunity context.
pub const OPPORTUNITY: &str = "opportunity";

/// Applies events of the partner context.
#[derive(Clone)]
pub struct PartnerEvents {
    pub clock: Clock,
}

impl Handler for PartnerEvents {
    type Prepared = ();
    const READS_PEERS: bool = false;

    async fn prepare(&self, _: &Delivery) -> Result<(), HandlerError> {
        Ok(())
    }

    async fn apply(&self, tx: &mut Tx, delivery: &Delivery, (): ()) -> Result<(), HandlerError> {
        if let Some(connection) = delivery.detail::<partner::ConnectionEventDetail>()? {
            connection_events::apply(tx, delivery, &connection, self.clock.now()).await
        } else {
            cosell_members::apply_directory_event(tx, delivery).await
        }
    }
}

/// Applies events of the opportunity context.
#[derive(Clone)]
pub struct OpportunityEvents {
    pub clock: Clock,
}

impl Handler for OpportunityEvents {
    type Prepared = ();
    const READS_PEERS: bool = false;

    fn has_effect(&self, delivery: &Delivery) -> bool {
        !delivery.is::<opportunity::BulkJobFinished>()
    }

    async fn prepare(&self, _: &Delivery) -> Result<(), HandlerError> {
        Ok(())
    }

    async fn apply(&self, tx: &mut Tx, delivery: &Delivery, (): ()) -> Result<(), HandlerError> {
        let now = self.clock.now();
        if let Some(opportunity) = aws_summary_of(delivery)? {
            let template = SnapshotTemplate::AwsOpportunitySummary;
            opportunity_events::apply(tx, delivery, &opportunity, &[template], now).await
        } else if delivery.is::<opportunity::BulkJobFinished>() {
            Ok(())
        } else {
            // The aggregate of all other events is an opportunity. Its visibility also applies to snapshots of its AWS
            // summary, so the jobs of both templates are due.
            let templates = SnapshotTemplate::ALL;
            opportunity_events::apply(tx, delivery, &delivery.aggregate_id, templates, now).await?;
            if delivery.is::<opportunity::OpportunityStageChanged>() {
                opportunity_stage_changed::apply(tx, delivery, &self.clock).await?;
            }
            Ok(())
        }
    }
}

/// The opportunity whose AWS summary changed. `None` for any other event.
fn aws_summary_of(delivery: &Delivery) -> Result<Option<String>, HandlerError> {
    if delivery.is::<opportunity::OpportunityAwsSummaryChanged>() {
        let event: opportunity::OpportunityAwsSummaryChanged = delivery.message()?;
        Ok(Some(event.opportunity_id))
    } else if delivery.is::<opportunity::OpportunityClosedByAws>() {
        let event: opportunity::OpportunityClosedByAws = delivery.message()?;
        Ok(Some(event.opportunity_id))
    } else {
        Ok(None)
    }
}
