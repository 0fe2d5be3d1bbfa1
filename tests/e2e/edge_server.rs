//! The edge with a service behind it that blocks and panics on demand.

use std::collections::HashMap;
use std::sync::Arc;

use cosell_grpc::{Edge, Issuer, Listeners, Readiness, ServeArgs, Verifier, serve};
use cosell_proto::cosell::notification::v1 as pb;
use cosell_proto::cosell::notification::v1::notification_service_client::NotificationServiceClient;
use cosell_proto::cosell::notification::v1::notification_service_server::{
    NotificationService, NotificationServiceServer,
};
use cosell_testkit::harness::{Client, folder, partner};
use cosell_types::{Clock, Role};
use rcgen::CertifiedKey;
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;
use tonic::service::Routes;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tonic::{Request, Response, Status};

pub const ALDER: &str = "111111111111";
pub const BIRCH: &str = "222222222222";

pub type FakeClient = NotificationServiceClient<InterceptedService<Channel, Client>>;

/// A service of which one RPC panics and another blocks until it is released.
#[derive(Clone, Default)]
pub struct FakeService {
    pub entered: Arc<Notify>,
    pub release: Arc<Notify>,
}

#[tonic::async_trait]
impl NotificationService for FakeService {
    async fn list_notifications(
        &self,
        _: Request<pb::ListNotificationsRequest>,
    ) -> Result<Response<pb::ListNotificationsResponse>, Status> {
        panic!("a secret text")
    }

    async fn mark_notifications_read(
        &self,
        _: Request<pb::MarkNotificationsReadRequest>,
    ) -> Result<Response<pb::MarkNotificationsReadResponse>, Status> {
        self.entered.notify_one();
        self.release.notified().await;
        Ok(Response::new(Default::default()))
    }

    async fn get_unread_count(
        &self,
        _: Request<pb::GetUnreadCountRequest>,
    ) -> Result<Response<pb::GetUnreadCountResponse>, Status> {
        Ok(Response::new(Default::default()))
    }

    async fn get_notification_preferences(
        &self,
        _: Request<pb::GetNotificationPreferencesRequest>,
    ) -> Result<Response<pb::GetNotificationPreferencesResponse>, Status> {
        Ok(Response::new(Default::default()))
    }

    async fn update_notification_preferences(
        &self,
        _: Request<pb::UpdateNotificationPreferencesRequest>,
    ) -> Result<Response<pb::UpdateNotificationPreferencesResponse>, Status> {
        Ok(Response::new(Default::default()))
    }
}

/// The fake service behind the edge.
pub struct TestServer {
    pub service: FakeService,
    pub channel: Channel,
    pub address: std::net::SocketAddr,
    pub stop: oneshot::Sender<()>,
    pub serving: JoinHandle<anyhow::Result<()>>,
}

impl TestServer {
    /// Starts a server that accepts tokens of an issuer whose keys are at `jwks`.
    pub async fn start(issuer: &Issuer, jwks: &str) -> Self {
        Self::start_with(issuer, jwks, None, |_| {}).await
    }

    /// Starts a server with other options, and with TLS if a certificate is given.
    pub async fn start_with(
        issuer: &Issuer,
        jwks: &str,
        certificate: Option<&CertifiedKey<rcgen::KeyPair>>,
        set_options: impl FnOnce(&mut ServeArgs),
    ) -> Self {
        let write_pem = |name: &str, pem: String| {
            let path = folder("tls").join(name);
            std::fs::write(&path, pem).expect("a file");
            path
        };
        let any = "127.0.0.1:0".parse().expect("an address");
        let mut args = ServeArgs {
            listen: any,
            health_listen: any,
            max_calls: 8,
            account_rate: std::num::NonZeroU32::new(100).expect("a rate"),
            address_connections: 256,
            proxies: Vec::new(),
            reflection: false,
            drain_seconds: 5,
            tls_cert: certificate.map(|own| write_pem("cert.pem", own.cert.pem())),
            tls_key: certificate.map(|own| write_pem("key.pem", own.signing_key.serialize_pem())),
        };
        set_options(&mut args);
        let listeners = Listeners::bind(&args).await.expect("listeners");
        let address = listeners.address().expect("an address");
        let clock = Clock::system();
        let edge = Edge::new(
            Verifier::new(&issuer.auth_args(jwks), clock.clone()),
            clock,
            args.max_calls,
            args.account_rate,
            HashMap::new(),
        );
        let service = FakeService::default();
        let routes = Routes::new(NotificationServiceServer::new(service.clone()));
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(async move {
            let stopped = async {
                let _ = stopped.await;
            };
            serve(
                &args,
                listeners,
                routes,
                Vec::new(),
                edge,
                Readiness::default(),
                stopped,
            )
            .await
        });
        let scheme = if certificate.is_some() { "https" } else { "http" };
        let mut endpoint = Endpoint::from_shared(format!("{scheme}://{address}")).expect("an address");
        if let Some(own) = certificate {
            let trusted = ClientTlsConfig::new()
                .ca_certificate(Certificate::from_pem(own.cert.pem()))
                .domain_name("cosell.example");
            endpoint = endpoint.tls_config(trusted).expect("a configuration");
        }
        let channel = endpoint.connect_lazy();
        Self {
            service,
            channel,
            address,
            stop,
            serving,
        }
    }

    /// A client of a member of the account.
    pub fn client_of(&self, issuer: &Issuer, account: &str) -> FakeClient {
        let caller = partner("some-member", account, Role::AceUser);
        NotificationServiceClient::new(Client::new(issuer, Some(&caller)).with_channel(self.channel.clone()))
    }

    /// A client of a member of some account.
    pub fn client(&self, issuer: &Issuer) -> FakeClient {
        self.client_of(issuer, ALDER)
    }
}

pub fn new_issuer() -> Issuer {
    Issuer::generate(Clock::system()).expect("an issuer")
}

pub fn key_file(issuer: &Issuer) -> String {
    let path = folder("jwks").join("jwks.json");
    std::fs::write(&path, issuer.jwks()).expect("the key file");
    path.to_string_lossy().into_owned()
}
