//! Scheduled work on offers: sends reminders, expires offers past their deadline, and routes a referral to its next
//! receiver when its offer was closed.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use cosell_events::Cause;
use cosell_grpc::Failure;
use cosell_proto::cosell::referral::v1 as pb;
use cosell_service::ScheduledWork;
use cosell_store::{Database, Error, Scope, Tx};
use cosell_telemetry::metrics::{Trigger, count_transition};
use cosell_types::Clock;
use prost::Message as _;
use tokio_util::sync::CancellationToken;

use crate::domain::values::ReferralOfferState;
use crate::domain::{Calendar, Offer};
use crate::events::{CONTEXT, PLATFORM};
use crate::routing::create_offer;
use crate::store::{self, DueOffer};

#[derive(Clone)]
pub struct OfferWorker {
    pub database: Database,
    pub clock: Clock,
    /// The business days that deadlines count.
    pub calendar: Arc<Calendar>,
    /// The lowest partner tier that is eligible for referrals.
    pub min_tier: i32,
}

impl ScheduledWork for OfferWorker {
    type Row = DueOffer;

    async fn find_due(
        &self,
        tx: &mut Tx,
        now: DateTime<Utc>,
        last: Option<&DueOffer>,
        limit: i64,
    ) -> Result<Vec<DueOffer>, Error> {
        store::list_due_offers(tx, now, last, limit).await
    }

    fn id<'a>(&self, due: &'a DueOffer) -> &'a str {
        due.id.as_str()
    }

    async fn process(&self, due: &DueOffer, _: &CancellationToken) -> Result<(), Failure> {
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
            // No longer due: another replica has done the work.
            let Some(event) = offer.remind_or_expire(now) else {
                return Ok(());
            };
            store::save_offer(&mut tx, &offer, event, cause).await?;
            tx.commit().await?;
            count_transition(CONTEXT, event.name(), Trigger::Background);
            return Ok(());
        }
        if !store::clear_due_time(&mut tx, &offer).await? {
            return Ok(());
        }
        self.apply_to_referral(tx, &offer, cause).await
    }
}

impl OfferWorker {
    /// Applies the outcome of a closed offer to its referral, which is accepted, routed to the next eligible receiver,
    /// or exhausted.
    async fn apply_to_referral(
        &self,
        mut tx: Tx,
        closed_offer: &Offer,
        cause: Cause<'_>,
    ) -> Result<(), Failure> {
        let is_accepted = closed_offer.state() == ReferralOfferState::Accepted;
        if !is_accepted {
            store::delete_content(&mut tx, closed_offer).await?;
        }
        tx.switch_scope(&Scope::account(closed_offer.sender())).await?;
        let loaded = store::load_referral(&mut tx, closed_offer.sender(), closed_offer.referral()).await?;
        let (mut referral, content) =
            loaded.ok_or_else(|| Failure::internal("the referral of the offer does not exist"))?;
        let mut next = None;
        if !is_accepted {
            for (index, account) in referral.remaining_receivers().iter().enumerate() {
                let receiver = store::load_receiver(&mut tx, account).await?;
                if receiver.require_eligible(self.min_tier).is_ok() {
                    next = Some((index, account.clone()));
                    break;
                }
            }
        }
        let Some(event) =
            referral.apply_closed_offer(closed_offer, next.as_ref().map(|(index, _)| *index), cause.time)
        else {
            return tx.commit().await;
        };
        tx.switch_scope(&Scope::account(referral.account())).await?;
        store::save_referral(&mut tx, &referral, event, closed_offer, cause).await?;
        if let Some((_, account)) = next {
            let content = pb::Referral::decode(content.as_slice()).map_err(Failure::internal)?;
            create_offer(
                &mut tx,
                (&referral, &content),
                account,
                &self.calendar,
                cause.time,
            )
            .await?;
        }
        tx.commit().await?;
        count_transition(CONTEXT, event.name(), Trigger::Background);
        Ok(())
    }
}
