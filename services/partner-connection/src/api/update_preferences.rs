use std::collections::BTreeSet;

use cosell_grpc::{Call, Failure, etags};
use cosell_proto::cosell::partner::v1 as pb;
use cosell_store::{Claim, claim};

use super::{Api, convert, own_account, status};
use crate::domain::ProfileId;
use crate::domain::access::Action;
use crate::domain::values::AccessType;

pub async fn handle(
    api: Api,
    call: Call<pb::UpdateConnectionPreferencesRequest>,
) -> Result<pb::UpdateConnectionPreferencesResponse, Failure> {
    let member = call.member()?;
    let message = &call.message;
    let mut tx = api.begin(&call).await?;
    let claimed = claim(&mut tx, &call, member.account.as_str()).await?;
    let (mut account, _) = own_account(&mut tx, &call, Action::Represent).await?;
    if claimed == Claim::New {
        etags::check(&message.etag, account.preferences().revision)?;
        let excluded: BTreeSet<ProfileId> = message
            .excluded_profile_ids
            .iter()
            .map(|id| id.parse().map_err(Failure::internal))
            .collect::<Result<_, _>>()?;
        let access = convert::required::<AccessType>(message.access_type)?;
        let now = api.clock.now();
        let next = account
            .preferences()
            .replaced(access, excluded, now)
            .map_err(status::broken)?;
        let event = account.prefer(next, now);
        api.save_account(tx, &call, &account, event).await?;
    }
    Ok(pb::UpdateConnectionPreferencesResponse {
        connection_preferences: Some(convert::preferences(account.preferences())),
    })
}
