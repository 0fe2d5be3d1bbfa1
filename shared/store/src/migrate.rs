//! Schema migrations. They run as a command of their own; a starting service only checks that the schema is up to date.

use std::time::Duration;

use anyhow::{Context as _, bail};
use cosell_grpc::Failure;
use sqlx::migrate::Migrator;
use sqlx::{Connection as _, Executor as _, PgConnection};
use tokio::time::Instant;

use crate::{Db, DbArgs, Error, Scope, Tx};

/// How long to wait for the lock that another migration holds.
const LOCK_TIMEOUT: Duration = Duration::from_secs(300);
/// How long a starting process waits for its first connection: while all processes of a machine start at once, a login
/// can take longer than the wait limit of the pool.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// Migrates the schema of a service, as its owner role. Concurrent migrations wait for each other.
pub async fn migrate(args: &DbArgs, service: &str, mut migrator: Migrator) -> anyhow::Result<()> {
    let options = args.connect_options(&format!("{service}_owner"))?;
    // A dedicated connection: it is closed on any error, which releases the advisory lock.
    let mut connection = PgConnection::connect_with(&options)
        .await
        .context("connecting as the schema's owner")?;
    lock(&mut connection, service).await?;
    // sqlx's own lock blocks, covers the whole database, and deadlocks with CREATE INDEX CONCURRENTLY.
    migrator
        .set_locking(false)
        .run(&mut connection)
        .await
        .context("applying migrations")?;
    connection
        .execute("SELECT platform_create_partitions()")
        .await
        .context("creating partitions")?;
    connection.close().await.context("closing the connection")
}

async fn lock(connection: &mut PgConnection, service: &str) -> anyhow::Result<()> {
    let until = Instant::now() + LOCK_TIMEOUT;
    loop {
        let locked: bool = sqlx::query_scalar("SELECT pg_try_advisory_lock(hashtext($1))")
            .bind(format!("cosell migrate {service}"))
            .fetch_one(&mut *connection)
            .await?;
        if locked {
            return Ok(());
        }
        if Instant::now() > until {
            bail!("another migration of {service} has been running for {LOCK_TIMEOUT:?}");
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Fails if the schema lacks a migration of this build. A newer schema is accepted.
pub async fn check(db: &Db, migrator: &Migrator) -> anyhow::Result<()> {
    let mut tx = begin_when_available(db)
        .await
        .map_err(Failure::from)
        .context("connecting to the database")?;
    let applied: Vec<(i64, Vec<u8>)> = sqlx::query_as("SELECT version, checksum FROM _sqlx_migrations")
        .fetch_all(tx.conn())
        .await
        .context("reading the applied migrations; run `migrate` first")?;
    for migration in migrator.iter() {
        match applied.iter().find(|(version, _)| *version == migration.version) {
            Some((_, checksum)) if **checksum == *migration.checksum => {}
            Some(_) => bail!(
                "migration {} was applied with different content",
                migration.version
            ),
            None => bail!(
                "the schema lacks migration {}; run `migrate` first",
                migration.version
            ),
        }
    }
    Ok(())
}

async fn begin_when_available(db: &Db) -> Result<Tx, Error> {
    let until = Instant::now() + START_TIMEOUT;
    loop {
        match db.tx(&Scope::work()).await {
            Err(Error::NoConnection(cause)) if Instant::now() < until => {
                tracing::info!(cause, "waiting for the database");
            }
            result => return result,
        }
    }
}
