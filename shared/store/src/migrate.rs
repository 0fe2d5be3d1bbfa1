//! Migrations run by themselves, never at the start of a service; a service only checks that it has what it needs.

use std::time::Duration;

use anyhow::{Context as _, bail};
use cosell_grpc::Failure;
use sqlx::migrate::Migrator;
use sqlx::{Connection as _, Executor as _, PgConnection};
use tokio::time::Instant;

use crate::{Db, DbArgs, Error, Scope, Tx};

/// How long another migration may hold the lock.
const LOCK_LIMIT: Duration = Duration::from_secs(300);
/// How long a process that starts waits for its first connection: machines start everything at once, and then a login
/// takes longer than a caller would wait for it.
const START_LIMIT: Duration = Duration::from_secs(60);

/// Brings the schema of a service up to date, as its owner role. Several at once wait for each other.
pub async fn migrate(args: &DbArgs, service: &str, mut migrator: Migrator) -> anyhow::Result<()> {
    let options = args.connect_options(&format!("{service}_owner"))?;
    // A connection of its own: on any error it is closed, which gives the lock back.
    let mut connection = PgConnection::connect_with(&options)
        .await
        .context("connecting as the schema's owner")?;
    lock(&mut connection, service).await?;
    // sqlx's own lock blocks, covers the whole database, and deadlocks with CREATE INDEX CONCURRENTLY.
    migrator
        .set_locking(false)
        .run(&mut connection)
        .await
        .context("migrating")?;
    connection
        .execute("SELECT platform_create_partitions()")
        .await
        .context("creating partitions")?;
    connection.close().await.context("closing the connection")
}

async fn lock(connection: &mut PgConnection, service: &str) -> anyhow::Result<()> {
    let until = Instant::now() + LOCK_LIMIT;
    loop {
        let locked: bool = sqlx::query_scalar("SELECT pg_try_advisory_lock(hashtext($1))")
            .bind(format!("cosell migrate {service}"))
            .fetch_one(&mut *connection)
            .await?;
        if locked {
            return Ok(());
        }
        if Instant::now() > until {
            bail!("another migration of {service} has been running for {LOCK_LIMIT:?}");
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Fails when the schema lacks a migration that this program was built with. A newer schema is fine.
pub async fn check(db: &Db, migrator: &Migrator) -> anyhow::Result<()> {
    let mut tx = first_transaction(db)
        .await
        .map_err(Failure::from)
        .context("connecting to the database")?;
    let applied: Vec<(i64, Vec<u8>)> = sqlx::query_as("SELECT version, checksum FROM _sqlx_migrations")
        .fetch_all(tx.conn())
        .await
        .context("reading which migrations were applied; run `migrate` first")?;
    for wanted in migrator.iter() {
        match applied.iter().find(|(version, _)| *version == wanted.version) {
            Some((_, checksum)) if **checksum == *wanted.checksum => {}
            Some(_) => bail!("migration {} was applied with another content", wanted.version),
            None => bail!(
                "the schema lacks migration {}; run `migrate` first",
                wanted.version
            ),
        }
    }
    Ok(())
}

async fn first_transaction(db: &Db) -> Result<Tx, Error> {
    let until = Instant::now() + START_LIMIT;
    loop {
        match db.tx(&Scope::work()).await {
            Err(Error::NoConnection(cause)) if Instant::now() < until => {
                tracing::info!(cause, "waiting for the database");
            }
            done => return done,
        }
    }
}
