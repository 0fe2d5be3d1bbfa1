use cosell_grpc::{Call, Failure, etags};
use cosell_proto::cosell::partner::v1 as pb;
use cosell_store::{Claim, claim};

use super::{Api, convert, existing_member, own_account, status};
use crate::domain::access::Action;
use crate::store;

pub async fn handle(
    api: Api,
    call: Call<pb::SetMemberRolesRequest>,
) -> Result<pb::SetMemberRolesResponse, Failure> {
    let id = &call.message.member_id;
    let mut tx = api.begin(&call).await?;
    let claimed = claim(&mut tx, &call, id).await?;
    let (account, actor) = own_account(&mut tx, &call, Action::Administer).await?;
    let mut member = existing_member(&mut tx, &actor, id).await?;
    if claimed != Claim::New {
        return Ok(pb::SetMemberRolesResponse {
            member: Some(convert::member(&member)),
        });
    }
    etags::check(&call.message.etag, member.revision())?;
    let mut roster = store::roster(&mut tx, account.id(), &[]).await?;
    roster.remove(member.id());
    let event = member
        .set_roles(
            convert::roles(&call.message.roles),
            &actor.roles.iter().copied().collect(),
            &roster,
            api.clock.now(),
        )
        .map_err(status::broken)?;
    if let Some(event) = event {
        api.save_member(&mut tx, &call, &member, event).await?;
        api.conclude(tx, &call).await?;
    }
    Ok(pb::SetMemberRolesResponse {
        member: Some(convert::member(&member)),
    })
}
