//! Writes the comparison keys and search terms of records that were stored without them: by a version before
//! migration 0022, or by a process of that version beside this one (PLT-016).

use chrono::{DateTime, Utc};
use cosell_grpc::Failure;
use cosell_service::ScheduledWork;
use cosell_store::{Database, Error, Scope, Tx};
use tokio_util::sync::CancellationToken;

use crate::store::comparison_keys::{self, UnkeyedOpportunity};

/// Keys the records that have no keys.
pub struct ComparisonKeyWorker {
    pub database: Database,
}

impl ScheduledWork for ComparisonKeyWorker {
    type Row = UnkeyedOpportunity;

    async fn find_due(
        &self,
        tx: &mut Tx,
        _: DateTime<Utc>,
        last: Option<&UnkeyedOpportunity>,
        limit: i64,
    ) -> Result<Vec<UnkeyedOpportunity>, Error> {
        comparison_keys::list_unkeyed(tx, last, limit).await
    }

    fn id<'a>(&self, due: &'a UnkeyedOpportunity) -> &'a str {
        &due.id
    }

    async fn process(&self, due: &UnkeyedOpportunity, _: &CancellationToken) -> Result<(), Failure> {
        let mut tx = self.database.events.tx(&Scope::account(&due.account)).await?;
        let collides = comparison_keys::write_keys(&mut tx, due).await?;
        tx.commit().await?;
        if collides {
            tracing::warn!(
                opportunity.id = due.id,
                account.id = %due.account,
                "partner identifier collides with that of another opportunity"
            );
        }
        Ok(())
    }
}
