use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::partner::v1 as pb;

use super::{Api, convert, status};
use crate::store;

pub async fn handle(api: &Api, call: Call<pb::GetAccountRequest>) -> Result<pb::GetAccountResponse, Failure> {
    let member = call.member()?;
    let asked = &call.message.account_id;
    let id = if asked.is_empty() {
        member.account.clone()
    } else {
        asked.parse().map_err(|_| status::no_account(asked))?
    };
    // Partners have their own account, AWS those of all.
    if member.own_account().is_some_and(|own| *own != id) {
        return Err(status::no_account(id.as_str()));
    }
    let mut tx = api.begin(&call).await?;
    let found = store::load_account(&mut tx, &id).await?;
    let found = found.ok_or_else(|| status::no_account(id.as_str()))?;
    Ok(pb::GetAccountResponse {
        account: Some(convert::account(&found)),
    })
}
