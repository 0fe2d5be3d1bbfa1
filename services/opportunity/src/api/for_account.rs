use cosell_grpc::{Call, Failure};
use cosell_members::active_member;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_store::Scope;
use cosell_types::{AccountId, Caller, Member, MemberId, Side};

use super::get_aws_summary;
use super::{Api, shown, status};
use crate::domain::access;
use crate::domain::values::ReviewStatus;
use crate::store;

/// As the account sees its record, or the member, where one is named.
pub async fn handle(
    api: &Api,
    call: Call<pb::GetOpportunityForAccountRequest>,
) -> Result<pb::GetOpportunityForAccountResponse, Failure> {
    let message = &call.message;
    let not_found = || status::not_found(&message.opportunity_id);
    let account: AccountId = message.account_id.parse().map_err(|_| not_found())?;
    let id = message.opportunity_id.parse().map_err(|_| not_found())?;
    let mut tx = api.db.tx(&Scope::account(&account)).await?;
    let record = store::load(&mut tx, &account, id).await?.ok_or_else(not_found)?;
    let reader = if message.member_id.is_empty() {
        itself(&account)?
    } else {
        let member: MemberId = message.member_id.parse().map_err(|_| not_found())?;
        let member = active_member(&mut tx, &account, &member).await?;
        member
            .filter(|member| access::sees(member, &record))
            .ok_or_else(not_found)?
    };
    let reader = Caller::Member(reader);
    let aws_summary = match record.review().status {
        ReviewStatus::Approved => {
            let summary = store::aws_summary(&mut tx, &record).await?;
            Some(get_aws_summary::shown(&reader, summary, &record))
        }
        _ => None,
    };
    Ok(pb::GetOpportunityForAccountResponse {
        opportunity: Some(shown(api, &reader, &record)),
        aws_opportunity_summary: aws_summary,
    })
}

/// The account, as the one who reads: what is shown goes by whose record it is, and not by who of the account looks.
fn itself(account: &AccountId) -> Result<Member, Failure> {
    Ok(Member {
        id: account.as_str().parse().map_err(Failure::internal)?,
        account: account.clone(),
        side: Side::Partner,
        roles: Vec::new(),
    })
}
