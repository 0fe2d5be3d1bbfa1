//! The RPCs: one file each, in which the handler is the use case. Every line below names the RPC, what access it
//! needs, and its file.

mod add_next_step;
mod allowed_actions;
mod apply_products;
mod apply_solutions;
pub(crate) mod assign;
mod associate_entity;
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
mod reopen;
pub(crate) mod status;
mod submit;
mod update;
mod update_aws_summary;
mod visible;
mod withdraw;

use std::sync::Arc;
use std::time::Duration;

use cosell_events::Cause;
use cosell_grpc::mask::{Selection, select};
use cosell_grpc::{Call, Failure, Record, read, write, write_with_rules};
use cosell_proto::Mutation;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::opportunity::v1::opportunity_service_server::OpportunityService;
use cosell_store::{Db, Scope, Tx};
use cosell_telemetry::metrics;
use cosell_types::{Caller, Clock, ServiceName, Violation};
use opentelemetry::KeyValue;
use prost_types::FieldMask;
use tokio::sync::Notify;
use tonic::{Request, Response, Status};

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
    field: "summary",
    original: original::path,
};

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl OpportunityService for Api {
    async fn create_opportunity(
        &self,
        request: Request<pb::CreateOpportunityRequest>,
    ) -> Answer<pb::CreateOpportunityResponse> {
        let api = self.clone();
        let handle = move |call| create::handle(api.clone(), call);
        write_with_rules(request, permit(Action::Create), RECORD, handle).await
    }

    async fn get_opportunity(
        &self,
        request: Request<pb::GetOpportunityRequest>,
    ) -> Answer<pb::GetOpportunityResponse> {
        read(request, permit(Action::Get), |call| get::handle(self, call)).await
    }

    async fn list_opportunities(
        &self,
        request: Request<pb::ListOpportunitiesRequest>,
    ) -> Answer<pb::ListOpportunitiesResponse> {
        read(request, permit(Action::List), |call| list::handle(self, call)).await
    }

    async fn update_opportunity(
        &self,
        request: Request<pb::UpdateOpportunityRequest>,
    ) -> Answer<pb::UpdateOpportunityResponse> {
        let api = self.clone();
        let handle = move |call| update::handle(api.clone(), call);
        write_with_rules(request, permit(Action::Update), RECORD, handle).await
    }

    async fn submit_opportunity(
        &self,
        request: Request<pb::SubmitOpportunityRequest>,
    ) -> Answer<pb::SubmitOpportunityResponse> {
        let api = self.clone();
        write(request, permit(Action::Submit), move |call| {
            submit::handle(api.clone(), call)
        })
        .await
    }

    async fn withdraw_submission(
        &self,
        request: Request<pb::WithdrawSubmissionRequest>,
    ) -> Answer<pb::WithdrawSubmissionResponse> {
        let api = self.clone();
        write(request, permit(Action::Withdraw), move |call| {
            withdraw::handle(api.clone(), call)
        })
        .await
    }

    async fn discard_draft(
        &self,
        request: Request<pb::DiscardDraftRequest>,
    ) -> Answer<pb::DiscardDraftResponse> {
        let api = self.clone();
        write(request, permit(Action::Discard), move |call| {
            discard::handle(api.clone(), call)
        })
        .await
    }

    async fn get_allowed_actions(
        &self,
        request: Request<pb::GetAllowedActionsRequest>,
    ) -> Answer<pb::GetAllowedActionsResponse> {
        read(request, permit(Action::AllowedActions), |call| {
            allowed_actions::handle(self, call)
        })
        .await
    }

    async fn check_referred_opportunity(
        &self,
        request: Request<pb::CheckReferredOpportunityRequest>,
    ) -> Answer<pb::CheckReferredOpportunityResponse> {
        read(request, permit(Action::CheckReferred), |call| {
            check_referred::handle(self, call)
        })
        .await
    }

    async fn get_opportunity_for_account(
        &self,
        request: Request<pb::GetOpportunityForAccountRequest>,
    ) -> Answer<pb::GetOpportunityForAccountResponse> {
        read(request, permit(Action::ForAccount), |call| {
            for_account::handle(self, call)
        })
        .await
    }

    async fn list_standard_values(
        &self,
        request: Request<pb::ListStandardValuesRequest>,
    ) -> Answer<pb::ListStandardValuesResponse> {
        read(request, permit(Action::StandardValues), |call| {
            list_standard_values::handle(self, call)
        })
        .await
    }

    async fn count_opportunities(
        &self,
        request: Request<pb::CountOpportunitiesRequest>,
    ) -> Answer<pb::CountOpportunitiesResponse> {
        read(request, permit(Action::Count), |call| count::handle(self, call)).await
    }

    async fn flag_opportunity(
        &self,
        request: Request<pb::FlagOpportunityRequest>,
    ) -> Answer<pb::FlagOpportunityResponse> {
        let api = self.clone();
        write(request, permit(Action::Flag), move |call| {
            flag::handle(api.clone(), call)
        })
        .await
    }

    async fn get_aws_opportunity_summary(
        &self,
        request: Request<pb::GetAwsOpportunitySummaryRequest>,
    ) -> Answer<pb::GetAwsOpportunitySummaryResponse> {
        read(request, self.permit_crm_or(Action::GetAwsSummary), |call| {
            get_aws_summary::handle(self, call)
        })
        .await
    }

    async fn change_stage(
        &self,
        request: Request<pb::ChangeStageRequest>,
    ) -> Answer<pb::ChangeStageResponse> {
        let api = self.clone();
        write(request, permit(Action::Update), move |call| {
            change_stage::handle(api.clone(), call)
        })
        .await
    }

    async fn list_revisions(
        &self,
        request: Request<pb::ListRevisionsRequest>,
    ) -> Answer<pb::ListRevisionsResponse> {
        read(request, permit(Action::Revisions), |call| {
            list_revisions::handle(self, call)
        })
        .await
    }

    async fn update_aws_opportunity_summary(
        &self,
        request: Request<pb::UpdateAwsOpportunitySummaryRequest>,
    ) -> Answer<pb::UpdateAwsOpportunitySummaryResponse> {
        let api = self.clone();
        let handle = move |call| update_aws_summary::handle(api.clone(), call);
        let permit = self.permit_crm_or(Action::UpdateAwsSummary);
        write_with_rules(request, permit, SUMMARY, handle).await
    }

    async fn reopen_opportunity(
        &self,
        request: Request<pb::ReopenOpportunityRequest>,
    ) -> Answer<pb::ReopenOpportunityResponse> {
        let api = self.clone();
        write(request, permit(Action::Reopen), move |call| {
            reopen::handle(api.clone(), call)
        })
        .await
    }

    async fn diff_revisions(
        &self,
        request: Request<pb::DiffRevisionsRequest>,
    ) -> Answer<pb::DiffRevisionsResponse> {
        read(request, permit(Action::Diff), |call| {
            diff_revisions::handle(self, call)
        })
        .await
    }

    async fn add_next_step(
        &self,
        request: Request<pb::AddNextStepRequest>,
    ) -> Answer<pb::AddNextStepResponse> {
        let api = self.clone();
        write(request, permit(Action::Update), move |call| {
            add_next_step::handle(api.clone(), call)
        })
        .await
    }

    async fn list_next_steps(
        &self,
        request: Request<pb::ListNextStepsRequest>,
    ) -> Answer<pb::ListNextStepsResponse> {
        read(request, permit(Action::AllowedActions), |call| {
            list_next_steps::handle(self, call)
        })
        .await
    }

    async fn clone_opportunity(
        &self,
        request: Request<pb::CloneOpportunityRequest>,
    ) -> Answer<pb::CloneOpportunityResponse> {
        let api = self.clone();
        let handle = move |call| clone::handle(api.clone(), call);
        write_with_rules(request, permit(Action::Create), RECORD, handle).await
    }

    async fn assign_opportunity(
        &self,
        request: Request<pb::AssignOpportunityRequest>,
    ) -> Answer<pb::AssignOpportunityResponse> {
        let api = self.clone();
        write(request, permit(Action::Update), move |call| {
            assign::handle(api.clone(), call)
        })
        .await
    }

    async fn associate_entity(
        &self,
        request: Request<pb::AssociateEntityRequest>,
    ) -> Answer<pb::AssociateEntityResponse> {
        let api = self.clone();
        write(request, permit(Action::Update), move |call| {
            associate_entity::handle(api.clone(), call)
        })
        .await
    }

    async fn disassociate_entity(
        &self,
        request: Request<pb::DisassociateEntityRequest>,
    ) -> Answer<pb::DisassociateEntityResponse> {
        let api = self.clone();
        write(request, permit(Action::Update), move |call| {
            disassociate_entity::handle(api.clone(), call)
        })
        .await
    }

    async fn list_solutions(
        &self,
        request: Request<pb::ListSolutionsRequest>,
    ) -> Answer<pb::ListSolutionsResponse> {
        read(request, permit(Action::Create), |call| {
            list_solutions::handle(self, call)
        })
        .await
    }

    async fn list_products(
        &self,
        request: Request<pb::ListProductsRequest>,
    ) -> Answer<pb::ListProductsResponse> {
        read(request, permit(Action::StandardValues), |call| {
            list_products::handle(self, call)
        })
        .await
    }

    async fn apply_solutions(
        &self,
        request: Request<pb::ApplySolutionsRequest>,
    ) -> Answer<pb::ApplySolutionsResponse> {
        let api = self.clone();
        let keeps = |caller: &Caller| access::keeps_catalog(caller, &self.catalog_keepers);
        write(request, keeps, move |call| {
            apply_solutions::handle(api.clone(), call)
        })
        .await
    }

    async fn apply_products(
        &self,
        request: Request<pb::ApplyProductsRequest>,
    ) -> Answer<pb::ApplyProductsResponse> {
        let api = self.clone();
        let keeps = |caller: &Caller| access::keeps_catalog(caller, &self.catalog_keepers);
        write(request, keeps, move |call| {
            apply_products::handle(api.clone(), call)
        })
        .await
    }
}

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
