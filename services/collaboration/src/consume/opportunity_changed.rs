use chrono::{DateTime, Utc};
use cosell_events::{Delivery, Fault};
use cosell_store::Tx;

use crate::domain::values::SnapshotTemplate;
use crate::store;

/// Tells the jobs of an opportunity to look. They read it later, so a burst of changes is looked at once (COL-041).
pub async fn apply(
    tx: &mut Tx,
    delivery: &Delivery,
    opportunity: &str,
    templates: &[SnapshotTemplate],
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    let opportunity = opportunity
        .parse()
        .map_err(|_| Fault::permanent("opportunity_id"))?;
    for mut job in store::jobs_of_opportunity(tx, &delivery.account, opportunity, templates).await? {
        job.look(now);
        store::save_job(tx, &job).await?;
    }
    Ok(())
}
