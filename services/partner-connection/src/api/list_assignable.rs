use cosell_grpc::{Call, Failure, PageQuery, page_size};
use cosell_proto::cosell::partner::v1 as pb;
use cosell_types::{MemberId, Role};

use super::{Api, convert};
use crate::domain::values::MemberStatus;
use crate::store::list::{MemberFilter, members};

/// Roles that an opportunity can be given to (DIR-015).
const ASSIGNABLE: [Role; 4] = [
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
    let last = query.last(&token, |_: &MemberId| true)?;
    let filter = MemberFilter {
        statuses: vec![MemberStatus::Active],
        roles: ASSIGNABLE.to_vec(),
    };
    let mut tx = api.begin(&call).await?;
    let found = members(&mut tx, &call.member()?.account, &filter, last, size + 1).await?;
    let (members, next_page_token) = query.page(&found, size, convert::member, |last| last.id().clone())?;
    Ok(pb::ListAssignableMembersResponse {
        members,
        next_page_token,
    })
}
