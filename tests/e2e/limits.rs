//! Limits at the edge: what one caller uses, it does not take from the others (PLT-015).

use std::net::SocketAddr;
use std::num::NonZeroU32;

use bytes::Bytes;
use cosell_grpc::{Issuer, MAX_REQUEST};
use cosell_proto::cosell::notification::v1 as pb;
use cosell_proto::cosell::notification::v1::notification_service_client::NotificationServiceClient;
use cosell_testkit::harness::{Client, PATIENCE, aws, eventually, partner, refused, service};
use cosell_types::Role;
use futures::FutureExt as _;
use h2::client::SendRequest;
use http::{HeaderMap, Request};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tonic::{Code, Response, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::edge_server::{ALDER, BIRCH, TestServer, key_file, new_issuer};

const PATH: &str = "/cosell.notification.v1.NotificationService/GetUnreadCount";
/// An empty message.
const MESSAGE: &[u8] = &[0; PREFIX];
/// The bytes before a message.
const PREFIX: usize = 5;

/// A client that sends frames as it likes.
struct RawClient {
    requests: SendRequest<Bytes>,
    authorization: String,
}

impl RawClient {
    async fn connect(server: &TestServer, issuer: &Issuer, settings: &h2::client::Builder) -> Self {
        let stream = TcpStream::connect(server.address).await.expect("a connection");
        let (requests, connection) = settings.handshake(stream).await.expect("a handshake");
        tokio::spawn(connection);
        let caller = partner("some-member", ALDER, Role::AceUser);
        Self {
            requests,
            authorization: format!("Bearer {}", issuer.token(&caller).expect("a token")),
        }
    }

    fn request(&self) -> http::request::Builder {
        Request::post(format!("http://cosell{PATH}"))
            .header("content-type", "application/grpc")
            .header("te", "trailers")
    }

    /// Sends the headers of a call.
    async fn send(&mut self, request: http::request::Builder, ends: bool) -> Sent {
        let request = request.body(()).expect("a request");
        let mut requests = self.requests.clone().ready().await.expect("a free stream");
        let (response, body) = requests.send_request(request, ends).expect("a stream");
        Sent { response, body }
    }

    /// Sends a whole call.
    async fn call(&mut self, request: http::request::Builder) -> Sent {
        let mut sent = self.send(request, false).await;
        sent.body
            .send_data(Bytes::from_static(MESSAGE), true)
            .expect("a message");
        sent
    }
}

struct Sent {
    response: h2::client::ResponseFuture,
    body: h2::SendStream<Bytes>,
}

impl Sent {
    /// The status code of HTTP, and that of gRPC.
    async fn codes(self) -> (u16, Option<Code>) {
        let response = tokio::time::timeout(PATIENCE, self.response).await;
        let response = response.expect("an answer in time").expect("an answer");
        let code = Status::from_header_map(response.headers()).map(|status| status.code());
        (response.status().as_u16(), code)
    }
}

async fn get_count(
    server: &TestServer,
    issuer: &Issuer,
    account: &str,
) -> Result<Response<pb::GetUnreadCountResponse>, Status> {
    let mut client = server.client_of(issuer, account);
    client.get_unread_count(pb::GetUnreadCountRequest {}).await
}

/// Requires that the calls of Alder refuse none of another account, and drops them: then Alder is served again.
async fn release(server: &TestServer, issuer: &Issuer, calls: Vec<Sent>) {
    let other = get_count(server, issuer, BIRCH).await;
    other.expect("a call of another account");
    drop(calls);
    eventually(async || get_count(server, issuer, ALDER).await).await;
}

#[tokio::test]
async fn plt_015_call_without_message_uses_no_permit() {
    let issuer = new_issuer();
    let server = TestServer::start(&issuer, &key_file(&issuer)).await;
    let mut client = RawClient::connect(&server, &issuer, &h2::client::Builder::new()).await;
    let mut arriving = Vec::new();
    for number in 0..100 {
        let request = client.request().header("authorization", &client.authorization);
        let mut sent = client.send(request, false).await;
        // Some have their message, but not the end of the stream, for which the decoder would wait.
        if number % 2 == 0 {
            let message = Bytes::from_static(MESSAGE);
            sent.body.send_data(message, false).expect("a message");
        }
        arriving.push(sent);
    }
    for account in [BIRCH, ALDER] {
        get_count(&server, &issuer, account).await.expect("a free permit");
    }
    // Such a call is answered when its message and its end arrive.
    let mut last = arriving.pop().expect("a call");
    let message = Bytes::from_static(MESSAGE);
    last.body.send_data(message, true).expect("a message");
    assert_eq!(last.codes().await, (200, None));
    let mut before = arriving.pop().expect("a call");
    before.body.send_data(Bytes::new(), true).expect("an end");
    assert_eq!(before.codes().await, (200, None));
}

#[tokio::test]
async fn plt_015_calls_without_message_are_limited_by_account() {
    let issuer = new_issuer();
    let server = TestServer::start_with(&issuer, &key_file(&issuer), None, |options| {
        options.account_rate = NonZeroU32::new(10_000).expect("a rate");
    })
    .await;
    let mut arriving = Vec::new();
    // A connection has at most 128 streams.
    for _ in 0..4 {
        let mut client = RawClient::connect(&server, &issuer, &h2::client::Builder::new()).await;
        for _ in 0..64 {
            let request = client.request().header("authorization", &client.authorization);
            arriving.push(client.send(request, false).await);
        }
    }
    // The server may not have read the last of them.
    eventually(async || match get_count(&server, &issuer, ALDER).await {
        Err(refusal) => Ok(refused::<()>(Err(refusal), Code::ResourceExhausted, "OVERLOADED")),
        Ok(_) => Err("no refusal"),
    })
    .await;
    release(&server, &issuer, arriving).await;
}

#[tokio::test]
async fn plt_015_bytes_of_messages_are_limited_by_account() {
    let issuer = new_issuer();
    let server = TestServer::start(&issuer, &key_file(&issuer)).await;
    let mut arriving = Vec::new();
    // All but the last byte of messages of the maximum size, 17 of them: an account has 16 MiB.
    let mut message = vec![0, 0, 0x10, 0, 0];
    message.resize(PREFIX + MAX_REQUEST - 1, 0);
    let message = Bytes::from(message);
    let mut refusals = 0;
    for _ in 0..17 {
        let mut client = RawClient::connect(&server, &issuer, &h2::client::Builder::new()).await;
        let request = client.request().header("authorization", &client.authorization);
        let mut sent = client.send(request, false).await;
        sent.body.send_data(message.clone(), false).expect("a message");
        arriving.push(sent);
    }
    eventually(async || {
        for sent in &mut arriving {
            let Some(answer) = (&mut sent.response).now_or_never() else {
                continue;
            };
            let status = Status::from_header_map(answer.expect("an answer").headers());
            refused::<()>(
                Err(status.expect("a refusal")),
                Code::ResourceExhausted,
                "OVERLOADED",
            );
            refusals += 1;
        }
        (refusals > 0).then_some(()).ok_or("no refusal")
    })
    .await;
    release(&server, &issuer, arriving).await;
}

#[tokio::test]
async fn plt_015_open_health_checks_do_not_refuse_calls_of_the_same_address() {
    let issuer = new_issuer();
    let server = TestServer::start(&issuer, &key_file(&issuer)).await;
    let mut open = Vec::new();
    for _ in 0..3 {
        let mut client = RawClient::connect(&server, &issuer, &h2::client::Builder::new()).await;
        for _ in 0..100 {
            let request = Request::post("http://cosell/grpc.health.v1.Health/Watch")
                .header("content-type", "application/grpc")
                .header("te", "trailers");
            open.push(client.send(request, false).await);
        }
        // The server reads the streams of a connection in order: after this answer, all are open.
        let request = client.request().header("authorization", &client.authorization);
        assert_eq!(client.call(request).await.codes().await, (200, None));
    }
    get_count(&server, &issuer, ALDER)
        .await
        .expect("a call with a token");
    drop(open);
}

#[tokio::test]
async fn plt_015_account_does_not_use_the_permits_of_others() {
    let issuer = new_issuer();
    let server = TestServer::start(&issuer, &key_file(&issuer)).await;
    let mut blocked = Vec::new();
    for _ in 0..2 {
        let mut client = server.client(&issuer);
        blocked.push(tokio::spawn(async move {
            let request = pb::MarkNotificationsReadRequest::default();
            client.mark_notifications_read(request).await
        }));
        server.service.entered.notified().await;
    }
    let refused_call = get_count(&server, &issuer, ALDER).await;
    refused(refused_call, Code::ResourceExhausted, "OVERLOADED");
    get_count(&server, &issuer, BIRCH)
        .await
        .expect("a permit of another account");
    for call in blocked {
        server.service.release.notify_one();
        call.await.expect("no panic").expect("an answer");
    }
    eventually(async || get_count(&server, &issuer, ALDER).await).await;
}

#[tokio::test]
async fn plt_015_answer_that_the_client_does_not_read_keeps_its_permit() {
    let issuer = new_issuer();
    let server = TestServer::start(&issuer, &key_file(&issuer)).await;
    // The connection asks for the next piece of an answer when its window has a single byte.
    for window in [0, 1] {
        let mut hardly_reads = h2::client::Builder::new();
        hardly_reads.initial_window_size(window);
        let mut client = RawClient::connect(&server, &issuer, &hardly_reads).await;
        let mut unread = Vec::new();
        for _ in 0..2 {
            let request = client.request().header("authorization", &client.authorization);
            let response = client.call(request).await.response.await;
            unread.push(response.expect("the head of an answer"));
        }
        let refused_call = get_count(&server, &issuer, ALDER).await;
        refused(refused_call, Code::ResourceExhausted, "OVERLOADED");
        get_count(&server, &issuer, BIRCH)
            .await
            .expect("a permit of another account");
        drop(unread);
        eventually(async || get_count(&server, &issuer, ALDER).await).await;
    }
}

#[tokio::test]
async fn plt_015_aws_and_services_are_served_while_partners_use_all_permits() {
    let issuer = new_issuer();
    let server = TestServer::start(&issuer, &key_file(&issuer)).await;
    let mut blocked = Vec::new();
    // The last two permits are for accounts that use little.
    for account in [1, 1, 2, 2, 3, 3, 4, 5] {
        let mut client = server.client_of(&issuer, &format!("{account:012}"));
        blocked.push(tokio::spawn(async move {
            let request = pb::MarkNotificationsReadRequest::default();
            client.mark_notifications_read(request).await
        }));
        server.service.entered.notified().await;
    }
    let refused_call = get_count(&server, &issuer, "000000000006").await;
    refused(refused_call, Code::ResourceExhausted, "OVERLOADED");
    for caller in [aws("some-reviewer", Role::Reviewer), service("review")] {
        let client = Client::new(&issuer, Some(&caller)).with_channel(server.channel.clone());
        let answer = NotificationServiceClient::new(client)
            .get_unread_count(pb::GetUnreadCountRequest {})
            .await;
        answer.expect("a permit of AWS or of the services");
    }
    for call in blocked {
        server.service.release.notify_one();
        call.await.expect("no panic").expect("an answer");
    }
}

#[tokio::test]
async fn plt_015_answers_and_refusals_state_the_quota() {
    let issuer = new_issuer();
    let server = TestServer::start(&issuer, &key_file(&issuer)).await;
    let quota = |headers: &HeaderMap| {
        ["ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"].map(|name| {
            let value = headers.get(name).and_then(|value| value.to_str().ok());
            value.and_then(|value| value.parse::<u32>().ok())
        })
    };
    let answer = get_count(&server, &issuer, ALDER).await.expect("an answer");
    assert_eq!(
        quota(&answer.into_parts().0.into_headers()),
        [Some(100), Some(199), Some(1)]
    );
    let mut refusal = None;
    for _ in 0..5_000 {
        if let Err(status) = get_count(&server, &issuer, ALDER).await {
            refusal = Some(status);
            break;
        }
    }
    let refusal = refusal.expect("thousands of calls in a row exceed the rate");
    let headers = refusal.metadata().clone().into_headers();
    assert_eq!(quota(&headers), [Some(100), Some(0), Some(2)]);
}

#[tokio::test]
async fn plt_015_connection_whose_handshake_takes_too_long_is_closed() {
    let issuer = new_issuer();
    let server = TestServer::start(&issuer, &key_file(&issuer)).await;
    let mut connections = Vec::new();
    for beginning in [&b""[..], b"P", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r"] {
        let mut stream = TcpStream::connect(server.address).await.expect("a connection");
        stream.write_all(beginning).await.expect("a sent beginning");
        connections.push(stream);
    }
    for mut stream in connections {
        let end = tokio::time::timeout(PATIENCE, stream.read(&mut [0; 64])).await;
        assert!(matches!(end.expect("an end in time"), Ok(0) | Err(_)));
    }
}

#[tokio::test]
async fn plt_015_connections_of_an_address_are_limited() {
    let issuer = new_issuer();
    let server = TestServer::start_with(&issuer, &key_file(&issuer), None, |options| {
        options.address_connections = 3;
        options.proxies = vec!["127.0.0.3/32".parse().expect("a network")];
    })
    .await;
    let connect = async |source: &str| {
        let socket = TcpSocket::new_v4().expect("a socket");
        let source: SocketAddr = format!("{source}:0").parse().expect("an address");
        socket.bind(source).expect("a local address");
        let mut stream = socket.connect(server.address).await.expect("a connection");
        // The server sends its settings first to a client that begins as it must.
        let beginning = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
        stream.write_all(beginning).await.ok()?;
        let read = tokio::time::timeout(PATIENCE, stream.read(&mut [0; 9])).await;
        matches!(read.expect("an answer in time"), Ok(9)).then_some(stream)
    };
    let mut own = Vec::new();
    for _ in 0..3 {
        own.push(connect("127.0.0.1").await.expect("a connection within the limit"));
    }
    assert!(connect("127.0.0.1").await.is_none(), "the limit of the address");
    assert!(connect("127.0.0.2").await.is_some(), "another address");
    let mut of_proxy = Vec::new();
    for _ in 0..10 {
        of_proxy.push(connect("127.0.0.3").await.expect("a connection of a proxy"));
    }
    own.pop();
    eventually(async || connect("127.0.0.1").await.ok_or("the limit of the address")).await;
}

/// RFC 9110, 11.1 and 11.4: one credential, a scheme in any case, and any number of spaces.
#[tokio::test]
async fn acc_003_authorization_header_is_read_as_http_defines_it() {
    let issuer = new_issuer();
    let server = TestServer::start(&issuer, &key_file(&issuer)).await;
    let mut client = RawClient::connect(&server, &issuer, &h2::client::Builder::new()).await;
    let token = client.authorization.replace("Bearer ", "");
    for (credentials, code) in [
        (vec![format!("BEARER {token}")], None),
        (vec![format!("bearer   {token}")], None),
        (vec![format!("Basic {token}")], Some(Code::Unauthenticated)),
        (vec![format!("Bearer{token}")], Some(Code::Unauthenticated)),
        (vec![token.clone()], Some(Code::Unauthenticated)),
        (
            vec![format!("Bearer {token}"), format!("Bearer {token}")],
            Some(Code::Unauthenticated),
        ),
        (
            vec![format!("Bearer {token}"), "Basic eDp5".to_owned()],
            Some(Code::Unauthenticated),
        ),
    ] {
        let mut request = client.request();
        for value in &credentials {
            request = request.header("authorization", value);
        }
        assert_eq!(
            client.call(request).await.codes().await,
            (200, code),
            "{credentials:?}"
        );
    }
}

#[tokio::test]
async fn headers_over_the_limit_are_refused_with_a_reason() {
    let issuer = new_issuer();
    let server = TestServer::start(&issuer, &key_file(&issuer)).await;
    let mut client = server.client(&issuer);
    let mut request = tonic::Request::new(pb::GetUnreadCountRequest {});
    let note = "x".repeat(20_000).parse().expect("a header");
    request.metadata_mut().insert("x-note", note);
    let answer = client.get_unread_count(request).await;
    refused(answer, Code::OutOfRange, "HEADERS_TOO_LARGE");
}

/// As `grpc.health.v1` defines it: the stream of an unknown name stays open.
#[tokio::test]
async fn health_watch_sends_changes_and_knows_unknown_names() {
    let issuer = new_issuer();
    let server = TestServer::start(&issuer, &key_file(&issuer)).await;
    let watch = async |name: &str| {
        let request = HealthCheckRequest {
            service: name.to_owned(),
        };
        let stream = HealthClient::new(server.channel.clone()).watch(request).await;
        stream.expect("a stream").into_inner()
    };
    let mut unknown = watch("cosell.NoSuchService").await;
    let first = unknown.message().await.expect("a stream").expect("a message");
    assert_eq!(first.status(), ServingStatus::ServiceUnknown);
    let mut readiness = watch("readiness").await;
    let mut seen = Vec::new();
    while !seen.contains(&ServingStatus::Serving) {
        let message = readiness.message().await.expect("a stream").expect("a message");
        seen.push(message.status());
    }
    assert!(
        unknown.message().now_or_never().is_none(),
        "the stream stays open"
    );
}

/// RFC 9110, 15.5.6 and 15.5.16.
#[tokio::test]
async fn other_methods_and_content_types_are_refused_in_the_terms_of_http() {
    let issuer = new_issuer();
    let server = TestServer::start(&issuer, &key_file(&issuer)).await;
    let mut client = RawClient::connect(&server, &issuer, &h2::client::Builder::new()).await;
    let get = Request::get(format!("http://cosell{PATH}"));
    assert_eq!(client.send(get, true).await.codes().await.0, 405);
    for (content_type, status) in [
        ("application/grpc", 200),
        ("application/grpc+proto", 200),
        ("Application/gRPC; charset=utf-8", 200),
        ("application/grpc+json", 415),
        ("application/grpc-web", 415),
        ("application/json", 415),
        ("", 415),
    ] {
        let request = Request::post(format!("http://cosell{PATH}"))
            .header("content-type", content_type)
            .header("authorization", &client.authorization);
        assert_eq!(
            client.call(request).await.codes().await.0,
            status,
            "{content_type}"
        );
    }
    let twice = Request::post(format!("http://cosell{PATH}"))
        .header("content-type", "application/grpc")
        .header("content-type", "application/json")
        .header("authorization", &client.authorization);
    assert_eq!(client.call(twice).await.codes().await.0, 415);
}
