//! Jobs on many records (OPP-082).

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use cosell_types::{AccountId, MemberId, OpportunityId, Pii, Violation};
use serde::{Deserialize, Serialize};

use super::columns;
use super::values::{BulkKind, BulkState, FileFormat, ImportMode};

/// A job: what is to be done with its rows, and how far it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// `bulkjob-` and 13 letters or digits.
    pub id: String,
    /// Whose records it is about.
    pub account: AccountId,
    /// What kind it is.
    pub kind: BulkKind,
    /// Where it stands.
    pub state: BulkState,
    /// Who began it.
    pub member: MemberId,
    /// The call that began it.
    pub request_id: String,
    /// What is to be done.
    pub plan: Plan,
    /// How many rows it has.
    pub total: i64,
    /// How many of them have been worked off.
    pub processed: i64,
    /// How many of those were refused.
    pub failed: i64,
    /// When it began.
    pub create_time: DateTime<Utc>,
    /// When it ended.
    pub end_time: Option<DateTime<Utc>>,
}

/// What is to be done with the rows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Plan {
    /// Form of the file.
    pub format: Option<FileFormat>,
    /// What becomes of its rows.
    pub mode: Option<ImportMode>,
    /// The name of the file.
    pub file_name: Pii<String>,
    /// The first line of a table.
    pub header: Vec<String>,
    /// Whether to check only.
    pub validate_only: bool,
    /// To whom records are given.
    pub assignee: Option<MemberId>,
    /// Who had the records that have been given to others.
    pub given_by: BTreeSet<MemberId>,
}

/// What became of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowResult {
    /// It is a new draft.
    Created,
    /// It is a new record that was submitted.
    Submitted,
    /// It changed a record.
    Updated,
    /// The record was given to the member.
    Assigned,
    /// It changed nothing.
    Unchanged,
    /// It would be taken.
    Valid,
    /// It was refused.
    Failed,
}

/// What became of a row, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Its number.
    pub number: i64,
    /// What became of it.
    pub result: RowResult,
    /// The record that it is about.
    pub opportunity: Option<OpportunityId>,
    /// What it would take, in a dry run.
    pub rehearsed: Option<Rehearsed>,
    /// Why it was refused.
    pub violations: Vec<RowViolation>,
}

/// What a row would take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rehearsed {
    /// The partner's own key that the record would have.
    pub key: String,
    /// What tells the row from others, if it makes a record.
    pub hash: Option<Vec<u8>>,
}

/// Something that is wrong with a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowViolation {
    /// The column, or the path of the field.
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

    /// Counts rows that were processed; with the last one the job is completed.
    pub fn count(&mut self, outcomes: &[Outcome], now: DateTime<Utc>) {
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
    /// Every one of them.
    pub const ALL: [RowResult; 7] = [
        RowResult::Created,
        RowResult::Submitted,
        RowResult::Updated,
        RowResult::Assigned,
        RowResult::Unchanged,
        RowResult::Valid,
        RowResult::Failed,
    ];

    /// Its name in files and in the database.
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

impl Outcome {
    /// A row that was taken.
    pub fn taken(number: i64, result: RowResult, opportunity: Option<OpportunityId>) -> Self {
        Self {
            number,
            result,
            opportunity,
            rehearsed: None,
            violations: Vec::new(),
        }
    }

    /// A row that would be taken.
    pub fn valid(number: i64, opportunity: Option<OpportunityId>, rehearsed: Rehearsed) -> Self {
        Self {
            rehearsed: Some(rehearsed),
            ..Self::taken(number, RowResult::Valid, opportunity)
        }
    }

    /// A row that was refused for these violations. Fields of a table are told by their columns.
    pub fn refused(
        number: i64,
        opportunity: Option<OpportunityId>,
        found: &[Violation],
        is_table: bool,
    ) -> Self {
        let violations = found.iter().map(|violation| {
            let path = violation
                .field
                .strip_prefix("opportunity.")
                .unwrap_or(&violation.field);
            let column = columns::of_path(path).filter(|_| is_table);
            RowViolation {
                field: column.map_or(path, |column| column.name).to_owned(),
                code: violation.code.as_str().to_owned(),
                text: violation.description.clone(),
            }
        });
        Self {
            number,
            result: RowResult::Failed,
            opportunity,
            rehearsed: None,
            violations: violations.collect(),
        }
    }

    /// A row that was refused as a whole.
    pub fn impossible(number: i64, opportunity: Option<OpportunityId>, code: &str, text: &str) -> Self {
        let violation = RowViolation {
            field: String::new(),
            code: code.to_owned(),
            text: text.to_owned(),
        };
        Self {
            number,
            result: RowResult::Failed,
            opportunity,
            rehearsed: None,
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
