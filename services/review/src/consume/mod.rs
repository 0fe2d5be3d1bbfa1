//! Incoming events: submissions open rounds, withdrawals end them.

mod submitted;
mod withdrawn;

use cosell_events::{Delivery, Fault, Handler};
use cosell_grpc::Peer;
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_store::Tx;
use cosell_types::{Clock, OpportunityId};

/// The context whose events are consumed.
pub const OPPORTUNITY: &str = "opportunity";

/// Applies the events of opportunity.
#[derive(Clone)]
pub struct FromOpportunity {
    /// The opportunity service, for what was submitted.
    pub opportunity: Peer,
    /// The time.
    pub clock: Clock,
}

/// What an event asks for.
pub enum Change {
    /// Nothing here.
    None,
    /// A round is to be opened.
    Submitted(Box<submitted::Submission>),
    /// A round is off.
    Withdrawn {
        /// The record.
        opportunity: OpportunityId,
        /// The round.
        round: i32,
    },
}

impl Handler for FromOpportunity {
    type Prepared = Change;

    async fn prepare(&self, delivery: &Delivery) -> Result<Change, Fault> {
        if delivery.is::<opportunity::OpportunitySubmitted>() {
            submitted::prepare(self, delivery).await
        } else if delivery.is::<opportunity::OpportunitySubmissionWithdrawn>() {
            withdrawn::prepare(delivery)
        } else {
            Ok(Change::None)
        }
    }

    async fn apply(&self, tx: &mut Tx, delivery: &Delivery, change: Change) -> Result<(), Fault> {
        match change {
            Change::None => Ok(()),
            Change::Submitted(submission) => submitted::apply(tx, delivery, &self.clock, *submission).await,
            Change::Withdrawn { opportunity, round } => {
                withdrawn::apply(tx, delivery, &self.clock, opportunity, round).await
            }
        }
    }
}
