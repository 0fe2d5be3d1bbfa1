use std::collections::{BTreeMap, BTreeSet};

use cosell_grpc::Failure;
use cosell_proto::Validate as _;
use cosell_store::Tx;
use cosell_types::{Member, OpportunityId};

use super::given::Table;
use super::named::Named;
use super::violations::{self, merge};
use crate::api::{Api, convert, status};
use crate::domain::job::{Job, Outcome, Rehearsed, RowResult};
use crate::domain::values::ReviewStatus;
use crate::domain::{Details, Event, Facts, Opportunity, Rule};
use crate::store::{self, jobs, jobs::Row};

/// Changes the records that rows name, each by the same rules as the RPC (OPP-081, OPP-086).
pub async fn work_off(
    tx: &mut Tx,
    api: &Api,
    (job, member): (&Job, &Member),
    rows: &[Row],
) -> Result<Vec<Outcome>, Failure> {
    let table = Table::of(job);
    let given: Vec<_> = rows
        .iter()
        .map(|row| table.read(&row.content, &Details::default()))
        .collect();
    let names: Vec<_> = given.iter().map(|given| given.id.as_str()).collect();
    let mut named = Named::load(tx, (job, member), &names).await?;
    let known: Vec<_> = given
        .iter()
        .map(|given| &given.details)
        .chain(named.records().map(Opportunity::details))
        .collect();
    let facts = store::facts(tx, &api.policy, &job.account, &known).await?;
    let keys: Vec<_> = given
        .iter()
        .map(|given| given.details.partner_opportunity_identifier.clone())
        .collect();
    let mut taken = jobs::taken_identifiers(tx, job, &keys).await?;
    let mut freed = BTreeSet::new();
    let mut outcomes = Vec::with_capacity(rows.len());
    for (row, name) in rows.iter().zip(names) {
        let changed = named
            .get(row.number, name)
            .and_then(|record| one(api, member, &table, row, record, &facts, &taken));
        outcomes.push(match changed {
            Err(refused) => refused,
            Ok((record, None)) => Outcome::taken(row.number, RowResult::Unchanged, Some(record.id())),
            Ok((record, Some(event))) => {
                let (id, key) = (Some(record.id()), key(&record).to_owned());
                // What one record hands on to another, the first has to give away before.
                if freed.remove(&key) && !job.plan.validate_only {
                    named.save(tx, job).await?;
                }
                if let Some(before) = named.change(record, event) {
                    freed.insert(self::key(&before).to_owned());
                }
                taken.retain(|_, holder| *holder != id);
                taken.insert(key.clone(), id);
                match job.plan.validate_only {
                    true => Outcome::valid(row.number, id, Rehearsed { key, hash: None }),
                    false => Outcome::taken(row.number, RowResult::Updated, id),
                }
            }
        });
    }
    if !job.plan.validate_only {
        named.save(tx, job).await?;
    }
    Ok(outcomes)
}

fn key(record: &Opportunity) -> &str {
    &record.details().partner_opportunity_identifier
}

/// The record as the row wants it, and what happened to it, unless that is nothing.
fn one(
    api: &Api,
    member: &Member,
    table: &Table,
    row: &Row,
    record: &Opportunity,
    facts: &Facts<'_>,
    taken: &BTreeMap<String, Option<OpportunityId>>,
) -> Result<(Opportunity, Option<Event>), Outcome> {
    let id = Some(record.id());
    let impossible = |code: &str, text: &str| Outcome::impossible(row.number, id, code, text);
    if record.review().status != ReviewStatus::Approved {
        let text = "only approved opportunities are updated by files";
        return Err(impossible("ILLEGAL_TRANSITION", text));
    }
    let mut given = table.read(&row.content, record.details());
    merge(&mut given.wrong, convert::written(&given.details).violations());
    merge(&mut given.wrong, table.beyond(&row.content, record));
    let mut changed = record.clone();
    let now = api.clock.now();
    let event = match changed.update(&member.id, &given.selected, &given.details, facts, now) {
        Ok(event) => event,
        Err(rule @ Rule::RecordNotEditable(_)) => {
            let failure = status::broken(rule, &record.id().to_string());
            return Err(impossible(failure.reason(), failure.message()));
        }
        Err(rule) => {
            merge(&mut given.wrong, violations::of(rule));
            None
        }
    };
    let key = key(&changed);
    let holder = taken
        .get(key)
        .filter(|_| !key.is_empty() && key != self::key(record));
    if holder.is_some_and(|holder| *holder != id) {
        merge(&mut given.wrong, vec![violations::key_taken()]);
    }
    // What changes nothing hurts nobody, also when it was taken in before.
    if event.is_some() && given.revision != 0 && given.revision != record.revision() {
        let text = format!(
            "was changed since it was given out: the file has revision {}, the record {}",
            given.revision,
            record.revision()
        );
        return Err(impossible("ETAG_MISMATCH", &text));
    }
    if given.wrong.is_empty() {
        Ok((changed, event))
    } else {
        Err(Outcome::refused(row.number, id, &given.wrong, table.is_table))
    }
}
