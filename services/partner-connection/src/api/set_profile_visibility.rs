use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::partner::v1 as pb;

use super::Api;
use crate::domain::Account;
use crate::domain::access::Action;
use crate::domain::values::ProfileVisibility;
use crate::write::change;
use crate::{convert, status};

pub async fn handle(
    api: Api,
    call: Call<pb::SetProfileVisibilityRequest>,
) -> Result<pb::SetProfileVisibilityResponse, Failure> {
    let message = &call.message;
    let target = (call.member()?.account.as_str(), message.etag.as_str());
    let visibility = convert::closed_list_value::<ProfileVisibility>(message.visibility)?;
    let now = api.clock.now();
    let changed = change(
        &api.db,
        &call,
        Action::RepresentAccount,
        target,
        now,
        async |_, account: &mut Account| {
            let event = account.set_profile_visibility(visibility, &api.quotas, now);
            event.map_err(status::rule_violated)
        },
    );
    let account = changed.await?;
    Ok(pb::SetProfileVisibilityResponse {
        account: Some(convert::account(&account)),
    })
}
