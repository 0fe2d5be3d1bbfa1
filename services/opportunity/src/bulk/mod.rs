//! RPCs on many records at once, one file each, and the jobs that they begin (OPP-080 to OPP-087).

mod export;
mod given;
mod import_rows;
mod json;
mod named;
mod operations;
mod reading;
mod result;
mod room;
mod template;
mod transfer;
mod transfer_rows;
mod update_rows;
mod upload;
mod violations;
pub mod worker;

use cosell_grpc::{Answers, Call, Failure, download, read, upload as upload_call, write};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::opportunity::v1::bulk_service_server::BulkService;
use cosell_proto::google::longrunning::operations_server::Operations;
use cosell_proto::google::longrunning::{
    CancelOperationRequest, DeleteOperationRequest, GetOperationRequest, ListOperationsRequest,
    ListOperationsResponse, Operation, WaitOperationRequest,
};
use cosell_store::Tx;
use cosell_types::{FieldPath, Violation, ViolationCode};
use tonic::{Request, Response, Status, Streaming};

use crate::api::{Api, permit, status};
use crate::domain::access::{self, Action, Reach};
use crate::domain::job::Job;
use crate::store::jobs;

pub(crate) use room::Room;

#[tonic::async_trait]
impl BulkService for Api {
    async fn import_opportunities(
        &self,
        request: Request<Streaming<pb::ImportOpportunitiesRequest>>,
    ) -> Result<Response<Operation>, Status> {
        upload_call(request, permit(Action::Create), |call| {
            upload::handle(self.clone(), call)
        })
        .await
    }

    async fn get_import_template(
        &self,
        request: Request<pb::GetImportTemplateRequest>,
    ) -> Result<Response<pb::GetImportTemplateResponse>, Status> {
        read(request, permit(Action::Create), template::handle).await
    }

    type DownloadImportResultStream = Answers<pb::DownloadImportResultResponse>;

    async fn download_import_result(
        &self,
        request: Request<pb::DownloadImportResultRequest>,
    ) -> Result<Response<Self::DownloadImportResultStream>, Status> {
        download(request, permit(Action::Create), |call| {
            result::handle(self.clone(), call)
        })
        .await
    }

    type ExportOpportunitiesStream = Answers<pb::ExportOpportunitiesResponse>;

    async fn export_opportunities(
        &self,
        request: Request<pb::ExportOpportunitiesRequest>,
    ) -> Result<Response<Self::ExportOpportunitiesStream>, Status> {
        download(request, permit(Action::Create), |call| {
            export::handle(self.clone(), call)
        })
        .await
    }

    async fn transfer_opportunities(
        &self,
        request: Request<pb::TransferOpportunitiesRequest>,
    ) -> Result<Response<Operation>, Status> {
        let api = self.clone();
        write(request, permit(Action::Update), move |call| {
            transfer::handle(api.clone(), call)
        })
        .await
    }
}

#[tonic::async_trait]
impl Operations for Api {
    async fn get_operation(
        &self,
        request: Request<GetOperationRequest>,
    ) -> Result<Response<Operation>, Status> {
        read(request, permit(Action::Create), |call| {
            operations::get(self, call)
        })
        .await
    }

    async fn list_operations(
        &self,
        request: Request<ListOperationsRequest>,
    ) -> Result<Response<ListOperationsResponse>, Status> {
        read(request, permit(Action::Create), |call| {
            operations::list(self, call)
        })
        .await
    }

    async fn wait_operation(
        &self,
        request: Request<WaitOperationRequest>,
    ) -> Result<Response<Operation>, Status> {
        read(request, permit(Action::Create), |call| {
            operations::wait(self, call)
        })
        .await
    }

    async fn cancel_operation(
        &self,
        request: Request<CancelOperationRequest>,
    ) -> Result<Response<()>, Status> {
        read(request, permit(Action::Create), |call| {
            operations::cancel(self, call)
        })
        .await
    }

    async fn delete_operation(
        &self,
        request: Request<DeleteOperationRequest>,
    ) -> Result<Response<()>, Status> {
        read(request, permit(Action::Create), |call| {
            operations::delete(self, call)
        })
        .await
    }
}

/// The job that a member asks for by its name, as far as it may see it; otherwise there is none.
async fn visible<M>(tx: &mut Tx, call: &Call<M>, name: &str) -> Result<Job, Failure> {
    let member = call.member()?;
    let Some(id) = name.strip_prefix("operations/") else {
        let text = "must be `operations/` and the id of a job";
        let root = FieldPath::root();
        let wrong = Violation::new(&root.field("name"), ViolationCode::InvalidStringFormat, text);
        return Err(Failure::invalid(vec![wrong]));
    };
    let job = jobs::load_job(tx, &member.account, id).await?;
    let sees_all = access::reach(member) == Reach::Account;
    job.filter(|job| sees_all || job.member == member.id)
        .ok_or_else(|| status::no_operation(name))
}

/// The name of a job.
fn name(job: &Job) -> String {
    format!("operations/{}", job.id)
}
