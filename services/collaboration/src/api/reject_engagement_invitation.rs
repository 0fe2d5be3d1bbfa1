use cosell_grpc::{Call, Failure, etags};
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_store::{Claim, claim};
use cosell_types::{ClosedList as _, RejectionReason};

use super::{Api, convert, status, visible};

pub async fn handle(
    api: Api,
    call: Call<pb::RejectEngagementInvitationRequest>,
) -> Result<pb::RejectEngagementInvitationResponse, Failure> {
    let message = &call.message;
    let member = call.member()?;
    let id = &message.engagement_invitation_id;
    let mut tx = api.begin(&call).await?;
    let claimed = claim(&mut tx, &call, id).await?;
    let (mut invitation, shown) = visible::received(&mut tx, &call, id).await?;
    let now = api.clock.now();
    if claimed == Claim::New {
        let engagement = visible::held(&mut tx, &mut invitation).await?;
        etags::check(&message.etag, invitation.revision())?;
        let reason = RejectionReason::from_number(message.reason)
            .ok_or_else(|| Failure::internal("validated, but no reason"))?;
        let event = invitation
            .reject(&member.id, reason, message.text.clone().into(), now)
            .map_err(status::broken)?;
        api.ended(tx, &call, engagement, &invitation, event).await?;
    }
    Ok(pb::RejectEngagementInvitationResponse {
        engagement_invitation: Some(convert::invitation(&invitation, shown, member, now)?),
    })
}
