//! Incoming events: what review decides moves the record; what the directory says is kept, as far as rules ask for it.

mod connection_changed;
mod engagement_invitation_accepted;
mod lead_converted;
mod referral_offer_accepted;
mod review_decided;
mod review_started;

use std::sync::Arc;

use cosell_events::{Delivery, Fault, Handler};
use cosell_grpc::Peer;
use cosell_proto::cosell::collaboration::v1 as collaboration;
use cosell_proto::cosell::partner::v1 as partner;
use cosell_proto::cosell::referral::v1 as referral;
use cosell_proto::cosell::review::v1 as review;
use cosell_store::Tx;
use cosell_types::{Clock, OpportunityId};

use crate::domain::{Decision, Event, Opportunity, Policy};
use crate::store;

/// The context whose events are consumed.
pub const REVIEW: &str = "review";

/// Applies the events of review.
#[derive(Clone)]
pub struct FromReview {
    /// The review service, for what events do not carry.
    pub review: Peer,
    /// The time.
    pub clock: Clock,
}

/// The context whose accepted offers and leads become opportunities.
pub const REFERRAL: &str = "referral";

/// Makes opportunities of offers that partners accepted, and of leads.
#[derive(Clone)]
pub struct FromReferral {
    /// The referral service, for what events do not carry.
    pub referral: Peer,
    /// What the operator has set.
    pub policy: Arc<Policy>,
    /// The time.
    pub clock: Clock,
}

/// Of what an opportunity is to be made.
#[derive(Debug)]
pub enum Source {
    /// Of nothing.
    None,
    /// Of a deal that a partner accepted.
    Deal(Box<referral_offer_accepted::Deal>),
    /// Of a lead.
    Lead(Box<lead_converted::Customer>),
}

impl Handler for FromReferral {
    type Prepared = Source;

    async fn prepare(&self, delivery: &Delivery) -> Result<Self::Prepared, Fault> {
        if delivery.is::<referral::ReferralOfferAccepted>() {
            let deal = referral_offer_accepted::prepare(self, delivery).await?;
            Ok(deal.map_or(Source::None, |deal| Source::Deal(Box::new(deal))))
        } else if delivery.is::<referral::LeadConverted>() {
            let customer = lead_converted::prepare(self, delivery).await?;
            Ok(Source::Lead(Box::new(customer)))
        } else {
            Ok(Source::None)
        }
    }

    async fn apply(&self, tx: &mut Tx, delivery: &Delivery, source: Self::Prepared) -> Result<(), Fault> {
        match source {
            Source::Deal(deal) => referral_offer_accepted::apply(tx, self, delivery, *deal).await,
            Source::Lead(customer) => lead_converted::apply(tx, self, delivery, *customer).await,
            Source::None => Ok(()),
        }
    }
}

/// The context whose accepted invitations become copies of opportunities.
pub const COLLABORATION: &str = "collaboration";

/// Makes copies of opportunities that partners have shared.
#[derive(Clone)]
pub struct FromCollaboration {
    /// The time.
    pub clock: Clock,
}

impl Handler for FromCollaboration {
    type Prepared = ();

    async fn prepare(&self, _: &Delivery) -> Result<(), Fault> {
        Ok(())
    }

    async fn apply(&self, tx: &mut Tx, delivery: &Delivery, (): ()) -> Result<(), Fault> {
        if delivery.is::<collaboration::EngagementInvitationAccepted>() {
            engagement_invitation_accepted::apply(tx, delivery, &self.clock).await
        } else {
            Ok(())
        }
    }
}

/// Keeps what the directory says.
#[derive(Clone, Debug)]
pub struct FromPartner;

impl Handler for FromPartner {
    type Prepared = ();

    async fn prepare(&self, _: &Delivery) -> Result<(), Fault> {
        Ok(())
    }

    async fn apply(&self, tx: &mut Tx, delivery: &Delivery, (): ()) -> Result<(), Fault> {
        if let Some(connection) = delivery.detail::<partner::ConnectionEventDetail>()? {
            connection_changed::apply(tx, delivery, &connection).await
        } else {
            cosell_members::take_over(tx, delivery).await
        }
    }
}

/// What an event asks for.
#[derive(Debug)]
pub enum Change {
    /// Nothing here.
    None,
    /// The review of a round began.
    Started {
        /// The record.
        opportunity: OpportunityId,
        /// The round.
        round: i32,
    },
    /// A round was decided.
    Decided {
        /// The record.
        opportunity: OpportunityId,
        /// The round.
        round: i32,
        /// How.
        decision: Decision,
    },
}

impl Handler for FromReview {
    type Prepared = Change;

    async fn prepare(&self, delivery: &Delivery) -> Result<Change, Fault> {
        if delivery.is::<review::ReviewStarted>() {
            review_started::prepare(delivery)
        } else if delivery.is::<review::ReviewDecided>() {
            review_decided::prepare(self, delivery).await
        } else {
            Ok(Change::None)
        }
    }

    async fn apply(&self, tx: &mut Tx, delivery: &Delivery, change: Change) -> Result<(), Fault> {
        match change {
            Change::None => Ok(()),
            Change::Started { opportunity, round } => {
                review_started::apply(tx, delivery, &self.clock, opportunity, round).await
            }
            Change::Decided {
                opportunity,
                round,
                decision,
            } => review_decided::apply(tx, delivery, &self.clock, opportunity, round, decision).await,
        }
    }
}

/// Changes a record because of an event; false when there was nothing to change. A record that is gone, or a round that
/// is over, needs no change (OPP-033).
async fn change(
    tx: &mut Tx,
    delivery: &Delivery,
    clock: &Clock,
    id: OpportunityId,
    change: impl FnOnce(&mut Opportunity) -> Option<Event>,
) -> Result<bool, Fault> {
    let Some(mut record) = store::load(tx, &delivery.account, id).await? else {
        tracing::info!(opportunity.id = %id, "the event is about a record that is gone");
        return Ok(false);
    };
    let Some(event) = change(&mut record) else {
        tracing::info!(opportunity.id = %id, "the event is about a round that is over");
        return Ok(false);
    };
    store::save(tx, &record, &event, delivery.cause(clock.now())).await?;
    Ok(true)
}
