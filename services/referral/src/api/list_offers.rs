use cosell_grpc::{Call, Failure, PageQuery, page_size};
use cosell_proto::cosell::referral::v1 as pb;
use cosell_types::ClosedList as _;

use super::{Api, convert};
use crate::domain::values::ReferralOfferState;
use crate::store::list::{Last, offers};

pub async fn handle(
    api: &Api,
    mut call: Call<pb::ListReferralOffersRequest>,
) -> Result<pb::ListReferralOffersResponse, Failure> {
    let token = std::mem::take(&mut call.message.page_token);
    let size = page_size(std::mem::take(&mut call.message.page_size));
    let query = PageQuery::new(&call.caller, &call.message);
    let last = query.last(&token, Last::is_offer)?;
    let mut states: Vec<_> = call
        .message
        .states
        .iter()
        .filter_map(|number| ReferralOfferState::from_number(*number))
        .collect();
    if states.is_empty() {
        states = vec![ReferralOfferState::Pending, ReferralOfferState::Accepted];
    }
    let mut tx = api.begin(&call).await?;
    let account = &call.member()?.account;
    let found = offers(&mut tx, account, &states, api.clock.now(), last, size + 1).await?;
    let shown = found.into_iter().map(|(offer, shown)| {
        let shown = convert::offer(&offer, shown)?;
        Ok((Last::of_offer(&offer), shown))
    });
    let shown: Vec<_> = shown.collect::<Result<_, Failure>>()?;
    let (offers, next_page_token) =
        query.page(&shown, size, |(_, shown)| shown.clone(), |(last, _)| last.clone())?;
    Ok(pb::ListReferralOffersResponse {
        referral_offers: offers,
        next_page_token,
    })
}
