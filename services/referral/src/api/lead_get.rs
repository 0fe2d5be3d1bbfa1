use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::referral::v1 as pb;

use super::visible::led;
use super::{Api, convert};

pub async fn handle(api: &Api, call: Call<pb::GetLeadRequest>) -> Result<pb::GetLeadResponse, Failure> {
    let mut tx = api.begin(&call).await?;
    let (lead, details) = led(&mut tx, &call, &call.message.lead_id).await?;
    Ok(pb::GetLeadResponse {
        lead: Some(convert::lead(&lead, details)),
    })
}
