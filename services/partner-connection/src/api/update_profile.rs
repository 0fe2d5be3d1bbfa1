use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::partner::v1 as pb;
use cosell_types::random;

use super::Api;
use crate::domain::Account;
use crate::domain::access::Action;
use crate::write::change;
use crate::{convert, status};

pub async fn handle(
    api: Api,
    call: Call<pb::UpdateProfileRequest>,
) -> Result<pb::UpdateProfileResponse, Failure> {
    let message = &call.message;
    let target = (call.member()?.account.as_str(), message.etag.as_str());
    let now = api.clock.now();
    let changed = change(
        &api.db,
        &call,
        Action::RepresentAccount,
        target,
        now,
        async |_, account: &mut Account| {
            let profile = message.profile.as_ref();
            let profile = profile.ok_or_else(|| Failure::internal("the validated request has no profile"))?;
            let id = random::prefixed("pprofile-").parse().map_err(Failure::internal)?;
            let event =
                account.update_profile(id, convert::profile_text_from_proto(profile)?, &api.quotas, now);
            event.map_err(status::rule_violated)
        },
    );
    let account = changed.await?;
    Ok(pb::UpdateProfileResponse {
        account: Some(convert::account(&account)),
    })
}
