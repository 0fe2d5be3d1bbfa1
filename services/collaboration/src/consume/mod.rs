//! Incoming events: who is connected, and which opportunities have changed.

mod connection_changed;
mod deal_closed;
mod opportunity_changed;

use cosell_events::{Delivery, Fault, Handler};
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::partner::v1 as partner;
use cosell_store::Tx;
use cosell_types::{Clock, ClosedList as _};

use crate::domain::values::SnapshotTemplate;

/// The context whose records are shared.
pub const OPPORTUNITY: &str = "opportunity";

/// Keeps what the directory says of members, accounts and connections.
#[derive(Clone)]
pub struct FromPartner {
    /// The time.
    pub clock: Clock,
}

impl Handler for FromPartner {
    type Prepared = ();

    async fn prepare(&self, _: &Delivery) -> Result<(), Fault> {
        Ok(())
    }

    async fn apply(&self, tx: &mut Tx, delivery: &Delivery, (): ()) -> Result<(), Fault> {
        if let Some(connection) = delivery.detail::<partner::ConnectionEventDetail>()? {
            connection_changed::apply(tx, delivery, &connection, self.clock.now()).await
        } else {
            cosell_members::take_over(tx, delivery).await
        }
    }
}

/// Lets jobs look at opportunities that have changed, and ends the channels of deals that are over.
#[derive(Clone)]
pub struct FromOpportunity {
    /// The time.
    pub clock: Clock,
}

impl Handler for FromOpportunity {
    type Prepared = ();

    async fn prepare(&self, _: &Delivery) -> Result<(), Fault> {
        Ok(())
    }

    async fn apply(&self, tx: &mut Tx, delivery: &Delivery, (): ()) -> Result<(), Fault> {
        let now = self.clock.now();
        if delivery.is::<opportunity::OpportunityAwsSummaryChanged>() {
            let event: opportunity::OpportunityAwsSummaryChanged = delivery.message()?;
            let template = SnapshotTemplate::AwsOpportunitySummary;
            opportunity_changed::apply(tx, delivery, &event.opportunity_id, &[template], now).await
        } else if delivery.is::<opportunity::BulkJobFinished>() {
            Ok(())
        } else {
            // Every other event of the context is about a record, which is its aggregate. What AWS says of it is shown
            // as far as the record lets it be.
            let templates = SnapshotTemplate::ALL;
            opportunity_changed::apply(tx, delivery, &delivery.aggregate_id, templates, now).await?;
            if delivery.is::<opportunity::OpportunityStageChanged>() {
                deal_closed::apply(tx, delivery, &self.clock).await?;
            }
            Ok(())
        }
    }
}
