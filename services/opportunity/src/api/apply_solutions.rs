use chrono::{DateTime, Utc};
use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_store::Scope;
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
        .filter_map(|given| read(given, now))
        .collect();
    let wrong = catalog::settle(&mut solutions);
    if !wrong.is_empty() {
        return Err(Failure::invalid(wrong));
    }
    let mut tx = api.begin(&call).await?;
    tx.act_for(&Scope::account(&account)).await?;
    let applied = store::put_solutions(&mut tx, &account, &solutions, now).await?;
    if !call.message.validate_only {
        tx.commit().await?;
    }
    Ok(pb::ApplySolutionsResponse {
        created: applied.created,
        updated: applied.updated,
        unchanged: applied.unchanged,
    })
}

fn read(given: &pb::Solution, now: DateTime<Utc>) -> Option<Solution> {
    Some(Solution {
        solution_id: given.solution_id.clone(),
        name: given.name.clone(),
        status: SolutionStatus::from_number(given.status)?,
        category: given.category.clone(),
        marketplace_solution: given.aws_marketplace_solution.clone(),
        create_time: now,
    })
}
