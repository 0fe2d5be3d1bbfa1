use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::partner::v1 as pb;
use cosell_store::begin;

use super::Api;
use crate::store;
use crate::{convert, status};

pub async fn handle(
    api: &Api,
    call: Call<pb::GetConnectionPreferencesRequest>,
) -> Result<pb::GetConnectionPreferencesResponse, Failure> {
    let own_account = &call.member()?.account;
    let mut tx = begin(&api.db, &call).await?;
    let account = store::load_account(&mut tx, own_account).await?;
    let account = account.ok_or_else(|| status::account_not_found(own_account.as_str()))?;
    Ok(pb::GetConnectionPreferencesResponse {
        connection_preferences: Some(convert::preferences(account.preferences())),
    })
}
