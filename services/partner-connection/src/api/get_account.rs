use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::partner::v1 as pb;
use cosell_store::Scope;
use cosell_types::{AccountId, Caller};

use super::Api;
use crate::store;
use crate::{convert, status};

pub async fn handle(api: &Api, call: Call<pb::GetAccountRequest>) -> Result<pb::GetAccountResponse, Failure> {
    let requested_id = &call.message.account_id;
    let not_found = || status::account_not_found(requested_id);
    let (id, scope) = match &call.caller {
        // A service that acts on behalf of a caller checks the access of that caller itself.
        Caller::Service(_) => {
            let id: AccountId = requested_id.parse().map_err(|_| not_found())?;
            let scope = Scope::account(&id).in_class(call.caller.class());
            (id, scope)
        }
        Caller::Member(member) => {
            let id = if requested_id.is_empty() {
                member.account.clone()
            } else {
                requested_id.parse().map_err(|_| not_found())?
            };
            // Partner members have access to their own account, AWS members to every account (DIR-020).
            if member.own_account().is_some_and(|own_account| *own_account != id) {
                return Err(status::account_not_found(id.as_str()));
            }
            (id, Scope::of(&call))
        }
    };
    let mut tx = api.db.tx(&scope).await?;
    let account = store::load_account(&mut tx, &id).await?;
    let account = account.ok_or_else(|| status::account_not_found(id.as_str()))?;
    Ok(pb::GetAccountResponse {
        account: Some(convert::account(&account)),
    })
}
