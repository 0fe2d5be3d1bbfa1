use cosell_store::{Error, Tx};
use cosell_types::comparison_key;

use super::upsert::count_upserts;
use crate::domain::catalog::{ApplyCounts, Product};

/// Lists the products whose id, name or family contains `search`, compared by their keys (PLT-016), sorted by id.
/// `after` is the last id of the page before. The catalog is small enough to be read as a whole.
pub async fn list_products(
    tx: &mut Tx,
    search: &str,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Product>, Error> {
    let products = sqlx::query_as!(
        Product,
        "SELECT product_id, name, family, description FROM product WHERE product_id > $1
         ORDER BY product_id LIMIT CASE WHEN $2 = '' THEN $3::bigint END",
        after.unwrap_or_default(),
        search,
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    let (key, limit) = (
        comparison_key(search),
        usize::try_from(limit).unwrap_or(usize::MAX),
    );
    let is_found = |product: &Product| {
        let text = format!("{} {} {}", product.product_id, product.name, product.family);
        comparison_key(&text).contains(&key)
    };
    Ok(products.into_iter().filter(is_found).take(limit).collect())
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
