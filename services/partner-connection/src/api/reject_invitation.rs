use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::partner::v1 as pb;

use super::{Api, answer_invitation, convert};

pub async fn handle(
    api: Api,
    call: Call<pb::RejectConnectionInvitationRequest>,
) -> Result<pb::RejectConnectionInvitationResponse, Failure> {
    let message = &call.message;
    let (id, etag) = (&message.connection_invitation_id, &message.etag);
    let own = &call.member()?.account;
    let now = api.clock.now();
    let invitation = answer_invitation(&api, &call, id, etag, |invitation| {
        invitation.reject(own, message.reason.clone().into(), now)
    })
    .await?;
    Ok(pb::RejectConnectionInvitationResponse {
        connection_invitation: Some(convert::invitation(&invitation, own, now)),
    })
}
