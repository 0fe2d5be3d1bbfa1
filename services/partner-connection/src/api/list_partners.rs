use cosell_grpc::{Call, Failure, PageQuery, page_size};
use cosell_proto::cosell::partner::v1 as pb;
use cosell_store::begin;
use cosell_types::{FieldPath, Violation, ViolationCode, comparison_key};

use super::Api;
use crate::convert;
use crate::store::list::{PartnerCursor, PartnerFilter, list_partners};

pub async fn handle(
    api: &Api,
    mut call: Call<pb::ListPartnersRequest>,
) -> Result<pb::ListPartnersResponse, Failure> {
    let token = std::mem::take(&mut call.message.page_token);
    let size = page_size(std::mem::take(&mut call.message.page_size));
    let query = PageQuery::new(&call.caller, &call.message);
    let cursor = query.cursor(&token, PartnerCursor::is_valid)?;
    let filter = partner_filter(call.message.filter.clone().unwrap_or_default())?;
    let mut tx = begin(&api.db, &call).await?;
    let account = &call.member()?.account;
    let rows = list_partners(&mut tx, account, &filter, cursor, size + 1).await?;
    let (partners, next_page_token) = query.page(&rows, size, convert::partner, PartnerCursor::after)?;
    Ok(pb::ListPartnersResponse {
        partners,
        next_page_token,
    })
}

fn partner_filter(filter: pb::PartnerFilter) -> Result<PartnerFilter, Failure> {
    // Nothing that is visible would match every profile.
    if !filter.name.is_empty() && comparison_key(&filter.name).trim().is_empty() {
        let root = FieldPath::root();
        let (at, text) = (
            root.field("filter"),
            "Must have a visible character, or be empty.",
        );
        let violation = Violation::new(&at.field("name"), ViolationCode::InvalidValue, text);
        return Err(Failure::invalid(vec![violation]));
    }
    Ok(PartnerFilter {
        profile: None,
        connected: filter.connected,
        partner_types: convert::closed_list_values(&filter.partner_types),
        solution_types: convert::closed_list_values(&filter.solution_types),
        name: filter.name,
        keywords: filter.keywords,
        industries: filter.industry_segments,
        countries: filter.headquarters_country_codes,
        programs: filter.programs,
        specializations: filter.specializations,
    })
}
