use cosell_grpc::{Call, Failure, PageQuery, page_size};
use cosell_proto::cosell::partner::v1 as pb;
use cosell_store::begin;
use cosell_types::MemberId;

use super::Api;
use crate::convert;
use crate::store::list::{MemberFilter, list_members};

pub async fn handle(
    api: &Api,
    mut call: Call<pb::ListMembersRequest>,
) -> Result<pb::ListMembersResponse, Failure> {
    let token = std::mem::take(&mut call.message.page_token);
    let size = page_size(std::mem::take(&mut call.message.page_size));
    let query = PageQuery::new(&call.caller, &call.message);
    let cursor = query.cursor(&token, |_: &MemberId| true)?;
    let filter = MemberFilter {
        statuses: convert::closed_list_values(&call.message.statuses),
        roles: convert::closed_list_values(&call.message.roles),
    };
    let mut tx = begin(&api.db, &call).await?;
    let rows = list_members(&mut tx, &call.member()?.account, &filter, cursor, size + 1).await?;
    let (members, next_page_token) =
        query.page(&rows, size, convert::member, |member| member.id().clone())?;
    Ok(pb::ListMembersResponse {
        members,
        next_page_token,
    })
}
