use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::partner::v1 as pb;

use super::Api;
use crate::convert;
use crate::domain::Member;
use crate::domain::access::Action;
use crate::write::change;

pub async fn handle(
    api: Api,
    call: Call<pb::AcceptMembershipRequest>,
) -> Result<pb::AcceptMembershipResponse, Failure> {
    let target = (call.member()?.id.as_str(), "");
    let now = api.clock.now();
    let changed = change(
        &api.db,
        &call,
        Action::AcceptMembership,
        target,
        now,
        async |_, member: &mut Member| Ok(member.join(now)),
    );
    let member = changed.await?;
    Ok(pb::AcceptMembershipResponse {
        member: Some(convert::member(&member)),
    })
}
