use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::partner::v1 as pb;

use super::Api;
use crate::domain::Member;
use crate::domain::access::Action;
use crate::write::{ChangeContext, change};
use crate::{convert, status, store};

pub async fn handle(
    api: Api,
    call: Call<pb::SetMemberRolesRequest>,
) -> Result<pb::SetMemberRolesResponse, Failure> {
    let message = &call.message;
    let target = (message.member_id.as_str(), message.etag.as_str());
    let now = api.clock.now();
    let changed = change(
        &api.db,
        &call,
        Action::AdministerMembers,
        target,
        now,
        async |context: ChangeContext<'_>, member: &mut Member| {
            let mut roster = store::load_roster(context.tx, &context.caller.account, &[]).await?;
            roster.remove(member.id());
            let actor_roles = context.caller.roles.into_iter().collect();
            let event = member.set_roles(convert::role_set(&message.roles), &actor_roles, &roster, now);
            event.map_err(status::rule_violated)
        },
    );
    let member = changed.await?;
    Ok(pb::SetMemberRolesResponse {
        member: Some(convert::member(&member)),
    })
}
