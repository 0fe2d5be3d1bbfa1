use std::collections::BTreeSet;

use cosell_grpc::{Call, Failure, etags};
use cosell_proto::cosell::partner::v1 as pb;

use super::Api;
use crate::domain::access::Action;
use crate::domain::values::AccessType;
use crate::domain::{Account, ProfileId};
use crate::write::change;
use crate::{convert, status};

pub async fn handle(
    api: Api,
    call: Call<pb::UpdateConnectionPreferencesRequest>,
) -> Result<pb::UpdateConnectionPreferencesResponse, Failure> {
    let message = &call.message;
    // The etag in the request is the one of the preferences, not of the account that contains them (CON-031).
    let target = (call.member()?.account.as_str(), "");
    let now = api.clock.now();
    let changed = change(
        &api.db,
        &call,
        Action::RepresentAccount,
        target,
        now,
        async |_, account: &mut Account| {
            etags::check(&message.etag, account.preferences().revision)?;
            let excluded: BTreeSet<ProfileId> = message
                .excluded_profile_ids
                .iter()
                .map(|id| id.parse().map_err(Failure::internal))
                .collect::<Result<_, _>>()?;
            let access_type = convert::closed_list_value::<AccessType>(message.access_type)?;
            let preferences = account.preferences().replaced_with(access_type, excluded, now);
            Ok(Some(account.replace_preferences(
                preferences.map_err(status::rule_violated)?,
                now,
            )))
        },
    );
    let account = changed.await?;
    Ok(pb::UpdateConnectionPreferencesResponse {
        connection_preferences: Some(convert::preferences(account.preferences())),
    })
}
