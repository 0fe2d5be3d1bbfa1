use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::partner::v1 as pb;
use cosell_store::begin;

use super::Api;
use crate::store::list::{PartnerFilter, list_partners};
use crate::{convert, status};

pub async fn handle(api: &Api, call: Call<pb::GetPartnerRequest>) -> Result<pb::GetPartnerResponse, Failure> {
    let member = call.member()?;
    let id = &call.message.profile_id;
    let filter = PartnerFilter {
        profile: Some(id.clone()),
        ..PartnerFilter::default()
    };
    let mut tx = begin(&api.db, &call).await?;
    let entries = list_partners(&mut tx, &member.account, &filter, None, 1).await?;
    let entry = entries.first().ok_or_else(|| status::profile_not_found(id))?;
    Ok(pb::GetPartnerResponse {
        partner: Some(convert::partner(entry)),
    })
}
