use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_store::begin;

use super::Api;
use crate::convert;
use crate::load::load_invitation;

pub async fn handle(
    api: &Api,
    call: Call<pb::GetEngagementInvitationRequest>,
) -> Result<pb::GetEngagementInvitationResponse, Failure> {
    let mut tx = begin(&api.db, &call).await?;
    let id = &call.message.engagement_invitation_id;
    let loaded = load_invitation(&mut tx, &call, id).await?;
    let (member, now) = (call.member()?, api.clock.now());
    let invitation = convert::invitation(&loaded.invitation, loaded.content, member.own_account(), now)?;
    Ok(pb::GetEngagementInvitationResponse {
        engagement_invitation: Some(invitation),
    })
}
