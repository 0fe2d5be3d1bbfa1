use std::collections::BTreeMap;

use cosell_events::Lane;
use cosell_grpc::Failure;
use cosell_proto::Validate as _;
use cosell_store::Tx;
use cosell_types::{Member, OpportunityId, Violation, random};

use super::given::{Given, Table};
use super::violations::{self, merge};
use super::worker::cause;
use crate::api::{Api, convert, status};
use crate::domain::job::{Job, Outcome, Rehearsed, RowResult};
use crate::domain::values::{ImportMode, InvolvementType, Visibility};
use crate::domain::{Details, Event, Facts, Opportunity};
use crate::store::{self, jobs, jobs::Row};

/// Makes records of rows, each by the same rules as the RPC (OPP-081).
pub async fn work_off(
    tx: &mut Tx,
    api: &Api,
    (job, member): (&Job, &Member),
    rows: &[Row],
) -> Result<Vec<Outcome>, Failure> {
    let (table, nothing) = (Table::of(job), Details::default());
    let given: Vec<_> = rows
        .iter()
        .map(|row| table.read(&row.content, &nothing))
        .collect();
    let hashes: Vec<_> = rows.iter().map(|row| table.hash(&row.content)).collect();
    let all: Vec<_> = given.iter().map(|given| &given.details).collect();
    let facts = store::facts(tx, &api.policy, &job.account, &all).await?;
    let mut known = jobs::taken_in(tx, job, &hashes).await?;
    let identifiers: Vec<_> = all
        .iter()
        .map(|details| details.partner_opportunity_identifier.clone())
        .collect();
    let mut taken = jobs::taken_identifiers(tx, job, &identifiers).await?;
    let (mut made, mut new) = (Vec::new(), Vec::new());
    let mut outcomes = Vec::with_capacity(rows.len());
    for ((row, given), hash) in rows.iter().zip(given).zip(hashes) {
        if let Some(id) = known.get(&hash) {
            outcomes.push(Outcome::taken(row.number, RowResult::Unchanged, *id));
            continue;
        }
        let identifier = given.details.partner_opportunity_identifier.clone();
        let (record, steps) = match one(api, (job, member), given, &facts, &taken) {
            Ok(made) => made,
            Err(found) => {
                outcomes.push(Outcome::refused(row.number, None, &found, table.is_table));
                continue;
            }
        };
        taken.insert(identifier.clone(), Some(record));
        known.insert(hash.clone(), Some(record));
        if job.plan.validate_only {
            let rehearsed = Rehearsed {
                key: identifier,
                hash: Some(hash),
            };
            outcomes.push(Outcome::valid(row.number, None, rehearsed));
            continue;
        }
        let result = match steps.len() {
            1 => RowResult::Created,
            _ => RowResult::Submitted,
        };
        made.push((hash, record));
        new.push(steps);
        outcomes.push(Outcome::taken(row.number, result, Some(record)));
    }
    let records: Vec<_> = new
        .iter()
        .filter_map(|steps| steps.last())
        .map(|(record, _)| record)
        .collect();
    let changes: Vec<_> = new
        .iter()
        .flatten()
        .map(|(record, event)| (record, event, cause(job, record.update_time())))
        .collect();
    store::save_new(tx, Lane::Bulk, &records, &changes)
        .await
        .map_err(status::constraint)?;
    jobs::note_taken_in(tx, &job.account, &made, api.clock.now()).await?;
    Ok(outcomes)
}

/// The steps of a new record: it is made, and perhaps submitted.
type Made = (OpportunityId, Vec<(Opportunity, Event)>);

fn one(
    api: &Api,
    (job, member): (&Job, &Member),
    given: Given,
    facts: &Facts<'_>,
    taken: &BTreeMap<String, Option<OpportunityId>>,
) -> Result<Made, Vec<Violation>> {
    let Given {
        details, mut wrong, ..
    } = given;
    let now = api.clock.now();
    let id = random::opportunity_id(now);
    let key = &details.partner_opportunity_identifier;
    if !key.is_empty() && taken.contains_key(key) {
        wrong.push(violations::key_taken());
    }
    merge(&mut wrong, convert::written(&details).violations());
    let involvement = match details.primary_needs_from_aws.is_empty() {
        true => InvolvementType::ForVisibilityOnly,
        false => InvolvementType::CoSell,
    };
    let account = job.account.clone();
    let created = Opportunity::create(id, account, member.id.clone(), details, facts, now);
    let mut steps = match created {
        Ok(created) => vec![created],
        Err(rule) => {
            merge(&mut wrong, violations::of(rule));
            return Err(wrong);
        }
    };
    if job.plan.mode == Some(ImportMode::CreateAndSubmit)
        && let Some((mut record, _)) = steps.first().cloned()
    {
        match record.submit(&member.id, involvement, Visibility::Full, facts, now) {
            Ok(event) => steps.push((record, event)),
            Err(rule) => merge(&mut wrong, violations::of(rule)),
        }
    }
    if wrong.is_empty() {
        Ok((id, steps))
    } else {
        Err(wrong)
    }
}
