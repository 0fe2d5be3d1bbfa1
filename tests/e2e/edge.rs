//! The gRPC edge: rotation of token keys, panicking calls, rate limits, TLS, and graceful shutdown.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use cosell_grpc::{Edge, Issuer, Listeners, Readiness, ServeArgs, Verifier, serve};
use cosell_proto::cosell::notification::v1 as pb;
use cosell_proto::cosell::notification::v1::notification_service_client::NotificationServiceClient;
use cosell_proto::cosell::notification::v1::notification_service_server::{
    NotificationService, NotificationServiceServer,
};
use cosell_testkit::harness::{Client, PATIENCE, eventually, folder, partner, refused};
use cosell_types::{Clock, Role};
use rcgen::CertifiedKey;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;
use tonic::service::Routes;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tonic::{Code, Request, Response, Status};

/// A service of which one RPC panics and another blocks until it is released.
#[derive(Clone, Default)]
struct FakeService {
    entered: Arc<Notify>,
    release: Arc<Notify>,
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
struct TestServer {
    service: FakeService,
    channel: Channel,
    address: std::net::SocketAddr,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<anyhow::Result<()>>,
}

impl TestServer {
    /// Starts a server that accepts tokens of an issuer whose keys are at `jwks`.
    async fn start(issuer: &Issuer, jwks: &str) -> Self {
        Self::start_with(issuer, jwks, None).await
    }

