//! The RPCs of `CatalogService`: the access that each requires, and its handler.

use cosell_grpc::{read, write};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::opportunity::v1::catalog_service_server::CatalogService;
use cosell_types::Caller;
use tonic::Request;

use super::{
    Api, RpcResult, apply_products, apply_solutions, list_products, list_solutions, list_standard_values,
    permit,
};
use crate::domain::access::{self, Action};

#[tonic::async_trait]
impl CatalogService for Api {
    async fn list_standard_values(
        &self,
        request: Request<pb::ListStandardValuesRequest>,
    ) -> RpcResult<pb::ListStandardValuesResponse> {
        read(request, permit(Action::StandardValues), |call| {
            list_standard_values::handle(self, call)
        })
        .await
    }

    async fn list_solutions(
        &self,
        request: Request<pb::ListSolutionsRequest>,
    ) -> RpcResult<pb::ListSolutionsResponse> {
        read(request, permit(Action::Create), |call| {
            list_solutions::handle(self, call)
        })
        .await
    }

    async fn list_products(
        &self,
        request: Request<pb::ListProductsRequest>,
    ) -> RpcResult<pb::ListProductsResponse> {
        read(request, permit(Action::StandardValues), |call| {
            list_products::handle(self, call)
        })
        .await
    }

    async fn apply_solutions(
        &self,
        request: Request<pb::ApplySolutionsRequest>,
    ) -> RpcResult<pb::ApplySolutionsResponse> {
        let api = self.clone();
        let permit = |caller: &Caller| access::can_apply_catalog(caller, &self.catalog_keepers);
        write(request, permit, move |call| {
            apply_solutions::handle(api.clone(), call)
        })
        .await
    }

    async fn apply_products(
        &self,
        request: Request<pb::ApplyProductsRequest>,
    ) -> RpcResult<pb::ApplyProductsResponse> {
        let api = self.clone();
        let permit = |caller: &Caller| access::can_apply_catalog(caller, &self.catalog_keepers);
        write(request, permit, move |call| {
            apply_products::handle(api.clone(), call)
        })
        .await
    }
}
