use cosell_grpc::{Call, Failure, PageQuery, page_size};
use cosell_proto::cosell::referral::v1 as pb;
use cosell_store::begin;
use cosell_types::ClosedList as _;

use super::Api;
use crate::convert;
use crate::domain::values::ReferralState;
use crate::store;
use crate::store::list::{PageCursor, list_referrals};

pub async fn handle(
    api: &Api,
    mut call: Call<pb::ListReferralsRequest>,
) -> Result<pb::ListReferralsResponse, Failure> {
    let token = std::mem::take(&mut call.message.page_token);
    let size = page_size(std::mem::take(&mut call.message.page_size));
    let query = PageQuery::new(&call.caller, &call.message);
    let cursor = query.cursor(&token, PageCursor::is_valid_for_referrals)?;
    let states: Vec<_> = call
        .message
        .states
        .iter()
        .filter_map(|number| ReferralState::from_number(*number))
        .collect();
    let account = &call.member()?.account;
    let receivers = &call.message.receiver_account_ids;
    let mut tx = begin(&api.db, &call).await?;
    let rows = list_referrals(&mut tx, account, &states, receivers, cursor, size + 1).await?;
    let referrals: Vec<_> = rows.iter().map(|(referral, _)| referral.clone()).collect();
    let offers = store::load_offers_of(&mut tx, account, &referrals).await?;
    let rows = rows.iter().map(|(referral, content)| {
        let message = convert::referral(referral, content, &offers)?;
        Ok((PageCursor::after_referral(referral), message))
    });
    let rows: Vec<_> = rows.collect::<Result<_, Failure>>()?;
    let (referrals, next_page_token) = query.page(
        &rows,
        size,
        |(_, referral)| referral.clone(),
        |(cursor, _)| cursor.clone(),
    )?;
    Ok(pb::ListReferralsResponse {
        referrals,
        next_page_token,
    })
}
