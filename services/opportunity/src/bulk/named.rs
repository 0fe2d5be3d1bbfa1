//! The records that rows of a job name.

use std::collections::BTreeMap;

use cosell_events::Lane;
use cosell_grpc::Failure;
use cosell_store::{Error, Tx};
use cosell_types::{Member, OpportunityId};

use super::worker::cause;
use crate::api::status;
use crate::domain::access::sees;
use crate::domain::job::{Job, Outcome};
use crate::domain::{Event, Opportunity};
use crate::store;

/// Records that rows name, as far as the member sees them, each as the rows before have left it.
pub struct Named {
    records: BTreeMap<OpportunityId, Opportunity>,
    /// The revisions of those that were changed, before that.
    before: BTreeMap<OpportunityId, i64>,
    changes: Vec<(Opportunity, Event)>,
}

impl Named {
    pub async fn load(tx: &mut Tx, (job, member): (&Job, &Member), names: &[&str]) -> Result<Self, Error> {
        let ids: Vec<_> = names.iter().filter_map(|name| name.parse().ok()).collect();
        let found = store::load_many(tx, &job.account, &ids).await?;
        let seen = found.into_iter().filter(|record| sees(member, record));
        Ok(Self {
            records: seen.map(|record| (record.id(), record)).collect(),
            before: BTreeMap::new(),
            changes: Vec::new(),
        })
    }

    pub fn records(&self) -> impl Iterator<Item = &Opportunity> {
        self.records.values()
    }

    /// The record that a row names; what it does not see, a row is refused for as a call would be.
    pub fn get(&self, row: i64, name: &str) -> Result<&Opportunity, Outcome> {
        let id: Option<OpportunityId> = name.parse().ok();
        id.and_then(|id| self.records.get(&id)).ok_or_else(|| {
            let failure = status::not_found(name);
            Outcome::impossible(row, id, failure.reason(), failure.message())
        })
    }

    /// What happened to a record; as it was before.
    pub fn change(&mut self, record: Opportunity, event: Event) -> Option<Opportunity> {
        let id = record.id();
        let before = self.records.insert(id, record.clone());
        let revision = before.as_ref().map_or(0, Opportunity::revision);
        self.before.entry(id).or_insert(revision);
        self.changes.push((record, event));
        before
    }

    /// Writes down what happened.
    pub async fn save(&mut self, tx: &mut Tx, job: &Job) -> Result<(), Failure> {
        let records: Vec<_> = self
            .before
            .iter()
            .filter_map(|(id, before)| Some((*before, self.records.get(id)?)))
            .collect();
        let changes: Vec<_> = self
            .changes
            .iter()
            .map(|(record, event)| (record, event, cause(job, record.update_time())))
            .collect();
        store::save_changed(tx, Lane::Bulk, &records, &changes)
            .await
            .map_err(status::constraint)?;
        self.before.clear();
        self.changes.clear();
        Ok(())
    }
}
