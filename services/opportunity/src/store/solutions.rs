use chrono::{DateTime, Utc};
use cosell_store::{Error, Tx};
use cosell_types::{AccountId, ClosedList as _};

use super::upsert::count_upserts;
use crate::domain::catalog::{ApplyCounts, Solution};
use crate::domain::values::SolutionStatus;

/// The filter, order and page of a list of solutions. An empty filter list does not filter.
#[derive(Clone, Debug)]
pub struct SolutionQuery {
    pub ids: Vec<String>,
    pub statuses: Vec<String>,
    pub categories: Vec<String>,
    pub marketplace_solutions: Vec<String>,
    /// `id`, `name`, `status`, `category` or `create_time`.
    pub order: &'static str,
    pub descending: bool,
    /// The sort value and the id of the last solution of the page before.
    pub cursor: Option<(String, String)>,
    pub limit: i64,
}

/// Lists solutions of an account, each with its sort value. Sorts all solutions of the account: they are few.
pub async fn list_solutions(
    tx: &mut Tx,
    account: &AccountId,
    query: &SolutionQuery,
) -> Result<Vec<(String, Solution)>, Error> {
    let (sort_value, id) = query.cursor.clone().unzip();
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
        sort_value,
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

/// Returns those of these ids that are active solutions of the account.
pub async fn find_active_solutions(
    tx: &mut Tx,
    account: &AccountId,
    ids: &[String],
) -> Result<Vec<String>, Error> {
    let active = sqlx::query_scalar!(
        "SELECT solution_id FROM solution WHERE account_id = $1 AND solution_id = ANY($2) AND status = 'ACTIVE'",
        account.as_str(),
        ids,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(active)
}

/// Creates or updates solutions of an account.
pub async fn upsert_solutions(
    tx: &mut Tx,
    account: &AccountId,
    solutions: &[Solution],
    now: DateTime<Utc>,
) -> Result<ApplyCounts, Error> {
    let column = |value: fn(&Solution) -> &str| -> Vec<String> {
        solutions
            .iter()
            .map(|solution| value(solution).to_owned())
            .collect()
    };
    let is_created = sqlx::query_scalar!(
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
    Ok(count_upserts(solutions.len(), &is_created))
}
