use chrono::{DateTime, NaiveDate, Utc};
use cosell_events::{Cause, Lane, append_all};
use cosell_store::{Error, Tx, written};
use cosell_types::{AccountId, ClosedList as _, OpportunityId};
use sqlx::types::Json;

use super::{revisions, words};
use crate::domain::{Event, Opportunity};
use crate::events;

/// The index that keeps the partner's own keys apart.
pub const PARTNER_IDENTIFIER: &str = "opportunity_partner_identifier";
/// The index that keeps offers apart.
pub const MARKETPLACE_OFFER: &str = "opportunity_marketplace_offer";

/// What the column has where a record has no target close date yet, as the draft of a lead and a copy have none
/// (OPP-091, OPP-092): a day that no record can name, after all others.
pub const NO_CLOSE_DATE: NaiveDate = match NaiveDate::from_ymd_opt(9999, 12, 31) {
    Some(day) => day,
    None => NaiveDate::MAX,
};

/// The target close date of a record as the column has it.
pub fn close_date(record: &Opportunity) -> NaiveDate {
    let day = record.details().life_cycle.target_close_date;
    day.unwrap_or(NO_CLOSE_DATE)
}

/// A record of an account.
pub async fn load(tx: &mut Tx, account: &AccountId, id: OpportunityId) -> Result<Option<Opportunity>, Error> {
    let row = sqlx::query!(
        r#"SELECT record AS "record: Json<Opportunity>" FROM opportunity WHERE account_id = $1 AND opportunity_id = $2"#,
        account.as_str(),
        id.number(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| row.record.0))
}

