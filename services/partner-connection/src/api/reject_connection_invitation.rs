use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::partner::v1 as pb;

use super::Api;
use crate::domain::Invitation;
use crate::domain::access::Action;
use crate::write::change;
use crate::{convert, status};

pub async fn handle(
    api: Api,
    call: Call<pb::RejectConnectionInvitationRequest>,
) -> Result<pb::RejectConnectionInvitationResponse, Failure> {
    let message = &call.message;
    let own_account = &call.member()?.account;
    let target = (message.connection_invitation_id.as_str(), message.etag.as_str());
    let now = api.clock.now();
    let changed = change(
        &api.db,
        &call,
        Action::RepresentAccount,
        target,
        now,
        async |_, invitation: &mut Invitation| {
            let event = invitation.reject(own_account, message.reason.clone().into(), now);
            event.map(Some).map_err(status::rule_violated)
        },
    );
    let invitation = changed.await?;
    Ok(pb::RejectConnectionInvitationResponse {
        connection_invitation: Some(convert::invitation(&invitation, own_account, now)),
    })
}
