//! The list queries of referrals, offers and leads, which are built at run time from their filters.

use chrono::{DateTime, Utc};
use cosell_grpc::convert::is_valid_time;
use cosell_store::{Error, Tx};
use cosell_types::{AccountId, ClosedList as _, MemberId};
use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use sqlx::{QueryBuilder, Row as _};

use crate::domain::values::{LeadState, ReferralOfferState, ReferralState};
use crate::domain::{Lead, LeadId, Offer, OfferId, Referral, ReferralId};

/// The sort key of the last row of a page: the time by which the list is sorted, and the id. Page tokens are not
/// signed, so the values of a received cursor are validated.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PageCursor(DateTime<Utc>, String);

impl PageCursor {
    pub fn after_referral(referral: &Referral) -> Self {
        Self(referral.create_time(), referral.id().to_string())
    }

    pub fn after_offer(offer: &Offer) -> Self {
        Self(offer.expire_time(), offer.id().to_string())
    }

    pub fn after_lead(lead: &Lead) -> Self {
        Self(lead.create_time(), lead.id().to_string())
    }

    pub fn is_valid_for_leads(&self) -> bool {
        is_valid_time(&self.0) && self.1.parse::<LeadId>().is_ok()
    }

    pub fn is_valid_for_referrals(&self) -> bool {
        is_valid_time(&self.0) && self.1.parse::<ReferralId>().is_ok()
    }

    pub fn is_valid_for_offers(&self) -> bool {
        is_valid_time(&self.0) && self.1.parse::<OfferId>().is_ok()
    }
}

/// At most `limit` referrals of an AWS account after the cursor, newest first, each with its encoded content.
pub async fn list_referrals(
    tx: &mut Tx,
    account: &AccountId,
    states: &[ReferralState],
    receivers: &[String],
    cursor: Option<PageCursor>,
    limit: i64,
) -> Result<Vec<(Referral, Vec<u8>)>, Error> {
    let mut query = QueryBuilder::new("SELECT record, content FROM referral WHERE account_id = ");
    query.push_bind(account.to_string());
    if !states.is_empty() {
        let states: Vec<_> = states.iter().map(|state| state.name()).collect();
        query.push(" AND state = ANY(").push_bind(states).push(")");
    }
    if !receivers.is_empty() {
        query.push(" AND receivers && ").push_bind(receivers.to_vec());
    }
    if let Some(PageCursor(time, id)) = cursor {
        query.push(" AND (create_time, referral_id) < (").push_bind(time);
        query.push(", ").push_bind(id).push(")");
    }
    query
        .push(" ORDER BY create_time DESC, referral_id DESC LIMIT ")
        .push_bind(limit);
    let rows = query.build().fetch_all(tx.conn()).await?;
    rows.into_iter()
        .map(|row| Ok((row.try_get::<Json<Referral>, _>(0)?.0, row.try_get(1)?)))
        .collect()
}

/// At most `limit` offers to an account after the cursor, by deadline, each with its encoded excerpt. Skips pending
/// offers past their deadline, even before their expiry is stored (REF-021).
pub async fn list_offers(
    tx: &mut Tx,
    account: &AccountId,
    states: &[ReferralOfferState],
    now: DateTime<Utc>,
    cursor: Option<PageCursor>,
    limit: i64,
) -> Result<Vec<(Offer, Option<Vec<u8>>)>, Error> {
    let mut query = QueryBuilder::new("SELECT record, shown FROM offer WHERE account_id = ");
    query.push_bind(account.to_string());
    let states: Vec<_> = states.iter().map(|state| state.name()).collect();
    query.push(" AND state = ANY(").push_bind(states);
    query
        .push(") AND (state <> 'PENDING' OR expire_time > ")
        .push_bind(now)
        .push(")");
    if let Some(PageCursor(time, id)) = cursor {
        query
            .push(" AND (expire_time, referral_offer_id) > (")
            .push_bind(time);
        query.push(", ").push_bind(id).push(")");
    }
    query
        .push(" ORDER BY expire_time, referral_offer_id LIMIT ")
        .push_bind(limit);
    let rows = query.build().fetch_all(tx.conn()).await?;
    rows.into_iter()
        .map(|row| Ok((row.try_get::<Json<Offer>, _>(0)?.0, row.try_get(1)?)))
        .collect()
}

/// At most `limit` leads of an account after the cursor, newest first, each with its encoded details; with `owner` only
/// the leads of that member.
pub async fn list_leads(
    tx: &mut Tx,
    account: &AccountId,
    owner: Option<&MemberId>,
    states: &[LeadState],
    cursor: Option<PageCursor>,
    limit: i64,
) -> Result<Vec<(Lead, Vec<u8>)>, Error> {
    let mut query = QueryBuilder::new("SELECT record, details FROM lead WHERE account_id = ");
    query.push_bind(account.to_string());
    if let Some(owner) = owner {
        query.push(" AND owner_member_id = ").push_bind(owner.to_string());
    }
    if !states.is_empty() {
        let states: Vec<_> = states.iter().map(|state| state.name()).collect();
        query.push(" AND state = ANY(").push_bind(states).push(")");
    }
    if let Some(PageCursor(time, id)) = cursor {
        query.push(" AND (create_time, lead_id) < (").push_bind(time);
        query.push(", ").push_bind(id).push(")");
    }
    query
        .push(" ORDER BY create_time DESC, lead_id DESC LIMIT ")
        .push_bind(limit);
    let rows = query.build().fetch_all(tx.conn()).await?;
    rows.into_iter()
        .map(|row| Ok((row.try_get::<Json<Lead>, _>(0)?.0, row.try_get(1)?)))
        .collect()
}
