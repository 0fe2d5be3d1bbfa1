use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::partner::v1 as pb;
use cosell_store::Scope;
use cosell_types::{AccountId, Caller};

use super::{Api, convert, existing_invitation, status};

pub async fn handle(
    api: &Api,
    call: Call<pb::GetConnectionInvitationRequest>,
) -> Result<pb::GetConnectionInvitationResponse, Failure> {
    let id = &call.message.connection_invitation_id;
    let stated = &call.message.account_id;
    let (own, scope) = match &call.caller {
        Caller::Service(_) => {
            let account: AccountId = stated.parse().map_err(|_| status::no_invitation(id))?;
            let scope = Scope::account(&account);
            (account, scope)
        }
        Caller::Member(member) if stated.is_empty() || stated == member.account.as_str() => {
            (member.account.clone(), Scope::of(&call))
        }
        Caller::Member(_) => return Err(status::no_invitation(id)),
    };
    let mut tx = api.db.tx(&scope).await?;
    let invitation = existing_invitation(&mut tx, &own, id).await?;
    Ok(pb::GetConnectionInvitationResponse {
        connection_invitation: Some(convert::invitation(&invitation, &own, api.clock.now())),
    })
}
