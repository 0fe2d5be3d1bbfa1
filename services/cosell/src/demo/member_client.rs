//! gRPC clients that call as one member, with the member's token.

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

/// Creates clients of all services that call as one member.
#[derive(Clone)]
pub struct MemberClient {
    /// The member's id.
    pub id: String,
    channel: Channel,
    token: Token,
}

/// Adds a bearer token to each call.
#[derive(Clone)]
pub struct Token(MetadataValue<Ascii>);

impl Interceptor for Token {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("authorization", self.0.clone());
        Ok(request)
    }
}

type Calls = InterceptedService<Channel, Token>;

impl MemberClient {
    /// Reads the member's token from the file `id` in the folder `tokens`.
    pub fn new(channel: &Channel, tokens: &Path, id: &str) -> anyhow::Result<Self> {
        let token =
            std::fs::read_to_string(tokens.join(id)).with_context(|| format!("reading the token of {id}"))?;
        Self::with_token(channel, id, &token)
    }

    /// Calls with the given token.
    pub fn with_token(channel: &Channel, id: &str, token: &str) -> anyhow::Result<Self> {
        let token = Token(format!("Bearer {}", token.trim()).parse().context("a token")?);
        Ok(Self {
            id: id.to_owned(),
            channel: channel.clone(),
            token,
        })
    }

    /// Creates, reads and updates opportunities.
    pub fn opportunities(&self) -> OpportunityServiceClient<Calls> {
        OpportunityServiceClient::with_interceptor(self.channel.clone(), self.token.clone())
    }

    /// Imports, exports and transfers opportunities in bulk.
    pub fn bulk(&self) -> BulkServiceClient<Calls> {
        BulkServiceClient::with_interceptor(self.channel.clone(), self.token.clone())
    }

    /// Reads and cancels bulk jobs.
    pub fn operations(&self) -> OperationsClient<Calls> {
        OperationsClient::with_interceptor(self.channel.clone(), self.token.clone())
    }

    /// Submits, withdraws and advances opportunities.
    pub fn lifecycle(&self) -> OpportunityLifecycleServiceClient<Calls> {
        OpportunityLifecycleServiceClient::with_interceptor(self.channel.clone(), self.token.clone())
    }

    /// Reads the history of opportunities.
    pub fn history(&self) -> OpportunityHistoryServiceClient<Calls> {
        OpportunityHistoryServiceClient::with_interceptor(self.channel.clone(), self.token.clone())
    }

    /// Reads and updates AWS summaries of opportunities.
    pub fn aws_summaries(&self) -> AwsSummaryServiceClient<Calls> {
        AwsSummaryServiceClient::with_interceptor(self.channel.clone(), self.token.clone())
    }

    /// Reads and applies solutions, products and standard values.
    pub fn catalog(&self) -> CatalogServiceClient<Calls> {
        CatalogServiceClient::with_interceptor(self.channel.clone(), self.token.clone())
    }

    /// Accounts, profiles and the partner directory.
    pub fn accounts(&self) -> AccountServiceClient<Calls> {
        AccountServiceClient::with_interceptor(self.channel.clone(), self.token.clone())
    }

    /// Members of the caller's account.
    pub fn members(&self) -> MemberServiceClient<Calls> {
        MemberServiceClient::with_interceptor(self.channel.clone(), self.token.clone())
    }

    /// Connections between partners and their invitations.
    pub fn connections(&self) -> ConnectionServiceClient<Calls> {
        ConnectionServiceClient::with_interceptor(self.channel.clone(), self.token.clone())
    }

    /// Leads that the caller's account has accepted.
    pub fn leads(&self) -> LeadServiceClient<Calls> {
        LeadServiceClient::with_interceptor(self.channel.clone(), self.token.clone())
    }

    /// Review cases.
    pub fn reviews(&self) -> ReviewServiceClient<Calls> {
        ReviewServiceClient::with_interceptor(self.channel.clone(), self.token.clone())
    }

    /// Referrals of AWS and their offers.
    pub fn referrals(&self) -> ReferralServiceClient<Calls> {
        ReferralServiceClient::with_interceptor(self.channel.clone(), self.token.clone())
    }

    /// Engagements and their invitations.
    pub fn collaboration(&self) -> CollaborationServiceClient<Calls> {
        CollaborationServiceClient::with_interceptor(self.channel.clone(), self.token.clone())
    }

    /// Snapshots of opportunities in engagements.
    pub fn snapshots(&self) -> SnapshotServiceClient<Calls> {
        SnapshotServiceClient::with_interceptor(self.channel.clone(), self.token.clone())
    }

    /// Channels of a partner and AWS.
    pub fn channels(&self) -> ChannelServiceClient<Calls> {
        ChannelServiceClient::with_interceptor(self.channel.clone(), self.token.clone())
    }

    /// The member's notifications and preferences.
    pub fn notifications(&self) -> NotificationServiceClient<Calls> {
        NotificationServiceClient::with_interceptor(self.channel.clone(), self.token.clone())
    }
}

/// The reason of an error, such as `ETAG_MISMATCH`; empty if it has none.
pub fn error_reason(status: &Status) -> String {
    status
        .get_details_error_info()
        .map(|info| info.reason)
        .unwrap_or_default()
}

/// The path and description of each invalid field.
pub fn field_violations(status: &Status) -> Vec<(String, String)> {
    let details = status
        .get_details_bad_request()
        .map(|details| details.field_violations)
        .unwrap_or_default();
    details
        .into_iter()
        .map(|violation| (violation.field, violation.description))
        .collect()
}
