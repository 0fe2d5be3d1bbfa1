use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_store::{Claim, claim};

use super::Api;
use crate::domain::access;
use crate::store;

/// The worker sees to the channels in which the caller is waited for: it asks for this before it asks anybody, and goes
/// through those in which it was asked.
pub async fn handle(
    api: Api,
    call: Call<pb::UpdateChannelPreferencesRequest>,
) -> Result<pb::UpdateChannelPreferencesResponse, Failure> {
    let given = call.message.preferences.unwrap_or_default();
    let person = access::person(call.member()?);
    let mut tx = api.begin(&call).await?;
    if claim(&mut tx, &call, person.member.as_str()).await? == Claim::New {
        store::opt_out(&mut tx, &person, given.opted_out).await?;
        api.conclude(tx, &call, &["channel_preference"]).await?;
    }
    // Also when it was noted before: going through them may have been cut.
    if given.opted_out && !call.message.validate_only {
        api.channel_work.opted_out(&person).await?;
    }
    Ok(pb::UpdateChannelPreferencesResponse {
        preferences: Some(given),
    })
}
