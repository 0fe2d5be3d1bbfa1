use cosell_grpc::{Call, Failure};
use cosell_members::active_member;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_store::Scope;
use cosell_types::{AccountId, Caller, Member, MemberId, Side};

use super::Api;
use crate::domain::access;
use crate::domain::values::ReviewStatus;
use crate::store;
use crate::{status, view};

/// Returns the record as it is visible to the account or, if the request has a member, to that member.
pub async fn handle(
    api: &Api,
    call: Call<pb::GetOpportunityForAccountRequest>,
) -> Result<pb::GetOpportunityForAccountResponse, Failure> {
    let message = &call.message;
    let not_found = || status::not_found(&message.opportunity_id);
    let account: AccountId = message.account_id.parse().map_err(|_| not_found())?;
    let id = message.opportunity_id.parse().map_err(|_| not_found())?;
    let mut tx = api
        .db
        .tx(&Scope::account(&account).in_class(call.caller.class()))
        .await?;
    let record = store::load_opportunity(&mut tx, &account, id)
        .await?
        .ok_or_else(not_found)?;
    let reader = if message.member_id.is_empty() {
        account_reader(&account)?
    } else {
        let member: MemberId = message.member_id.parse().map_err(|_| not_found())?;
        let member = active_member(&mut tx, &account, &member).await?;
        member
            .filter(|member| access::is_visible(member, &record))
            .ok_or_else(not_found)?
    };
    let reader = Caller::Member(reader);
    let aws_summary = match record.review().status {
        ReviewStatus::Approved => {
            let summary = store::load_aws_summary(&mut tx, &record).await?;
            Some(view::aws_summary(&reader, summary, &record))
        }
        _ => None,
    };
    Ok(pb::GetOpportunityForAccountResponse {
        opportunity: Some(view::opportunity(&record, &reader, &api.catalog)),
        aws_opportunity_summary: aws_summary,
    })
}

/// A placeholder member of the account. What a view shows to the account that owns a record does not depend on the
/// member.
fn account_reader(account: &AccountId) -> Result<Member, Failure> {
    Ok(Member {
        id: account.as_str().parse().map_err(Failure::internal)?,
        account: account.clone(),
        side: Side::Partner,
        roles: Vec::new(),
        sees_all_opportunities: false,
    })
}
