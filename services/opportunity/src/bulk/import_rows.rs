use std::collections::BTreeSet;

use cosell_events::Lane;
use cosell_grpc::Failure;
use cosell_proto::Validate as _;
use cosell_store::Tx;
use cosell_types::{FieldPath, Member, OpportunityId, Violation, ViolationCode, random};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::json;
use super::worker::cause;
use crate::api::{Api, convert, selection, status};
use crate::domain::access::sees;
use crate::domain::columns::{self, COLUMNS, Column};
use crate::domain::job::{Job, Outcome, RowResult};
use crate::domain::values::{ImportMode, InvolvementType, ReviewStatus, Visibility};
use crate::domain::{Details, Event, Facts, Field, Opportunity, Rule};
use crate::store::{self, jobs, jobs::Row};

/// Takes rows in, each by the same rules as the RPC (OPP-081).
pub async fn work_off(
    tx: &mut Tx,
    api: &Api,
    (job, member): (&Job, &Member),
    rows: &[Row],
) -> Result<Vec<Outcome>, Failure> {
    let table = Table::of(job);
    match job.plan.mode {
        Some(ImportMode::Update) => update(tx, api, (job, member), &table, rows).await,
        _ => create(tx, api, (job, member), &table, rows).await,
    }
}

/// What the cells of a row are.
struct Table {
    is_table: bool,
    columns: Vec<Option<&'static Column>>,
    id: Option<usize>,
    revision: Option<usize>,
    must_say_its_need: bool,
}

/// Where the needs stand that decide how far AWS is to be involved.
const NEEDS: &str = "primary_needs_from_aws";

/// What a row says.
struct Given {
    id: String,
    /// The revision that it was made from; 0 where it does not say.
    revision: i64,
    details: Details,
    selected: Vec<Field>,
    wrong: Vec<Violation>,
}

impl Table {
    fn of(job: &Job) -> Self {
        let header = &job.plan.header;
        Self {
            is_table: !header.is_empty(),
            columns: header.iter().map(|name| columns::find(name)).collect(),
            id: header.iter().position(|name| columns::is_id(name)),
            revision: header.iter().position(|name| columns::is_revision(name)),
            must_say_its_need: job.plan.mode == Some(ImportMode::CreateAndSubmit),
        }
    }

    /// A row of a table says what it says on top of what is there; an object says which fields it is about.
    fn read(&self, content: &Value, base: &Details) -> Given {
        match content {
            Value::Array(cells) => self.read_cells(cells, base),
            other => read_object(other.as_str().unwrap_or_default()),
        }
    }

    fn read_cells(&self, cells: &[Value], base: &Details) -> Given {
        let cell = |at: usize| cells.get(at).and_then(Value::as_str).unwrap_or_default();
        let mut given = Given {
            id: self.id.map(cell).unwrap_or_default().trim().to_owned(),
            revision: self
                .revision
                .map(cell)
                .and_then(|cell| cell.trim().parse().ok())
                .unwrap_or_default(),
            details: base.clone(),
            selected: Vec::new(),
            wrong: Vec::new(),
        };
        // In the template's order, wherever they stand: a currency is that of an amount.
        for known in &COLUMNS {
            let at = self
                .columns
                .iter()
                .position(|column| column.is_some_and(|column| column.name == known.name));
            if let Some(at) = at {
                known.read(&mut given.details, cell(at), &mut given.wrong);
                given.selected.extend(known.field);
            }
        }
        let width = self.columns.len();
        if cells.len() < width || cells.iter().skip(width).any(|cell| cell != "") {
            let text = format!(
                "the row has {} cells, and the first line has {width}",
                cells.len()
            );
            given.wrong.push(wrong("", ViolationCode::InvalidValue, text));
        }
        if self.must_say_its_need
            && given.details.primary_needs_from_aws.is_empty()
            && !self.says_no_need(cells)
        {
            let text = "is required to submit: a need, or `Do Not Need Support from AWS Sales Rep`";
            given
                .wrong
                .push(wrong(NEEDS, ViolationCode::RequiredFieldMissing, text));
        }
        given
    }

    /// Whether the row says that it needs nothing, and not nothing at all.
    fn says_no_need(&self, cells: &[Value]) -> bool {
        let at = self
            .columns
            .iter()
            .position(|column| column.is_some_and(|column| column.path == NEEDS));
        let cell = at.and_then(|at| cells.get(at)).and_then(Value::as_str);
        cell.is_some_and(|cell| !cell.trim().is_empty())
    }

