//! Retries batches that failed transiently.

use std::time::Duration;

use cosell_grpc::Failure;
use cosell_proto::cosell::partner::v1 as pb;
use cosell_types::random;

use super::Provisioner;
use super::record::Record;
use crate::domain::Account;

const MAX_ATTEMPTS: u32 = 10;
/// The backoff after the first attempt. It grows linearly with the number of attempts and has jitter.
const BACKOFF: Duration = Duration::from_millis(200);

impl Provisioner {
    /// Applies a batch, and again after concurrent changes, and while the database is down or busy for a short time, which
    /// must not end a long list. Safe to repeat: records of a batch that was committed nevertheless are unchanged.
    ///
    /// `dry_run_account` is the account as the dry run of the previous batch left it: all that a dry run sees of
    /// earlier batches (DIR-051).
    pub async fn apply_batch_with_retry(
        &self,
        batch: &[Record],
        dry_run_account: &mut Option<Account>,
    ) -> Result<Vec<pb::ApplyDirectoryResponse>, Failure> {
        let mut attempt = 1;
        loop {
            let failure = match self.apply_batch(batch, dry_run_account).await {
                Ok(results) => return Ok(results),
                Err(failure) => failure,
            };
            if !failure.is_transient() || attempt == MAX_ATTEMPTS {
                return Err(failure);
            }
            tracing::warn!(%failure, attempt, "directory batch was not applied; retrying");
            tokio::time::sleep(BACKOFF.saturating_mul(attempt).mul_f64(random::jitter())).await;
            attempt += 1;
        }
    }
}
