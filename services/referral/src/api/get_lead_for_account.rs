use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::referral::v1 as pb;
use cosell_store::Scope;
use cosell_types::AccountId;
use prost::Message as _;

use super::Api;
use crate::{convert, status, store};

pub async fn handle(
    api: &Api,
    call: Call<pb::GetLeadForAccountRequest>,
) -> Result<pb::GetLeadForAccountResponse, Failure> {
    let id = &call.message.lead_id;
    let not_found = || status::lead_not_found(id);
    let account: AccountId = call.message.account_id.parse().map_err(|_| not_found())?;
    let lead_id = id.parse().map_err(|_| not_found())?;
    let mut tx = api
        .db
        .tx(&Scope::account(&account).in_class(call.caller.class()))
        .await?;
    let loaded = store::load_lead(&mut tx, &account, &lead_id).await?;
    let (lead, details) = loaded.ok_or_else(not_found)?;
    let details = pb::LeadDetails::decode(details.as_slice()).map_err(Failure::internal)?;
    Ok(pb::GetLeadForAccountResponse {
        lead: Some(convert::lead(&lead, details)),
    })
}
