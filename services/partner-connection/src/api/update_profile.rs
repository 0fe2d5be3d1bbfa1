use cosell_grpc::{Call, Failure, etags};
use cosell_proto::cosell::partner::v1 as pb;
use cosell_store::{Claim, claim};
use cosell_types::random;

use super::{Api, convert, own_account, status};
use crate::domain::access::Action;

pub async fn handle(
    api: Api,
    call: Call<pb::UpdateProfileRequest>,
) -> Result<pb::UpdateProfileResponse, Failure> {
    let member = call.member()?;
    let mut tx = api.begin(&call).await?;
    let claimed = claim(&mut tx, &call, member.account.as_str()).await?;
    let (mut account, _) = own_account(&mut tx, &call, Action::Represent).await?;
    if claimed == Claim::New {
        etags::check(&call.message.etag, account.revision())?;
        let given = call.message.profile.as_ref();
        let given = given.ok_or_else(|| Failure::internal("validated, but absent"))?;
        let id = random::prefixed("pprofile-").parse().map_err(Failure::internal)?;
        let event = account
            .write_profile(id, convert::profile_text(given)?, &api.quotas, api.clock.now())
            .map_err(status::broken)?;
        if let Some(event) = event {
            api.save_account(tx, &call, &account, event).await?;
        }
    }
    Ok(pb::UpdateProfileResponse {
        account: Some(convert::account(&account)),
    })
}
