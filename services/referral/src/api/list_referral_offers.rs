use cosell_grpc::{Call, Failure, PageQuery, page_size};
use cosell_proto::cosell::referral::v1 as pb;
use cosell_store::begin;
use cosell_types::ClosedList as _;

use super::Api;
use crate::convert;
use crate::domain::values::ReferralOfferState;
use crate::store::list::{PageCursor, list_offers};

pub async fn handle(
    api: &Api,
    mut call: Call<pb::ListReferralOffersRequest>,
) -> Result<pb::ListReferralOffersResponse, Failure> {
    let token = std::mem::take(&mut call.message.page_token);
    let size = page_size(std::mem::take(&mut call.message.page_size));
    let query = PageQuery::new(&call.caller, &call.message);
    let cursor = query.cursor(&token, PageCursor::is_valid_for_offers)?;
    let mut states: Vec<_> = call
        .message
        .states
        .iter()
        .filter_map(|number| ReferralOfferState::from_number(*number))
        .collect();
    if states.is_empty() {
        states = vec![ReferralOfferState::Pending, ReferralOfferState::Accepted];
    }
    let mut tx = begin(&api.db, &call).await?;
    let account = &call.member()?.account;
    let rows = list_offers(&mut tx, account, &states, api.clock.now(), cursor, size + 1).await?;
    let rows = rows.into_iter().map(|(offer, excerpt)| {
        let message = convert::offer(&offer, excerpt)?;
        Ok((PageCursor::after_offer(&offer), message))
    });
    let rows: Vec<_> = rows.collect::<Result<_, Failure>>()?;
    let (offers, next_page_token) = query.page(
        &rows,
        size,
        |(_, offer)| offer.clone(),
        |(cursor, _)| cursor.clone(),
    )?;
    Ok(pb::ListReferralOffersResponse {
        referral_offers: offers,
        next_page_token,
    })
}
