//! The RPC handlers, one for each file, which has the name of the RPC. `<service>.rs` lists the RPCs of a gRPC service
//! with the access that each requires.

mod add_next_step;
mod apply_products;
mod apply_solutions;
mod assign_opportunity;
mod associate_entity;
mod aws_summary_service;
mod bulk_service;
mod cancel_operation;
mod catalog_service;
mod change_stage;
mod check_referred_opportunity;
mod clone_opportunity;
mod correct_closed_opportunity;
mod count_opportunities;
mod create_opportunity;
mod delete_operation;
mod diff_revisions;
mod disassociate_entity;
mod discard_draft;
mod download_import_result;
mod export_opportunities;
mod flag_opportunity;
mod get_allowed_actions;
mod get_aws_opportunity_summary;
mod get_import_template;
mod get_operation;
mod get_opportunity;
mod get_opportunity_for_account;
pub(crate) mod import_opportunities;
mod list_next_steps;
mod list_operations;
mod list_opportunities;
mod list_products;
mod list_revisions;
mod list_solutions;
mod list_standard_values;
mod operations;
mod opportunity_history_service;
mod opportunity_internal_service;
mod opportunity_lifecycle_service;
mod opportunity_service;
mod reopen_opportunity;
mod submit_opportunity;
mod tag_opportunity;
mod transfer_opportunities;
mod untag_opportunity;
mod update_aws_opportunity_summary;
mod update_opportunity;
mod wait_operation;
mod withdraw_submission;

use std::sync::Arc;

use cosell_store::Db;
use cosell_types::{Caller, Clock, ServiceName};
use tokio::sync::Notify;
use tonic::{Response, Status};

use self::import_opportunities::ImportPermits;
use crate::config::ImportLimits;
use crate::domain::Policy;
use crate::domain::access::{self, Action};

/// The dependencies of all handlers.
#[derive(Clone)]
pub struct Api {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
    pub(crate) catalog: Arc<str>,
    pub(crate) policy: Arc<Policy>,
    pub(crate) crm_services: Arc<[ServiceName]>,
    pub(crate) catalog_keepers: Arc<[ServiceName]>,
    pub(crate) import_limits: ImportLimits,
    /// Wakes the worker of bulk jobs.
    pub(crate) job_created: Arc<Notify>,
    pub(crate) import_permits: Arc<ImportPermits>,
}

type RpcResult<T> = Result<Response<T>, Status>;

fn permit(action: Action) -> impl FnOnce(&Caller) -> bool {
    move |caller| access::permits(caller, action)
}

impl Api {
    fn permit_crm_or(&self, action: Action) -> impl FnOnce(&Caller) -> bool {
        let crm_services = self.crm_services.clone();
        move |caller| access::is_crm(caller, &crm_services) || access::permits(caller, action)
    }
}
