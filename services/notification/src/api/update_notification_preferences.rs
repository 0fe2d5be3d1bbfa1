use cosell_grpc::{Call, Failure, etags};
use cosell_proto::cosell::notification::v1 as pb;
use cosell_store::{Claim, claim};
use cosell_types::ClosedList as _;

use super::{Api, show_preferences};
use crate::domain::values::Kind;
use crate::store::{preferences, set_preferences};

pub async fn handle(
    api: Api,
    call: Call<pb::UpdateNotificationPreferencesRequest>,
) -> Result<pb::UpdateNotificationPreferencesResponse, Failure> {
    let member = call.member()?;
    let mut tx = api.begin(&call).await?;
    let new = claim(&mut tx, &call, "").await? == Claim::New;
    let mut preferences = preferences(&mut tx, &member.account, &member.id).await?;
    if new {
        etags::check(&call.message.etag, preferences.revision)?;
        let kinds = call.message.email_opt_outs.iter();
        preferences.opt_outs = kinds.filter_map(|number| Kind::from_number(*number)).collect();
        preferences.revision += 1;
        set_preferences(&mut tx, &member.account, &member.id, &preferences).await?;
    }
    if !call.message.validate_only {
        tx.commit().await?;
    }
    Ok(pb::UpdateNotificationPreferencesResponse {
        notification_preferences: Some(show_preferences(&preferences)),
    })
}
