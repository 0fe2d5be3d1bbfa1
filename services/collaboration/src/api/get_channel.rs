use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_store::{Scope, begin};
use cosell_types::{AccountId, Caller};

use super::Api;
use crate::load::load_channel;
use crate::store;
use crate::{convert, status};

/// A service states the account for which it calls, and can read only the channels of that account.
pub async fn handle(api: &Api, call: Call<pb::GetChannelRequest>) -> Result<pb::GetChannelResponse, Failure> {
    let id = &call.message.channel_id;
    let channel = match &call.caller {
        Caller::Member(_) => {
            let mut tx = begin(&api.db, &call).await?;
            load_channel(&mut tx, &call, id).await?
        }
        Caller::Service(_) => {
            let not_found = || status::channel_not_found(id);
            let account: AccountId = call.message.account_id.parse().map_err(|_| not_found())?;
            let channel_id = id.parse().map_err(|_| not_found())?;
            let mut tx = api
                .db
                .tx(&Scope::account(&account).in_class(call.caller.class()))
                .await?;
            let channel = store::load_channel(&mut tx, &channel_id).await?;
            channel.ok_or_else(not_found)?
        }
    };
    Ok(pb::GetChannelResponse {
        channel: Some(convert::channel(&channel)),
    })
}
