//! Applies the events of opportunity: a submission opens a case or its next round, a withdrawal closes the round. Other
//! events have no effect.

mod opportunity_submission_withdrawn;
mod opportunity_submitted;

use cosell_events::{Delivery, Handler, HandlerError};
use cosell_grpc::Peer;
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_store::Tx;
use cosell_types::{Clock, OpportunityId};

/// The context whose events are consumed.
pub const OPPORTUNITY: &str = "opportunity";

/// Applies the events of opportunity.
#[derive(Clone)]
pub struct OpportunityEvents {
    /// The opportunity service, from which submitted opportunities are read.
    pub opportunity: Peer,
    pub clock: Clock,
}

/// The effect of an event on a review case.
pub enum CaseChange {
    None,
    /// Opens a case or its next round.
    Submitted(Box<opportunity_submitted::Submission>),
    /// Closes a round.
    Withdrawn {
        opportunity: OpportunityId,
        round: i32,
    },
}

impl Handler for OpportunityEvents {
    type Prepared = CaseChange;
    const READS_PEERS: bool = true;

    fn has_effect(&self, delivery: &Delivery) -> bool {
        delivery.is::<opportunity::OpportunitySubmitted>()
            || delivery.is::<opportunity::OpportunitySubmissionWithdrawn>()
    }

    async fn prepare(&self, delivery: &Delivery) -> Result<CaseChange, HandlerError> {
        if delivery.is::<opportunity::OpportunitySubmitted>() {
            opportunity_submitted::prepare(self, delivery).await
        } else if delivery.is::<opportunity::OpportunitySubmissionWithdrawn>() {
            opportunity_submission_withdrawn::prepare(delivery)
        } else {
            Ok(CaseChange::None)
        }
    }

    async fn apply(&self, tx: &mut Tx, delivery: &Delivery, change: CaseChange) -> Result<(), HandlerError> {
        match change {
            CaseChange::None => Ok(()),
            CaseChange::Submitted(submission) => {
                opportunity_submitted::apply(tx, delivery, &self.clock, *submission).await
            }
            CaseChange::Withdrawn { opportunity, round } => {
                opportunity_submission_withdrawn::apply(tx, delivery, &self.clock, opportunity, round).await
            }
        }
    }
}
