use cosell_grpc::{Call, Failure, PageQuery, page_size};
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_store::begin;

use super::Api;
use crate::convert;
use crate::load::load_engagement;

/// An engagement has few participants, so each page is cut from the full list; the page token is the offset.
pub async fn handle(
    api: &Api,
    mut call: Call<pb::ListEngagementMembersRequest>,
) -> Result<pb::ListEngagementMembersResponse, Failure> {
    let token = std::mem::take(&mut call.message.page_token);
    let size = page_size(std::mem::take(&mut call.message.page_size));
    let query = PageQuery::new(&call.caller, &call.message);
    let offset = query.cursor(&token, |_: &usize| true)?.unwrap_or_default();
    let mut tx = begin(&api.db, &call).await?;
    let engagement = load_engagement(&mut tx, &call, &call.message.engagement_id).await?;
    let member = call.member()?;
    let rest: Vec<_> = engagement
        .participants()
        .iter()
        .enumerate()
        .skip(offset)
        .collect();
    let (members, next_page_token) = query.page(
        &rest,
        size,
        |(_, participant)| convert::engagement_member(participant, member),
        |(index, _)| index + 1,
    )?;
    Ok(pb::ListEngagementMembersResponse {
        engagement_members: members,
        next_page_token,
    })
}
