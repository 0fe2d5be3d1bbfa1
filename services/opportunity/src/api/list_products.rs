use cosell_grpc::{Call, Failure, PageQuery, page_size};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_store::begin;

use super::Api;
use crate::domain::catalog::Product;
use crate::store;

pub async fn handle(
    api: &Api,
    mut call: Call<pb::ListProductsRequest>,
) -> Result<pb::ListProductsResponse, Failure> {
    let token = std::mem::take(&mut call.message.page_token);
    let size = page_size(std::mem::take(&mut call.message.page_size));
    let query = PageQuery::new(&call.caller, &call.message);
    let after = query.cursor(&token, |id: &String| !id.contains('\0'))?;
    let mut tx = begin(&api.db, &call).await?;
    let products = store::list_products(&mut tx, &call.message.search, after.as_deref(), size + 1).await?;
    let (products, next_page_token) =
        query.page(&products, size, show_product, |last| last.product_id.clone())?;
    Ok(pb::ListProductsResponse {
        products,
        next_page_token,
    })
}

fn show_product(product: &Product) -> pb::Product {
    pb::Product {
        product_id: product.product_id.clone(),
        name: product.name.clone(),
        family: product.family.clone(),
        description: product.description.clone(),
    }
}
