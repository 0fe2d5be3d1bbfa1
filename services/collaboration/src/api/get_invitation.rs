use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::collaboration::v1 as pb;

use super::{Api, convert, visible};

pub async fn handle(
    api: &Api,
    call: Call<pb::GetEngagementInvitationRequest>,
) -> Result<pb::GetEngagementInvitationResponse, Failure> {
    let mut tx = api.begin(&call).await?;
    let (invitation, shown) =
        visible::invitation(&mut tx, &call, &call.message.engagement_invitation_id).await?;
    let shown = convert::invitation(&invitation, shown, call.member()?, api.clock.now())?;
    Ok(pb::GetEngagementInvitationResponse {
        engagement_invitation: Some(shown),
    })
}
