use cosell_grpc::convert::timestamp;
use cosell_grpc::{Call, Failure, PageQuery, page_size};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::r#type::v1::SortOrder;
use cosell_types::{AccountId, ClosedList as _};

use super::Api;
use crate::domain::catalog::Solution;
use crate::domain::reference::SOLUTION_CATEGORY;
use crate::domain::values::SolutionStatus;
use crate::store::{self, SolutionQuery};

pub async fn handle(
    api: &Api,
    mut call: Call<pb::ListSolutionsRequest>,
) -> Result<pb::ListSolutionsResponse, Failure> {
    let token = std::mem::take(&mut call.message.page_token);
    let size = page_size(std::mem::take(&mut call.message.page_size));
    let query = PageQuery::new(&call.caller, &call.message);
    let is_last = |(key, id): &(String, String)| !key.contains('\0') && !id.contains('\0');
    let last = query.last(&token, is_last)?;
    let message = &call.message;
    let statuses = message
        .statuses
        .iter()
        .filter_map(|number| SolutionStatus::from_number(*number));
    let categories = message.categories.iter().map(|given| {
        let known = SOLUTION_CATEGORY.canonical(given);
        known.map_or_else(|| given.clone(), ToOwned::to_owned)
    });
    let asked = SolutionQuery {
        ids: message.solution_ids.clone(),
        statuses: statuses.map(|status| status.name().to_owned()).collect(),
        categories: categories.collect(),
        marketplace_solutions: message.aws_marketplace_solutions.clone(),
        order: order(message.sort_key()),
        descending: message.sort_order() == SortOrder::Descending,
        last,
        limit: size + 1,
    };
    let account = &call.member()?.account;
    let mut tx = api.begin(&call).await?;
    let found = store::solutions(&mut tx, account, &asked).await?;
    let show = |(_, solution): &(String, Solution)| shown(solution, account, &api.catalog);
    let (solutions, next_page_token) = query.page(&found, size, show, |(key, solution)| {
        (key.clone(), solution.solution_id.clone())
    })?;
    Ok(pb::ListSolutionsResponse {
        solutions,
        next_page_token,
    })
}

fn order(key: pb::SolutionSortKey) -> &'static str {
    match key {
        pb::SolutionSortKey::Unspecified | pb::SolutionSortKey::SolutionId => "id",
        pb::SolutionSortKey::Name => "name",
        pb::SolutionSortKey::Status => "status",
        pb::SolutionSortKey::Category => "category",
        pb::SolutionSortKey::CreateTime => "create_time",
    }
}

fn shown(solution: &Solution, account: &AccountId, catalog: &str) -> pb::Solution {
    let id = &solution.solution_id;
    pb::Solution {
        solution_id: id.clone(),
        name: solution.name.clone(),
        status: solution.status.number(),
        category: solution.category.clone(),
        aws_marketplace_solution: solution.marketplace_solution.clone(),
        arn: format!("arn:aws:partnercentral:us-east-1:{account}:catalog/{catalog}/solution/{id}"),
        create_time: Some(timestamp(solution.create_time)),
    }
}
