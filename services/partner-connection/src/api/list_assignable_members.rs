use cosell_grpc::{Call, Failure, PageQuery, page_size};
use cosell_proto::cosell::partner::v1 as pb;
use cosell_store::begin;
use cosell_types::{MemberId, Role};

use super::Api;
use crate::convert;
use crate::domain::values::MemberStatus;
use crate::store::list::{MemberFilter, list_members};

/// The roles whose members an opportunity can be assigned to (DIR-015).
const ASSIGNABLE_ROLES: [Role; 4] = [
    Role::AllianceLead,
    Role::AllianceTeam,
    Role::AceManager,
    Role::AceUser,
];

pub async fn handle(
    api: &Api,
    mut call: Call<pb::ListAssignableMembersRequest>,
) -> Result<pb::ListAssignableMembersResponse, Failure> {
    let token = std::mem::take(&mut call.message.page_token);
    let size = page_size(std::mem::take(&mut call.message.page_size));
    let query = PageQuery::new(&call.caller, &call.message);
    let cursor = query.cursor(&token, |_: &MemberId| true)?;
    let filter = MemberFilter {
        statuses: vec![MemberStatus::Active],
        roles: ASSIGNABLE_ROLES.to_vec(),
    };
    let mut tx = begin(&api.db, &call).await?;
    let rows = list_members(&mut tx, &call.member()?.account, &filter, cursor, size + 1).await?;
    let (members, next_page_token) =
        query.page(&rows, size, convert::member, |member| member.id().clone())?;
    Ok(pb::ListAssignableMembersResponse {
        members,
        next_page_token,
    })
}
