//! The RPCs of `SnapshotService`: the access that each requires, and its handler.

use cosell_grpc::{read, write};
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_proto::cosell::collaboration::v1::snapshot_service_server::SnapshotService;
use tonic::Request;

use super::{
    Api, RpcResult, create_snapshot_job, delete_snapshot_job, get_resource_snapshot, get_snapshot_job,
    list_engagement_resources, list_resource_snapshots, list_snapshot_jobs, permit, start_snapshot_job,
    stop_snapshot_job,
};
use crate::domain::access::Action;

#[tonic::async_trait]
impl SnapshotService for Api {
    async fn get_resource_snapshot(
        &self,
        request: Request<pb::GetResourceSnapshotRequest>,
    ) -> RpcResult<pb::GetResourceSnapshotResponse> {
        read(request, permit(Action::Read), |call| {
            get_resource_snapshot::handle(self, call)
        })
        .await
    }

    async fn list_resource_snapshots(
        &self,
        request: Request<pb::ListResourceSnapshotsRequest>,
    ) -> RpcResult<pb::ListResourceSnapshotsResponse> {
        read(request, permit(Action::Read), |call| {
            list_resource_snapshots::handle(self, call)
        })
        .await
    }

    async fn list_engagement_resources(
        &self,
        request: Request<pb::ListEngagementResourcesRequest>,
    ) -> RpcResult<pb::ListEngagementResourcesResponse> {
        read(request, permit(Action::Read), |call| {
            list_engagement_resources::handle(self, call)
        })
        .await
    }

    async fn create_snapshot_job(
        &self,
        request: Request<pb::CreateSnapshotJobRequest>,
    ) -> RpcResult<pb::CreateSnapshotJobResponse> {
        let api = self.clone();
        write(request, permit(Action::ManageEngagements), move |call| {
            create_snapshot_job::handle(api.clone(), call)
        })
        .await
    }

    async fn get_snapshot_job(
        &self,
        request: Request<pb::GetSnapshotJobRequest>,
    ) -> RpcResult<pb::GetSnapshotJobResponse> {
        read(request, permit(Action::ManageEngagements), |call| {
            get_snapshot_job::handle(self, call)
        })
        .await
    }

    async fn list_snapshot_jobs(
        &self,
        request: Request<pb::ListSnapshotJobsRequest>,
    ) -> RpcResult<pb::ListSnapshotJobsResponse> {
        read(request, permit(Action::ManageEngagements), |call| {
            list_snapshot_jobs::handle(self, call)
        })
        .await
    }

    async fn start_snapshot_job(
        &self,
        request: Request<pb::StartSnapshotJobRequest>,
    ) -> RpcResult<pb::StartSnapshotJobResponse> {
        let api = self.clone();
        write(request, permit(Action::ManageEngagements), move |call| {
            start_snapshot_job::handle(api.clone(), call)
        })
        .await
    }

    async fn stop_snapshot_job(
        &self,
        request: Request<pb::StopSnapshotJobRequest>,
    ) -> RpcResult<pb::StopSnapshotJobResponse> {
        let api = self.clone();
        write(request, permit(Action::ManageEngagements), move |call| {
            stop_snapshot_job::handle(api.clone(), call)
        })
        .await
    }

    async fn delete_snapshot_job(
        &self,
        request: Request<pb::DeleteSnapshotJobRequest>,
    ) -> RpcResult<pb::DeleteSnapshotJobResponse> {
        let api = self.clone();
        write(request, permit(Action::ManageEngagements), move |call| {
            delete_snapshot_job::handle(api.clone(), call)
        })
        .await
    }
}
