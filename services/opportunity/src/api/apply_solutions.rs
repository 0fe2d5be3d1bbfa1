use chrono::{DateTime, Utc};
use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_store::{Scope, begin};
use cosell_types::{AccountId, ClosedList as _};

use super::Api;
use crate::domain::catalog::{self, Solution};
use crate::domain::values::SolutionStatus;
use crate::store;

pub async fn handle(
    api: Api,
    call: Call<pb::ApplySolutionsRequest>,
) -> Result<pb::ApplySolutionsResponse, Failure> {
    let message = &call.message;
    let account: AccountId = message.account_id.parse().map_err(Failure::internal)?;
    let now = api.clock.now();
    let mut solutions: Vec<_> = message
        .solutions
        .iter()
        .filter_map(|solution| read_solution(solution, now))
        .collect();
    let violations = catalog::canonicalize_solutions(&mut solutions);
    if !violations.is_empty() {
        return Err(Failure::invalid(violations));
    }
    let mut tx = begin(&api.db, &call).await?;
    tx.switch_scope(&Scope::account(&account)).await?;
    let applied = store::upsert_solutions(&mut tx, &account, &solutions, now).await?;
    if !call.message.validate_only {
        tx.commit().await?;
    }
    Ok(pb::ApplySolutionsResponse {
        created: applied.created,
        updated: applied.updated,
        unchanged: applied.unchanged,
    })
}

fn read_solution(solution: &pb::Solution, now: DateTime<Utc>) -> Option<Solution> {
    Some(Solution {
        solution_id: solution.solution_id.clone(),
        name: solution.name.clone(),
        status: SolutionStatus::from_number(solution.status)?,
        category: solution.category.clone(),
        marketplace_solution: solution.aws_marketplace_solution.clone(),
        create_time: now,
    })
}
