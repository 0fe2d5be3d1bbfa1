//! Loads the offers and leads that are visible to the caller. An invisible record and one that does not exist have the
//! same error.

use chrono::{DateTime, Utc};
use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::referral::v1 as pb;
use cosell_store::Tx;
use prost::Message as _;

use crate::domain::values::ReferralOfferState;
use crate::domain::{Lead, Offer, access};
use crate::{status, store};

/// An offer with the excerpt of its content.
pub struct LoadedOffer {
    pub offer: Offer,
    /// The encoded excerpt; `None` once the content is no longer visible to the partner.
    pub content: Option<Vec<u8>>,
}

pub struct LoadedLead {
    pub lead: Lead,
    pub details: pb::LeadDetails,
}

/// Loads an offer to the caller's account. An offer past its deadline is not found, even before its expiry is stored
/// (REF-021).
pub async fn load_offer<M>(
    tx: &mut Tx,
    call: &Call<M>,
    id: &str,
    now: DateTime<Utc>,
) -> Result<LoadedOffer, Failure> {
    let not_found = || status::offer_not_found(id);
    let offer_id = id.parse().map_err(|_| not_found())?;
    let loaded = store::load_offer(tx, &call.member()?.account, &offer_id).await?;
    let (offer, content) = loaded
        .filter(|(offer, _)| offer.state_at(now) != ReferralOfferState::Expired)
        .ok_or_else(not_found)?;
    Ok(LoadedOffer { offer, content })
}

/// Loads a lead that is visible to the calling member (REF-055).
pub async fn load_lead<M>(tx: &mut Tx, call: &Call<M>, id: &str) -> Result<LoadedLead, Failure> {
    let not_found = || status::lead_not_found(id);
    let lead_id = id.parse().map_err(|_| not_found())?;
    let member = call.member()?;
    let loaded = store::load_lead(tx, &member.account, &lead_id).await?;
    let (lead, details) = loaded
        .filter(|(lead, _)| access::can_view_lead(member, lead))
        .ok_or_else(not_found)?;
    let details = pb::LeadDetails::decode(details.as_slice()).map_err(Failure::internal)?;
    Ok(LoadedLead { lead, details })
}
