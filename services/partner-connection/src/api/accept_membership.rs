use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::partner::v1 as pb;
use cosell_store::{Claim, claim};

use super::{Api, convert, existing_member, own_account};
use crate::domain::access::Action;

pub async fn handle(
    api: Api,
    call: Call<pb::AcceptMembershipRequest>,
) -> Result<pb::AcceptMembershipResponse, Failure> {
    let actor = call.member()?;
    let mut tx = api.begin(&call).await?;
    let claimed = claim(&mut tx, &call, actor.id.as_str()).await?;
    own_account(&mut tx, &call, Action::Join).await?;
    let mut member = existing_member(&mut tx, actor, actor.id.as_str()).await?;
    if claimed == Claim::New
        && let Some(event) = member.join(api.clock.now())
    {
        api.save_member(&mut tx, &call, &member, event).await?;
        api.conclude(tx, &call).await?;
    }
    Ok(pb::AcceptMembershipResponse {
        member: Some(convert::member(&member)),
    })
}
