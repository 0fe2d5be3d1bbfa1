use cosell_grpc::convert::timestamp;
use cosell_grpc::{Call, Failure, PageQuery, page_size};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::r#type::v1::SortOrder;
use cosell_store::begin;
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
    let is_valid_cursor =
        |(sort_value, id): &(String, String)| !sort_value.contains('\0') && !id.contains('\0');
    let cursor = query.cursor(&token, is_valid_cursor)?;
    let message = &call.message;
    let statuses = message
        .statuses
        .iter()
        .filter_map(|number| SolutionStatus::from_number(*number));
    let categories = message.categories.iter().map(|category| {
        let canonical = SOLUTION_CATEGORY.canonical(category);
        canonical.map_or_else(|| category.clone(), ToOwned::to_owned)
    });
    let solution_query = SolutionQuery {
        ids: message.solution_ids.clone(),
        statuses: statuses.map(|status| status.name().to_owned()).collect(),
        categories: categories.collect(),
        marketplace_solutions: message.aws_marketplace_solutions.clone(),
        order: sort_column(message.sort_key()),
        descending: message.sort_order() == SortOrder::Descending,
        cursor,
        limit: size + 1,
    };
    let account = &call.member()?.account;
    let mut tx = begin(&api.db, &call).await?;
    let solutions = store::list_solutions(&mut tx, account, &solution_query).await?;
    let show = |(_, solution): &(String, Solution)| show_solution(solution, account, &api.catalog);
    let (solutions, next_page_token) = query.page(&solutions, size, show, |(sort_value, solution)| {
        (sort_value.clone(), solution.solution_id.clone())
    })?;
    Ok(pb::ListSolutionsResponse {
        solutions,
        next_page_token,
    })
}

fn sort_column(key: pb::SolutionSortKey) -> &'static str {
    match key {
        pb::SolutionSortKey::Unspecified | pb::SolutionSortKey::SolutionId => "id",
        pb::SolutionSortKey::Name => "name",
        pb::SolutionSortKey::Status => "status",
        pb::SolutionSortKey::Category => "category",
        pb::SolutionSortKey::CreateTime => "create_time",
    }
}

fn show_solution(solution: &Solution, account: &AccountId, catalog: &str) -> pb::Solution {
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
