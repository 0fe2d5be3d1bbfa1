use cosell_grpc::{Call, Failure, PageQuery, page_size};
use cosell_proto::cosell::referral::v1 as pb;
use cosell_store::begin;
use cosell_types::ClosedList as _;
use prost::Message as _;

use super::Api;
use crate::convert;
use crate::domain::values::LeadState;
use crate::store::list::{PageCursor, list_leads};

pub async fn handle(
    api: &Api,
    mut call: Call<pb::ListLeadsRequest>,
) -> Result<pb::ListLeadsResponse, Failure> {
    let token = std::mem::take(&mut call.message.page_token);
    let size = page_size(std::mem::take(&mut call.message.page_size));
    let query = PageQuery::new(&call.caller, &call.message);
    let cursor = query.cursor(&token, PageCursor::is_valid_for_leads)?;
    let states: Vec<_> = call
        .message
        .states
        .iter()
        .filter_map(|number| LeadState::from_number(*number))
        .collect();
    let member = call.member()?;
    let owner = (!member.sees_whole_pipeline()).then_some(&member.id);
    let mut tx = begin(&api.db, &call).await?;
    let rows = list_leads(&mut tx, &member.account, owner, &states, cursor, size + 1).await?;
    let rows = rows.into_iter().map(|(lead, details)| {
        let details = pb::LeadDetails::decode(details.as_slice()).map_err(Failure::internal)?;
        Ok((PageCursor::after_lead(&lead), convert::lead(&lead, details)))
    });
    let rows: Vec<_> = rows.collect::<Result<_, Failure>>()?;
    let (leads, next_page_token) = query.page(
        &rows,
        size,
        |(_, lead)| lead.clone(),
        |(cursor, _)| cursor.clone(),
    )?;
    Ok(pb::ListLeadsResponse {
        leads,
        next_page_token,
    })
}
