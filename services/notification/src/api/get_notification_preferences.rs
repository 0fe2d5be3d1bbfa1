use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::notification::v1 as pb;

use super::{Api, show_preferences};
use crate::store::preferences;

pub async fn handle(
    api: &Api,
    call: Call<pb::GetNotificationPreferencesRequest>,
) -> Result<pb::GetNotificationPreferencesResponse, Failure> {
    let member = call.member()?;
    let mut tx = api.begin(&call).await?;
    let preferences = preferences(&mut tx, &member.account, &member.id).await?;
    Ok(pb::GetNotificationPreferencesResponse {
        notification_preferences: Some(show_preferences(&preferences)),
    })
}
