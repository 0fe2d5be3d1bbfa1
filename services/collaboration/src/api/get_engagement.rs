use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_store::begin;

use super::Api;
use crate::convert;
use crate::load::load_engagement;

pub async fn handle(
    api: &Api,
    call: Call<pb::GetEngagementRequest>,
) -> Result<pb::GetEngagementResponse, Failure> {
    let mut tx = begin(&api.db, &call).await?;
    let engagement = load_engagement(&mut tx, &call, &call.message.engagement_id).await?;
    Ok(pb::GetEngagementResponse {
        engagement: Some(convert::engagement(&engagement, call.member()?)),
    })
}
