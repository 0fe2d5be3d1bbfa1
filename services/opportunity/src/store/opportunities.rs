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

/// The only way to write a record that there is: the row, its history and its event, or none of them.
pub async fn save(tx: &mut Tx, record: &Opportunity, event: &Event, cause: Cause<'_>) -> Result<(), Error> {
    save_in(tx, Lane::Live, record, event, cause).await
}

/// The same, with the event in a lane: what comes by the thousand lets others pass.
pub async fn save_in(
    tx: &mut Tx,
    lane: Lane,
    record: &Opportunity,
    event: &Event,
    cause: Cause<'_>,
) -> Result<(), Error> {
    let change = (record, event, cause);
    match event {
        Event::Created => return save_new(tx, lane, &[record], &[change]).await,
        Event::Discarded => written(delete(tx, record).await?)?,
        _ => {
            written(update(tx, record).await?)?;
            words::keep(tx, record).await?;
        }
    }
    note(tx, lane, &[change]).await
}

/// New records as they are in the end, and all that happened to them until then, in its order: one statement for each
/// table, however many there are.
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

/// The history of changes, and their events.
async fn note(tx: &mut Tx, lane: Lane, changes: &[Change<'_>]) -> Result<(), Error> {
    revisions::append(tx, changes).await?;
    let events: Vec<_> = changes
        .iter()
        .map(|(record, event, cause)| events::public(record, event, *cause))
        .collect();
    append_all(tx, &events, lane).await
}

async fn insert(tx: &mut Tx, records: &[&Opportunity]) -> Result<(), Error> {
    let texts = |text: fn(&Opportunity) -> &str| -> Vec<_> {
        records.iter().map(|record| text(record).to_owned()).collect()
    };
    let perhaps = |text: fn(&Opportunity) -> Option<&str>| -> Vec<_> {
        records
            .iter()
            .map(|record| text(record).map(str::to_owned))
            .collect()
    };
    let times = |time: fn(&Opportunity) -> DateTime<Utc>| -> Vec<_> {
        records.iter().map(|record| time(record)).collect()
    };
    let close_dates: Vec<_> = records
        .iter()
        .map(|record| record.details().life_cycle.target_close_date)
        .collect();
    let submitted: Vec<_> = records.iter().map(|record| record.review().submit_time).collect();
    sqlx::query!(
        "INSERT INTO opportunity (account_id, opportunity_id, revision, owner_member_id, created_by, submitted_by,
           review_status, stage, visibility, company_name, partner_opportunity_identifier, target_close_date,
           create_time, update_time, record, marketplace_offer, submit_time)
         SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[],
           $8::text[], $9::text[], $10::text[], $11::text[], $12::date[], $13::timestamptz[], $14::timestamptz[],
           $15::jsonb[], $16::text[], $17::timestamptz[])",
        &texts(|record| record.account().as_str()),
        &records.iter().map(|record| record.id().number()).collect::<Vec<_>>(),
        &records.iter().map(|record| record.revision()).collect::<Vec<_>>(),
        &texts(|record| record.owner().as_str()),
        &texts(|record| record.created_by().as_str()),
        &perhaps(|record| record.submitted_by().map(|member| member.as_str())) as &[Option<String>],
        &texts(|record| record.review().status.name()),
        &texts(|record| record.details().life_cycle.stage.name()),
        &perhaps(|record| record.visibility().map(|visibility| visibility.name())) as &[Option<String>],
        &texts(|record| record.details().customer.account.company_name.reveal()),
        &texts(|record| &record.details().partner_opportunity_identifier),
        &close_dates as &[Option<NaiveDate>],
        &times(|record| record.create_time()),
        &times(|record| record.update_time()),
        &records.iter().map(|record| Json(*record)).collect::<Vec<_>>() as &[Json<&Opportunity>],
        &perhaps(|record| record.details().related_entity_identifiers.offer()) as &[Option<String>],
        &submitted as &[Option<DateTime<Utc>>],
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

async fn update(tx: &mut Tx, record: &Opportunity) -> Result<u64, Error> {
    let details = record.details();
    let updated = sqlx::query!(
        "UPDATE opportunity SET revision = $3, owner_member_id = $4, submitted_by = $5, review_status = $6, stage = $7,
           visibility = $8, company_name = $9, partner_opportunity_identifier = $10, target_close_date = $11,
           update_time = $12, record = $13, marketplace_offer = $14, submit_time = $15
         WHERE account_id = $1 AND opportunity_id = $2 AND revision = $3::bigint - 1",
        record.account().as_str(),
        record.id().number(),
        record.revision(),
        record.owner().as_str(),
        record.submitted_by().map(|member| member.as_str()),
        record.review().status.name(),
        details.life_cycle.stage.name(),
        record.visibility().map(|visibility| visibility.name()),
        details.customer.account.company_name.reveal(),
        details.partner_opportunity_identifier,
        details.life_cycle.target_close_date,
        record.update_time(),
        Json(record) as _,
        details.related_entity_identifiers.offer(),
        record.review().submit_time,
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
