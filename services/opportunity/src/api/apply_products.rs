use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::opportunity::v1 as pb;

use super::Api;
use crate::domain::catalog::{self, Product};
use crate::store;

pub async fn handle(
    api: Api,
    call: Call<pb::ApplyProductsRequest>,
) -> Result<pb::ApplyProductsResponse, Failure> {
    let products: Vec<_> = call.message.products.iter().map(read).collect();
    let ids = products.iter().map(|product| product.product_id.as_str());
    let wrong = catalog::repeated("products", "product_id", ids);
    if !wrong.is_empty() {
        return Err(Failure::invalid(wrong));
    }
    let mut tx = api.begin(&call).await?;
    let applied = store::put_products(&mut tx, &products).await?;
    if !call.message.validate_only {
        tx.commit().await?;
    }
    Ok(pb::ApplyProductsResponse {
        created: applied.created,
        updated: applied.updated,
        unchanged: applied.unchanged,
    })
}

fn read(given: &pb::Product) -> Product {
    Product {
        product_id: given.product_id.clone(),
        name: given.name.clone(),
        family: given.family.clone(),
        description: given.description.clone(),
    }
}
