use std::collections::BTreeMap;

use cosell_events::Lane;
use cosell_grpc::Failure;
use cosell_store::{Error, Tx};
use cosell_types::{Member, OpportunityId};

use super::job_events::job_cause;
use crate::domain::access::is_visible;
use crate::domain::job::{Job, RowOutcome};
use crate::domain::{Event, Opportunity};
use crate::status;
use crate::store;

/// The records that the rows of a chunk reference and that are visible to the member. Each has the changes of the rows
/// that were processed before.
pub struct JobRecords {
    records: BTreeMap<OpportunityId, Opportunity>,
    /// The stored revisions of the records with unsaved changes.
    stored_revisions: BTreeMap<OpportunityId, i64>,
    unsaved_changes: Vec<(Opportunity, Event)>,
}

impl JobRecords {
    pub async fn load(tx: &mut Tx, (job, member): (&Job, &Member), ids: &[&str]) -> Result<Self, Error> {
        let ids: Vec<_> = ids.iter().filter_map(|id| id.parse().ok()).collect();
        let records = store::load_opportunities(tx, &job.account, &ids).await?;
        let visible = records.into_iter().filter(|record| is_visible(member, record));
        Ok(Self {
            records: visible.map(|record| (record.id(), record)).collect(),
            stored_revisions: BTreeMap::new(),
            unsaved_changes: Vec::new(),
        })
    }

    pub fn records(&self) -> impl Iterator<Item = &Opportunity> {
        self.records.values()
    }

    /// Returns the record that a row references. Refuses the row with the error of a call if the record does not exist
    /// or is not visible to the member.
    pub fn get(&self, row: i64, id: &str) -> Result<&Opportunity, RowOutcome> {
        let parsed_id: Option<OpportunityId> = id.parse().ok();
        parsed_id.and_then(|id| self.records.get(&id)).ok_or_else(|| {
            let failure = status::not_found(id);
            RowOutcome::refused_with_reason(row, parsed_id, failure.reason(), failure.message())
        })
    }

    /// Adds a changed record with its event. Returns the record before the change.
    pub fn add_change(&mut self, record: Opportunity, event: Event) -> Option<Opportunity> {
        let id = record.id();
        let previous = self.records.insert(id, record.clone());
        let revision = previous.as_ref().map_or(0, Opportunity::revision);
        self.stored_revisions.entry(id).or_insert(revision);
        self.unsaved_changes.push((record, event));
        previous
    }

    /// Saves the changes that have been added since the last call.
    pub async fn save(&mut self, tx: &mut Tx, job: &Job) -> Result<(), Failure> {
        let records: Vec<_> = self
            .stored_revisions
            .iter()
            .filter_map(|(id, revision)| Some((*revision, self.records.get(id)?)))
            .collect();
        let changes: Vec<_> = self
            .unsaved_changes
            .iter()
            .map(|(record, event)| (record, event, job_cause(job, record.update_time())))
            .collect();
        store::save_changed_opportunities(tx, Lane::Bulk, &records, &changes)
            .await
            .map_err(status::constraint_violation)?;
        self.stored_revisions.clear();
        self.unsaved_changes.clear();
        Ok(())
    }
}
