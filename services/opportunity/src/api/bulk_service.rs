//! The RPCs of `BulkService`: the access that each requires, and its handler.

use cosell_grpc::{ResponseStream, download, read, upload, write};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::opportunity::v1::bulk_service_server::BulkService;
use cosell_proto::google::longrunning::Operation;
use tonic::{Request, Streaming};

use super::{
    Api, RpcResult, download_import_result, export_opportunities, get_import_template, import_opportunities,
    permit, transfer_opportunities,
};
use crate::domain::access::Action;

#[tonic::async_trait]
impl BulkService for Api {
    async fn import_opportunities(
        &self,
        request: Request<Streaming<pb::ImportOpportunitiesRequest>>,
    ) -> RpcResult<Operation> {
        upload(request, permit(Action::Create), |call| {
            import_opportunities::handle(self.clone(), call)
        })
        .await
    }

    async fn get_import_template(
        &self,
        request: Request<pb::GetImportTemplateRequest>,
    ) -> RpcResult<pb::GetImportTemplateResponse> {
        read(request, permit(Action::Create), get_import_template::handle).await
    }

    type DownloadImportResultStream = ResponseStream<pb::DownloadImportResultResponse>;

    async fn download_import_result(
        &self,
        request: Request<pb::DownloadImportResultRequest>,
    ) -> RpcResult<Self::DownloadImportResultStream> {
        download(request, permit(Action::Create), |call| {
            download_import_result::handle(self.clone(), call)
        })
        .await
    }

    type ExportOpportunitiesStream = ResponseStream<pb::ExportOpportunitiesResponse>;

    async fn export_opportunities(
        &self,
        request: Request<pb::ExportOpportunitiesRequest>,
    ) -> RpcResult<Self::ExportOpportunitiesStream> {
        download(request, permit(Action::Create), |call| {
            export_opportunities::handle(self.clone(), call)
        })
        .await
    }

    async fn transfer_opportunities(
        &self,
        request: Request<pb::TransferOpportunitiesRequest>,
    ) -> RpcResult<Operation> {
        let api = self.clone();
        write(request, permit(Action::Update), move |call| {
            transfer_opportunities::handle(api.clone(), call)
        })
        .await
    }
}
