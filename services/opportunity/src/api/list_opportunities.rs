use cosell_grpc::{Call, Failure, PageQuery, page_size};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::r#type::v1::SortOrder;
use cosell_store::begin;

use super::Api;
use crate::convert::filter::filter;
use crate::domain::Periods;
use crate::store::list::{ListEntry, PageRequest, QueryContext, SortKey, list_opportunities};
use crate::view;

pub async fn handle(
    api: &Api,
    mut call: Call<pb::ListOpportunitiesRequest>,
) -> Result<pb::ListOpportunitiesResponse, Failure> {
    let token = std::mem::take(&mut call.message.page_token);
    let size = page_size(std::mem::take(&mut call.message.page_size));
    let query = PageQuery::new(&call.caller, &call.message);
    let sort_key = match call.message.sort_key() {
        pb::OpportunitySortKey::Unspecified | pb::OpportunitySortKey::UpdateTime => SortKey::UpdateTime,
        pb::OpportunitySortKey::OpportunityId => SortKey::Id,
        pb::OpportunitySortKey::CustomerCompanyName => SortKey::CompanyName,
        pb::OpportunitySortKey::CreateTime => SortKey::CreateTime,
        pb::OpportunitySortKey::TargetCloseDate => SortKey::TargetCloseDate,
    };
    let page = PageRequest {
        sort_key,
        descending: call.message.sort_order() != SortOrder::Ascending,
        cursor: query.cursor(&token, |cursor| sort_key.is_valid_cursor(cursor))?,
        limit: size + 1,
    };

    let member = call.member()?;
    let message = &call.message;
    let filter = filter(
        "",
        message.filter.as_ref(),
        message.preset,
        &message.search,
        member.side,
    )?;
    let mut tx = begin(&api.db, &call).await?;
    let context = QueryContext {
        member,
        periods: &Periods::at(api.clock.now()),
    };
    let entries = list_opportunities(&mut tx, context, &filter, page).await?;
    drop(tx);
    let show = |entry: &ListEntry| view::opportunity(&entry.record, &call.caller, &api.catalog);
    let (opportunities, next_page_token) = query.page(&entries, size, show, |last| sort_key.cursor(last))?;
    Ok(pb::ListOpportunitiesResponse {
        opportunities,
        next_page_token,
    })
}
