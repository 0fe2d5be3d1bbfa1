use cosell_grpc::convert::{day_span, time_span};
use cosell_grpc::{Call, Failure, PageQuery, page_size};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::r#type::v1::SortOrder;
use cosell_types::{ClosedList, FieldPath, OpportunityId, Side, Violation, ViolationCode};

use super::{Api, shown};
use crate::domain::Opportunity;
use crate::domain::access::{Reach, reach};
use crate::store::list::{Filter, Key, list};

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
    let last = query.last(&token, |last| key.is_of(last))?;
    let descending = call.message.sort_order() != SortOrder::Ascending;

    let mut tx = api.begin(&call).await?;
    let mut filter = filter(call.message.filter.clone().unwrap_or_default())?;
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
    filter.account = member.own_account().cloned();
    match reach(member) {
        Reach::Own => filter.own_of = Some(member.id.clone()),
        Reach::FullVisibility => filter.fully_visible = true,
        Reach::Account | Reach::Submitted | Reach::Nothing => {}
    }
    let records = list(&mut tx, &filter, key, descending, last, size + 1).await?;
    let show = |record: &Opportunity| shown(api, &call.caller, record);
    let (opportunities, next_page_token) = query.page(&records, size, show, |last| key.last(last))?;
    Ok(pb::ListOpportunitiesResponse {
        opportunities,
        next_page_token,
    })
}

fn filter(stated: pb::OpportunityFilter) -> Result<Filter, Failure> {
    let mut found = Vec::new();
    let created = time_span(stated.create_time.as_ref(), "filter.create_time", &mut found);
    let updated = time_span(stated.update_time.as_ref(), "filter.update_time", &mut found);
    let closes = day_span(
        stated.target_close_date.as_ref(),
        "filter.target_close_date",
        &mut found,
    );
    if !found.is_empty() {
        return Err(Failure::invalid(found));
    }
    Ok(Filter {
        ids: OpportunityId::filter(&stated.opportunity_ids),
        stages: members(&stated.stages),
        review_statuses: members(&stated.review_statuses),
        company_names: stated.customer_company_names,
        created,
        updated,
        closes,
        without_active_owner: stated.without_active_owner,
        ..Filter::default()
    })
}

fn members<T: ClosedList>(numbers: &[i32]) -> Vec<T> {
    numbers
        .iter()
        .filter_map(|number| T::from_number(*number))
        .collect()
}
