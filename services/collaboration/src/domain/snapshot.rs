use chrono::{DateTime, TimeDelta, Utc};
use cosell_types::{AccountId, ClosedList as _, MemberId, OpportunityId, text_id};
use serde::{Deserialize, Serialize};

use super::values::{SnapshotJobState, SnapshotTemplate};
use super::{EngagementId, Rule};

/// How long after a failure a job looks again.
const AGAIN: TimeDelta = TimeDelta::seconds(30);

text_id!(
    /// A job: `job-` and 13 lower-case letters or digits.
    JobId,
    "job id",
    "job- and 13 lower-case letters or digits",
    |text| cosell_types::is_prefixed(text, "job-")
);

/// What a snapshot is of: a part of an opportunity, in an engagement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// The account whose opportunity it is.
    pub account: AccountId,
    /// The engagement.
    pub engagement: EngagementId,
    /// The opportunity.
    pub opportunity: OpportunityId,
    /// Which part of it.
    pub template: SnapshotTemplate,
}

/// Makes a snapshot whenever an opportunity has changed: the aggregate (COL-041). It changes only through its methods.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotJob {
    id: JobId,
    subject: Subject,
    /// Whose it is beside those who see the whole pipeline.
    by: MemberId,
    revision: i64,
    state: SnapshotJobState,
    create_time: DateTime<Utc>,
    last_success: Option<DateTime<Utc>>,
    last_failure: Option<String>,
    /// When it is to look; none when nothing has changed since it did.
    due: Option<DateTime<Utc>>,
    /// How often it was told to look: what it is told while it looks is not lost.
    asked: i64,
}

impl SnapshotJob {
    /// A job that looks at once.
    pub fn create(id: JobId, subject: Subject, by: MemberId, now: DateTime<Utc>) -> Self {
        Self {
            id,
            subject,
            by,
            revision: 1,
            state: SnapshotJobState::Running,
            create_time: now,
            last_success: None,
            last_failure: None,
            due: Some(now),
            asked: 1,
        }
    }

    /// Lets it run.
    pub fn start(&mut self, now: DateTime<Utc>) -> Result<(), Rule> {
        self.require(SnapshotJobState::Stopped, "START")?;
        self.state = SnapshotJobState::Running;
        self.revision += 1;
        self.look(now);
        Ok(())
    }

    /// Lets it rest.
    pub fn stop(&mut self) -> Result<(), Rule> {
        self.require(SnapshotJobState::Running, "STOP")?;
        self.state = SnapshotJobState::Stopped;
        self.due = None;
        self.revision += 1;
        Ok(())
    }

    /// Whether it can be thrown away.
    pub fn can_be_deleted(&self) -> Result<(), Rule> {
        self.require(SnapshotJobState::Stopped, "DELETE")
    }

    /// Tells it to look, because the opportunity has changed. One that rests does not.
    pub fn look(&mut self, now: DateTime<Utc>) {
        if self.state == SnapshotJobState::Running {
            self.due = Some(now);
            self.asked += 1;
        }
    }

    /// Notes that it has looked, having been told so often.
    pub fn looked(&mut self, asked: i64, now: DateTime<Utc>) {
        self.last_success = Some(now);
        self.last_failure = None;
        if self.asked == asked {
            self.due = None;
        }
    }

    /// Notes that it could not look, and why.
    pub fn failed(&mut self, why: &str, now: DateTime<Utc>) {
        self.last_failure = Some(why.to_owned());
        if self.state == SnapshotJobState::Running {
            self.due = Some(now + AGAIN);
        }
    }

    fn require(&self, state: SnapshotJobState, action: &'static str) -> Result<(), Rule> {
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
    pub fn id(&self) -> &JobId {
        &self.id
    }

    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// Whose it is beside those who see the whole pipeline.
    pub fn by(&self) -> &MemberId {
        &self.by
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

    /// When it is to look; none when nothing has changed since it did.
    pub fn due(&self) -> Option<DateTime<Utc>> {
        self.due
    }

    /// How often it was told to look.
    pub fn asked(&self) -> i64 {
        self.asked
    }
}

/// An unchangeable copy of a part of an opportunity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// What it is of.
    pub subject: Subject,
    /// Its number: 1, 2, 3 …
    pub revision: i64,
    /// When it was made.
    pub create_time: DateTime<Utc>,
    /// Revision of what it is a copy of.
    pub source_revision: i64,
}
