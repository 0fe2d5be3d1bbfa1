use cosell_grpc::{Call, Failure, etags};
use cosell_proto::cosell::notification::v1 as pb;
use cosell_store::Claim;
use cosell_types::ClosedList as _;

use super::Api;
use crate::convert;
use crate::domain::values::NotificationKind;
use crate::store::{load_preferences, save_preferences};
use crate::write::change;

pub async fn handle(
    api: Api,
    call: Call<pb::UpdateNotificationPreferencesRequest>,
) -> Result<pb::UpdateNotificationPreferencesResponse, Failure> {
    let member = call.member()?;
    let preferences = change(&api.db, &call, async |tx, claimed| {
        let preferences = load_preferences(tx, &member.account, &member.id).await?;
        if claimed != Claim::New {
            return Ok(preferences);
        }
        etags::check(&call.message.etag, preferences.revision)?;
        let kinds = call.message.email_opt_outs.iter();
        let kinds = kinds.filter_map(|number| NotificationKind::from_number(*number));
        let preferences = preferences.replaced(kinds.collect());
        save_preferences(tx, &member.account, &member.id, &preferences).await?;
        Ok(preferences)
    });
    Ok(pb::UpdateNotificationPreferencesResponse {
        notification_preferences: Some(convert::preferences(&preferences.await?)),
    })
}
