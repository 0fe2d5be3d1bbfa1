use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_store::begin;

use super::Api;
use crate::domain::catalog::{self, Product};
use crate::store;

pub async fn handle(
    api: Api,
    call: Call<pb::ApplyProductsRequest>,
) -> Result<pb::ApplyProductsResponse, Failure> {
    let products: Vec<_> = call.message.products.iter().map(read_product).collect();
    let ids = products.iter().map(|product| product.product_id.as_str());
    let violations = catalog::duplicate_ids("products", "product_id", ids);
    if !violations.is_empty() {
        return Err(Failure::invalid(violations));
    }
    let mut tx = begin(&api.db, &call).await?;
    let applied = store::upsert_products(&mut tx, &products).await?;
    if !call.message.validate_only {
        tx.commit().await?;
    }
    Ok(pb::ApplyProductsResponse {
        created: applied.created,
        updated: applied.updated,
        unchanged: applied.unchanged,
    })
}

fn read_product(product: &pb::Product) -> Product {
    Product {
        product_id: product.product_id.clone(),
        name: product.name.clone(),
        family: product.family.clone(),
        description: product.description.clone(),
    }
}