/// Records of an account, those of them that there are.
pub async fn load_many(
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

/// A record of an account, as it will be until the transaction ends.
pub async fn load_held(
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

/// A record of an account as it last was when it could be shared (OPP-092).
pub async fn load_last_shareable(
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

/// A record, whoever's it is, as far as row-level security shows it.
pub async fn load_of_any_account(tx: &mut Tx, id: OpportunityId) -> Result<Option<Opportunity>, Error> {
    let row = sqlx::query!(
        r#"SELECT record AS "record: Json<Opportunity>" FROM opportunity WHERE opportunity_id = $1"#,
        id.number(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| row.record.0))
}

/// A record as it was at the last revision that row-level security shows. Services see no drafts, so for them it may
/// be older than the record (ACC-012).
pub async fn load_last_shown(tx: &mut Tx, id: OpportunityId) -> Result<Option<Opportunity>, Error> {
    let row = sqlx::query!(
        r#"SELECT record AS "record: Json<Opportunity>" FROM opportunity_revision
           WHERE opportunity_id = $1 ORDER BY revision DESC LIMIT 1"#,
        id.number(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| row.record.0))
}

/// A change of a record: the record after it, what happened, and whose doing it is.
pub type Change<'a> = (&'a Opportunity, &'a Event, Cause<'a>);

/// Writes what happened to a record: the row, its history and its event, or none of them.
pub async fn save(tx: &mut Tx, record: &Opportunity, event: &Event, cause: Cause<'_>) -> Result<(), Error> {
    let change = (record, event, cause);
    match event {
        Event::Created => save_new(tx, Lane::Live, &[record], &[change]).await,
        Event::Discarded => {
            written(delete(tx, record).await?)?;
            note(tx, Lane::Live, &[change]).await
        }
        _ => save_changed(tx, Lane::Live, &[(record.revision() - 1, record)], &[change]).await,
    }
}

/// New records as they are in the end, and all that happened to them until then, in its order: one statement for each
/// table, however many there are. Events go into the lane: what comes by the thousand lets others pass.
pub async fn save_new(
    tx: &mut Tx,
    lane: Lane,
    records: &[&Opportunity],
    changes: &[Change<'_>],
) -> Result<(), Error> {
    if records.is_empty() {
        return Ok(());
    }
    insert(tx, records).await?;
    words::add(tx, records).await?;
    note(tx, lane, changes).await
}

/// Records as they are in the end, each with the revision that it had before, and all that happened to them in between.
pub async fn save_changed(
    tx: &mut Tx,
    lane: Lane,
    records: &[(i64, &Opportunity)],
    changes: &[Change<'_>],
) -> Result<(), Error> {
    if records.is_empty() {
        return Ok(());
    }
    let updated = update(tx, records).await?;
    // Another one was faster where a row is missing.
    written(u64::from(updated == records.len() as u64))?;
    let records: Vec<_> = records.iter().map(|(_, record)| *record).collect();
    words::keep(tx, &records).await?;
    note(tx, lane, changes).await
}

/// The history of changes, and their events.
async fn note(tx: &mut Tx, lane: Lane, changes: &[Change<'_>]) -> Result<(), Error> {
    revisions::append(tx, changes).await?;
    let events: Vec<_> = changes
        .iter()
        .map(|(record, event, cause)| events::public(record, event, *cause))
        .collect();
    append_all(tx, &events, lane).await
}

/// What rows hold besides the records themselves, column by column.
struct Columns {
    accounts: Vec<String>,
    ids: Vec<i64>,
    revisions: Vec<i64>,
    owners: Vec<String>,
    submitters: Vec<Option<String>>,
    statuses: Vec<String>,
    stages: Vec<String>,
    visibilities: Vec<Option<String>>,
    companies: Vec<String>,
    identifiers: Vec<String>,
    close_dates: Vec<NaiveDate>,
    update_times: Vec<DateTime<Utc>>,
    offers: Vec<Option<String>>,
    submit_times: Vec<Option<DateTime<Utc>>>,
}

impl Columns {
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
                record.visibility().map(|seen| name(seen.name()))
            }),
            companies: column(records, |record| {
                record.details().customer.account.company_name.reveal().clone()
            }),
            identifiers: column(records, |record| {
                record.details().partner_opportunity_identifier.clone()
            }),
            close_dates: column(records, close_date),
            update_times: column(records, Opportunity::update_time),
            offers: column(records, |record| {
                record.details().related_entity_identifiers.offer().map(name)
            }),
            submit_times: column(records, |record| record.review().submit_time),
        }
    }
}

async fn insert(tx: &mut Tx, records: &[&Opportunity]) -> Result<(), Error> {
    let columns = Columns::of(records);
    let creators: Vec<_> = records
        .iter()
        .map(|record| record.created_by().to_string())
        .collect();
    let times: Vec<_> = records.iter().map(|record| record.create_time()).collect();
    sqlx::query!(
        "INSERT INTO opportunity (account_id, opportunity_id, revision, owner_member_id, created_by, submitted_by,
           review_status, stage, visibility, company_name, partner_opportunity_identifier, target_close_date,
           create_time, update_time, record, marketplace_offer, submit_time)
         SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[],
           $8::text[], $9::text[], $10::text[], $11::text[], $12::date[], $13::timestamptz[], $14::timestamptz[],
           $15::jsonb[], $16::text[], $17::timestamptz[])",
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
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

async fn update(tx: &mut Tx, records: &[(i64, &Opportunity)]) -> Result<u64, Error> {
    let (before, records): (Vec<_>, Vec<_>) = records.iter().copied().unzip();
    let columns = Columns::of(&records);
    let updated = sqlx::query!(
        "UPDATE opportunity AS row SET revision = new.revision, owner_member_id = new.owner,
           submitted_by = new.submitter, review_status = new.status, stage = new.stage, visibility = new.visibility,
           company_name = new.company, partner_opportunity_identifier = new.identifier,
           target_close_date = new.close_date, update_time = new.time, record = new.record,
           marketplace_offer = new.offer, submit_time = new.submit_time
         FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::text[],
             $8::text[], $9::text[], $10::text[], $11::text[], $12::date[], $13::timestamptz[], $14::jsonb[],
             $15::text[], $16::timestamptz[])
           AS new (account, id, before, revision, owner, submitter, status, stage, visibility, company, identifier,
             close_date, time, record, offer, submit_time)
         WHERE row.account_id = new.account AND row.opportunity_id = new.id AND row.revision = new.before",
        &columns.accounts,
        &columns.ids,
        &before,
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
    )
    .execute(tx.conn())
    .await?;
    Ok(updated.rows_affected())
}

/// A discarded draft is gone for every reader, with its words and flags; its history stays.
async fn delete(tx: &mut Tx, record: &Opportunity) -> Result<u64, Error> {
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
