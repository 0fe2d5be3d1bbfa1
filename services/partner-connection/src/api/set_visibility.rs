use cosell_grpc::{Call, Failure, etags};
use cosell_proto::cosell::partner::v1 as pb;
use cosell_store::{Claim, claim};

use super::{Api, convert, own_account, status};
use crate::domain::access::Action;
use crate::domain::values::ProfileVisibility;

pub async fn handle(
    api: Api,
    call: Call<pb::SetProfileVisibilityRequest>,
) -> Result<pb::SetProfileVisibilityResponse, Failure> {
    let member = call.member()?;
    let mut tx = api.begin(&call).await?;
    let claimed = claim(&mut tx, &call, member.account.as_str()).await?;
    let (mut account, _) = own_account(&mut tx, &call, Action::Represent).await?;
    if claimed == Claim::New {
        etags::check(&call.message.etag, account.revision())?;
        let visibility = convert::required::<ProfileVisibility>(call.message.visibility)?;
        let event = account
            .set_visibility(visibility, &api.quotas, api.clock.now())
            .map_err(status::broken)?;
        if let Some(event) = event {
            api.save_account(tx, &call, &account, event).await?;
        }
    }
    Ok(pb::SetProfileVisibilityResponse {
        account: Some(convert::account(&account)),
    })
}
