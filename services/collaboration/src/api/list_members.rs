use cosell_grpc::{Call, Failure, PageQuery, page_size};
use cosell_proto::cosell::collaboration::v1 as pb;

use super::{Api, convert, visible};

/// An engagement has few companies, so the page is cut out of all of them; a token says how many came before.
pub async fn handle(
    api: &Api,
    mut call: Call<pb::ListEngagementMembersRequest>,
) -> Result<pb::ListEngagementMembersResponse, Failure> {
    let token = std::mem::take(&mut call.message.page_token);
    let size = page_size(std::mem::take(&mut call.message.page_size));
    let query = PageQuery::new(&call.caller, &call.message);
    let before = query.last(&token, |_: &usize| true)?.unwrap_or_default();
    let mut tx = api.begin(&call).await?;
    let engagement = visible::engagement(&mut tx, &call, &call.message.engagement_id).await?;
    let member = call.member()?;
    let rest: Vec<_> = engagement
        .participants()
        .iter()
        .enumerate()
        .skip(before)
        .collect();
    let (members, next_page_token) = query.page(
        &rest,
        size,
        |(_, one)| convert::participant(one, member),
        |(index, _)| index + 1,
    )?;
    Ok(pb::ListEngagementMembersResponse {
        engagement_members: members,
        next_page_token,
    })
}
