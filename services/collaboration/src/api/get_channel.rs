use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::collaboration::v1 as pb;

use super::{Api, convert, visible};

pub async fn handle(api: &Api, call: Call<pb::GetChannelRequest>) -> Result<pb::GetChannelResponse, Failure> {
    let mut tx = api.begin(&call).await?;
    let channel = visible::channel(&mut tx, &call, &call.message.channel_id).await?;
    Ok(pb::GetChannelResponse {
        channel: Some(convert::channel(&channel)),
    })
}
