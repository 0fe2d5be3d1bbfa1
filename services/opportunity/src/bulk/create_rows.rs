use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use cosell_events::Lane;
use cosell_grpc::Failure;
use cosell_proto::Validate as _;
use cosell_store::Tx;
use cosell_types::{Member, OpportunityId, Violation, random};
use serde_json::Value;

use super::job_events::job_cause;
use super::row_reader::{ParsedRow, RowReader, read_all};
use super::violations::{self, merge};
use crate::domain::job::{DryRunKeys, Job, RowOutcome, RowResult};
use crate::domain::values::{ImportMode, InvolvementType, Visibility};
use crate::domain::{Event, Facts, Opportunity, Policy};
use crate::store::bulk_rows::{self, BulkRow};
use crate::store::{self, bulk_keys};
use crate::{convert, status};

/// Creates an opportunity from each row, by the rules of `CreateOpportunity` and `SubmitOpportunity` (OPP-081).
pub async fn process(
    tx: &mut Tx,
    (policy, now): (&Policy, DateTime<Utc>),
    (job, member): (&Job, &Member),
    rows: &Arc<Vec<BulkRow>>,
) -> Result<Vec<RowOutcome>, Failure> {
    let reader = Arc::new(RowReader::new(&job.plan));
    let read = |reader: &RowReader, content: &Value| (reader.read(content), reader.hash(content));
    let (parsed_rows, hashes): (Vec<_>, Vec<_>) = read_all(&reader, rows, read).await?.into_iter().unzip();
    let all_details: Vec<_> = parsed_rows.iter().map(|parsed| &parsed.details).collect();
    let facts = store::load_facts(tx, policy, &job.account, &all_details).await?;
    let mut applied = bulk_keys::find_applied_rows(tx, job, &hashes).await?;
    let keys: Vec<_> = all_details
        .iter()
        .map(|details| details.partner_identifier_key())
        .collect();
    let mut used_identifiers = bulk_rows::find_used_identifiers(tx, job, &keys).await?;
    let (mut created, mut histories) = (Vec::new(), Vec::new());
    let mut outcomes = Vec::with_capacity(rows.len());
    for ((row, parsed), hash) in rows.iter().zip(parsed_rows).zip(hashes) {
        if let Some(id) = applied.get(&hash) {
            outcomes.push(RowOutcome::accepted(row.number, RowResult::Unchanged, *id));
            continue;
        }
        if !parsed.is_readable {
            let refused = RowOutcome::refused(row.number, None, &parsed.violations, reader.is_csv);
            outcomes.push(refused);
            continue;
        }
        let key = parsed.details.partner_identifier_key();
        let (id, history) = match create_opportunity(now, (job, member), parsed, &facts, &used_identifiers) {
            Ok(created) => created,
            Err(violations) => {
                outcomes.push(RowOutcome::refused(row.number, None, &violations, reader.is_csv));
                continue;
            }
        };
        used_identifiers.insert(key.clone(), Some(id));
        applied.insert(hash.clone(), Some(id));
        if job.plan.validate_only {
            let dry_run_keys = DryRunKeys {
                key,
                hash: Some(hash),
            };
            outcomes.push(RowOutcome::valid(row.number, None, dry_run_keys));
            continue;
        }
        let result = match history.len() {
            1 => RowResult::Created,
            _ => RowResult::Submitted,
        };
        created.push((hash, id));
        histories.push(history);
        outcomes.push(RowOutcome::accepted(row.number, result, Some(id)));
    }
    let records: Vec<_> = histories
        .iter()
        .filter_map(|history| history.last())
        .map(|(record, _)| record)
        .collect();
    let changes: Vec<_> = histories
        .iter()
        .flatten()
        .map(|(record, event)| (record, event, job_cause(job, record.update_time())))
        .collect();
    store::save_new_opportunities(tx, Lane::Bulk, &records, &changes)
        .await
        .map_err(status::constraint_violation)?;
    bulk_keys::save_applied_rows(tx, &job.account, &created, now).await?;
    Ok(outcomes)
}

/// A new record with its changes: its creation and, depending on the mode, its submission.
type NewOpportunity = (OpportunityId, Vec<(Opportunity, Event)>);

/// Creates the record of a row and submits it in mode CREATE_AND_SUBMIT. Fails with all violations of the row.
fn create_opportunity(
    now: DateTime<Utc>,
    (job, member): (&Job, &Member),
    parsed: ParsedRow,
    facts: &Facts<'_>,
    used_identifiers: &BTreeMap<String, Option<OpportunityId>>,
) -> Result<NewOpportunity, Vec<Violation>> {
    let ParsedRow {
        details,
        mut violations,
        ..
    } = parsed;
    let id = random::opportunity_id(now);
    let key = details.partner_identifier_key();
    if !key.is_empty() && used_identifiers.contains_key(&key) {
        violations.push(violations::identifier_in_use());
    }
    merge(&mut violations, convert::partner_fields(&details).violations());
    let involvement = match details.primary_needs_from_aws.is_empty() {
        true => InvolvementType::ForVisibilityOnly,
        false => InvolvementType::CoSell,
    };
    let account = job.account.clone();
    let created = Opportunity::create(id, account, member.id.clone(), details, facts, now);
    let mut history = match created {
        Ok(created) => vec![created],
        Err(rule) => {
            merge(&mut violations, violations::from_rule(rule));
            return Err(violations);
        }
    };
    if job.plan.mode == Some(ImportMode::CreateAndSubmit)
        && let Some((mut record, _)) = history.first().cloned()
    {
        match record.submit(&member.id, involvement, Visibility::Full, facts, now) {
            Ok(event) => history.push((record, event)),
            Err(rule) => merge(&mut violations, violations::from_rule(rule)),
        }
    }
    if violations.is_empty() {
        Ok((id, history))
    } else {
        Err(violations)
    }
}
