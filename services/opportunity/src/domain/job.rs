//! Bulk jobs: background jobs over many opportunities (OPP-082).

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use cosell_types::{AccountId, MemberId, OpportunityId, Pii, Violation};
use serde::{Deserialize, Serialize};

use super::column_lookup;
use super::values::{BulkKind, BulkState, FileFormat, ImportMode};

/// A bulk job: its parameters and its progress.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// `bulkjob-` and 13 letters or digits.
    pub id: String,
    /// The account whose opportunities the job creates or changes.
    pub account: AccountId,
    /// Import or transfer.
    pub kind: BulkKind,
    /// The state; every state but RUNNING is final.
    pub state: BulkState,
    /// The member who started the job.
    pub member: MemberId,
    /// The request id of the call that started the job.
    pub request_id: String,
    /// The parameters.
    pub plan: Plan,
    /// Number of rows.
    pub total: i64,
    /// Number of processed rows, including failed ones.
    pub processed: i64,
    /// Number of failed rows.
    pub failed: i64,
    /// When the job was started.
    pub create_time: DateTime<Utc>,
    /// When the job ended; `None` while it is running.
    pub end_time: Option<DateTime<Utc>>,
}

/// The parameters of a job, and what it records besides its progress.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Plan {
    /// Format of the imported file.
    pub format: Option<FileFormat>,
    /// What an import does with its rows.
    pub mode: Option<ImportMode>,
    /// Name of the imported file.
    pub file_name: Pii<String>,
    /// The first line of an imported table; empty for JSON lines.
    pub header: Vec<String>,
    /// Whether the job is a dry run.
    pub validate_only: bool,
    /// The new owner in a transfer.
    pub assignee: Option<MemberId>,
    /// The previous owners of the opportunities that the job has transferred.
    pub given_by: BTreeSet<MemberId>,
    /// Why the job as a whole failed; rows have failures of their own.
    pub failure: Option<JobFailure>,
}

/// Why a job as a whole cannot continue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum JobFailure {
    /// The member who started the job is no longer active, or lost the required role.
    MemberNotPermitted,
    /// The assignee of a transfer can no longer own opportunities.
    AssigneeNotEligible,
}

/// The result of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowResult {
    /// A draft was created.
    Created,
    /// An opportunity was created and submitted.
    Submitted,
    /// An opportunity was updated.
    Updated,
    /// An opportunity was transferred to the assignee.
    Assigned,
    /// Nothing changed.
    Unchanged,
    /// The row is valid, in a dry run.
    Valid,
    /// The row was refused.
    Failed,
}

/// The result of a row, with its opportunity and its violations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowOutcome {
    /// Number of the row in the job.
    pub number: i64,
    /// Whether and how the row was applied.
    pub result: RowResult,
    /// The opportunity that the row created or named.
    pub opportunity: Option<OpportunityId>,
    /// The unique keys that the row would use, in a dry run.
    pub dry_run_keys: Option<DryRunKeys>,
    /// Why the row was refused.
    pub violations: Vec<RowViolation>,
}

/// The unique keys that a row would use. A dry run stores them to find duplicates in later rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DryRunKeys {
    /// The `partner_opportunity_identifier` of the opportunity; may be empty.
    pub key: String,
    /// Hash of the row's content, if the row creates an opportunity (OPP-084).
    pub hash: Option<Vec<u8>>,
}

/// Why a row was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowViolation {
    /// The column of a table, or the path of the field; empty for the row as a whole.
    pub field: String,
    /// The code of the violation, or the reason of the refusal.
    pub code: String,
    /// A sentence.
    pub text: String,
}

impl Job {
    /// Ends the job in a state.
    pub fn end(&mut self, state: BulkState, now: DateTime<Utc>) {
        self.state = state;
        self.end_time = Some(now);
    }

    /// Ends the job as failed.
    pub fn fail(&mut self, failure: JobFailure, now: DateTime<Utc>) {
        self.plan.failure = Some(failure);
        self.end(BulkState::Failed, now);
    }

