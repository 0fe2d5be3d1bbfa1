use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::referral::v1 as pb;
use cosell_store::begin;

use super::Api;
use crate::convert;
use crate::load::{LoadedLead, load_lead};

pub async fn handle(api: &Api, call: Call<pb::GetLeadRequest>) -> Result<pb::GetLeadResponse, Failure> {
    let mut tx = begin(&api.db, &call).await?;
    let LoadedLead { lead, details } = load_lead(&mut tx, &call, &call.message.lead_id).await?;
    Ok(pb::GetLeadResponse {
        lead: Some(convert::lead(&lead, details)),
    })
}
