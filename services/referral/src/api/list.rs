use cosell_grpc::{Call, Failure, PageQuery, page_size};
use cosell_proto::cosell::referral::v1 as pb;
use cosell_types::ClosedList as _;

use super::{Api, convert};
use crate::domain::values::ReferralState;
use crate::store;
use crate::store::list::{Last, referrals};

pub async fn handle(
    api: &Api,
    mut call: Call<pb::ListReferralsRequest>,
) -> Result<pb::ListReferralsResponse, Failure> {
    let token = std::mem::take(&mut call.message.page_token);
    let size = page_size(std::mem::take(&mut call.message.page_size));
    let query = PageQuery::new(&call.caller, &call.message);
    let last = query.last(&token, Last::is_referral)?;
    let states: Vec<_> = call
        .message
        .states
        .iter()
        .filter_map(|number| ReferralState::from_number(*number))
        .collect();
    let account = &call.member()?.account;
    let receivers = &call.message.receiver_account_ids;
    let mut tx = api.begin(&call).await?;
    let found = referrals(&mut tx, account, &states, receivers, last, size + 1).await?;
    let all: Vec<_> = found.iter().map(|(referral, _)| referral.clone()).collect();
    let offers = store::offers_of(&mut tx, account, &all).await?;
    let shown = found.iter().map(|(referral, content)| {
        let shown = convert::referral(referral, content, &offers)?;
        Ok((Last::of_referral(referral), shown))
    });
    let shown: Vec<_> = shown.collect::<Result<_, Failure>>()?;
    let (referrals, next_page_token) =
        query.page(&shown, size, |(_, shown)| shown.clone(), |(last, _)| last.clone())?;
    Ok(pb::ListReferralsResponse {
        referrals,
        next_page_token,
    })
}
