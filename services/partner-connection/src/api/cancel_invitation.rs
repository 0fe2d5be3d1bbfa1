use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::partner::v1 as pb;

use super::{Api, answer_invitation, convert};

pub async fn handle(
    api: Api,
    call: Call<pb::CancelConnectionInvitationRequest>,
) -> Result<pb::CancelConnectionInvitationResponse, Failure> {
    let message = &call.message;
    let (id, etag) = (&message.connection_invitation_id, &message.etag);
    let own = &call.member()?.account;
    let now = api.clock.now();
    let invitation =
        answer_invitation(&api, &call, id, etag, |invitation| invitation.cancel(own, now)).await?;
    Ok(pb::CancelConnectionInvitationResponse {
        connection_invitation: Some(convert::invitation(&invitation, own, now)),
    })
}
