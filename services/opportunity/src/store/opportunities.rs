use chrono::{DateTime, NaiveDate, Utc};
use cosell_events::{Cause, Lane, append_all};
use cosell_store::{Error, Scope, Tx, require_written};
use cosell_types::{AccountId, ClosedList as _, Member, OpportunityId};
use sqlx::PgConnection;
use sqlx::types::Json;

use super::opportunity_revisions::{OpportunityChange, append_revisions};
use super::opportunity_words::{insert_words, replace_words};
use crate::domain::{Event, Opportunity};
use crate::events;

/// The unique indexes on the partner opportunity identifier: its comparison key, and the text itself, which is unique
/// also among identifiers that were stored before their keys were (OPP-003).
pub const PARTNER_IDENTIFIER_INDEXES: [&str; 2] = [
    "opportunity_partner_identifier_key",
    "opportunity_partner_identifier",
];
/// The unique index on the AWS Marketplace offer.
pub const MARKETPLACE_OFFER_INDEX: &str = "opportunity_marketplace_offer";

/// The value of the column `target_close_date` for a record without one, such as the draft of a lead or a shared copy
/// (OPP-091, OPP-092). It sorts after every date that a record can have.
pub const NO_CLOSE_DATE: NaiveDate = match NaiveDate::from_ymd_opt(9999, 12, 31) {
    Some(day) => day,
    None => NaiveDate::MAX,
};

/// The value of the column `target_close_date` for a record.
pub fn close_date_column(record: &Opportunity) -> NaiveDate {
    let day = record.details().life_cycle.target_close_date;
    day.unwrap_or(NO_CLOSE_DATE)
}

pub async fn load_opportunity(
    tx: &mut Tx,
    account: &AccountId,
    id: OpportunityId,
) -> Result<Option<Opportunity>, Error> {
    let row = sqlx::query!(
        r#"SELECT record AS "record: Json<Opportunity>" FROM opportunity WHERE account_id = $1 AND opportunity_id = $2"#,
        account.as_str(),
        id.number(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| row.record.0))
}

/// Reads a record, and whether the member has flagged it (OPP-066). Needs no transaction: it sets the scope itself.
pub async fn read_opportunity(
    connection: &mut PgConnection,
    scope: &Scope,
    member: &Member,
    id: OpportunityId,
) -> Result<Option<Opportunity>, Error> {
    let (account, side) = scope.settings();
    let row = sqlx::query!(
        r#"SELECT record AS "record!: Json<Opportunity>", is_flagged AS "is_flagged!"
           FROM read_opportunity($1, $2, $3, $4, $5, $6)"#,
        account,
        side,
        member.own_account().map(AccountId::as_str),
        id.number(),
        member.account.as_str(),
        member.id.as_str(),
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| {
        let mut record = row.record.0;
        record.set_flagged(row.is_flagged);
        record
    }))
}

/// Loads those of these records of an account that exist.
pub async fn load_opportunities(
    tx: &mut Tx,
    account: &AccountId,
    ids: &[OpportunityId],
) -> Result<Vec<Opportunity>, Error> {
    let rows = sqlx::query!(
        r#"SELECT record AS "record: Json<Opportunity>" FROM opportunity
           WHERE account_id = $1 AND opportunity_id = ANY($2)"#,
        account.as_str(),
        &ids.iter().map(|id| id.number()).collect::<Vec<_>>(),
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| row.record.0).collect())
}

/// Loads a record and locks it against changes until the transaction ends.
pub async fn lock_opportunity(
    tx: &mut Tx,
    account: &AccountId,
    id: OpportunityId,
) -> Result<Option<Opportunity>, Error> {
    let row = sqlx::query!(
        r#"SELECT record AS "record: Json<Opportunity>" FROM opportunity
           WHERE account_id = $1 AND opportunity_id = $2 FOR SHARE"#,
        account.as_str(),
        id.number(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| row.record.0))
}

