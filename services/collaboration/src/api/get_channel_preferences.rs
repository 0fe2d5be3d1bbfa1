use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::collaboration::v1 as pb;

use super::{Api, convert_channel};
use crate::domain::access;
use crate::store;

pub async fn handle(
    api: &Api,
    call: Call<pb::GetChannelPreferencesRequest>,
) -> Result<pb::GetChannelPreferencesResponse, Failure> {
    let mut tx = api.begin(&call).await?;
    let preferences = store::channel_preferences(&mut tx, &access::person(call.member()?)).await?;
    Ok(pb::GetChannelPreferencesResponse {
        channel_preferences: Some(convert_channel::preferences(&preferences)),
    })
}
