use chrono::{DateTime, Utc};
use cosell_events::{Delivery, HandlerError};
use cosell_store::Tx;

use crate::domain::values::SnapshotTemplate;
use crate::store;

/// Makes the snapshot jobs of a changed opportunity due. The worker reads the opportunity later, so a burst of changes
/// causes one run (COL-041).
pub async fn apply(
    tx: &mut Tx,
    delivery: &Delivery,
    opportunity: &str,
    templates: &[SnapshotTemplate],
    now: DateTime<Utc>,
) -> Result<(), HandlerError> {
    let opportunity = opportunity
        .parse()
        .map_err(|_| HandlerError::permanent("opportunity_id"))?;
    for mut job in store::lock_jobs_of_opportunity(tx, &delivery.account, opportunity, templates).await? {
        job.request_run(now);
        store::save_job(tx, &job).await?;
    }
    Ok(())
}
