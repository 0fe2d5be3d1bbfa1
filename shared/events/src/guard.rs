//! The consumer's guard: the cursors of aggregates ensure that each event takes effect once and in order. They are read,
//! and moved, in the transaction of the effects. The inbox lists the applied events.

use std::collections::HashMap;

use cosell_store::{Db, Error, Scope, Tx};

use crate::Delivery;

/// Whether an event can be applied now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClaimOutcome {
    /// It is the next event of its aggregate: apply it.
    Next,
    /// It was already applied.
    AlreadyApplied,
    /// An earlier event of its aggregate is not applied yet.
    Early,
    /// An earlier event of its aggregate is a dead letter.
    Parked,
}

/// The positions of a consumer in the aggregates of a batch of events.
#[derive(Default)]
pub(crate) struct Positions(HashMap<(String, String), Cursor>);

/// A row of the table.
struct StoredCursor {
    account_id: String,
    aggregate_id: String,
    version: i64,
    parked: bool,
}

impl From<Vec<StoredCursor>> for Positions {
    fn from(rows: Vec<StoredCursor>) -> Self {
        let entry = |row: StoredCursor| {
            let cursor = Cursor {
                version: row.version,
                parked: row.parked,
                is_stored: true,
                has_moved: false,
            };
            ((row.account_id, row.aggregate_id), cursor)
        };
        Self(rows.into_iter().map(entry).collect())
    }
}

#[derive(Clone, Copy, Default)]
struct Cursor {
    version: i64,
    parked: bool,
    /// Whether the table has it.
    is_stored: bool,
    has_moved: bool,
}

fn key(delivery: &Delivery) -> (String, String) {
    (delivery.account.to_string(), delivery.aggregate_id.clone())
}

impl Positions {
    /// Reads the positions, and locks them until the transaction ends.
    pub(crate) async fn lock(tx: &mut Tx, consumer: &str, batch: &[&Delivery]) -> Result<Self, Error> {
        let (accounts, aggregates) = Self::keys(batch);
        // In a defined order, so that two transactions that lock the same rows do not wait for each other.
        let rows = sqlx::query_as!(
            StoredCursor,
            "SELECT c.account_id, c.aggregate_id, c.version, c.parked
             FROM aggregate_cursor c JOIN unnest($2::text[], $3::text[]) AS e (account_id, aggregate_id)
               ON c.account_id = e.account_id AND c.aggregate_id = e.aggregate_id
             WHERE c.consumer = $1 ORDER BY c.account_id, c.aggregate_id FOR UPDATE OF c",
            consumer,
            &accounts,
            &aggregates,
        )
        .fetch_all(tx.conn())
        .await?;
        Ok(rows.into())
    }

    /// Reads the positions as they are now.
    pub(crate) async fn read(tx: &mut Tx, consumer: &str, batch: &[&Delivery]) -> Result<Self, Error> {
        let (accounts, aggregates) = Self::keys(batch);
        let rows = sqlx::query_as!(
            StoredCursor,
            "SELECT c.account_id, c.aggregate_id, c.version, c.parked
             FROM aggregate_cursor c JOIN unnest($2::text[], $3::text[]) AS e (account_id, aggregate_id)
               ON c.account_id = e.account_id AND c.aggregate_id = e.aggregate_id
             WHERE c.consumer = $1",
            consumer,
            &accounts,
            &aggregates,
        )
        .fetch_all(tx.conn())
        .await?;
        Ok(rows.into())
    }

    /// The accounts and aggregates of a batch, each pair once.
    fn keys(batch: &[&Delivery]) -> (Vec<String>, Vec<String>) {
        let mut keys: Vec<_> = batch.iter().map(|delivery| key(delivery)).collect();
        keys.sort_unstable();
        keys.dedup();
        keys.into_iter().unzip()
    }

    /// Whether the event can be applied, after those of the batch that have been advanced over.
    pub(crate) fn claim(&self, delivery: &Delivery) -> ClaimOutcome {
        let Cursor { version, parked, .. } = self.0.get(&key(delivery)).copied().unwrap_or_default();
        match delivery.version {
            next if next == version + 1 && !parked => ClaimOutcome::Next,
            applied if applied <= version => ClaimOutcome::AlreadyApplied,
            _ if parked => ClaimOutcome::Parked,
            _ => ClaimOutcome::Early,
        }
    }