/// Loads the last revision of a record that could be shared (OPP-092).
pub async fn load_last_shareable_revision(
    tx: &mut Tx,
    account: &AccountId,
    id: OpportunityId,
) -> Result<Option<Opportunity>, Error> {
    let row = sqlx::query!(
        r#"SELECT record AS "record: Json<Opportunity>" FROM opportunity_revision
           WHERE account_id = $1 AND opportunity_id = $2 AND review_status <> 'PENDING_SUBMISSION'
             AND (record #>> '{details,national_security}') IS DISTINCT FROM 'true'
           ORDER BY revision DESC LIMIT 1"#,
        account.as_str(),
        id.number(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| row.record.0))
}

/// Loads the last revision of a record that row-level security does not hide. Drafts are hidden from services, so it
/// can be older than the record (ACC-012).
pub async fn load_last_visible_revision(
    tx: &mut Tx,
    id: OpportunityId,
) -> Result<Option<Opportunity>, Error> {
    let row = sqlx::query!(
        r#"SELECT record AS "record: Json<Opportunity>" FROM opportunity_revision
           WHERE opportunity_id = $1 ORDER BY revision DESC LIMIT 1"#,
        id.number(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| row.record.0))
}

/// Saves a change of a record: the row, its search terms, its history and its event.
pub async fn save_opportunity(
    tx: &mut Tx,
    record: &Opportunity,
    event: &Event,
    cause: Cause<'_>,
) -> Result<(), Error> {
    let change = (record, event, cause);
    match event {
        Event::Created => save_new_opportunities(tx, Lane::Live, &[record], &[change]).await,
        Event::Discarded => {
            require_written(delete_row(tx, record).await?)?;
            append_history(tx, Lane::Live, &[change]).await
        }
        _ => {
            let records = [(record.revision() - 1, record)];
            save_changed_opportunities(tx, Lane::Live, &records, &[change]).await
        }
    }
}

/// Saves new records in their final state, and all their changes in order, with one statement for each table. The
/// events are published in `lane`, so that those of a bulk job do not delay live ones.
pub async fn save_new_opportunities(
    tx: &mut Tx,
    lane: Lane,
    records: &[&Opportunity],
    changes: &[OpportunityChange<'_>],
) -> Result<(), Error> {
    if records.is_empty() {
        return Ok(());
    }
    insert_rows(tx, records).await?;
    insert_words(tx, records).await?;
    append_history(tx, lane, changes).await
}

/// Saves changed records in their final state, each with the revision that it was loaded at, and all their changes in
/// order. Fails with a version conflict when a stored revision differs.
pub async fn save_changed_opportunities(
    tx: &mut Tx,
    lane: Lane,
    records: &[(i64, &Opportunity)],
    changes: &[OpportunityChange<'_>],
) -> Result<(), Error> {
    if records.is_empty() {
        return Ok(());
    }
    let updated = update_rows(tx, records).await?;
    // A row that was not updated has been changed concurrently.
    require_written(u64::from(updated == records.len() as u64))?;
    let records: Vec<_> = records.iter().map(|(_, record)| *record).collect();
    replace_words(tx, &records).await?;
    append_history(tx, lane, changes).await
}

/// Appends changes to the history, and their events to the outbox.
async fn append_history(tx: &mut Tx, lane: Lane, changes: &[OpportunityChange<'_>]) -> Result<(), Error> {
    append_revisions(tx, changes).await?;
    let events: Vec<_> = changes
        .iter()
        .map(|(record, event, cause)| events::opportunity_event(record, event, *cause))
        .collect();
    append_all(tx, &events, lane).await
}

/// The columns of rows beside the record itself, each as an array for `unnest`.
struct OpportunityColumns {
    accounts: Vec<String>,
    ids: Vec<i64>,
    revisions: Vec<i64>,
    owners: Vec<String>,
    submitters: Vec<Option<String>>,
    statuses: Vec<String>,
    stages: Vec<String>,
    visibilities: Vec<Option<String>>,
    companies: Vec<String>,
    company_keys: Vec<String>,
    identifiers: Vec<String>,
    identifier_keys: Vec<String>,
    close_dates: Vec<NaiveDate>,
    update_times: Vec<DateTime<Utc>>,
    offers: Vec<Option<String>>,
    submit_times: Vec<Option<DateTime<Utc>>>,
}

impl OpportunityColumns {
    fn of(records: &[&Opportunity]) -> Self {
        fn column<T>(records: &[&Opportunity], value: impl Fn(&Opportunity) -> T) -> Vec<T> {
            records.iter().map(|record| value(record)).collect()
        }
        let name = |name: &str| name.to_owned();
        Self {
            accounts: column(records, |record| record.account().to_string()),
            ids: column(records, |record| record.id().number()),
            revisions: column(records, Opportunity::revision),
            owners: column(records, |record| record.owner().to_string()),
            submitters: column(records, |record| record.submitted_by().map(ToString::to_string)),
            statuses: column(records, |record| name(record.review().status.name())),
            stages: column(records, |record| name(record.details().life_cycle.stage.name())),
            visibilities: column(records, |record| {
                record.visibility().map(|visibility| name(visibility.name()))
            }),
            companies: column(records, |record| {
                record.details().customer.account.company_name.reveal().clone()
            }),
            company_keys: column(records, |record| record.details().company_key()),
            identifiers: column(records, |record| {
                record.details().partner_opportunity_identifier.clone()
            }),
            identifier_keys: column(records, |record| record.details().partner_identifier_key()),
            close_dates: column(records, close_date_column),
            update_times: column(records, Opportunity::update_time),
            offers: column(records, |record| {
                record.details().related_entity_identifiers.offer().map(name)
            }),
            submit_times: column(records, |record| record.review().submit_time),
        }
    }
}

async fn insert_rows(tx: &mut Tx, records: &[&Opportunity]) -> Result<(), Error> {
    let columns = OpportunityColumns::of(records);
    let creators: Vec<_> = records
        .iter()
        .map(|record| record.created_by().to_string())
        .collect();
    let times: Vec<_> = records.iter().map(|record| record.create_time()).collect();
    sqlx::query!(
        "INSERT INTO opportunity (account_id, opportunity_id, revision, owner_member_id, created_by, submitted_by,
           review_status, stage, visibility, company_name, partner_opportunity_identifier, target_close_date,
           create_time, update_time, record, marketplace_offer, submit_time, company_key, partner_identifier_key,
           keyed_revision)
         SELECT new.*, new.revision FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[],
           $8::text[], $9::text[], $10::text[], $11::text[], $12::date[], $13::timestamptz[], $14::timestamptz[],
           $15::jsonb[], $16::text[], $17::timestamptz[], $18::text[], $19::text[])
           AS new (account, id, revision, owner, creator, submitter, status, stage, visibility, company, identifier,
             close_date, create_time, update_time, record, offer, submit_time, company_key, identifier_key)",
        &columns.accounts,
        &columns.ids,
        &columns.revisions,
        &columns.owners,
        &creators,
        &columns.submitters as _,
        &columns.statuses,
        &columns.stages,
        &columns.visibilities as _,
        &columns.companies,
        &columns.identifiers,
        &columns.close_dates,
        &times,
        &columns.update_times,
        &records.iter().map(|record| Json(*record)).collect::<Vec<_>>() as _,
        &columns.offers as _,
        &columns.submit_times as _,
        &columns.company_keys,
        &columns.identifier_keys,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

async fn update_rows(tx: &mut Tx, records: &[(i64, &Opportunity)]) -> Result<u64, Error> {
    let (revisions_before, records): (Vec<_>, Vec<_>) = records.iter().copied().unzip();
    let columns = OpportunityColumns::of(&records);
    let updated = sqlx::query!(
        "UPDATE opportunity AS row SET revision = new.revision, owner_member_id = new.owner,
           submitted_by = new.submitter, review_status = new.status, stage = new.stage, visibility = new.visibility,
           company_name = new.company, partner_opportunity_identifier = new.identifier,
           target_close_date = new.close_date, update_time = new.time, record = new.record,
           marketplace_offer = new.offer, submit_time = new.submit_time, company_key = new.company_key,
           partner_identifier_key = new.identifier_key,
           partner_identifier_collision = CASE WHEN row.partner_opportunity_identifier = new.identifier AND EXISTS (
             SELECT FROM opportunity other WHERE other.account_id = new.account AND new.identifier_key <> ''
               AND other.partner_identifier_key = new.identifier_key AND other.opportunity_id <> new.id
               AND other.partner_identifier_collision = 0) THEN new.id ELSE 0 END,
           keyed_revision = new.revision
         FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::text[],
             $8::text[], $9::text[], $10::text[], $11::text[], $12::date[], $13::timestamptz[], $14::jsonb[],
             $15::text[], $16::timestamptz[], $17::text[], $18::text[])
           AS new (account, id, before, revision, owner, submitter, status, stage, visibility, company, identifier,
             close_date, time, record, offer, submit_time, company_key, identifier_key)
         WHERE row.account_id = new.account AND row.opportunity_id = new.id AND row.revision = new.before",
        &columns.accounts,
        &columns.ids,
        &revisions_before,
        &columns.revisions,
        &columns.owners,
        &columns.submitters as _,
        &columns.statuses,
        &columns.stages,
        &columns.visibilities as _,
        &columns.companies,
        &columns.identifiers,
        &columns.close_dates,
        &columns.update_times,
        &records.iter().map(|record| Json(*record)).collect::<Vec<_>>() as _,
        &columns.offers as _,
        &columns.submit_times as _,
        &columns.company_keys,
        &columns.identifier_keys,
    )
    .execute(tx.conn())
    .await?;
    Ok(updated.rows_affected())
}

/// Deletes the row of a discarded draft with its search terms and flags; the history is retained.
async fn delete_row(tx: &mut Tx, record: &Opportunity) -> Result<u64, Error> {
    let deleted = sqlx::query!(
        "DELETE FROM opportunity WHERE account_id = $1 AND opportunity_id = $2 AND revision = $3::bigint - 1",
        record.account().as_str(),
        record.id().number(),
        record.revision(),
    )
    .execute(tx.conn())
    .await?;
    Ok(deleted.rows_affected())
}
