//! Expires connection invitations past their deadline (CON-010).

use chrono::{DateTime, Utc};
use cosell_events::Cause;
use cosell_grpc::Failure;
use cosell_service::ScheduledWork;
use cosell_store::{Database, Error, Scope, Tx};
use cosell_telemetry::metrics::{Trigger, count_transition};
use cosell_types::Clock;
use tokio_util::sync::CancellationToken;

use crate::events::CONTEXT;
use crate::store::{self, OverdueInvitation};

/// Stores and publishes the expiry of pending invitations.
pub struct InvitationExpiryWorker {
    pub database: Database,
    pub clock: Clock,
}

impl ScheduledWork for InvitationExpiryWorker {
    type Row = OverdueInvitation;

    async fn find_due(
        &self,
        tx: &mut Tx,
        now: DateTime<Utc>,
        last: Option<&OverdueInvitation>,
        limit: i64,
    ) -> Result<Vec<OverdueInvitation>, Error> {
        store::load_overdue_invitations(tx, now, last, limit).await
    }

    fn id<'a>(&self, overdue: &'a OverdueInvitation) -> &'a str {
        overdue.id.as_str()
    }

    async fn process(&self, overdue: &OverdueInvitation, _: &CancellationToken) -> Result<(), Failure> {
        let mut tx = self.database.events.tx(&Scope::account(&overdue.sender)).await?;
        store::lock_both_accounts(&mut tx, &overdue.sender, &overdue.receiver).await?;
        let now = self.clock.now();
        let Some(mut invitation) =
            store::load_invitation(&mut tx, &overdue.sender, overdue.id.as_str()).await?
        else {
            return Ok(());
        };
        // There is no event if another replica has expired it, or a party has answered or canceled it.
        if let Some(event) = invitation.expire(now) {
            let cause = Cause {
                actor: "service:partner",
                request_id: overdue.id.as_str(),
                time: now,
            };
            store::save_invitation(&mut tx, &invitation, event, cause).await?;
            tx.commit().await?;
            count_transition(CONTEXT, "connection_invitation_expired", Trigger::Background);
        }
        Ok(())
    }
}