    /// Moves the position of an aggregate over its next event.
    pub(crate) fn advance(&mut self, delivery: &Delivery) {
        let cursor = self.0.entry(key(delivery)).or_default();
        cursor.version = delivery.version;
        cursor.has_moved = true;
    }

    /// Writes the moved positions, and the events to the inbox. Fails if another process has inserted a position that
    /// was not there to be locked.
    pub(crate) async fn save(self, tx: &mut Tx, consumer: &str, applied: &[&Delivery]) -> Result<(), Error> {
        let (mut moved, mut begun) = (Columns::default(), Columns::default());
        for ((account, aggregate), cursor) in self.0.into_iter().filter(|(_, cursor)| cursor.has_moved) {
            let columns = if cursor.is_stored { &mut moved } else { &mut begun };
            columns.accounts.push(account);
            columns.aggregates.push(aggregate);
            columns.versions.push(cursor.version);
        }
        let accounts: Vec<_> = applied
            .iter()
            .map(|delivery| delivery.account.to_string())
            .collect();
        let events: Vec<_> = applied.iter().map(|delivery| delivery.event_id).collect();
        sqlx::query!(
            "WITH moved AS (
               UPDATE aggregate_cursor c SET version = m.version
               FROM unnest($2::text[], $3::text[], $4::bigint[]) AS m (account_id, aggregate_id, version)
               WHERE c.consumer = $1 AND c.account_id = m.account_id AND c.aggregate_id = m.aggregate_id),
             begun AS (
               INSERT INTO aggregate_cursor (account_id, consumer, aggregate_id, version)
               SELECT b.account_id, $1, b.aggregate_id, b.version
               FROM unnest($5::text[], $6::text[], $7::bigint[]) AS b (account_id, aggregate_id, version))
             INSERT INTO inbox (account_id, consumer, event_id)
             SELECT e.account_id, $1, e.event_id FROM unnest($8::text[], $9::uuid[]) AS e (account_id, event_id)
             ON CONFLICT DO NOTHING",
            consumer,
            &moved.accounts,
            &moved.aggregates,
            &moved.versions,
            &begun.accounts,
            &begun.aggregates,
            &begun.versions,
            &accounts,
            &events,
        )
        .execute(tx.conn())
        .await?;
        Ok(())
    }
}

#[derive(Default)]
struct Columns {
    accounts: Vec<String>,
    aggregates: Vec<String>,
    versions: Vec<i64>,
}

/// Why an event is moved to the dead letters.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ParkCause<'a> {
    /// `permanent`, `bug` or `parked`.
    pub class: &'static str,
    pub error: &'a str,
    pub attempts: i64,
}

/// Moves the event to the dead letters and parks its aggregate. With the class `parked`, only if the aggregate is still
/// parked. Returns false if the aggregate was unparked, or the event applied, concurrently: then it must be
/// redelivered.
pub(crate) async fn park(
    db: &Db,
    consumer: &str,
    delivery: &Delivery,
    cause: ParkCause<'_>,
) -> Result<bool, cosell_grpc::Failure> {
    let account = delivery.account.as_str();
    let mut tx = db.tx(&Scope::account(&delivery.account)).await?;
    let is_follower = cause.class == "parked";
    let parked = sqlx::query!(
        "INSERT INTO aggregate_cursor AS cursor (account_id, consumer, aggregate_id, version, parked)
         VALUES ($1, $2, $3, 0, true)
         ON CONFLICT (account_id, consumer, aggregate_id) DO UPDATE SET parked = true
           WHERE cursor.version < $5 AND (cursor.parked OR NOT $4)",
        account,
        consumer,
        delivery.aggregate_id,
        is_follower,
        delivery.version,
    )
    .execute(tx.conn())
    .await
    .map_err(Error::from)?;
    if parked.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query!(
        "INSERT INTO dead_letter (account_id, consumer, event_id, aggregate_id, aggregate_version, type, subject,
           headers, payload, error_class, error, attempts)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING",
        account,
        consumer,
        delivery.event_id,
        delivery.aggregate_id,
        delivery.version,
        delivery.type_name,
        delivery.subject,
        delivery.stored_headers(),
        &delivery.payload[..],
        cause.class,
        cause.error,
        cause.attempts,
    )
    .execute(tx.conn())
    .await
    .map_err(Error::from)?;
    tx.commit().await?;
    Ok(true)
}
