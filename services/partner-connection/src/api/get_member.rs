use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::partner::v1 as pb;
use cosell_store::Scope;
use cosell_types::{AccountId, Caller, MemberId};

use super::Api;
use crate::domain::access::{Action, permits};
use crate::store;
use crate::{convert, status};

pub async fn handle(api: &Api, call: Call<pb::GetMemberRequest>) -> Result<pb::GetMemberResponse, Failure> {
    let requested_id = &call.message.member_id;
    let not_found = || status::member_not_found(requested_id);
    let id: MemberId = requested_id.parse().map_err(|_| not_found())?;
    let requested_account = &call.message.account_id;
    let (account, scope) = match &call.caller {
        Caller::Service(_) => {
            let account: AccountId = requested_account.parse().map_err(|_| not_found())?;
            let scope = Scope::account(&account).in_class(call.caller.class());
            (account, scope)
        }
        Caller::Member(member) => {
            let is_other_account =
                !requested_account.is_empty() && requested_account != member.account.as_str();
            let is_other_member = id != member.id;
            if is_other_account || (is_other_member && !permits(&call.caller, Action::ListMembers)) {
                return Err(not_found());
            }
            (member.account.clone(), Scope::of(&call))
        }
    };
    let mut tx = api.db.tx(&scope).await?;
    let member = store::load_member(&mut tx, &account, &id)
        .await?
        .ok_or_else(not_found)?;
    let account = store::load_account(&mut tx, &account).await?;
    Ok(pb::GetMemberResponse {
        member: Some(convert::member(&member)),
        account: account.as_ref().map(convert::account),
    })
}
