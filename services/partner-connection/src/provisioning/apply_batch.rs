//! Applies one batch in one transaction, with a result for each record.

use cosell_grpc::Failure;
use cosell_proto::Validate as _;
use cosell_proto::cosell::partner::v1 as pb;
use cosell_proto::cosell::partner::v1::apply_directory_request as request;
use cosell_store::{Scope, Tx};
use cosell_types::{AccountId, CallerClass};

use super::Provisioner;
use super::batch_state::BatchState;
use super::record::{Record, account_id};
use crate::domain::Account;
use crate::status;
use crate::store;

impl Provisioner {
    /// The results are in the order of the records. A dry run is rolled back, and stores the resulting account in
    /// `dry_run_account`.
    pub(super) async fn apply_batch(
        &self,
        batch: &[Record],
        dry_run_account: &mut Option<Account>,
    ) -> Result<Vec<pb::ApplyDirectoryResponse>, Failure> {
        let first_id = batch.first().map(account_id).unwrap_or_default();
        let Ok(id) = first_id.parse::<AccountId>() else {
            let refused = batch
                .iter()
                .map(|record| self.refuse(record, Failure::invalid(record.violations())));
            return refused.collect();
        };
        let is_dry_run = batch.first().is_some_and(|record| record.validate_only);
        let mut tx = self
            .db
            .tx(&Scope::account(&id).in_class(CallerClass::Service))
            .await?;
        let mut state = BatchState::load(&mut tx, id, batch).await?;
        if is_dry_run && state.account.is_none() {
            let earlier = dry_run_account.clone();
            state.account = earlier.filter(|account| *account.id() == state.account_id);
            // Members refer to the row of their account, which was rolled back with the earlier batch.
            if let Some(account) = &state.account {
                store::save_account_rows(&mut tx, account).await?;
            }
        }
        let mut results = Vec::with_capacity(batch.len());
        for record in batch {
            results.push(self.apply_record(&mut tx, &mut state, record).await?);
        }
        state.save_members(&mut tx, self.cause()).await?;
        if is_dry_run {
            *dry_run_account = state.account;
        } else {
            tx.commit().await?;
        }
        Ok(results)
    }

    async fn apply_record(
        &self,
        tx: &mut Tx,
        state: &mut BatchState,
        record: &Record,
    ) -> Result<pb::ApplyDirectoryResponse, Failure> {
        let violations = record.violations();
        if !violations.is_empty() {
            return self.refuse(record, Failure::invalid(violations));
        }
        let outcome = match &record.record {
            Some(request::Record::Account(account)) => self.apply_account(tx, state, account).await?,
            Some(request::Record::Member(member)) => self.apply_member(tx, state, member).await?,
            None => Ok(pb::ApplyResult::Refused),
        };
        match outcome {
            Ok(result) => Ok(pb::ApplyDirectoryResponse {
                number: record.number,
                result: result.into(),
                error: None,
            }),
            Err(rule) => self.refuse(record, status::rule_violated(rule)),
        }
    }

    fn refuse(&self, record: &Record, failure: Failure) -> Result<pb::ApplyDirectoryResponse, Failure> {
        Ok(pb::ApplyDirectoryResponse {
            number: record.number,
            result: pb::ApplyResult::Refused.into(),
            error: Some(failure.into_part(&self.tag)?),
        })
    }
}
