use cosell_store::{Error, Tx};

use super::upsert::count_upserts;
use crate::domain::catalog::{ApplyCounts, Product};

/// Lists the products whose id, name or family contains `search`, sorted by id. `after` is the last id of the page
/// before.
pub async fn list_products(
    tx: &mut Tx,
    search: &str,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Product>, Error> {
    let products = sqlx::query_as!(
        Product,
        "SELECT product_id, name, family, description FROM product
         WHERE product_id > $2 AND position(lower($1) IN lower(product_id || ' ' || name || ' ' || family)) > 0
         ORDER BY product_id LIMIT $3",
        search,
        after.unwrap_or_default(),
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(products)
}

/// Returns those of these ids that are products of AWS.
pub async fn find_products(tx: &mut Tx, ids: &[String]) -> Result<Vec<String>, Error> {
    let existing = sqlx::query_scalar!("SELECT product_id FROM product WHERE product_id = ANY($1)", ids)
        .fetch_all(tx.conn())
        .await?;
    Ok(existing)
}

/// Creates or updates products.
pub async fn upsert_products(tx: &mut Tx, products: &[Product]) -> Result<ApplyCounts, Error> {
    let column = |value: fn(&Product) -> &str| -> Vec<String> {
        products.iter().map(|product| value(product).to_owned()).collect()
    };
    let is_created = sqlx::query_scalar!(
        r#"INSERT INTO product AS old (product_id, name, family, description)
           SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[])
           ON CONFLICT (product_id) DO UPDATE SET name = excluded.name, family = excluded.family,
             description = excluded.description
           WHERE (old.name, old.family, old.description)
             IS DISTINCT FROM (excluded.name, excluded.family, excluded.description)
           RETURNING (xmax = 0) AS "created!""#,
        &column(|product| &product.product_id),
        &column(|product| &product.name),
        &column(|product| &product.family),
        &column(|product| &product.description),
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(count_upserts(products.len(), &is_created))
}
