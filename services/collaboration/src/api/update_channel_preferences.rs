use cosell_grpc::{Call, Failure, etags};
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_store::{Claim, begin, claim, commit};

use super::Api;
use crate::convert;
use crate::domain::access;
use crate::events::CONTEXT;
use crate::store;

/// An opt-out ends the caller's pending invitations at once. The worker checks the preferences before each invitation.
pub async fn handle(
    api: Api,
    call: Call<pb::UpdateChannelPreferencesRequest>,
) -> Result<pb::UpdateChannelPreferencesResponse, Failure> {
    let member_ref = access::member_ref(call.member()?);
    let mut tx = begin(&api.db, &call).await?;
    let is_new = claim(&mut tx, &call, member_ref.member.as_str()).await? == Claim::New;
    let mut preferences = store::load_channel_preferences(&mut tx, &member_ref).await?;
    if is_new {
        etags::check(&call.message.etag, preferences.revision)?;
        preferences = preferences.replaced(call.message.opted_out.unwrap_or_default());
        store::save_channel_preferences(&mut tx, &member_ref, &preferences).await?;
        commit(tx, &call, CONTEXT, &["channel_preference"]).await?;
    }
    // Also on a replay, because the first call may have been interrupted before this.
    if preferences.opted_out && !call.message.validate_only {
        api.channel_changes.apply_opt_out(&member_ref).await?;
    }
    Ok(pb::UpdateChannelPreferencesResponse {
        channel_preferences: Some(convert::channel_preferences(&preferences)),
    })
}
