//! Calls to other services, which read what events do not carry: names, texts and links. What a peer does not find, or
//! no longer shows to the recipients, is left out of the notification and does not fail its event (NOT-005).

use cosell_events::HandlerError;
use cosell_grpc::{MAX_RESPONSE, Peer};
use cosell_proto::cosell::collaboration::v1 as collaboration;
use cosell_proto::cosell::collaboration::v1::channel_service_client::ChannelServiceClient;
use cosell_proto::cosell::collaboration::v1::collaboration_internal_service_client::CollaborationInternalServiceClient;
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::opportunity::v1::get_opportunity_request::AsOf;
use cosell_proto::cosell::opportunity::v1::opportunity_internal_service_client::OpportunityInternalServiceClient;
use cosell_proto::cosell::opportunity::v1::opportunity_service_client::OpportunityServiceClient;
use cosell_proto::cosell::partner::v1 as partner;
use cosell_proto::cosell::partner::v1::account_service_client::AccountServiceClient;
use cosell_proto::cosell::partner::v1::connection_service_client::ConnectionServiceClient;
use cosell_proto::cosell::partner::v1::member_service_client::MemberServiceClient;
use cosell_proto::cosell::referral::v1 as referral;
use cosell_proto::cosell::referral::v1::referral_internal_service_client::ReferralInternalServiceClient;
use cosell_service::Platform;
use tonic::{Code, Response, Status};

use crate::config::Options;
use crate::convert;
use crate::domain::ProjectFacts;

/// The services that notification calls. They decide what the account of a request sees.
#[derive(Clone)]
pub struct Peers {
    opportunity: Peer,
    referral: Peer,
    collaboration: Peer,
    directory: Peer,
}

impl Peers {
    pub fn new(options: &Options, platform: &Platform) -> anyhow::Result<Self> {
        let peer = |address: &str| Peer::new(address, platform.tokens.clone());
        Ok(Self {
            opportunity: peer(&options.opportunity_url)?,
            referral: peer(&options.referral_url)?,
            collaboration: peer(&options.collaboration_url)?,
            directory: peer(&platform.partner_url)?,
        })
    }

    /// The opportunity at a revision, as AWS and services see it: without what is hidden for classified ones (OPP-017).
    pub async fn find_revision(
        &self,
        opportunity: &str,
        revision: i64,
    ) -> Result<Option<opportunity::Opportunity>, HandlerError> {
        let request = self.opportunity.request(opportunity::GetOpportunityRequest {
            opportunity_id: opportunity.to_owned(),
            as_of: Some(AsOf::Revision(revision)),
        })?;
        let response = OpportunityServiceClient::new(self.opportunity.channel())
            .max_decoding_message_size(MAX_RESPONSE)
            .get_opportunity(request)
            .await;
        Ok(find_message(response)?.and_then(|response| response.opportunity))
    }

    /// The current opportunity and its AWS summary as the account that owns it sees them. For recipients of that
    /// account only.
    pub async fn find_own_opportunity(
        &self,
        account: &str,
        opportunity: &str,
    ) -> Result<Option<opportunity::GetOpportunityForAccountResponse>, HandlerError> {
        if opportunity.is_empty() {
            return Ok(None);
        }
        let request = self
            .opportunity
            .request(opportunity::GetOpportunityForAccountRequest {
                account_id: account.to_owned(),
                opportunity_id: opportunity.to_owned(),
                member_id: String::new(),
            })?;
        let response = OpportunityInternalServiceClient::new(self.opportunity.channel())
            .max_decoding_message_size(MAX_RESPONSE)
            .get_opportunity_for_account(request)
            .await;
        find_message(response)
    }

    /// The current opportunity as AWS sees it, with its AWS summary. Without the opportunity while it is not submitted.
    pub async fn find_current_as_aws(
        &self,
        account: &str,
        opportunity: &str,
    ) -> Result<opportunity::GetOpportunityForAccountResponse, HandlerError> {
        let current = self.find_own_opportunity(account, opportunity).await?;
        let mut current = current.unwrap_or_default();
        // A service reads a submitted revision by its number only.
        if let Some(own) = current.opportunity {
            current.opportunity = self.find_revision(opportunity, own.revision).await?;
        }
        Ok(current)
    }

    /// Customer and title of an opportunity as the account that owns it sees them.
    pub async fn own_project(&self, account: &str, opportunity: &str) -> Result<ProjectFacts, HandlerError> {
        let own = self.find_own_opportunity(account, opportunity).await?;
        let own = own.and_then(|response| response.opportunity);
        Ok(convert::project(&own.unwrap_or_default()))
    }

    pub async fn find_member(
        &self,
        account: &str,
        member: &str,
    ) -> Result<Option<partner::GetMemberResponse>, HandlerError> {
        if member.is_empty() {
            return Ok(None);
        }
        let request = self.directory.request(partner::GetMemberRequest {
            member_id: member.to_owned(),
            account_id: account.to_owned(),
        })?;
        let response = MemberServiceClient::new(self.directory.channel())
            .get_member(request)
            .await;
        find_message(response)
    }

    /// First and last name of a member; empty if it does not exist.
    pub async fn member_name(&self, account: &str, member: &str) -> Result<String, HandlerError> {
        let response = self.find_member(account, member).await?.unwrap_or_default();
        let person = response.member.and_then(|member| member.person);
        Ok(convert::person_name(&person.unwrap_or_default()))
    }

