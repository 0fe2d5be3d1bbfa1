//! The people of the journey, each with its token.

use std::path::Path;

use anyhow::Context as _;
use cosell_proto::cosell::collaboration::v1::channel_service_client::ChannelServiceClient;
use cosell_proto::cosell::collaboration::v1::collaboration_service_client::CollaborationServiceClient;
use cosell_proto::cosell::collaboration::v1::snapshot_service_client::SnapshotServiceClient;
use cosell_proto::cosell::notification::v1::notification_service_client::NotificationServiceClient;
use cosell_proto::cosell::opportunity::v1::aws_summary_service_client::AwsSummaryServiceClient;
use cosell_proto::cosell::opportunity::v1::bulk_service_client::BulkServiceClient;
use cosell_proto::cosell::opportunity::v1::catalog_service_client::CatalogServiceClient;
use cosell_proto::cosell::opportunity::v1::opportunity_history_service_client::OpportunityHistoryServiceClient;
use cosell_proto::cosell::opportunity::v1::opportunity_lifecycle_service_client::OpportunityLifecycleServiceClient;
use cosell_proto::cosell::opportunity::v1::opportunity_service_client::OpportunityServiceClient;
use cosell_proto::cosell::partner::v1::account_service_client::AccountServiceClient;
use cosell_proto::cosell::partner::v1::connection_service_client::ConnectionServiceClient;
use cosell_proto::cosell::partner::v1::member_service_client::MemberServiceClient;
use cosell_proto::cosell::referral::v1::lead_service_client::LeadServiceClient;
use cosell_proto::cosell::referral::v1::referral_service_client::ReferralServiceClient;
use cosell_proto::cosell::review::v1::review_service_client::ReviewServiceClient;
use cosell_proto::google::longrunning::operations_client::OperationsClient;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Request, Status};
use tonic_types::StatusExt as _;

/// Somebody who makes calls.
#[derive(Clone)]
pub struct Person {
    /// Member id.
    pub id: String,
    channel: Channel,
    token: Token,
}

/// Adds a person's token to each call.
#[derive(Clone)]
pub struct Token(MetadataValue<Ascii>);

impl Interceptor for Token {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("authorization", self.0.clone());
        Ok(request)
    }
}

type Calls = InterceptedService<Channel, Token>;

impl Person {
    /// Somebody whose token lies in a folder.
    pub fn new(channel: &Channel, tokens: &Path, id: &str) -> anyhow::Result<Self> {
        let token = std::fs::read_to_string(tokens.join(id)).with_context(|| format!("no token of {id}"))?;
        Self::with_token(channel, id, &token)
    }

    /// Somebody with a token.
    pub fn with_token(channel: &Channel, id: &str, token: &str) -> anyhow::Result<Self> {
        let token = Token(format!("Bearer {}", token.trim()).parse().context("a token")?);
        Ok(Self {
            id: id.to_owned(),
            channel: channel.clone(),
            token,
        })
    }

    /// Calls to the opportunity service.
    pub fn opportunities(&self) -> OpportunityServiceClient<Calls> {
        OpportunityServiceClient::with_interceptor(self.channel.clone(), self.token.clone())
    }

    /// Calls on many opportunities at once.
    pub fn bulk(&self) -> BulkServiceClient<Calls> {
        BulkServiceClient::with_interceptor(self.channel.clone(), self.token.clone())
    }

    /// Calls about jobs.
    pub fn operations(&self) -> OperationsClient<Calls> {
        OperationsClient::with_interceptor(self.channel.clone(), self.token.clone())
    }

    /// Calls that move opportunities on.
    pub fn lifecycle(&self) -> OpportunityLifecycleServiceClient<Calls> {
        OpportunityLifecycleServiceClient::with_interceptor(self.channel.clone(), self.token.clone())
    }

    /// Calls about what opportunities were.
    pub fn history(&self) -> OpportunityHistoryServiceClient<Calls> {
        OpportunityHistoryServiceClient::with_interceptor(self.channel.clone(), self.token.clone())
    }

    /// Calls about AWS's side of opportunities.
    pub fn aws_summaries(&self) -> AwsSummaryServiceClient<Calls> {
        AwsSummaryServiceClient::with_interceptor(self.channel.clone(), self.token.clone())
    }

    /// Calls about solutions, products and standard values.
    pub fn catalog(&self) -> CatalogServiceClient<Calls> {
        CatalogServiceClient::with_interceptor(self.channel.clone(), self.token.clone())
    }

    /// Calls about accounts and profiles.
    pub fn accounts(&self) -> AccountServiceClient<Calls> {
        AccountServiceClient::with_interceptor(self.channel.clone(), self.token.clone())
    }

    /// Calls about members.
    pub fn members(&self) -> MemberServiceClient<Calls> {
        MemberServiceClient::with_interceptor(self.channel.clone(), self.token.clone())
    }

    /// Calls about connections.
    pub fn connections(&self) -> ConnectionServiceClient<Calls> {
        ConnectionServiceClient::with_interceptor(self.channel.clone(), self.token.clone())
    }

    /// Calls about leads.
    pub fn leads(&self) -> LeadServiceClient<Calls> {
        LeadServiceClient::with_interceptor(self.channel.clone(), self.token.clone())
    }

    /// Calls to the review service.
    pub fn reviews(&self) -> ReviewServiceClient<Calls> {
        ReviewServiceClient::with_interceptor(self.channel.clone(), self.token.clone())
    }

    /// Calls to the referral service.
    pub fn referrals(&self) -> ReferralServiceClient<Calls> {
        ReferralServiceClient::with_interceptor(self.channel.clone(), self.token.clone())
    }

    /// Calls about deals that partners share.
    pub fn collaboration(&self) -> CollaborationServiceClient<Calls> {
        CollaborationServiceClient::with_interceptor(self.channel.clone(), self.token.clone())
    }

    /// Calls about what partners see of each other's deals.
    pub fn snapshots(&self) -> SnapshotServiceClient<Calls> {
        SnapshotServiceClient::with_interceptor(self.channel.clone(), self.token.clone())
    }

    /// Calls about channels.
    pub fn channels(&self) -> ChannelServiceClient<Calls> {
        ChannelServiceClient::with_interceptor(self.channel.clone(), self.token.clone())
    }

    /// Calls to the notification service.
    pub fn notifications(&self) -> NotificationServiceClient<Calls> {
        NotificationServiceClient::with_interceptor(self.channel.clone(), self.token.clone())
    }
}

/// The reason of a refusal, such as `ETAG_MISMATCH`.
pub fn reason(status: &Status) -> String {
    status
        .get_details_error_info()
        .map(|info| info.reason)
        .unwrap_or_default()
}

/// The refused fields, each with what to do about it.
pub fn violations(status: &Status) -> Vec<(String, String)> {
    let details = status
        .get_details_bad_request()
        .map(|details| details.field_violations)
        .unwrap_or_default();
    details
        .into_iter()
        .map(|violation| (violation.field, violation.description))
        .collect()
}
