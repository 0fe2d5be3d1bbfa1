//! Takes over the members that are provisioned in a file.

use std::path::Path;

use anyhow::Context as _;
use cosell_grpc::Failure;
use cosell_store::{Database, Scope};

use crate::store::{Person, upsert};

/// Reads the file and takes everybody in it over, in one transaction.
pub async fn take_over(database: &Database, path: &Path) -> anyhow::Result<usize> {
    let text = tokio::fs::read(path)
        .await
        .with_context(|| format!("reading {}", path.display()))?;
    let people: Vec<Person> = serde_json::from_slice(&text).context("the members file")?;
    let mut tx = database.work.tx(&Scope::work()).await.map_err(Failure::from)?;
    for person in &people {
        upsert(&mut tx, person).await.map_err(Failure::from)?;
    }
    tx.commit().await?;
    Ok(people.len())
}
