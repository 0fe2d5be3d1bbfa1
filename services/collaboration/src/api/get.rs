use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::collaboration::v1 as pb;

use super::{Api, convert, visible};

pub async fn handle(
    api: &Api,
    call: Call<pb::GetEngagementRequest>,
) -> Result<pb::GetEngagementResponse, Failure> {
    let mut tx = api.begin(&call).await?;
    let engagement = visible::engagement(&mut tx, &call, &call.message.engagement_id).await?;
    Ok(pb::GetEngagementResponse {
        engagement: Some(convert::engagement(&engagement, call.member()?)),
    })
}