    /// Counts processed rows. The last row completes the job.
    pub fn record_outcomes(&mut self, outcomes: &[RowOutcome], now: DateTime<Utc>) {
        let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let failed = outcomes
            .iter()
            .filter(|outcome| outcome.result == RowResult::Failed);
        self.failed += number(failed.count());
        self.processed += number(outcomes.len());
        if self.processed >= self.total {
            self.end(BulkState::Completed, now);
        }
    }
}

impl RowResult {
    /// All results.
    pub const ALL: [RowResult; 7] = [
        RowResult::Created,
        RowResult::Submitted,
        RowResult::Updated,
        RowResult::Assigned,
        RowResult::Unchanged,
        RowResult::Valid,
        RowResult::Failed,
    ];

    /// Name in import results and in the database.
    pub fn name(self) -> &'static str {
        match self {
            RowResult::Created => "CREATED",
            RowResult::Submitted => "SUBMITTED",
            RowResult::Updated => "UPDATED",
            RowResult::Assigned => "ASSIGNED",
            RowResult::Unchanged => "UNCHANGED",
            RowResult::Valid => "VALID",
            RowResult::Failed => "FAILED",
        }
    }
}

/// Violations that the outcome of a row lists: enough for all columns, while a line of JSON can have thousands.
pub const MAX_VIOLATIONS: usize = 50;

impl RowOutcome {
    /// The outcome of a row that was accepted.
    pub fn accepted(number: i64, result: RowResult, opportunity: Option<OpportunityId>) -> Self {
        Self {
            number,
            result,
            opportunity,
            dry_run_keys: None,
            violations: Vec::new(),
        }
    }

    /// The outcome of a valid row in a dry run.
    pub fn valid(number: i64, opportunity: Option<OpportunityId>, dry_run_keys: DryRunKeys) -> Self {
        Self {
            dry_run_keys: Some(dry_run_keys),
            ..Self::accepted(number, RowResult::Valid, opportunity)
        }
    }

    /// The outcome of a row that was refused because of violations, of which it lists [`MAX_VIOLATIONS`]. In a table,
    /// fields are named by their columns.
    pub fn refused(
        number: i64,
        opportunity: Option<OpportunityId>,
        violations: &[Violation],
        is_table: bool,
    ) -> Self {
        let mut listed: Vec<_> = violations
            .iter()
            .take(MAX_VIOLATIONS)
            .map(|violation| {
                let path = violation
                    .field
                    .strip_prefix("opportunity.")
                    .unwrap_or(&violation.field);
                let column = column_lookup::find_by_path(path).filter(|_| is_table);
                RowViolation {
                    field: column.map_or(path, |column| column.name).to_owned(),
                    code: violation.code.as_str().to_owned(),
                    text: violation.description.clone(),
                }
            })
            .collect();
        if let Some(omitted) = violations.get(MAX_VIOLATIONS) {
            listed.push(RowViolation {
                field: String::new(),
                code: omitted.code.as_str().to_owned(),
                text: "Has further violations, which are not listed.".to_owned(),
            });
        }
        Self {
            number,
            result: RowResult::Failed,
            opportunity,
            dry_run_keys: None,
            violations: listed,
        }
    }

    /// The outcome of a row that was refused as a whole, with the reason of the refusal as its code.
    pub fn refused_with_reason(
        number: i64,
        opportunity: Option<OpportunityId>,
        code: &str,
        text: &str,
    ) -> Self {
        let violation = RowViolation {
            field: String::new(),
            code: code.to_owned(),
            text: text.to_owned(),
        };
        Self {
            number,
            result: RowResult::Failed,
            opportunity,
            dry_run_keys: None,
            violations: vec![violation],
        }
    }
}

impl std::fmt::Display for RowViolation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.field.is_empty() {
            f.write_str(&self.text)
        } else {
            write!(f, "{}: {}", self.field, self.text)
        }
    }
}
