use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::collaboration::v1 as pb;

use super::Api;
use crate::domain::access;
use crate::store;

pub async fn handle(
    api: &Api,
    call: Call<pb::GetChannelPreferencesRequest>,
) -> Result<pb::GetChannelPreferencesResponse, Failure> {
    let mut tx = api.begin(&call).await?;
    let opted_out = store::has_opted_out(&mut tx, &access::person(call.member()?)).await?;
    Ok(pb::GetChannelPreferencesResponse {
        preferences: Some(pb::ChannelPreferences { opted_out }),
    })
}
