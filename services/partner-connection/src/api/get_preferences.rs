use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::partner::v1 as pb;

use super::{Api, convert, status};
use crate::store;

pub async fn handle(
    api: &Api,
    call: Call<pb::GetConnectionPreferencesRequest>,
) -> Result<pb::GetConnectionPreferencesResponse, Failure> {
    let own = &call.member()?.account;
    let mut tx = api.begin(&call).await?;
    let account = store::load_account(&mut tx, own).await?;
    let account = account.ok_or_else(|| status::no_account(own.as_str()))?;
    Ok(pb::GetConnectionPreferencesResponse {
        connection_preferences: Some(convert::preferences(account.preferences())),
    })
}
