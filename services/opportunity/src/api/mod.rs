//! The RPCs: one file each, in which the handler is the use case. `<service>.rs` lists those of one
//! gRPC service.

mod add_next_step;
mod allowed_actions;
mod apply_products;
mod apply_solutions;
pub(crate) mod assign;
mod associate_entity;
mod aws_summary_service;
mod catalog_service;
mod change_stage;
mod check_referred;
mod clone;
pub(crate) mod convert;
mod convert_insights;
mod count;
mod create;
mod diff_revisions;
mod disassociate_entity;
mod discard;
mod flag;
mod for_account;
mod get;
mod get_aws_summary;
pub(crate) mod list;
mod list_next_steps;
mod list_products;
mod list_revisions;
mod list_solutions;
mod list_standard_values;
mod opportunity_history_service;
mod opportunity_internal_service;
mod opportunity_lifecycle_service;
mod opportunity_service;
mod reopen;
pub(crate) mod status;
mod submit;
mod tag_opportunity;
mod untag_opportunity;
mod update;
mod update_aws_summary;
mod visible;
mod withdraw;

use std::sync::Arc;
use std::time::Duration;

use cosell_events::Cause;
use cosell_grpc::mask::{Selection, select};
use cosell_grpc::{Call, Failure, Record};
use cosell_proto::Mutation;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_store::{Db, Scope, Tx};
use cosell_telemetry::metrics;
use cosell_types::{Caller, Clock, ServiceName, Violation};
use opentelemetry::KeyValue;
use prost_types::FieldMask;
use tokio::sync::Notify;
use tonic::{Response, Status};

use crate::bulk::Room;
use crate::config::ImportLimits;
use crate::domain::access::{self, Action};
use crate::domain::{Details, Event, Field, Opportunity, Policy, original};
use crate::store;

pub(crate) use visible::visible;
use visible::{approved, past};

/// What the use cases need.
#[derive(Clone)]
pub struct Api {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
    pub(crate) catalog: Arc<str>,
    pub(crate) policy: Arc<Policy>,
    pub(crate) crm: Arc<[ServiceName]>,
    pub(crate) catalog_keepers: Arc<[ServiceName]>,
    pub(crate) import: ImportLimits,
    /// Wakes whoever works on jobs.
    pub(crate) job: Arc<Notify>,
    /// Room for files that come.
    pub(crate) uploads: Room,
}

/// Where the record stands in requests that carry one.
const RECORD: Record = Record {
    field: "opportunity",
    original: original::path,
};

/// As [`RECORD`], for the AWS summary.
const SUMMARY: Record = Record {
    field: "aws_opportunity_summary",
    original: original::path,
};

type Answer<T> = Result<Response<T>, Status>;

pub(crate) fn permit(action: Action) -> impl FnOnce(&Caller) -> bool {
    move |caller| access::permits(caller, action)
}

/// What a request gives of a record, which of it counts, and what is wrong with either.
pub(crate) fn selection(
    given: Option<&pb::Opportunity>,
    mask: Option<&FieldMask>,
) -> (Details, Vec<Field>, Vec<Violation>) {
    let settable: Vec<_> = Field::ALL.iter().map(|field| field.path()).collect();
    let (given, mut wrong) = convert::details(&given.cloned().unwrap_or_default());
    let selected = match select(mask, &settable) {
        Ok(Selection::Fields(paths)) => paths.into_iter().filter_map(Field::from_path).collect(),
        Ok(Selection::Given) => {
            let nothing = Details::default();
            let all = Field::ALL.iter().copied();
            all.filter(|field| field.differs(&given, &nothing)).collect()
        }
        Err(found) => {
            wrong.extend(found);
            Vec::new()
        }
    };
    (given, selected, wrong)
}

/// The record as the caller may see it: what is classified, and what drafts said, stays with the partner (OPP-017,
/// ACC-012).
fn shown(api: &Api, caller: &Caller, record: &Opportunity) -> pb::Opportunity {
    if caller.account() == Some(record.account()) {
        return convert::opportunity(record, &api.catalog);
    }
    let mut shown = convert::opportunity(&record.clone().without_steps_of_draft(), &api.catalog);
    if record.is_classified() {
        convert::classify(&mut shown);
    }
    shown
}

/// Saves what happened and makes it durable, unless the call only asked whether it would work.
async fn conclude<M: Mutation>(
    mut tx: Tx,
    call: &Call<M>,
    record: &Opportunity,
    event: &Event,
) -> Result<(), Failure> {
    let actor = call.caller.actor();
    let cause = Cause {
        actor: &actor,
        request_id: &call.tag.request_id,
        time: record.update_time(),
    };
    store::save(&mut tx, record, event, cause)
        .await
        .map_err(status::constraint)?;
    if call.message.validate_only() {
        return Ok(());
    }
    tx.commit().await?;
    metrics::TRANSITIONS.add(
        1,
        &[KeyValue::new(
            "transition",
            format!("opportunity.{}", event.name()),
        )],
    );
    tracing::info!(opportunity.id = %record.id(), revision = record.revision(), "opportunity {}", event.name());
    Ok(())
}

impl Api {
    fn permit_crm_or(&self, action: Action) -> impl FnOnce(&Caller) -> bool {
        let crm = self.crm.clone();
        move |caller| access::is_crm(caller, &crm) || access::permits(caller, action)
    }

    pub(crate) async fn begin<M>(&self, call: &Call<M>) -> Result<Tx, Failure> {
        Ok(self.db.tx(&Scope::of(call)).await?)
    }

    /// For a stream, which outlives the deadline of its call.
    pub(crate) async fn begin_for<M>(&self, call: &Call<M>, longest: Duration) -> Result<Tx, Failure> {
        Ok(self.db.tx(&Scope::of(call).lasting(longest)).await?)
    }
}
