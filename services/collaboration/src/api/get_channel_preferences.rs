use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_store::begin;

use super::Api;
use crate::convert;
use crate::domain::access;
use crate::store;

pub async fn handle(
    api: &Api,
    call: Call<pb::GetChannelPreferencesRequest>,
) -> Result<pb::GetChannelPreferencesResponse, Failure> {
    let mut tx = begin(&api.db, &call).await?;
    let preferences = store::load_channel_preferences(&mut tx, &access::member_ref(call.member()?)).await?;
    Ok(pb::GetChannelPreferencesResponse {
        channel_preferences: Some(convert::channel_preferences(&preferences)),
    })
}
