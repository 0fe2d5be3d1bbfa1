use cosell_grpc::convert::ids;
use cosell_grpc::{Call, Failure, PageQuery, page_size};
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_proto::cosell::r#type::v1::SortOrder;
use cosell_store::begin;
use cosell_types::OpportunityId;

use super::Api;
use crate::convert;
use crate::load::visibility_scope;
use crate::store::list::{CreateTimeOrder, EngagementFilter, TimeCursor, list_engagements};

pub async fn handle(
    api: &Api,
    mut call: Call<pb::ListEngagementsRequest>,
) -> Result<pb::ListEngagementsResponse, Failure> {
    let token = std::mem::take(&mut call.message.page_token);
    let size = page_size(std::mem::take(&mut call.message.page_size));
    let query = PageQuery::new(&call.caller, &call.message);
    let last = query.cursor(&token, TimeCursor::is_valid)?;
    let member = call.member()?;
    let message = call.message.clone();
    let mut violations = Vec::new();
    let opportunities: Vec<OpportunityId> = ids(&message.opportunity_ids, "opportunity_ids", &mut violations);
    if !violations.is_empty() {
        return Err(Failure::invalid(violations));
    }
    let filter = EngagementFilter {
        ids: message.engagement_ids,
        created_by: message.created_by_account_ids,
        not_created_by: message.exclude_created_by_account_ids,
        opportunities: (!opportunities.is_empty()).then_some(opportunities),
        order: match call.message.sort_order() {
            SortOrder::Ascending => CreateTimeOrder::OldestFirst,
            SortOrder::Unspecified | SortOrder::Descending => CreateTimeOrder::NewestFirst,
        },
    };
    let mut tx = begin(&api.db, &call).await?;
    let rows = list_engagements(&mut tx, &visibility_scope(member), &filter, last, size + 1).await?;
    let (engagements, next_page_token) = query.page(
        &rows,
        size,
        |engagement| convert::engagement(engagement, member),
        TimeCursor::of_engagement,
    )?;
    Ok(pb::ListEngagementsResponse {
        engagements,
        next_page_token,
    })
}
