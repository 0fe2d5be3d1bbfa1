//! What stands between callers and services: keys that change, calls that panic, an end that waits for calls in hand.

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

/// A service that panics, or answers only when it is let.
#[derive(Clone, Default)]
struct Peculiar {
    entered: Arc<Notify>,
    let_go: Arc<Notify>,
}

#[tonic::async_trait]
impl NotificationService for Peculiar {
    async fn list_notifications(
        &self,
        _: Request<pb::ListNotificationsRequest>,
    ) -> Result<Response<pb::ListNotificationsResponse>, Status> {
        panic!("the secret of the house")
    }

    async fn mark_notifications_read(
        &self,
        _: Request<pb::MarkNotificationsReadRequest>,
    ) -> Result<Response<pb::MarkNotificationsReadResponse>, Status> {
        self.entered.notify_one();
        self.let_go.notified().await;
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

/// The service behind the edge.
struct Served {
    service: Peculiar,
    channel: Channel,
    address: std::net::SocketAddr,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<anyhow::Result<()>>,
}

impl Served {
    /// Serves to whoever has a token of an issuer whose keys lie there.
    async fn start(issuer: &Issuer, jwks: &str) -> Self {
        Self::start_with(issuer, jwks, None).await
    }

    /// The same with a certificate, if there is one.
    async fn start_with(
        issuer: &Issuer,
        jwks: &str,
        certified: Option<&CertifiedKey<rcgen::KeyPair>>,
    ) -> Self {
        let kept = |name: &str, pem: String| {
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
            tls_cert: certified.map(|own| kept("cert.pem", own.cert.pem())),
            tls_key: certified.map(|own| kept("key.pem", own.signing_key.serialize_pem())),
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
        let service = Peculiar::default();
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
        let scheme = if certified.is_some() { "https" } else { "http" };
        let mut endpoint = Endpoint::from_shared(format!("{scheme}://{address}")).expect("an address");
        if let Some(own) = certified {
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

    fn by(&self, issuer: &Issuer) -> NotificationServiceClient<InterceptedService<Channel, Client>> {
        let caller = partner("somebody", "111111111111", Role::AceUser);
        NotificationServiceClient::new(Client::new(issuer, Some(&caller)).over(self.channel.clone()))
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
async fn a_panic_is_a_refusal_without_its_text_and_takes_nothing_with_it() {
    let issuer = new_issuer();
    let served = Served::start(&issuer, &key_file(&issuer)).await;
    let mut client = served.by(&issuer);
    let answer = client
        .list_notifications(pb::ListNotificationsRequest::default())
        .await;
    let refusal = refused(answer, Code::Internal, "INTERNAL");
    assert!(refusal.metadata.contains_key("error_id"), "{refusal:?}");
    assert!(!format!("{refusal:?}").contains("secret"), "{refusal:?}");
    // On the same connection.
    client
        .get_unread_count(pb::GetUnreadCountRequest {})
        .await
        .expect("an answer");
}

#[tokio::test]
async fn an_account_that_calls_too_often_is_held_back_and_others_are_not() {
    let issuer = new_issuer();
    let served = Served::start(&issuer, &key_file(&issuer)).await;
    let ask = async |account: &str| {
        let caller = partner("somebody", account, Role::AceUser);
        let client = Client::new(&issuer, Some(&caller)).over(served.channel.clone());
        NotificationServiceClient::new(client)
            .get_unread_count(pb::GetUnreadCountRequest {})
            .await
    };
    let mut held_back = None;
    for _ in 0..5_000 {
        if let Err(status) = ask("111111111111").await {
            held_back = Some(status);
            break;
        }
    }
    let status = held_back.expect("thousands of calls in a row are too many");
    refused::<()>(Err(status), Code::ResourceExhausted, "RATE_EXCEEDED");
    ask("222222222222").await.expect("another account is served");
}

#[tokio::test]
async fn with_a_certificate_only_encrypted_calls_are_served() {
    // As the programs do: one provider for everything.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let issuer = new_issuer();
    let own = rcgen::generate_simple_self_signed(vec!["cosell.example".to_owned()]).expect("a certificate");
    let served = Served::start_with(&issuer, &key_file(&issuer), Some(&own)).await;
    served
        .by(&issuer)
        .get_unread_count(pb::GetUnreadCountRequest {})
        .await
        .expect("an answer over TLS");

    let plain = Endpoint::from_shared(format!("http://{}", served.address)).expect("an address");
    let caller = Client::new(&issuer, Some(&partner("somebody", "111111111111", Role::AceUser)));
    let answer = NotificationServiceClient::new(caller.over(plain.connect_lazy()))
        .get_unread_count(pb::GetUnreadCountRequest {})
        .await;
    assert!(answer.is_err(), "a call in plain text was answered: {answer:?}");

    let stranger = rcgen::generate_simple_self_signed(vec!["cosell.example".to_owned()]).expect("another");
    let trusted = ClientTlsConfig::new()
        .ca_certificate(Certificate::from_pem(stranger.cert.pem()))
        .domain_name("cosell.example");
    let endpoint = Endpoint::from_shared(format!("https://{}", served.address)).expect("an address");
    let refused = endpoint
        .tls_config(trusted)
        .expect("a configuration")
        .connect()
        .await;
    assert!(
        refused.is_err(),
        "a certificate that nobody vouches for was taken"
    );
}

#[tokio::test]
async fn the_end_waits_for_calls_in_hand_and_not_for_silent_connections() {
    let issuer = new_issuer();
    let served = Served::start(&issuer, &key_file(&issuer)).await;
    let silent = TcpStream::connect(served.address).await.expect("a connection");
    let mut client = served.by(&issuer);
    let in_hand = tokio::spawn(async move {
        client
            .mark_notifications_read(pb::MarkNotificationsReadRequest::default())
            .await
    });
    served.service.entered.notified().await;
    drop(served.stop);
    // No new connection is taken, which shows that the end has begun.
    eventually(async || match TcpStream::connect(served.address).await {
        Ok(_) => Err("connections are still taken"),
        Err(_) => Ok(()),
    })
    .await;
    served.service.let_go.notify_one();
    in_hand
        .await
        .expect("no panic")
        .expect("the call in hand is answered");
    let ended = tokio::time::timeout(PATIENCE, served.serving).await;
    ended
        .expect("an end")
        .expect("no panic")
        .expect("an end without error");
    drop(silent);
}

/// A web server with one document.
struct KeyServer {
    address: std::net::SocketAddr,
    document: Arc<Mutex<String>>,
    asked: Arc<AtomicUsize>,
    serving: JoinHandle<()>,
}

impl KeyServer {
    async fn start(document: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
        let address = listener.local_addr().expect("an address");
        let document = Arc::new(Mutex::new(document.to_owned()));
        let asked = Arc::new(AtomicUsize::new(0));
        let (content, count) = (document.clone(), asked.clone());
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
            asked,
            serving,
        }
    }
}

#[tokio::test]
async fn acc_003_keys_are_read_from_the_issuer_and_a_new_one_is_asked_for_in_bounds() {
    let (old, new, stranger) = (new_issuer(), new_issuer(), new_issuer());
    let keys = KeyServer::start(old.jwks()).await;
    let served = Served::start(&old, &format!("http://{}/jwks", keys.address)).await;
    let ask = async |issuer: &Issuer| {
        served
            .by(issuer)
            .get_unread_count(pb::GetUnreadCountRequest {})
            .await
    };
    ask(&old).await.expect("a known key");
    for _ in 0..50 {
        refused(ask(&stranger).await, Code::Unauthenticated, "TOKEN_INVALID");
    }
    let asked = keys.asked.load(Ordering::SeqCst);
    assert!(
        asked <= 2,
        "strangers made the service ask for keys {asked} times"
    );

    *keys.document.lock().expect("the document") = new.jwks().to_owned();
    eventually(async || ask(&new).await.map_err(|status| status.to_string())).await;
    refused(ask(&old).await, Code::Unauthenticated, "TOKEN_INVALID");

    keys.serving.abort();
    ask(&new).await.expect("a key that is known needs no issuer");
}