    /// The display name of an account; empty if it does not exist.
    pub async fn company_name(&self, account: &str) -> Result<String, HandlerError> {
        if account.is_empty() {
            return Ok(String::new());
        }
        let request = self.directory.request(partner::GetAccountRequest {
            account_id: account.to_owned(),
        })?;
        let response = AccountServiceClient::new(self.directory.channel())
            .get_account(request)
            .await;
        let account = find_message(response)?.and_then(|response| response.account);
        Ok(account.unwrap_or_default().display_name)
    }

    /// The invitation as the account sees it.
    pub async fn find_connection_invitation(
        &self,
        account: &str,
        invitation: &str,
    ) -> Result<Option<partner::ConnectionInvitation>, HandlerError> {
        let request = self.directory.request(partner::GetConnectionInvitationRequest {
            connection_invitation_id: invitation.to_owned(),
            account_id: account.to_owned(),
        })?;
        let response = ConnectionServiceClient::new(self.directory.channel())
            .get_connection_invitation(request)
            .await;
        Ok(find_message(response)?.and_then(|response| response.connection_invitation))
    }

    /// The offer as the account that received it sees it.
    pub async fn find_referral_offer(
        &self,
        account: &str,
        offer: &str,
    ) -> Result<Option<referral::ReferralOffer>, HandlerError> {
        let request = self
            .referral
            .request(referral::GetReferralOfferForAccountRequest {
                account_id: account.to_owned(),
                referral_offer_id: offer.to_owned(),
            })?;
        let response = ReferralInternalServiceClient::new(self.referral.channel())
            .max_decoding_message_size(MAX_RESPONSE)
            .get_referral_offer_for_account(request)
            .await;
        Ok(find_message(response)?.and_then(|response| response.referral_offer))
    }

    /// The referral as the AWS account that created it sees it.
    pub async fn find_referral(
        &self,
        account: &str,
        referral: &str,
    ) -> Result<Option<referral::Referral>, HandlerError> {
        let request = self.referral.request(referral::GetReferralForAccountRequest {
            account_id: account.to_owned(),
            referral_id: referral.to_owned(),
        })?;
        let response = ReferralInternalServiceClient::new(self.referral.channel())
            .max_decoding_message_size(MAX_RESPONSE)
            .get_referral_for_account(request)
            .await;
        Ok(find_message(response)?.and_then(|response| response.referral))
    }

    /// The lead as the account that owns it sees it.
    pub async fn find_lead(&self, account: &str, lead: &str) -> Result<Option<referral::Lead>, HandlerError> {
        let request = self.referral.request(referral::GetLeadForAccountRequest {
            account_id: account.to_owned(),
            lead_id: lead.to_owned(),
        })?;
        let response = ReferralInternalServiceClient::new(self.referral.channel())
            .max_decoding_message_size(MAX_RESPONSE)
            .get_lead_for_account(request)
            .await;
        Ok(find_message(response)?.and_then(|response| response.lead))
    }

    /// The invitation as one of its two accounts sees it.
    pub async fn find_engagement_invitation(
        &self,
        account: &str,
        invitation: &str,
    ) -> Result<Option<collaboration::EngagementInvitation>, HandlerError> {
        let request =
            self.collaboration
                .request(collaboration::GetEngagementInvitationForAccountRequest {
                    account_id: account.to_owned(),
                    engagement_invitation_id: invitation.to_owned(),
                })?;
        let response = CollaborationInternalServiceClient::new(self.collaboration.channel())
            .max_decoding_message_size(MAX_RESPONSE)
            .get_engagement_invitation_for_account(request)
            .await;
        Ok(find_message(response)?.and_then(|response| response.engagement_invitation))
    }

    /// The channel of a partner account.
    pub async fn find_channel(
        &self,
        account: &str,
        channel: &str,
    ) -> Result<Option<collaboration::Channel>, HandlerError> {
        let request = self.collaboration.request(collaboration::GetChannelRequest {
            channel_id: channel.to_owned(),
            account_id: account.to_owned(),
        })?;
        let response = ChannelServiceClient::new(self.collaboration.channel())
            .max_decoding_message_size(MAX_RESPONSE)
            .get_channel(request)
            .await;
        Ok(find_message(response)?.and_then(|response| response.channel))
    }

    /// The channel with the links of an invited member.
    pub async fn find_channel_invitation(
        &self,
        request: collaboration::GetChannelInvitationRequest,
    ) -> Result<Option<collaboration::GetChannelInvitationResponse>, HandlerError> {
        let request = self.collaboration.request(request)?;
        let response = CollaborationInternalServiceClient::new(self.collaboration.channel())
            .max_decoding_message_size(MAX_RESPONSE)
            .get_channel_invitation(request)
            .await;
        find_message(response)
    }
}

/// The message of a response; `None` if the peer does not find the record.
fn find_message<M>(response: Result<Response<M>, Status>) -> Result<Option<M>, HandlerError> {
    match response {
        Ok(response) => Ok(Some(response.into_inner())),
        Err(status) => match status.code() {
            Code::NotFound => Ok(None),
            // During an upgrade, a peer of the previous release lacks the RPC, or permits it to other services only.
            Code::Unimplemented | Code::PermissionDenied => Err(HandlerError::Transient(
                "the peer does not have or permit the RPC yet".to_owned(),
            )),
            _ => Err(HandlerError::from_status(&status)),
        },
    }
}
