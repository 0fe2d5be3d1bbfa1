use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::partner::v1 as pb;
use cosell_store::{Claim, claim};

use super::{Api, convert, existing_member, own_account, status};
use crate::domain::MemberEvent;
use crate::domain::access::Action;
use crate::store;

pub async fn handle(
    api: Api,
    call: Call<pb::TransferAllianceLeadRequest>,
) -> Result<pb::TransferAllianceLeadResponse, Failure> {
    let id = &call.message.member_id;
    let mut tx = api.begin(&call).await?;
    let claimed = claim(&mut tx, &call, id).await?;
    let (account, actor) = own_account(&mut tx, &call, Action::Lead).await?;
    let mut heir = existing_member(&mut tx, &actor, id).await?;
    if claimed != Claim::New {
        return Ok(pb::TransferAllianceLeadResponse {
            member: Some(convert::member(&heir)),
        });
    }
    let mut lead = existing_member(&mut tx, &actor, actor.id.as_str()).await?;
    let mut roster = store::roster(&mut tx, account.id(), &[]).await?;
    roster.remove(lead.id());
    roster.remove(heir.id());
    let event = heir
        .succeed(&mut lead, &roster, api.clock.now())
        .map_err(status::broken)?;
    // In this order there is never more than one.
    api.save_member(&mut tx, &call, &lead, MemberEvent::RolesChanged)
        .await?;
    api.save_member(&mut tx, &call, &heir, event).await?;
    api.conclude(tx, &call).await?;
    Ok(pb::TransferAllianceLeadResponse {
        member: Some(convert::member(&heir)),
    })
}
