use cosell_grpc::{Call, Failure, PageQuery, page_size};
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_proto::cosell::r#type::v1::SortOrder;
use cosell_types::OpportunityId;

use super::{Api, convert, visible};
use crate::store::list::{EngagementFilter, Last, Order, engagements};

pub async fn handle(
    api: &Api,
    mut call: Call<pb::ListEngagementsRequest>,
) -> Result<pb::ListEngagementsResponse, Failure> {
    let token = std::mem::take(&mut call.message.page_token);
    let size = page_size(std::mem::take(&mut call.message.page_size));
    let query = PageQuery::new(&call.caller, &call.message);
    let last = query.last(&token, Last::is_sound)?;
    let member = call.member()?;
    let asked = call.message.clone();
    let filter = EngagementFilter {
        ids: asked.engagement_ids,
        begun_by: asked.created_by_account_ids,
        not_begun_by: asked.exclude_created_by_account_ids,
        opportunities: OpportunityId::filter(&asked.opportunity_ids),
        order: match call.message.sort_order() {
            SortOrder::Ascending => Order::Oldest,
            SortOrder::Unspecified | SortOrder::Descending => Order::Newest,
        },
    };
    let mut tx = api.begin(&call).await?;
    let found = engagements(&mut tx, &visible::reach(member), &filter, last, size + 1).await?;
    let (engagements, next_page_token) = query.page(
        &found,
        size,
        |engagement| convert::engagement(engagement, member),
        Last::of_engagement,
    )?;
    Ok(pb::ListEngagementsResponse {
        engagements,
        next_page_token,
    })
}
