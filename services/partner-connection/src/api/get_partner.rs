use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::partner::v1 as pb;

use super::{Api, convert, status};
use crate::store::list::{PartnerFilter, partners};

pub async fn handle(api: &Api, call: Call<pb::GetPartnerRequest>) -> Result<pb::GetPartnerResponse, Failure> {
    let member = call.member()?;
    let id = &call.message.profile_id;
    let filter = PartnerFilter {
        profile: Some(id.clone()),
        ..PartnerFilter::default()
    };
    let mut tx = api.begin(&call).await?;
    let found = partners(&mut tx, &member.account, &filter, None, 1).await?;
    let found = found.first().ok_or_else(|| status::no_profile(id))?;
    Ok(pb::GetPartnerResponse {
        partner: Some(convert::partner(found)),
    })
}
