use cosell_grpc::{Call, Failure, etags};
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_store::{Claim, claim};

use super::{Api, convert_channel};
use crate::domain::access;
use crate::store;

/// The worker sees to the channels in which the caller is waited for: it asks for this before it asks anybody, and goes
/// through those in which it was asked.
pub async fn handle(
    api: Api,
    call: Call<pb::UpdateChannelPreferencesRequest>,
) -> Result<pb::UpdateChannelPreferencesResponse, Failure> {
    let person = access::person(call.member()?);
    let mut tx = api.begin(&call).await?;
    let new = claim(&mut tx, &call, person.member.as_str()).await? == Claim::New;
    let mut preferences = store::channel_preferences(&mut tx, &person).await?;
    if new {
        etags::check(&call.message.etag, preferences.revision)?;
        preferences = preferences.replaced(call.message.opted_out.unwrap_or_default());
        store::set_channel_preferences(&mut tx, &person, &preferences).await?;
        api.conclude(tx, &call, &["channel_preference"]).await?;
    }
    // Also when it was noted before: going through them may have been cut.
    if preferences.opted_out && !call.message.validate_only {
        api.channel_work.opted_out(&person).await?;
    }
    Ok(pb::UpdateChannelPreferencesResponse {
        channel_preferences: Some(convert_channel::preferences(&preferences)),
    })
}
