//! Expires engagement invitations past their deadline.

use chrono::{DateTime, Utc};
use cosell_events::Cause;
use cosell_grpc::Failure;
use cosell_service::ScheduledWork;
use cosell_store::{Database, Error, Scope, Tx};
use cosell_telemetry::metrics::{Trigger, count_transition};
use cosell_types::Clock;
use tokio_util::sync::CancellationToken;

use crate::events::{CONTEXT, PLATFORM};
use crate::store::{self, DueInvitation};

pub struct InvitationWorker {
    pub database: Database,
    pub clock: Clock,
}

impl ScheduledWork for InvitationWorker {
    type Row = DueInvitation;

    async fn find_due(
        &self,
        tx: &mut Tx,
        now: DateTime<Utc>,
        last: Option<&DueInvitation>,
        limit: i64,
    ) -> Result<Vec<DueInvitation>, Error> {
        store::list_due_invitations(tx, now, last, limit).await
    }

    fn id<'a>(&self, due: &'a DueInvitation) -> &'a str {
        due.id.as_str()
    }

    async fn process(&self, due: &DueInvitation, _: &CancellationToken) -> Result<(), Failure> {
        let scope = Scope::account(&due.receiver);
        let mut tx = self.database.events.tx(&scope).await?;
        let loaded = store::load_received_invitation(&mut tx, &due.receiver, &due.id).await?;
        let Some(loaded) = loaded else {
            return Ok(());
        };
        let engagement = store::lock_engagement(&mut tx, loaded.sender(), loaded.engagement()).await?;
        tx.switch_scope(&scope).await?;
        let invitation = store::load_received_invitation(&mut tx, &due.receiver, &due.id).await?;
        let (Some(mut engagement), Some(mut invitation)) = (engagement, invitation) else {
            return Err(Failure::internal(
                "the engagement of an invitation does not exist",
            ));
        };
        let now = self.clock.now();
        // Not due any more: answered, or expired by another replica.
        let Some(event) = invitation.expire(now) else {
            return Ok(());
        };
        let cause = Cause {
            actor: PLATFORM,
            request_id: due.id.as_str(),
            time: now,
        };
        store::save_invitation(&mut tx, &invitation, event, cause).await?;
        let engagement_events: Vec<_> = engagement
            .invitation_ended(&invitation, None, now)
            .into_iter()
            .collect();
        store::save_engagement(&mut tx, &engagement, &engagement_events, cause).await?;
        tx.commit().await?;
        count_transition(CONTEXT, event.name(), Trigger::Background);
        Ok(())
    }
}
