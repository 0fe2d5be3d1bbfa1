use cosell_grpc::{Call, Failure, PageQuery, page_size};
use cosell_proto::cosell::partner::v1 as pb;

use super::{Api, convert};
use crate::store::list::{LastPartner, PartnerFilter, partners};

pub async fn handle(
    api: &Api,
    mut call: Call<pb::ListPartnersRequest>,
) -> Result<pb::ListPartnersResponse, Failure> {
    let token = std::mem::take(&mut call.message.page_token);
    let size = page_size(std::mem::take(&mut call.message.page_size));
    let query = PageQuery::new(&call.caller, &call.message);
    let last = query.last(&token, LastPartner::is_sound)?;
    let filter = filter(call.message.filter.clone().unwrap_or_default());

    let mut tx = api.begin(&call).await?;
    let account = &call.member()?.account;
    let found = partners(&mut tx, account, &filter, last, size + 1).await?;
    let (partners, next_page_token) = query.page(&found, size, convert::partner, LastPartner::of)?;
    Ok(pb::ListPartnersResponse {
        partners,
        next_page_token,
    })
}

fn filter(stated: pb::PartnerFilter) -> PartnerFilter {
    PartnerFilter {
        profile: None,
        connected: stated.connected,
        partner_types: convert::members(&stated.partner_types),
        solution_types: convert::members(&stated.solution_types),
        name: stated.name,
        keywords: stated.keywords,
        industries: stated.industry_segments,
        countries: stated.headquarters_country_codes,
        programs: stated.programs,
        specializations: stated.specializations,
    }
}