    /// What tells a row from others: what it says, wherever its cells stand and whatever was added to it (OPP-084).
    fn hash(&self, content: &Value) -> Vec<u8> {
        let said = match content {
            Value::Array(cells) => {
                let cell = |at: usize| cells.get(at).and_then(Value::as_str).unwrap_or_default().trim();
                let said = self.columns.iter().enumerate().filter_map(|(at, column)| {
                    let column = column.filter(|_| !cell(at).is_empty())?;
                    Some((column.name, cell(at)))
                });
                let said: BTreeSet<_> = said.collect();
                serde_json::to_string(&said).unwrap_or_default()
            }
            other => object(other.as_str().unwrap_or_default())
                .map_or_else(String::new, |object| object.to_string()),
        };
        Sha256::digest(said).to_vec()
    }
}

/// The object of a line, without what an import has added.
fn object(line: &str) -> Option<Value> {
    let mut object: Value = serde_json::from_str(line).ok()?;
    let fields = object.as_object_mut()?;
    if let Some(Value::String(line)) = fields.remove("_line") {
        return self::object(&line);
    }
    fields.remove("_result");
    fields.remove("_details");
    Some(object)
}

fn read_object(line: &str) -> Given {
    let nothing = |text: String| Given {
        id: String::new(),
        revision: 0,
        details: Details::default(),
        selected: Vec::new(),
        wrong: vec![wrong("", ViolationCode::InvalidStringFormat, text)],
    };
    let Some(object) = object(line) else {
        return nothing("is no JSON object".to_owned());
    };
    match json::read(object) {
        Ok(record) => {
            let (details, selected, mut wrong) = selection(Some(&record), None);
            wrong.extend(record.violations());
            Given {
                id: record.opportunity_id,
                revision: record.revision,
                details,
                selected,
                wrong,
            }
        }
        Err(text) => nothing(text),
    }
}

