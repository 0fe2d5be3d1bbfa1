use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::partner::v1 as pb;

use super::Api;
use crate::domain::Member;
use crate::domain::access::Action;
use crate::write::{ChangeContext, change};
use crate::{convert, status};

pub async fn handle(
    api: Api,
    call: Call<pb::DeactivateMemberRequest>,
) -> Result<pb::DeactivateMemberResponse, Failure> {
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
            let event = member.deactivate(&context.caller.roles.into_iter().collect(), now);
            event.map(Some).map_err(status::rule_violated)
        },
    );
    let member = changed.await?;
    Ok(pb::DeactivateMemberResponse {
        member: Some(convert::member(&member)),
    })
}
