use chrono::{DateTime, Utc};
use cosell_store::{Error, Tx};
use cosell_types::{AccountId, ClosedList as _};

use crate::domain::catalog::{Applied, Product, Solution};
use crate::domain::values::SolutionStatus;

/// Which solutions of an account to list; empty lists ask for nothing.
#[derive(Clone, Debug)]
pub struct SolutionQuery {
    pub ids: Vec<String>,
    pub statuses: Vec<String>,
    pub categories: Vec<String>,
    pub marketplace_solutions: Vec<String>,
    /// `id`, `name`, `status`, `category` or `create_time`.
    pub order: &'static str,
    pub descending: bool,
    /// What the page before ended with: the value that it is sorted by, and the id.
    pub last: Option<(String, String)>,
    pub limit: i64,
}

/// Solutions of an account, each with the value that they are sorted by. An account has few enough to sort them all.
pub async fn solutions(
    tx: &mut Tx,
    account: &AccountId,
    query: &SolutionQuery,
) -> Result<Vec<(String, Solution)>, Error> {
    let (key, id) = query.last.clone().unzip();
    let rows = sqlx::query!(
        r#"WITH sorted AS (
             SELECT *, lpad(substr(solution_id, 3), 19, '0') AS number,
               CASE $6 WHEN 'name' THEN name WHEN 'status' THEN status WHEN 'category' THEN category
                 WHEN 'create_time' THEN to_char(create_time AT TIME ZONE 'UTC', 'YYYYMMDDHH24MISSUS')
                 ELSE '' END AS key
             FROM solution WHERE account_id = $1)
           SELECT solution_id, name, status, category, marketplace_solution, create_time, key AS "key!"
           FROM sorted
           WHERE (cardinality($2::text[]) = 0 OR solution_id = ANY($2))
             AND (cardinality($3::text[]) = 0 OR status = ANY($3))
             AND (cardinality($4::text[]) = 0 OR category = ANY($4))
             AND (cardinality($5::text[]) = 0 OR marketplace_solution = ANY($5))
             AND ($8::text IS NULL OR CASE WHEN $7
               THEN (key, number) < ($8, lpad(substr($9::text, 3), 19, '0'))
               ELSE (key, number) > ($8, lpad(substr($9::text, 3), 19, '0')) END)
           ORDER BY CASE WHEN $7 THEN key END DESC, CASE WHEN NOT $7 THEN key END,
             CASE WHEN $7 THEN number END DESC, CASE WHEN NOT $7 THEN number END
           LIMIT $10"#,
        account.as_str(),
        &query.ids,
        &query.statuses,
        &query.categories,
        &query.marketplace_solutions,
        query.order,
        query.descending,
        key,
        id,
        query.limit,
    )
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter()
        .map(|row| {
            let status = SolutionStatus::from_name(&row.status);
            let solution = Solution {
                solution_id: row.solution_id,
                name: row.name,
                status: status.ok_or_else(|| Error::corrupt("status", &row.status))?,
                category: row.category,
                marketplace_solution: row.marketplace_solution,
                create_time: row.create_time,
            };
            Ok((row.key, solution))
        })
        .collect()
}

/// Those of these solutions that an account has, and which are active.
pub async fn active_solutions(
    tx: &mut Tx,
    account: &AccountId,
    named: &[String],
) -> Result<Vec<String>, Error> {
    let found = sqlx::query_scalar!(
        "SELECT solution_id FROM solution WHERE account_id = $1 AND solution_id = ANY($2) AND status = 'ACTIVE'",
        account.as_str(),
        named,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(found)
}

/// Makes and changes solutions of an account.
pub async fn put_solutions(
    tx: &mut Tx,
    account: &AccountId,
    solutions: &[Solution],
    now: DateTime<Utc>,
) -> Result<Applied, Error> {
    let column = |of: fn(&Solution) -> &str| -> Vec<String> {
        solutions.iter().map(|solution| of(solution).to_owned()).collect()
    };
    let created = sqlx::query_scalar!(
        r#"INSERT INTO solution AS old
             (account_id, solution_id, name, status, category, marketplace_solution, create_time)
           SELECT $1, given.*, $7 FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[]) AS given
           ON CONFLICT (account_id, solution_id) DO UPDATE SET name = excluded.name, status = excluded.status,
             category = excluded.category, marketplace_solution = excluded.marketplace_solution
           WHERE (old.name, old.status, old.category, old.marketplace_solution)
             IS DISTINCT FROM (excluded.name, excluded.status, excluded.category, excluded.marketplace_solution)
           RETURNING (xmax = 0) AS "created!""#,
        account.as_str(),
        &column(|solution| &solution.solution_id),
        &column(|solution| &solution.name),
        &column(|solution| solution.status.name()),
        &column(|solution| &solution.category),
        &column(|solution| &solution.marketplace_solution),
        now,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(applied(solutions.len(), &created))
}

/// Products whose code, name or family has a text in it, by code.
pub async fn products(
    tx: &mut Tx,
    search: &str,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Product>, Error> {
    let found = sqlx::query_as!(
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
    Ok(found)
}

/// Those of these products that AWS has.
pub async fn known_products(tx: &mut Tx, named: &[String]) -> Result<Vec<String>, Error> {
    let found = sqlx::query_scalar!("SELECT product_id FROM product WHERE product_id = ANY($1)", named)
        .fetch_all(tx.conn())
        .await?;
    Ok(found)
}

/// Makes and changes products.
pub async fn put_products(tx: &mut Tx, products: &[Product]) -> Result<Applied, Error> {
    let column = |of: fn(&Product) -> &str| -> Vec<String> {
        products.iter().map(|product| of(product).to_owned()).collect()
    };
    let created = sqlx::query_scalar!(
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
    Ok(applied(products.len(), &created))
}

/// What is the same is not written, and so not among what the statement returned.
fn applied(given: usize, created: &[bool]) -> Applied {
    let number = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
    let new = created.iter().filter(|created| **created).count();
    Applied {
        created: number(new),
        updated: number(created.len() - new),
        unchanged: number(given - created.len()),
    }
}

/// Accounts with which an account has a SUBSIDIARY connection in force.
pub async fn subsidiaries(tx: &mut Tx, account: &AccountId) -> Result<Vec<AccountId>, Error> {
    let found = sqlx::query_scalar!(
        "SELECT other_account_id FROM subsidiary WHERE account_id = $1 AND is_active",
        account.as_str(),
    )
    .fetch_all(tx.conn())
    .await?;
    found
        .iter()
        .map(|id| id.parse().map_err(|_| Error::corrupt("other_account_id", id)))
        .collect()
}

/// Notes whether a connection has the type SUBSIDIARY now. Events of a connection come in order.
pub async fn put_subsidiary(
    tx: &mut Tx,
    account: &AccountId,
    other: &AccountId,
    connection: &str,
    is_active: bool,
) -> Result<(), Error> {
    sqlx::query!(
        "INSERT INTO subsidiary (account_id, other_account_id, connection_id, is_active) VALUES ($1, $2, $3, $4)
         ON CONFLICT (account_id, connection_id) DO UPDATE SET is_active = excluded.is_active",
        account.as_str(),
        other.as_str(),
        connection,
        is_active,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
