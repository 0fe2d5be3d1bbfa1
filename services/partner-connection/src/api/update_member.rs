use cosell_grpc::{Call, Failure, etags};
use cosell_proto::cosell::partner::v1 as pb;
use cosell_store::{Claim, claim};

use super::{Api, convert, existing_member, own_account, roster_with, status};
use crate::domain::access::{ADMINISTER, Action};

pub async fn handle(
    api: Api,
    call: Call<pb::UpdateMemberRequest>,
) -> Result<pb::UpdateMemberResponse, Failure> {
    let id = &call.message.member_id;
    let mut tx = api.begin(&call).await?;
    let claimed = claim(&mut tx, &call, id).await?;
    let (account, actor) = own_account(&mut tx, &call, Action::UpdateMember).await?;
    let mut member = existing_member(&mut tx, &actor, id).await?;
    // Oneself, or those one administers (DIR-014).
    if *member.id() != actor.id && !actor.has_any(&ADMINISTER) {
        return Err(status::no_member(id));
    }
    if claimed != Claim::New {
        return Ok(pb::UpdateMemberResponse {
            member: Some(convert::member(&member)),
        });
    }
    etags::check(&call.message.etag, member.revision())?;
    let person = call.message.person.as_ref();
    let person = convert::person(person.ok_or_else(|| Failure::internal("validated, but absent"))?);
    let roster = roster_with(&mut tx, account.id(), &person.email, Some(member.id())).await?;
    let event = member
        .describe(person, &roster, &api.quotas, api.clock.now())
        .map_err(status::broken)?;
    if let Some(event) = event {
        api.save_member(&mut tx, &call, &member, event).await?;
        api.conclude(tx, &call).await?;
    }
    Ok(pb::UpdateMemberResponse {
        member: Some(convert::member(&member)),
    })
}
