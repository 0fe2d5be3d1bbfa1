use chrono::{DateTime, TimeDelta, Utc};
use cosell_types::{AccountId, ClosedList as _, MemberId, OpportunityId, text_id};
use serde::{Deserialize, Serialize};

use super::values::{SnapshotJobState, SnapshotTemplate};
use super::{EngagementId, Rule};

/// The delay between a failed run and its retry.
const RETRY_DELAY: TimeDelta = TimeDelta::seconds(30);

text_id!(
    /// `job-` and 13 lower-case letters or digits.
    SnapshotJobId,
    "job id",
    "job- and 13 lower-case letters or digits",
    |text| cosell_types::is_prefixed(text, "job-")
);

/// The part of an opportunity, in an engagement, that a snapshot contains.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotSubject {
    /// The account that owns the opportunity.
    pub account: AccountId,
    /// The engagement whose members can read the snapshots.
    pub engagement: EngagementId,
    /// The copied opportunity.
    pub opportunity: OpportunityId,
    /// Selects the part of the opportunity.
    pub template: SnapshotTemplate,
}

/// Aggregate: a job that creates a snapshot whenever the opportunity has changed (COL-041).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotJob {
    id: SnapshotJobId,
    subject: SnapshotSubject,
    #[serde(rename = "by")]
    created_by: MemberId,
    revision: i64,
    state: SnapshotJobState,
    create_time: DateTime<Utc>,
    last_success: Option<DateTime<Utc>>,
    last_failure: Option<String>,
    /// `None` if the opportunity has not changed since the last run, and while the job is stopped.
    #[serde(rename = "due")]
    due_time: Option<DateTime<Utc>>,
    /// The number of requested runs, which shows whether a run was requested during another one.
    #[serde(rename = "asked")]
    requested_runs: i64,
}

impl SnapshotJob {
    /// A running job, due at once.
    pub fn create(
        id: SnapshotJobId,
        subject: SnapshotSubject,
        created_by: MemberId,
        now: DateTime<Utc>,
    ) -> Self {
        Self {
            id,
            subject,
            created_by,
            revision: 1,
            state: SnapshotJobState::Running,
            create_time: now,
            last_success: None,
            last_failure: None,
            due_time: Some(now),
            requested_runs: 1,
        }
    }

    /// Starts a stopped job, which is due at once.
    pub fn start(&mut self, now: DateTime<Utc>) -> Result<(), Rule> {
        self.require_state(SnapshotJobState::Stopped, "START")?;
        self.state = SnapshotJobState::Running;
        self.revision += 1;
        self.request_run(now);
        Ok(())
    }

    /// Stops a running job.
    pub fn stop(&mut self) -> Result<(), Rule> {
        self.require_state(SnapshotJobState::Running, "STOP")?;
        self.state = SnapshotJobState::Stopped;
        self.due_time = None;
        self.revision += 1;
        Ok(())
    }

    /// Only a stopped job can be deleted.
    pub fn require_deletable(&self) -> Result<(), Rule> {
        self.require_state(SnapshotJobState::Stopped, "DELETE")
    }

    /// Requests a run, because the opportunity has changed. Ignored by a stopped job.
    pub fn request_run(&mut self, now: DateTime<Utc>) {
        if self.state == SnapshotJobState::Running {
            self.due_time = Some(now);
            self.requested_runs += 1;
        }
    }

    /// Records a successful run. `requested_runs` is the count at the start of the run: if another run was requested
    /// since, the job stays due.
    pub fn run_succeeded(&mut self, requested_runs: i64, now: DateTime<Utc>) {
        self.last_success = Some(now);
        self.last_failure = None;
        if self.requested_runs == requested_runs {
            self.due_time = None;
        }
    }

    /// Records a failed run with its error reason, and schedules the retry.
    pub fn run_failed(&mut self, reason: &str, now: DateTime<Utc>) {
        self.last_failure = Some(reason.to_owned());
        if self.state == SnapshotJobState::Running {
            self.due_time = Some(now + RETRY_DELAY);
        }
    }

    fn require_state(&self, state: SnapshotJobState, action: &'static str) -> Result<(), Rule> {
        if self.state == state {
            return Ok(());
        }
        Err(Rule::IllegalTransition {
            state: self.state.name(),
            action,
        })
    }
}

#[expect(missing_docs, reason = "fields are documented once, in snapshot.proto")]
impl SnapshotJob {
    pub fn id(&self) -> &SnapshotJobId {
        &self.id
    }

    pub fn subject(&self) -> &SnapshotSubject {
        &self.subject
    }

    pub fn created_by(&self) -> &MemberId {
        &self.created_by
    }

    pub fn revision(&self) -> i64 {
        self.revision
    }

    pub fn state(&self) -> SnapshotJobState {
        self.state
    }

    pub fn create_time(&self) -> DateTime<Utc> {
        self.create_time
    }

    pub fn last_success(&self) -> Option<DateTime<Utc>> {
        self.last_success
    }

    pub fn last_failure(&self) -> Option<&str> {
        self.last_failure.as_deref()
    }

    /// When the next run is due. `None` if the opportunity has not changed since the last run, and while the job is
    /// stopped.
    pub fn due_time(&self) -> Option<DateTime<Utc>> {
        self.due_time
    }

    /// The number of runs requested so far.
    pub fn requested_runs(&self) -> i64 {
        self.requested_runs
    }
}

/// An immutable copy of a part of an opportunity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The copied part.
    pub subject: SnapshotSubject,
    /// The number of the snapshot among those of its subject: 1, 2, 3 …
    pub revision: i64,
    /// When the snapshot was created.
    pub create_time: DateTime<Utc>,
    /// The revision of the copied opportunity or AWS summary.
    pub source_revision: i64,
}
