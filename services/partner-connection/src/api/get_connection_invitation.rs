use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::partner::v1 as pb;
use cosell_store::Scope;
use cosell_types::{AccountId, Caller};

use super::Api;
use crate::load::load_invitation;
use crate::{convert, status};

pub async fn handle(
    api: &Api,
    call: Call<pb::GetConnectionInvitationRequest>,
) -> Result<pb::GetConnectionInvitationResponse, Failure> {
    let id = &call.message.connection_invitation_id;
    let requested_account = &call.message.account_id;
    let (own_account, scope) = match &call.caller {
        Caller::Service(_) => {
            let account: AccountId = requested_account
                .parse()
                .map_err(|_| status::invitation_not_found(id))?;
            let scope = Scope::account(&account).in_class(call.caller.class());
            (account, scope)
        }
        Caller::Member(member)
            if requested_account.is_empty() || requested_account == member.account.as_str() =>
        {
            (member.account.clone(), Scope::of(&call))
        }
        Caller::Member(_) => return Err(status::invitation_not_found(id)),
    };
    let mut tx = api.db.tx(&scope).await?;
    let invitation = load_invitation(&mut tx, &own_account, id).await?;
    Ok(pb::GetConnectionInvitationResponse {
        connection_invitation: Some(convert::invitation(&invitation, &own_account, api.clock.now())),
    })
}
