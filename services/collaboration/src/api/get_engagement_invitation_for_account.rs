use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_store::Scope;
use cosell_types::AccountId;

use super::Api;
use crate::store;
use crate::{convert, status};

pub async fn handle(
    api: &Api,
    call: Call<pb::GetEngagementInvitationForAccountRequest>,
) -> Result<pb::GetEngagementInvitationForAccountResponse, Failure> {
    let id = &call.message.engagement_invitation_id;
    let not_found = || status::invitation_not_found(id);
    let account: AccountId = call.message.account_id.parse().map_err(|_| not_found())?;
    let invitation_id = id.parse().map_err(|_| not_found())?;
    let mut tx = api
        .db
        .tx(&Scope::account(&account).in_class(call.caller.class()))
        .await?;
    let stored = store::load_invitation(&mut tx, &invitation_id).await?;
    let (invitation, content) = stored
        .filter(|(invitation, _)| invitation.participant_type(&account).is_some())
        .ok_or_else(not_found)?;
    let invitation = convert::invitation(&invitation, content, Some(&account), api.clock.now())?;
    Ok(pb::GetEngagementInvitationForAccountResponse {
        engagement_invitation: Some(invitation),
    })
}
