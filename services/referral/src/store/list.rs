//! The queries that are put together at run time: referrals, offers, and leads.

use chrono::{DateTime, Utc};
use cosell_grpc::convert::is_stored;
use cosell_store::{Error, Tx};
use cosell_types::{AccountId, ClosedList as _, MemberId};
use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use sqlx::{QueryBuilder, Row as _};

use crate::domain::values::{LeadState, ReferralOfferState, ReferralState};
use crate::domain::{Lead, LeadId, Offer, OfferId, Referral, ReferralId};

/// The last row of a page: the time that it is sorted by, and its id.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Last(DateTime<Utc>, String);

impl Last {
    /// Where a page ends that ends with this referral.
    pub fn of_referral(referral: &Referral) -> Self {
        Self(referral.create_time(), referral.id().to_string())
    }

    /// Where a page ends that ends with this offer.
    pub fn of_offer(offer: &Offer) -> Self {
        Self(offer.expire_time(), offer.id().to_string())
    }

    /// Where a page ends that ends with this lead.
    pub fn of_lead(lead: &Lead) -> Self {
        Self(lead.create_time(), lead.id().to_string())
    }

    /// Whether a page of leads could end there.
    pub fn is_lead(&self) -> bool {
        is_stored(&self.0) && self.1.parse::<LeadId>().is_ok()
    }

    /// Whether a page of referrals could end there.
    pub fn is_referral(&self) -> bool {
        is_stored(&self.0) && self.1.parse::<ReferralId>().is_ok()
    }

    /// Whether a page of offers could end there.
    pub fn is_offer(&self) -> bool {
        is_stored(&self.0) && self.1.parse::<OfferId>().is_ok()
    }
}

/// At most `limit` referrals of an AWS account after `last`, the newest first, with what they say.
pub async fn referrals(
    tx: &mut Tx,
    account: &AccountId,
    states: &[ReferralState],
    receivers: &[String],
    last: Option<Last>,
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
    if let Some(Last(time, id)) = last {
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

/// At most `limit` offers to an account after `last`, those that end first at the beginning, with what the partner may
/// know. What waits for an answer and is over by now is not shown, whether or not that was noted (REF-021).
pub async fn offers(
    tx: &mut Tx,
    account: &AccountId,
    states: &[ReferralOfferState],
    now: DateTime<Utc>,
    last: Option<Last>,
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
    if let Some(Last(time, id)) = last {
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

/// At most `limit` leads of an account after `last`, the newest first, with what is known of the customers; only
/// those of an owner if one is given.
pub async fn leads(
    tx: &mut Tx,
    account: &AccountId,
    owner: Option<&MemberId>,
    states: &[LeadState],
    last: Option<Last>,
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
    if let Some(Last(time, id)) = last {
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
