use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::collaboration::v1 as pb;

use super::Api;
use crate::write::{EndingInvitation, Sender, change};
use crate::{convert, status};

pub async fn handle(
    api: Api,
    call: Call<pb::CancelEngagementInvitationRequest>,
) -> Result<pb::CancelEngagementInvitationResponse, Failure> {
    let message = &call.message;
    let member = call.member()?;
    let id = message.engagement_invitation_id.as_str();
    let now = api.clock.now();
    let canceled = change(
        &api.db,
        &call,
        (id, &message.etag),
        now,
        async |_, ending: &mut EndingInvitation<Sender>| {
            let invitation = ending.invitation();
            let event = invitation.cancel(Some(&member.id), now);
            Ok(vec![event.map_err(status::rule_violated)?])
        },
    );
    let loaded = canceled.await?.loaded;
    let invitation = convert::invitation(&loaded.invitation, loaded.content, member.own_account(), now)?;
    Ok(pb::CancelEngagementInvitationResponse {
        engagement_invitation: Some(invitation),
    })
}
