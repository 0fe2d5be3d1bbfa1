//! The RPCs of `CatalogService`: what access each needs, and its file.

use cosell_grpc::{read, write};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::opportunity::v1::catalog_service_server::CatalogService;
use cosell_types::Caller;
use tonic::Request;

use super::{
    Answer, Api, apply_products, apply_solutions, list_products, list_solutions, list_standard_values, permit,
};
use crate::domain::access::{self, Action};

#[tonic::async_trait]
impl CatalogService for Api {
    async fn list_standard_values(
        &self,
        request: Request<pb::ListStandardValuesRequest>,
    ) -> Answer<pb::ListStandardValuesResponse> {
        read(request, permit(Action::StandardValues), |call| {
            list_standard_values::handle(self, call)
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
