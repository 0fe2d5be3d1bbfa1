use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::referral::v1 as pb;
use cosell_store::begin;
use prost::Message as _;

use super::Api;
use crate::status;
use crate::store;

pub async fn handle(
    api: &Api,
    call: Call<pb::GetConvertedLeadRequest>,
) -> Result<pb::GetConvertedLeadResponse, Failure> {
    let id = &call.message.lead_id;
    let not_found = || status::lead_not_found(id);
    let lead_id = id.parse().map_err(|_| not_found())?;
    let mut tx = begin(&api.db, &call).await?;
    let details = store::load_converted_lead(&mut tx, &lead_id).await?;
    let details = details.ok_or_else(not_found)?;
    Ok(pb::GetConvertedLeadResponse {
        details: Some(pb::LeadDetails::decode(details.as_slice()).map_err(Failure::internal)?),
    })
}