async fn create(
    tx: &mut Tx,
    api: &Api,
    (job, member): (&Job, &Member),
    table: &Table,
    rows: &[Row],
) -> Result<Vec<Outcome>, Failure> {
    let nothing = Details::default();
    let given: Vec<_> = rows
        .iter()
        .map(|row| table.read(&row.content, &nothing))
        .collect();
    let hashes: Vec<_> = rows.iter().map(|row| table.hash(&row.content)).collect();
    let all: Vec<_> = given.iter().map(|given| &given.details).collect();
    let facts = store::facts(tx, &api.policy, &job.account, &all).await?;
    let mut known = jobs::taken_in(tx, &job.account, &hashes).await?;
    let identifiers: Vec<_> = all
        .iter()
        .map(|details| details.partner_opportunity_identifier.clone())
        .collect();
    let taken = jobs::taken_identifiers(tx, &job.account, &identifiers).await?;
    let mut taken: BTreeSet<_> = taken.into_iter().collect();
    let (mut made, mut new) = (Vec::new(), Vec::new());
    let mut outcomes = Vec::with_capacity(rows.len());
    for ((row, given), hash) in rows.iter().zip(given).zip(hashes) {
        if let Some(id) = known.get(&hash) {
            outcomes.push(Outcome::taken(row.number, RowResult::Unchanged, Some(*id)));
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
        if !identifier.is_empty() {
            taken.insert(identifier);
        }
        let is_submitted = steps.len() > 1;
        let result = match is_submitted {
            _ if job.plan.validate_only => RowResult::Valid,
            true => RowResult::Submitted,
            false => RowResult::Created,
        };
        if job.plan.validate_only {
            outcomes.push(Outcome::taken(row.number, result, None));
            continue;
        }
        known.insert(hash.clone(), record);
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
    taken: &BTreeSet<String>,
) -> Result<Made, Vec<Violation>> {
    let Given {
        details, mut wrong, ..
    } = given;
    let now = api.clock.now();
    let id = random::opportunity_id(now);
    let at = "partner_opportunity_identifier";
    if taken.contains(&details.partner_opportunity_identifier) {
        let text = "is the key of another opportunity of the account";
        wrong.push(self::wrong(at, ViolationCode::DuplicateKeyValue, text));
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
            merge(&mut wrong, violations(rule));
            return Err(wrong);
        }
    };
    if job.plan.mode == Some(ImportMode::CreateAndSubmit)
        && let Some((mut record, _)) = steps.first().cloned()
    {
        match record.submit(&member.id, involvement, Visibility::Full, facts, now) {
            Ok(event) => steps.push((record, event)),
            Err(rule) => merge(&mut wrong, violations(rule)),
        }
    }
    if wrong.is_empty() {
        Ok((id, steps))
    } else {
        Err(wrong)
    }
}

async fn update(
    tx: &mut Tx,
    api: &Api,
    (job, member): (&Job, &Member),
    table: &Table,
    rows: &[Row],
) -> Result<Vec<Outcome>, Failure> {
    let mut outcomes = Vec::with_capacity(rows.len());
    for row in rows {
        let name = table.read(&row.content, &Details::default()).id;
        let id: Option<OpportunityId> = name.parse().ok();
        let record = match id {
            Some(id) => store::load(tx, &job.account, id).await?,
            None => None,
        };
        let Some(mut record) = record.filter(|record| sees(member, record)) else {
            let failure = status::not_found(&name);
            outcomes.push(Outcome::impossible(
                row.number,
                id,
                failure.reason(),
                failure.message(),
            ));
            continue;
        };
        if record.review().status != ReviewStatus::Approved {
            let text = "only approved opportunities are updated by files";
            outcomes.push(Outcome::impossible(row.number, id, "ILLEGAL_TRANSITION", text));
            continue;
        }
        let given = table.read(&row.content, record.details());
        let revision = record.revision();
        let known = [&given.details, record.details()];
        let facts = store::facts(tx, &api.policy, &job.account, &known).await?;
        let mut found = given.wrong;
        merge(&mut found, convert::written(&given.details).violations());
        let changed = record.update(
            &member.id,
            &given.selected,
            &given.details,
            &facts,
            api.clock.now(),
        );
        let event = match changed {
            Ok(event) => event,
            Err(Rule::RecordNotEditable(now)) => {
                let failure = status::broken(Rule::RecordNotEditable(now), &name);
                outcomes.push(Outcome::impossible(
                    row.number,
                    id,
                    failure.reason(),
                    failure.message(),
                ));
                continue;
            }
            Err(rule) => {
                merge(&mut found, violations(rule));
                None
            }
        };
        if let (Some(_), true) = (&event, found.is_empty()) {
            let key = &record.details().partner_opportunity_identifier;
            let taken = jobs::taken_identifiers(tx, &job.account, std::slice::from_ref(key)).await?;
            let is_new = matches!(&event, Some(event) if event.changed_fields().iter().any(|field| field == "partner_opportunity_identifier"));
            if is_new && !taken.is_empty() {
                let text = "is the key of another opportunity of the account";
                found.push(wrong(
                    "partner_opportunity_identifier",
                    ViolationCode::DuplicateKeyValue,
                    text,
                ));
            }
        }
        // What changes nothing hurts nobody, also when it was taken in before.
        if event.is_some() && given.revision != 0 && given.revision != revision {
            let text = format!(
                "was changed since it was given out: the file has revision {}, the record {revision}",
                given.revision
            );
            outcomes.push(Outcome::impossible(row.number, id, "ETAG_MISMATCH", &text));
            continue;
        }
        outcomes.push(match event {
            _ if !found.is_empty() => Outcome::refused(row.number, id, &found, table.is_table),
            None => Outcome::taken(row.number, RowResult::Unchanged, id),
            Some(_) if job.plan.validate_only => Outcome::taken(row.number, RowResult::Valid, id),
            Some(event) => {
                let cause = cause(job, record.update_time());
                store::save_in(tx, Lane::Bulk, &record, &event, cause)
                    .await
                    .map_err(status::constraint)?;
                Outcome::taken(row.number, RowResult::Updated, id)
            }
        });
    }
    Ok(outcomes)
}

/// What a broken rule found, field by field.
fn violations(rule: Rule) -> Vec<Violation> {
    match rule {
        Rule::Invalid(found) | Rule::FieldsNotEditable(_, found) => found,
        other => vec![wrong("", ViolationCode::ActionNotPermitted, other.to_string())],
    }
}

/// Adds what is found to what is known, once for each field.
fn merge(known: &mut Vec<Violation>, found: Vec<Violation>) {
    for violation in found {
        let is_known = known.iter().any(|known| known.field == violation.field);
        if !is_known {
            known.push(violation);
        }
    }
}

fn wrong(at: &str, code: ViolationCode, text: impl Into<String>) -> Violation {
    let root = FieldPath::root();
    Violation::new(&root.field(at), code, text)
}
