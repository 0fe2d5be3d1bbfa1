//! Ends invitations whose time is over.

use chrono::{DateTime, Utc};
use cosell_events::Cause;
use cosell_grpc::Failure;
use cosell_service::Work;
use cosell_store::{Database, Error, Scope, Tx};
use cosell_types::Clock;
use tokio_util::sync::CancellationToken;

use crate::store::{self, Due};

/// What the worker needs.
pub struct Expiry {
    /// Where invitations are.
    pub database: Database,
    /// The time.
    pub clock: Clock,
}

impl Work for Expiry {
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
        let mut tx = self.database.events.tx(&Scope::account(&due.sender)).await?;
        store::lock_both(&mut tx, &due.sender, &due.receiver).await?;
        let now = self.clock.now();
        let Some(mut invitation) = store::load_invitation(&mut tx, &due.sender, due.id.as_str()).await?
        else {
            return Ok(());
        };
        // Somebody else was faster, unless it is still due.
        if let Some(event) = invitation.expire(now) {
            let cause = Cause {
                actor: "service:partner",
                request_id: due.id.as_str(),
                time: now,
            };
            store::save_invitation(&mut tx, &invitation, event, cause).await?;
            tx.commit().await?;
        }
        Ok(())
    }
}
