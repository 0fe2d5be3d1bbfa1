use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_types::{ClosedList as _, RejectionReason};

use super::Api;
use crate::write::{EndingInvitation, Receiver, change};
use crate::{convert, status};

pub async fn handle(
    api: Api,
    call: Call<pb::RejectEngagementInvitationRequest>,
) -> Result<pb::RejectEngagementInvitationResponse, Failure> {
    let message = &call.message;
    let member = call.member()?;
    let id = message.engagement_invitation_id.as_str();
    let reason = RejectionReason::from_number(message.reason);
    let reason = reason.ok_or_else(|| Failure::internal("the validated request has no reason"))?;
    let now = api.clock.now();
    let rejected = change(
        &api.db,
        &call,
        (id, &message.etag),
        now,
        async |_, ending: &mut EndingInvitation<Receiver>| {
            let invitation = ending.invitation();
            let event = invitation.reject(&member.id, reason, message.text.clone().into(), now);
            Ok(vec![event.map_err(status::rule_violated)?])
        },
    );
    let loaded = rejected.await?.loaded;
    let invitation = convert::invitation(&loaded.invitation, loaded.content, member.own_account(), now)?;
    Ok(pb::RejectEngagementInvitationResponse {
        engagement_invitation: Some(invitation),
    })
}
