//! Writes the comparison keys of profiles that were stored without them: by a version before migration 0017, or by a
//! process of that version beside this one (PLT-016).

use chrono::{DateTime, Utc};
use cosell_grpc::Failure;
use cosell_service::ScheduledWork;
use cosell_store::{Database, Error, Scope, Tx};
use cosell_types::AccountId;
use tokio_util::sync::CancellationToken;

use crate::store;

/// Keys the profiles that have no keys.
pub struct ComparisonKeyWorker {
    pub database: Database,
}

impl ScheduledWork for ComparisonKeyWorker {
    type Row = AccountId;

    async fn find_due(
        &self,
        tx: &mut Tx,
        _: DateTime<Utc>,
        last: Option<&AccountId>,
        limit: i64,
    ) -> Result<Vec<AccountId>, Error> {
        store::list_unkeyed_profiles(tx, last, limit).await
    }

    fn id<'a>(&self, due: &'a AccountId) -> &'a str {
        due.as_str()
    }

    async fn process(&self, due: &AccountId, _: &CancellationToken) -> Result<(), Failure> {
        let mut tx = self.database.events.tx(&Scope::account(due)).await?;
        if let Some(account) = store::lock_account(&mut tx, due).await? {
            store::save_profile_keys(&mut tx, &account).await?;
        }
        tx.commit().await
    }
}
