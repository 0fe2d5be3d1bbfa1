use cosell_grpc::{Call, Failure, PageQuery, page_size};
use cosell_proto::cosell::referral::v1 as pb;
use cosell_types::ClosedList as _;
use prost::Message as _;

use super::{Api, convert};
use crate::domain::access;
use crate::domain::values::LeadState;
use crate::store::list::{Last, leads};

pub async fn handle(
    api: &Api,
    mut call: Call<pb::ListLeadsRequest>,
) -> Result<pb::ListLeadsResponse, Failure> {
    let token = std::mem::take(&mut call.message.page_token);
    let size = page_size(std::mem::take(&mut call.message.page_size));
    let query = PageQuery::new(&call.caller, &call.message);
    let last = query.last(&token, Last::is_lead)?;
    let states: Vec<_> = call
        .message
        .states
        .iter()
        .filter_map(|number| LeadState::from_number(*number))
        .collect();
    let member = call.member()?;
    let owner = (!access::sees_all_leads(member)).then_some(&member.id);
    let mut tx = api.begin(&call).await?;
    let found = leads(&mut tx, &member.account, owner, &states, last, size + 1).await?;
    let shown = found.into_iter().map(|(lead, details)| {
        let details = pb::LeadDetails::decode(details.as_slice()).map_err(Failure::internal)?;
        Ok((Last::of_lead(&lead), convert::lead(&lead, details)))
    });
    let shown: Vec<_> = shown.collect::<Result<_, Failure>>()?;
    let (leads, next_page_token) =
        query.page(&shown, size, |(_, shown)| shown.clone(), |(last, _)| last.clone())?;
    Ok(pb::ListLeadsResponse {
        leads,
        next_page_token,
    })
}
