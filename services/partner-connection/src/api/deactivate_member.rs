use cosell_grpc::{Call, Failure, etags};
use cosell_proto::cosell::partner::v1 as pb;
use cosell_store::{Claim, claim};

use super::{Api, convert, existing_member, own_account, status};
use crate::domain::access::Action;

pub async fn handle(
    api: Api,
    call: Call<pb::DeactivateMemberRequest>,
) -> Result<pb::DeactivateMemberResponse, Failure> {
    let id = &call.message.member_id;
    let mut tx = api.begin(&call).await?;
    let claimed = claim(&mut tx, &call, id).await?;
    let (_, actor) = own_account(&mut tx, &call, Action::Administer).await?;
    let mut member = existing_member(&mut tx, &actor, id).await?;
    if claimed != Claim::New {
        return Ok(pb::DeactivateMemberResponse {
            member: Some(convert::member(&member)),
        });
    }
    etags::check(&call.message.etag, member.revision())?;
    let event = member
        .deactivate(&actor.roles.iter().copied().collect(), api.clock.now())
        .map_err(status::broken)?;
    api.save_member(&mut tx, &call, &member, event).await?;
    api.conclude(tx, &call).await?;
    Ok(pb::DeactivateMemberResponse {
        member: Some(convert::member(&member)),
    })
}
