use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::notification::v1 as pb;
use cosell_store::begin;

use super::Api;
use crate::convert;
use crate::store::load_preferences;

pub async fn handle(
    api: &Api,
    call: Call<pb::GetNotificationPreferencesRequest>,
) -> Result<pb::GetNotificationPreferencesResponse, Failure> {
    let member = call.member()?;
    let mut tx = begin(&api.db, &call).await?;
    let preferences = load_preferences(&mut tx, &member.account, &member.id).await?;
    Ok(pb::GetNotificationPreferencesResponse {
        notification_preferences: Some(convert::preferences(&preferences)),
    })
}
