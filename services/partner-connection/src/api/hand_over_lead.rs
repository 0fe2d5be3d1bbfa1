use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::partner::v1 as pb;
use cosell_store::{Claim, claim};

use super::{Api, convert, existing_member, own_account, status};
use crate::domain::MemberEvent;
use crate::store;

pub async fn handle(
    api: Api,
    call: Call<pb::HandOverAllianceLeadRequest>,
) -> Result<pb::HandOverAllianceLeadResponse, Failure> {
    let actor = call.member()?;
    let id = &call.message.member_id;
    let mut tx = api.begin(&call).await?;
    let claimed = claim(&mut tx, &call, id).await?;
    let account = own_account(&mut tx, actor).await?;
    let mut heir = existing_member(&mut tx, actor, id).await?;
    if claimed != Claim::New {
        return Ok(pb::HandOverAllianceLeadResponse {
            member: Some(convert::member(&heir)),
        });
    }
    let mut lead = existing_member(&mut tx, actor, actor.id.as_str()).await?;
    let roster = store::roster(&mut tx, account.id(), &[lead.id(), heir.id()]).await?;
    let event = heir
        .succeed(&mut lead, &roster, api.clock.now())
        .map_err(status::broken)?;
    // In this order there is never more than one.
    api.save_member(&mut tx, &call, &lead, MemberEvent::RolesChanged)
        .await?;
    api.save_member(&mut tx, &call, &heir, event).await?;
    api.conclude(tx, &call).await?;
    Ok(pb::HandOverAllianceLeadResponse {
        member: Some(convert::member(&heir)),
    })
}
