//! Handlers of consumed events, one for each publishing context. Each file applies one event, or one family of events,
//! and is named after it. Other events of these contexts are ignored.

mod connection_events;
mod engagement_invitation_accepted;
mod lead_converted;
mod referral_offer_accepted;
mod review_decided;
mod review_started;

use std::sync::Arc;

use cosell_events::{Delivery, Handler, HandlerError};
use cosell_grpc::Peer;
use cosell_proto::cosell::collaboration::v1 as collaboration;
use cosell_proto::cosell::partner::v1 as partner;
use cosell_proto::cosell::referral::v1 as referral;
use cosell_proto::cosell::review::v1 as review;
use cosell_store::Tx;
use cosell_types::{Clock, OpportunityId};

use crate::domain::{Decision, Event, Opportunity, Policy};
use crate::store;

pub const REVIEW: &str = "review";
pub const REFERRAL: &str = "referral";
pub const COLLABORATION: &str = "collaboration";

/// Applies reviews to opportunities.
#[derive(Clone)]
pub struct ReviewEvents {
    /// Serves data that events omit.
    pub review: Peer,
    pub clock: Clock,
}

/// Creates opportunities from accepted referrals and converted leads.
#[derive(Clone)]
pub struct ReferralEvents {
    /// Serves data that events omit.
    pub referral: Peer,
    pub policy: Arc<Policy>,
    pub clock: Clock,
}

/// An event of referral with the data that it omits.
#[derive(Debug)]
pub enum PreparedReferralEvent {
    /// An event that has no effect here.
    Ignored,
    OfferAccepted(Box<referral_offer_accepted::AcceptedReferral>),
    LeadConverted(Box<lead_converted::ConvertedLead>),
}

impl Handler for ReferralEvents {
    type Prepared = PreparedReferralEvent;
    const READS_PEERS: bool = true;

    fn has_effect(&self, delivery: &Delivery) -> bool {
        delivery.is::<referral::ReferralOfferAccepted>() || delivery.is::<referral::LeadConverted>()
    }

    async fn prepare(&self, delivery: &Delivery) -> Result<Self::Prepared, HandlerError> {
        if delivery.is::<referral::ReferralOfferAccepted>() {
            let accepted = referral_offer_accepted::prepare(self, delivery).await?;
            Ok(accepted.map_or(PreparedReferralEvent::Ignored, |accepted| {
                PreparedReferralEvent::OfferAccepted(Box::new(accepted))
            }))
        } else if delivery.is::<referral::LeadConverted>() {
            let converted = lead_converted::prepare(self, delivery).await?;
            Ok(PreparedReferralEvent::LeadConverted(Box::new(converted)))
        } else {
            Ok(PreparedReferralEvent::Ignored)
        }
    }

    async fn apply(
        &self,
        tx: &mut Tx,
        delivery: &Delivery,
        event: Self::Prepared,
    ) -> Result<(), HandlerError> {
        match event {
            PreparedReferralEvent::OfferAccepted(accepted) => {
                referral_offer_accepted::apply(tx, self, delivery, *accepted).await
            }
            PreparedReferralEvent::LeadConverted(converted) => {
                lead_converted::apply(tx, self, delivery, *converted).await
            }
            PreparedReferralEvent::Ignored => Ok(()),
        }
    }
}

/// Creates shared copies of opportunities when engagement invitations are accepted.
#[derive(Clone)]
pub struct CollaborationEvents {
    pub clock: Clock,
}

impl Handler for CollaborationEvents {
    type Prepared = ();
    const READS_PEERS: bool = false;

    fn has_effect(&self, delivery: &Delivery) -> bool {
        delivery.is::<collaboration::EngagementInvitationAccepted>()
    }

    async fn prepare(&self, _: &Delivery) -> Result<(), HandlerError> {
        Ok(())
    }

    async fn apply(&self, tx: &mut Tx, delivery: &Delivery, (): ()) -> Result<(), HandlerError> {
        if delivery.is::<collaboration::EngagementInvitationAccepted>() {
            engagement_invitation_accepted::apply(tx, delivery, &self.clock).await
        } else {
            Ok(())
        }
    }
}

/// Replicates the directory and the SUBSIDIARY connections.
#[derive(Clone, Debug)]
pub struct PartnerEvents;

impl Handler for PartnerEvents {
    type Prepared = ();
    const READS_PEERS: bool = false;

    async fn prepare(&self, _: &Delivery) -> Result<(), HandlerError> {
        Ok(())
    }

    async fn apply(&self, tx: &mut Tx, delivery: &Delivery, (): ()) -> Result<(), HandlerError> {
        if let Some(connection) = delivery.detail::<partner::ConnectionEventDetail>()? {
            connection_events::apply(tx, delivery, &connection).await
        } else {
            cosell_members::apply_directory_event(tx, delivery).await
        }
    }
}

/// An event of review with the data that it omits.
#[derive(Debug)]
pub enum PreparedReviewEvent {
    /// An event that has no effect here.
    Ignored,
    Started {
        opportunity: OpportunityId,
        round: i32,
    },
    Decided {
        opportunity: OpportunityId,
        round: i32,
        decision: Decision,
    },
}

impl Handler for ReviewEvents {
    type Prepared = PreparedReviewEvent;
    const READS_PEERS: bool = true;

    fn has_effect(&self, delivery: &Delivery) -> bool {
        delivery.is::<review::ReviewStarted>() || delivery.is::<review::ReviewDecided>()
    }

    async fn prepare(&self, delivery: &Delivery) -> Result<Self::Prepared, HandlerError> {
        if delivery.is::<review::ReviewStarted>() {
            review_started::prepare(delivery)
        } else if delivery.is::<review::ReviewDecided>() {
            review_decided::prepare(self, delivery).await
        } else {
            Ok(PreparedReviewEvent::Ignored)
        }
    }

    async fn apply(
        &self,
        tx: &mut Tx,
        delivery: &Delivery,
        event: Self::Prepared,
    ) -> Result<(), HandlerError> {
        match event {
            PreparedReviewEvent::Ignored => Ok(()),
            PreparedReviewEvent::Started { opportunity, round } => {
                review_started::apply(tx, delivery, &self.clock, opportunity, round).await
            }
            PreparedReviewEvent::Decided {
                opportunity,
                round,
                decision,
            } => review_decided::apply(tx, delivery, &self.clock, opportunity, round, decision).await,
        }
    }
}

/// Applies `change` to a record and saves it. Returns whether the record changed: a discarded record and a closed
/// submission round do not change (OPP-033).
async fn change_opportunity(
    tx: &mut Tx,
    delivery: &Delivery,
    clock: &Clock,
    id: OpportunityId,
    change: impl FnOnce(&mut Opportunity) -> Option<Event>,
) -> Result<bool, HandlerError> {
    let Some(mut record) = store::load_opportunity(tx, &delivery.account, id).await? else {
        tracing::info!(opportunity.id = %id, "event ignored: opportunity not found");
        return Ok(false);
    };
    let Some(event) = change(&mut record) else {
        tracing::info!(opportunity.id = %id, "event ignored: submission round closed");
        return Ok(false);
    };
    store::save_opportunity(tx, &record, &event, delivery.cause(clock.now())).await?;
    Ok(true)
}
