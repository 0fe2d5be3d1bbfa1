use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::partner::v1 as pb;
use cosell_store::Scope;
use cosell_types::{AccountId, Caller};

use super::{Api, convert, status};
use crate::store;

pub async fn handle(api: &Api, call: Call<pb::GetAccountRequest>) -> Result<pb::GetAccountResponse, Failure> {
    let asked = &call.message.account_id;
    let no_account = || status::no_account(asked);
    let (id, scope) = match &call.caller {
        // A service asks on behalf of somebody for whom it has found out that they may know.
        Caller::Service(_) => {
            let id: AccountId = asked.parse().map_err(|_| no_account())?;
            let scope = Scope::account(&id);
            (id, scope)
        }
        Caller::Member(member) => {
            let id = if asked.is_empty() {
                member.account.clone()
            } else {
                asked.parse().map_err(|_| no_account())?
            };
            // Partners have their own account, AWS those of all.
            if member.own_account().is_some_and(|own| *own != id) {
                return Err(status::no_account(id.as_str()));
            }
            (id, Scope::of(&call))
        }
    };
    let mut tx = api.db.tx(&scope).await?;
    let found = store::load_account(&mut tx, &id).await?;
    let found = found.ok_or_else(|| status::no_account(id.as_str()))?;
    Ok(pb::GetAccountResponse {
        account: Some(convert::account(&found)),
    })
}
