//! Sees to what is due: reminds of offers, ends those that nobody answered, and hands a deal on when its offer has ended.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use cosell_events::Cause;
use cosell_grpc::Failure;
use cosell_proto::cosell::referral::v1 as pb;
use cosell_service::Work;
use cosell_store::{Database, Error, Scope, Tx};
use cosell_types::{Clock, random};
use prost::Message as _;
use tokio_util::sync::CancellationToken;

use crate::api::{PLATFORM, note, offer_to, payload_type};
use crate::domain::values::ReferralOfferState;
use crate::domain::{Calendar, Offer};
use crate::store::{self, Due};

/// What the worker needs.
#[derive(Clone)]
pub struct Worker {
    /// Where offers are.
    pub database: Database,
    /// The time.
    pub clock: Clock,
    /// The days that count.
    pub calendar: Arc<Calendar>,
    /// How far a company must have come to be offered deals.
    pub tier: i32,
}

impl Work for Worker {
    type Due = Due;

    async fn find(
        &self,
        tx: &mut Tx,
        now: DateTime<Utc>,
        last: Option<&Due>,
        most: i64,
    ) -> Result<Vec<Due>, Error> {
        store::due(tx, now, last, most).await
    }

    fn id<'a>(&self, due: &'a Due) -> &'a str {
        due.id.as_str()
    }

    async fn see_to(&self, due: &Due, _: &CancellationToken) -> Result<(), Failure> {
        let mut tx = self.database.events.tx(&Scope::account(&due.account)).await?;
        let now = self.clock.now();
        let Some((mut offer, _)) = store::load_offer(&mut tx, &due.account, &due.id).await? else {
            return Ok(());
        };
        let cause = Cause {
            actor: PLATFORM,
            request_id: due.id.as_str(),
            time: now,
        };
        if offer.state() == ReferralOfferState::Pending {
            // Somebody else was faster, unless it is still due.
            let Some(event) = offer.come_due(now) else {
                return Ok(());
            };
            store::save_offer(&mut tx, &offer, event, cause).await?;
            tx.commit().await?;
            note(event.name());
            return Ok(());
        }
        if !store::settle(&mut tx, &offer).await? {
            return Ok(());
        }
        self.hand_on(tx, &offer, cause).await
    }
}

impl Worker {
    /// What the end of an offer means for its referral: somebody has it, the next one gets it, or none is left.
    async fn hand_on(&self, mut tx: Tx, ended: &Offer, cause: Cause<'_>) -> Result<(), Failure> {
        let is_taken = ended.state() == ReferralOfferState::Accepted;
        if !is_taken {
            store::forget_deal(&mut tx, ended).await?;
        }
        tx.act_for(&Scope::account(ended.sender())).await?;
        let found = store::load_referral(&mut tx, ended.sender(), ended.referral()).await?;
        let (mut referral, content) =
            found.ok_or_else(|| Failure::internal("an offer of a referral that is gone"))?;
        let mut next = None;
        if !is_taken {
            for (index, account) in referral.waiting().iter().enumerate() {
                let standing = store::receiver(&mut tx, account).await?;
                if standing.require_eligible(self.tier).is_ok() {
                    next = Some((index, account.clone()));
                    break;
                }
            }
        }
        let Some(event) = referral.offer_ended(ended, next.as_ref().map(|(index, _)| *index), cause.time)
        else {
            return tx.commit().await;
        };
        tx.act_for(&Scope::account(referral.account())).await?;
        store::save_referral(&mut tx, &referral, event, ended, cause).await?;
        if let Some((_, account)) = next {
            let content = pb::Referral::decode(content.as_slice()).map_err(Failure::internal)?;
            let referral_offer_id = random::prefixed_digit("engi-")
                .parse()
                .map_err(Failure::internal)?;
            let (offer, made) = Offer::make(
                referral_offer_id,
                account,
                &referral,
                payload_type(&content),
                &self.calendar,
                cause.time,
            );
            offer_to(&mut tx, &content, &offer, made).await?;
        }
        tx.commit().await?;
        note(event.name());
        Ok(())
    }
}
