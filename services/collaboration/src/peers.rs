//! Calls to other services: opportunity and partner-connection.

use cosell_grpc::{Failure, MAX_RESPONSE, Peer, Retry};
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::opportunity::v1::opportunity_internal_service_client::OpportunityInternalServiceClient;
use cosell_proto::cosell::partner::v1 as partner;
use cosell_proto::cosell::partner::v1::account_service_client::AccountServiceClient;
use cosell_proto::cosell::partner::v1::member_service_client::MemberServiceClient;
use cosell_types::{AccountId, MemberId, OpportunityId, Pii};
use tonic::{Code, Status};

use crate::domain::{AccountProfile, MemberRef};
use crate::{convert, status};

/// An opportunity as an account reads it, with its AWS summary.
pub struct ReadOpportunity {
    pub id: OpportunityId,
    pub record: opportunity::Opportunity,
    pub aws_summary: opportunity::AwsOpportunitySummary,
}

/// The opportunity, if the account, or the member of it, has access. This service calls as itself, and the opportunity
/// service decides what the reader has access to (docs/adr/0017).
pub async fn load_opportunity(
    peer: &Peer,
    reader: (&AccountId, Option<&MemberId>),
    id: &str,
) -> Result<ReadOpportunity, Failure> {
    let not_found = || status::opportunity_not_found(id);
    let opportunity_id = id.parse().map_err(|_| not_found())?;
    let response = find_opportunity(peer, reader, id).await?.ok_or_else(not_found)?;
    Ok(ReadOpportunity {
        id: opportunity_id,
        record: response.opportunity.ok_or_else(not_found)?,
        aws_summary: response.aws_opportunity_summary.unwrap_or_default(),
    })
}

/// The response of the opportunity service; `None` when the reader has no access.
pub async fn find_opportunity(
    peer: &Peer,
    (account, member): (&AccountId, Option<&MemberId>),
    id: &str,
) -> Result<Option<opportunity::GetOpportunityForAccountResponse>, Failure> {
    let request = peer.request(opportunity::GetOpportunityForAccountRequest {
        account_id: account.to_string(),
        opportunity_id: id.to_owned(),
        member_id: member.map(ToString::to_string).unwrap_or_default(),
    })?;
    let response = OpportunityInternalServiceClient::new(peer.channel())
        .max_decoding_message_size(MAX_RESPONSE)
        .get_opportunity_for_account(request)
        .await;
    match response {
        Ok(response) => Ok(Some(response.into_inner())),
        Err(error) if error.code() == Code::NotFound => Ok(None),
        Err(error) => Err(failure(error)),
    }
}

/// The public name and website of an account, from the directory.
pub async fn load_account_profile(peer: &Peer, account: &AccountId) -> Result<AccountProfile, Failure> {
    let request = peer.request(partner::GetAccountRequest {
        account_id: account.to_string(),
    })?;
    let response = AccountServiceClient::new(peer.channel())
        .get_account(request)
        .await;
    let account = response.map_err(failure)?.into_inner().account;
    Ok(convert::account_profile(&account.unwrap_or_default()))
}

/// The e-mail address of a member, from the directory; `None` when the account has no such member any more.
pub async fn load_email(peer: &Peer, member_ref: &MemberRef) -> Result<Option<Pii<String>>, Failure> {
    let request = peer.request(partner::GetMemberRequest {
        member_id: member_ref.member.to_string(),
        account_id: member_ref.account.to_string(),
    })?;
    let response = MemberServiceClient::new(peer.channel()).get_member(request).await;
    let member = match response {
        Ok(response) => response.into_inner().member.unwrap_or_default(),
        Err(error) if error.code() == Code::NotFound => return Ok(None),
        Err(error) => return Err(Failure::unavailable(Retry::Never, error)),
    };
    Ok(Some(member.person.unwrap_or_default().email.into()))
}

fn failure(error: Status) -> Failure {
    match error.code() {
        Code::Unavailable | Code::DeadlineExceeded | Code::ResourceExhausted | Code::Cancelled => {
            Failure::unavailable(Retry::Never, error)
        }
        _ => Failure::internal(error),
    }
}
