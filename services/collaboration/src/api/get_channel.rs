use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_store::Scope;
use cosell_types::{AccountId, Caller};

use super::{Api, convert_channel, status, visible};
use crate::store;

/// A service says for which account it asks: it is shown nothing of others, and nothing by itself.
pub async fn handle(api: &Api, call: Call<pb::GetChannelRequest>) -> Result<pb::GetChannelResponse, Failure> {
    let id = &call.message.channel_id;
    let channel = match &call.caller {
        Caller::Member(_) => {
            let mut tx = api.begin(&call).await?;
            visible::channel(&mut tx, &call, id).await?
        }
        Caller::Service(_) => {
            let not_found = || status::channel_not_found(id);
            let account: AccountId = call.message.account_id.parse().map_err(|_| not_found())?;
            let channel_id = id.parse().map_err(|_| not_found())?;
            let mut tx = api.db.tx(&Scope::account(&account)).await?;
            let found = store::load_channel(&mut tx, &channel_id).await?;
            found.ok_or_else(not_found)?
        }
    };
    Ok(pb::GetChannelResponse {
        channel: Some(convert_channel::channel(&channel)),
    })
}