    /// Starts a server, with TLS if a certificate is given.
    async fn start_with(
        issuer: &Issuer,
        jwks: &str,
        certificate: Option<&CertifiedKey<rcgen::KeyPair>>,
    ) -> Self {
        let write_pem = |name: &str, pem: String| {
            let path = folder("tls").join(name);
            std::fs::write(&path, pem).expect("a file");
            path
        };
        let any = "127.0.0.1:0".parse().expect("an address");
        let args = ServeArgs {
            listen: any,
            health_listen: any,
            max_calls: 8,
            account_rate: std::num::NonZeroU32::new(100).expect("a rate"),
            reflection: false,
            drain_seconds: 5,
            tls_cert: certificate.map(|own| write_pem("cert.pem", own.cert.pem())),
            tls_key: certificate.map(|own| write_pem("key.pem", own.signing_key.serialize_pem())),
        };
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

    fn client(&self, issuer: &Issuer) -> NotificationServiceClient<InterceptedService<Channel, Client>> {
        let caller = partner("alder-member", "111111111111", Role::AceUser);
        NotificationServiceClient::new(Client::new(issuer, Some(&caller)).with_channel(self.channel.clone()))
    }
}

fn new_issuer() -> Issuer {
    Issuer::generate(Clock::system()).expect("an issuer")
}

fn key_file(issuer: &Issuer) -> String {
    let path = folder("jwks").join("jwks.json");
    std::fs::write(&path, issuer.jwks()).expect("the key file");
    path.to_string_lossy().into_owned()
}

#[tokio::test]
async fn panic_becomes_internal_error_without_its_text() {
    let issuer = new_issuer();
    let server = TestServer::start(&issuer, &key_file(&issuer)).await;
    let mut client = server.client(&issuer);
    let answer = client
        .list_notifications(pb::ListNotificationsRequest::default())
        .await;
    let refusal = refused(answer, Code::Internal, "INTERNAL");
    assert!(refusal.metadata.contains_key("error_id"), "{refusal:?}");
    assert!(!format!("{refusal:?}").contains("secret"), "{refusal:?}");
    // The same connection stays usable.
    client
        .get_unread_count(pb::GetUnreadCountRequest {})
        .await
        .expect("an answer");
}

#[tokio::test]
async fn rate_limit_refuses_one_account_and_not_others() {
    let issuer = new_issuer();
    let server = TestServer::start(&issuer, &key_file(&issuer)).await;
    let call = async |account: &str| {
        let caller = partner("alder-member", account, Role::AceUser);
        let client = Client::new(&issuer, Some(&caller)).with_channel(server.channel.clone());
        NotificationServiceClient::new(client)
            .get_unread_count(pb::GetUnreadCountRequest {})
            .await
    };
    let mut refusal = None;
    for _ in 0..5_000 {
        if let Err(status) = call("111111111111").await {
            refusal = Some(status);
            break;
        }
    }
    let status = refusal.expect("thousands of calls in a row exceed the rate");
    refused::<()>(Err(status), Code::ResourceExhausted, "RATE_EXCEEDED");
    call("222222222222").await.expect("another account is served");
}

#[tokio::test]
async fn server_with_certificate_serves_only_tls_calls() {
    // As the programs do: one crypto provider for everything.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let issuer = new_issuer();
    let own = rcgen::generate_simple_self_signed(vec!["cosell.example".to_owned()]).expect("a certificate");
    let server = TestServer::start_with(&issuer, &key_file(&issuer), Some(&own)).await;
    server
        .client(&issuer)
        .get_unread_count(pb::GetUnreadCountRequest {})
        .await
        .expect("an answer over TLS");

    let plain = Endpoint::from_shared(format!("http://{}", server.address)).expect("an address");
    let caller = Client::new(
        &issuer,
        Some(&partner("alder-member", "111111111111", Role::AceUser)),
    );
    let answer = NotificationServiceClient::new(caller.with_channel(plain.connect_lazy()))
        .get_unread_count(pb::GetUnreadCountRequest {})
        .await;
    assert!(answer.is_err(), "a plaintext call was answered: {answer:?}");

    let other = rcgen::generate_simple_self_signed(vec!["cosell.example".to_owned()]).expect("a certificate");
    let trusted = ClientTlsConfig::new()
        .ca_certificate(Certificate::from_pem(other.cert.pem()))
        .domain_name("cosell.example");
    let endpoint = Endpoint::from_shared(format!("https://{}", server.address)).expect("an address");
    let refused = endpoint
        .tls_config(trusted)
        .expect("a configuration")
        .connect()
        .await;
    assert!(refused.is_err(), "an untrusted certificate was accepted");
}

#[tokio::test]
async fn shutdown_waits_for_calls_in_flight_and_not_for_idle_connections() {
    let issuer = new_issuer();
    let server = TestServer::start(&issuer, &key_file(&issuer)).await;
    let idle = TcpStream::connect(server.address).await.expect("a connection");
    let mut client = server.client(&issuer);
    let in_flight = tokio::spawn(async move {
        client
            .mark_notifications_read(pb::MarkNotificationsReadRequest::default())
            .await
    });
    server.service.entered.notified().await;
    drop(server.stop);
    // A refused connection shows that the shutdown has begun.
    eventually(async || match TcpStream::connect(server.address).await {
        Ok(_) => Err("connections are still accepted"),
        Err(_) => Ok(()),
    })
    .await;
    server.service.release.notify_one();
    in_flight
        .await
        .expect("no panic")
        .expect("the call in flight is answered");
    let ended = tokio::time::timeout(PATIENCE, server.serving).await;
    ended
        .expect("a shutdown in time")
        .expect("no panic")
        .expect("a shutdown without error");
    drop(idle);
}

/// An HTTP server with one document, the key set of an issuer.
struct KeyServer {
    address: std::net::SocketAddr,
    document: Arc<Mutex<String>>,
    requests: Arc<AtomicUsize>,
    serving: JoinHandle<()>,
}

impl KeyServer {
    async fn start(document: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
        let address = listener.local_addr().expect("an address");
        let document = Arc::new(Mutex::new(document.to_owned()));
        let requests = Arc::new(AtomicUsize::new(0));
        let (content, count) = (document.clone(), requests.clone());
        let serving = tokio::spawn(async move {
            while let Ok((mut connection, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                let body = content.lock().expect("the document").clone();
                let _ = connection.read(&mut [0; 4096]).await;
                let head = format!(
                    "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
                    body.len()
                );
                let _ = connection.write_all((head + &body).as_bytes()).await;
            }
        });
        Self {
            address,
            document,
            requests,
            serving,
        }
    }
}

#[tokio::test]
async fn acc_003_issuer_keys_are_refetched_at_a_limited_rate() {
    let (old, new, untrusted) = (new_issuer(), new_issuer(), new_issuer());
    let keys = KeyServer::start(old.jwks()).await;
    let server = TestServer::start(&old, &format!("http://{}/jwks", keys.address)).await;
    let call = async |issuer: &Issuer| {
        server
            .client(issuer)
            .get_unread_count(pb::GetUnreadCountRequest {})
            .await
    };
    call(&old).await.expect("a known key");
    for _ in 0..50 {
        refused(call(&untrusted).await, Code::Unauthenticated, "TOKEN_INVALID");
    }
    let requests = keys.requests.load(Ordering::SeqCst);
    assert!(
        requests <= 2,
        "unknown keys caused {requests} requests to the issuer"
    );

    *keys.document.lock().expect("the document") = new.jwks().to_owned();
    eventually(async || call(&new).await.map_err(|status| status.to_string())).await;
    refused(call(&old).await, Code::Unauthenticated, "TOKEN_INVALID");

    keys.serving.abort();
    call(&new).await.expect("a known key needs no issuer");
}
