//! Applies the operator's option on marketing staff to members that it was not applied to yet: after a restart with
//! another option, and when a member becomes marketing staff (ACC-013).

use chrono::{DateTime, Utc};
use cosell_events::Cause;
use cosell_grpc::Failure;
use cosell_service::ScheduledWork;
use cosell_store::{Database, Error, Scope, Tx};
use cosell_telemetry::metrics::{Trigger, count_transition};
use cosell_types::Clock;
use tokio_util::sync::CancellationToken;

use crate::events::CONTEXT;
use crate::store::{self, MarketingMember};

/// Stores and publishes what marketing staff sees.
pub struct MarketingOptionWorker {
    pub database: Database,
    pub clock: Clock,
    /// The option.
    pub marketing_sees_all: bool,
}

impl ScheduledWork for MarketingOptionWorker {
    type Row = MarketingMember;

    async fn find_due(
        &self,
        tx: &mut Tx,
        _: DateTime<Utc>,
        last: Option<&MarketingMember>,
        limit: i64,
    ) -> Result<Vec<MarketingMember>, Error> {
        store::list_marketing_members(tx, !self.marketing_sees_all, last, limit).await
    }

    fn id<'a>(&self, due: &'a MarketingMember) -> &'a str {
        due.id.as_str()
    }

    async fn process(&self, due: &MarketingMember, _: &CancellationToken) -> Result<(), Failure> {
        let mut tx = self.database.events.tx(&Scope::account(&due.account)).await?;
        store::lock_account(&mut tx, &due.account).await?;
        let Some(mut member) = store::load_member(&mut tx, &due.account, &due.id).await? else {
            return Ok(());
        };
        let now = self.clock.now();
        // There is no event if another replica has applied the option.
        if let Some(event) = member.apply_marketing_option(self.marketing_sees_all, now) {
            let cause = Cause {
                actor: "service:partner",
                request_id: "",
                time: now,
            };
            store::save_members(&mut tx, &[(member, event)], cause).await?;
            tx.commit().await?;
            count_transition(CONTEXT, "member_visibility_changed", Trigger::Background);
        }
        Ok(())
    }
}
