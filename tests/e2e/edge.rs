//! The gRPC edge: rotation of token keys, panicking calls, rate limits, TLS, and graceful shutdown.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use cosell_grpc::Issuer;
use cosell_proto::cosell::notification::v1 as pb;
use cosell_proto::cosell::notification::v1::notification_service_client::NotificationServiceClient;
use cosell_testkit::harness::{Client, PATIENCE, eventually, partner, refused};
use cosell_types::Role;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tonic::Code;
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint};

use crate::edge_server::{ALDER, BIRCH, TestServer, key_file, new_issuer};

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
    // So few that the calls exceed them on any machine, however slow it is.
    let server = TestServer::start_with(&issuer, &key_file(&issuer), None, |options| {
        options.account_rate = NonZeroU32::MIN;
    })
    .await;
    let call = async |account: &str| {
        server
            .client_of(&issuer, account)
            .get_unread_count(pb::GetUnreadCountRequest {})
            .await
    };
    let calls = (0..20).map(|_| call(ALDER));
    let answers = futures::future::join_all(calls).await;
    let refusal = answers.into_iter().find(Result::is_err);
    let refusal = refusal.expect("a refusal: the calls exceed the rate and the burst");
    refused(refusal, Code::ResourceExhausted, "RATE_EXCEEDED");
    call(BIRCH).await.expect("another account is served");
}

#[tokio::test]
async fn server_with_certificate_serves_only_tls_calls() {
    // As the programs do: one crypto provider for everything.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let issuer = new_issuer();
    let own = rcgen::generate_simple_self_signed(vec!["cosell.example".to_owned()]).expect("a certificate");
    let server = TestServer::start_with(&issuer, &key_file(&issuer), Some(&own), |_| {}).await;
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
