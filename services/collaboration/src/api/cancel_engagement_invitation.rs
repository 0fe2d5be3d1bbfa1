use cosell_grpc::{Call, Failure, etags};
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_store::{Claim, claim};

use super::{Api, convert, status, visible};

pub async fn handle(
    api: Api,
    call: Call<pb::CancelEngagementInvitationRequest>,
) -> Result<pb::CancelEngagementInvitationResponse, Failure> {
    let message = &call.message;
    let member = call.member()?;
    let id = &message.engagement_invitation_id;
    let mut tx = api.begin(&call).await?;
    let claimed = claim(&mut tx, &call, id).await?;
    let (mut invitation, shown) = visible::invitation(&mut tx, &call, id).await?;
    // Its receiver can reject it.
    if invitation.sender() != &member.account {
        return Err(status::invitation_not_found(id));
    }
    let now = api.clock.now();
    if claimed == Claim::New {
        let engagement = visible::held(&mut tx, &mut invitation).await?;
        etags::check(&message.etag, invitation.revision())?;
        let event = invitation.cancel(Some(&member.id), now).map_err(status::broken)?;
        api.ended(tx, &call, engagement, &invitation, event).await?;
    }
    Ok(pb::CancelEngagementInvitationResponse {
        engagement_invitation: Some(convert::invitation(&invitation, shown, member, now)?),
    })
}
