use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::partner::v1 as pb;
use cosell_store::{Claim, claim};

use super::{Api, convert, own_account};
use crate::domain::access::Action;

pub async fn handle(
    api: Api,
    call: Call<pb::AcceptTermsRequest>,
) -> Result<pb::AcceptTermsResponse, Failure> {
    let member = call.member()?;
    let mut tx = api.begin(&call).await?;
    let claimed = claim(&mut tx, &call, member.account.as_str()).await?;
    let (mut account, _) = own_account(&mut tx, &call, Action::Lead).await?;
    if claimed == Claim::New
        && let Some(event) = account.accept_terms(&member.id, api.clock.now())
    {
        api.save_account(tx, &call, &account, event).await?;
    }
    Ok(pb::AcceptTermsResponse {
        account: Some(convert::account(&account)),
    })
}
