use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use cosell_grpc::Failure;
use cosell_proto::Validate as _;
use cosell_store::Tx;
use cosell_types::{Member, OpportunityId, Violation, ViolationCode, contains_path};

use super::job_records::JobRecords;
use super::row_reader::{RowReader, read_all};
use super::violations::{self, merge, violation_at};
use crate::domain::job::{DryRunKeys, Job, RowOutcome, RowResult};
use crate::domain::values::ReviewStatus;
use crate::domain::{Event, Facts, Opportunity, Policy, Rule};
use crate::store::bulk_rows::{self, BulkRow};
use crate::{convert, status, store};

/// Updates the record that each row references, by the rules of `UpdateOpportunity` (OPP-081, OPP-086).
pub async fn process(
    tx: &mut Tx,
    (policy, now): (&Policy, DateTime<Utc>),
    (job, member): (&Job, &Member),
    rows: &Arc<Vec<BulkRow>>,
) -> Result<Vec<RowOutcome>, Failure> {
    let reader = Arc::new(RowReader::new(&job.plan));
    let parsed_rows = read_all(&reader, rows, RowReader::read).await?;
    let ids: Vec<_> = parsed_rows.iter().map(|parsed| parsed.id.as_str()).collect();
    let mut records = JobRecords::load(tx, (job, member), &ids).await?;
    let all_details: Vec<_> = parsed_rows
        .iter()
        .map(|parsed| &parsed.details)
        .chain(records.records().map(Opportunity::details))
        .collect();
    let facts = store::load_facts(tx, policy, &job.account, &all_details).await?;
    let keys: Vec<_> = parsed_rows
        .iter()
        .map(|parsed| parsed.details.partner_identifier_key())
        .collect();
    let mut used_identifiers = bulk_rows::find_used_identifiers(tx, job, &keys).await?;
    let mut released_identifiers = BTreeSet::new();
    let mut outcomes = Vec::with_capacity(rows.len());
    for (row, parsed) in rows.iter().zip(&parsed_rows) {
        if !parsed.is_readable {
            let refused = RowOutcome::refused(row.number, None, &parsed.violations, reader.is_csv);
            outcomes.push(refused);
            continue;
        }
        if parsed.id.is_empty() {
            let missing = violation_at(
                "opportunity_id",
                ViolationCode::RequiredFieldMissing,
                "Is required.",
            );
            outcomes.push(RowOutcome::refused(row.number, None, &[missing], reader.is_csv));
            continue;
        }
        let updated = records.get(row.number, &parsed.id).and_then(|record| {
            update_opportunity(now, member, &reader, row, record, &facts, &used_identifiers)
        });
        outcomes.push(match updated {
            Err(outcome) => outcome,
            Ok((record, None)) => RowOutcome::accepted(row.number, RowResult::Unchanged, Some(record.id())),
            Ok((record, Some(event))) => {
                let (id, key) = (Some(record.id()), identifier_key(&record));
                // An identifier that moves from one record to another must be released in the database first.
                if released_identifiers.remove(&key) && !job.plan.validate_only {
                    records.save(tx, job).await?;
                }
                if let Some(previous) = records.add_change(record, event) {
                    released_identifiers.insert(identifier_key(&previous));
                }
                used_identifiers.retain(|_, holder| *holder != id);
                used_identifiers.insert(key.clone(), id);
                match job.plan.validate_only {
                    true => RowOutcome::valid(row.number, id, DryRunKeys { key, hash: None }),
                    false => RowOutcome::accepted(row.number, RowResult::Updated, id),
                }
            }
        });
    }
    if !job.plan.validate_only {
        records.save(tx, job).await?;
    }
    Ok(outcomes)
}

fn identifier_key(record: &Opportunity) -> String {
    record.details().partner_identifier_key()
}

/// Applies a row to its record. Returns the changed record and its event, or no event if nothing changes.
fn update_opportunity(
    now: DateTime<Utc>,
    member: &Member,
    reader: &RowReader,
    row: &BulkRow,
    record: &Opportunity,
    facts: &Facts<'_>,
    used_identifiers: &BTreeMap<String, Option<OpportunityId>>,
) -> Result<(Opportunity, Option<Event>), RowOutcome> {
    let id = Some(record.id());
    let impossible = |code: &str, text: &str| RowOutcome::refused_with_reason(row.number, id, code, text);
    if record.review().status != ReviewStatus::Approved {
        let text = "Only approved opportunities can be updated by an import.";
        return Err(impossible("ILLEGAL_TRANSITION", text));
    }
    let mut parsed = reader.read_update(&row.content, record);
    // The rest of the record was valid when it was stored; rules can have changed since.
    let is_stated = |violation: &Violation| {
        let mut selected = parsed.selected.iter();
        selected.any(|field| contains_path(field.path(), &violation.field))
    };
    let mut violations = convert::partner_fields(&parsed.details).violations();
    violations.retain(is_stated);
    merge(&mut parsed.violations, violations);
    merge(
        &mut parsed.violations,
        reader.read_only_violations(&row.content, record),
    );
    // A value that is that of the record states nothing.
    parsed
        .selected
        .retain(|field| field.differs(record.details(), &parsed.details));
    let mut changed = record.clone();
    let event = match changed.update(&member.id, &parsed.selected, &parsed.details, facts, now) {
        Ok(event) => event,
        Err(rule @ Rule::RecordNotEditable(_)) => {
            let failure = status::rule_violated(rule, &record.id().to_string());
            return Err(impossible(failure.reason(), failure.message()));
        }
        Err(rule) => {
            merge(&mut parsed.violations, violations::from_rule(rule));
            None
        }
    };
    let key = identifier_key(&changed);
    let holder = used_identifiers
        .get(&key)
        .filter(|_| !key.is_empty() && key != identifier_key(record));
    if holder.is_some_and(|holder| *holder != id) {
        merge(&mut parsed.violations, vec![violations::identifier_in_use()]);
    }
    // The revision of a row that changes nothing is not checked: the same file can be imported twice.
    if event.is_some() && parsed.revision != 0 && parsed.revision != record.revision() {
        let text = format!(
            "The opportunity has changed since the export: the file has revision {}, the opportunity has revision {}. \
             Export it again.",
            parsed.revision,
            record.revision()
        );
        return Err(impossible("ETAG_MISMATCH", &text));
    }
    if parsed.violations.is_empty() {
        Ok((changed, event))
    } else {
        Err(RowOutcome::refused(
            row.number,
            id,
            &parsed.violations,
            reader.is_csv,
        ))
    }
}
