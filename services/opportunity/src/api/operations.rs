//! The RPCs of `google.longrunning.Operations`, for the jobs of `BulkService`: the access that each requires, and its
//! handler.

use cosell_grpc::read;
use cosell_proto::google::longrunning::operations_server::Operations;
use cosell_proto::google::longrunning::{
    CancelOperationRequest, DeleteOperationRequest, GetOperationRequest, ListOperationsRequest,
    ListOperationsResponse, Operation, WaitOperationRequest,
};
use tonic::Request;

use super::{
    Api, RpcResult, cancel_operation, delete_operation, get_operation, list_operations, permit,
    wait_operation,
};
use crate::domain::access::Action;

#[tonic::async_trait]
impl Operations for Api {
    async fn get_operation(&self, request: Request<GetOperationRequest>) -> RpcResult<Operation> {
        read(request, permit(Action::Create), |call| {
            get_operation::handle(self, call)
        })
        .await
    }

    async fn list_operations(
        &self,
        request: Request<ListOperationsRequest>,
    ) -> RpcResult<ListOperationsResponse> {
        read(request, permit(Action::Create), |call| {
            list_operations::handle(self, call)
        })
        .await
    }

    async fn wait_operation(&self, request: Request<WaitOperationRequest>) -> RpcResult<Operation> {
        read(request, permit(Action::Create), |call| {
            wait_operation::handle(self, call)
        })
        .await
    }

    async fn cancel_operation(&self, request: Request<CancelOperationRequest>) -> RpcResult<()> {
        read(request, permit(Action::Create), |call| {
            cancel_operation::handle(self, call)
        })
        .await
    }

    async fn delete_operation(&self, request: Request<DeleteOperationRequest>) -> RpcResult<()> {
        read(request, permit(Action::Create), |call| {
            delete_operation::handle(self, call)
        })
        .await
    }
}
