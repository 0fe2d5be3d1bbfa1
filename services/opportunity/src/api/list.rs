use cosell_grpc::convert::{day_span, time_span};
use cosell_grpc::{Call, Failure, PageQuery, page_size};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::r#type::v1::SortOrder;
use cosell_types::{ClosedList as _, FieldPath, OpportunityId, Side, Violation, ViolationCode};

use super::{Api, convert, shown};
use crate::domain::values::Preset;
use crate::domain::{Opportunity, Periods, search};
use crate::store::list::{Asked, Filter, Key, Page, list};

pub async fn handle(
    api: &Api,
    mut call: Call<pb::ListOpportunitiesRequest>,
) -> Result<pb::ListOpportunitiesResponse, Failure> {
    let token = std::mem::take(&mut call.message.page_token);
    let size = page_size(std::mem::take(&mut call.message.page_size));
    let query = PageQuery::new(&call.caller, &call.message);
    let key = match call.message.sort_key() {
        pb::OpportunitySortKey::Unspecified | pb::OpportunitySortKey::UpdateTime => Key::UpdateTime,
        pb::OpportunitySortKey::OpportunityId => Key::Id,
        pb::OpportunitySortKey::CustomerCompanyName => Key::CompanyName,
        pb::OpportunitySortKey::CreateTime => Key::CreateTime,
        pb::OpportunitySortKey::TargetCloseDate => Key::TargetCloseDate,
    };
    let page = Page {
        key,
        descending: call.message.sort_order() != SortOrder::Ascending,
        last: query.last(&token, |last| key.is_of(last))?,
        limit: size + 1,
    };

    let mut tx = api.begin(&call).await?;
    let filter = filter(&call.message)?;
    let member = call.member()?;
    if filter.without_active_owner && member.side == Side::Aws {
        let at = FieldPath::root();
        let text = "is for partners only";
        let at = at.field("filter.without_active_owner");
        return Err(Failure::invalid(vec![Violation::new(
            &at,
            ViolationCode::InvalidValue,
            text,
        )]));
    }
    let asked = Asked {
        by: member,
        periods: &Periods::at(api.clock.now()),
    };
    let records = list(&mut tx, asked, &filter, page).await?;
    let show = |record: &Opportunity| shown(api, &call.caller, record);
    let (opportunities, next_page_token) = query.page(&records, size, show, |last| key.last(member, last))?;
    Ok(pb::ListOpportunitiesResponse {
        opportunities,
        next_page_token,
    })
}

/// The conditions of a list.
pub fn filter(message: &pb::ListOpportunitiesRequest) -> Result<Filter, Failure> {
    let stated = message.filter.clone().unwrap_or_default();
    let mut found = Vec::new();
    let created = time_span(stated.create_time.as_ref(), "filter.create_time", &mut found);
    let updated = time_span(stated.update_time.as_ref(), "filter.update_time", &mut found);
    let closes = day_span(
        stated.target_close_date.as_ref(),
        "filter.target_close_date",
        &mut found,
    );
    let words: Vec<_> = search::words(&message.search).into_iter().collect();
    if words.len() > search::MOST_WORDS {
        let at = FieldPath::root();
        let text = format!("has at most {} different words", search::MOST_WORDS);
        found.push(Violation::new(
            &at.field("search"),
            ViolationCode::InvalidValue,
            text,
        ));
    }
    if !found.is_empty() {
        return Err(Failure::invalid(found));
    }
    Ok(Filter {
        ids: OpportunityId::filter(&stated.opportunity_ids),
        preset: Preset::from_number(message.preset),
        words,
        stages: convert::members(&stated.stages),
        review_statuses: convert::members(&stated.review_statuses),
        company_names: stated.customer_company_names,
        owners: stated
            .owner_member_ids
            .iter()
            .filter_map(|id| id.parse().ok())
            .collect(),
        origins: convert::members(&stated.origins),
        created,
        updated,
        closes,
        without_active_owner: stated.without_active_owner,
    })
}
