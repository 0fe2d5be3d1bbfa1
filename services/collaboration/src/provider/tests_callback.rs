//! Covers the callback listener over HTTP: signatures, timestamps, forwarding of interactions and events, failures,
//! limits, and shutdown.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use cosell_grpc::Failure;
use cosell_testkit::harness::eventually;
use cosell_testkit::slack::{self as fake_slack, click_payload, event_payload};
use cosell_types::Clock;
use cosell_web::{ListenerLimits, serve};
use serde_json::json;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::SecretFile;
use super::callback::{CallbackEndpoint, CallbackEvent, CallbackReceiver};

const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
const NOW: i64 = 1_800_000_000;
const CLICKS: &str = "/slack/interactions";
const EVENTS: &str = "/slack/events";

/// A running callback listener, and what it has forwarded.
struct Listener {
    address: SocketAddr,
    received: Arc<Mutex<Vec<CallbackEvent>>>,
    /// How many of the next callbacks the receiver fails.
    failures: Arc<AtomicU32>,
    folder: TempDir,
    clock: Clock,
    stop: CancellationToken,
    serving: JoinHandle<()>,
}

impl Listener {
    async fn start() -> Self {
        Self::with_limits(ListenerLimits::default(), Duration::from_secs(30)).await
    }

    async fn with_limits(limits: ListenerLimits, timeout: Duration) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let secret = folder.path().join("secret");
        std::fs::write(&secret, format!("{SECRET}\n")).expect("a written file");
        let clock = Clock::manual(DateTime::from_timestamp(NOW, 0).expect("a time"));
        let received = Arc::new(Mutex::new(Vec::new()));
        let failures = Arc::new(AtomicU32::new(0));
        let (recorded, remaining) = (received.clone(), failures.clone());
        let receiver: CallbackReceiver = Arc::new(move |callback| {
            recorded
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(callback);
            let fails = remaining
                .try_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1))
                .is_ok();
            Box::pin(async move {
                match fails {
                    true => Err(Failure::token_invalid()),
                    false => Ok(()),
                }
            })
        });
        let callbacks = CallbackEndpoint::new(SecretFile::new(secret), clock.clone(), receiver);
        let router = callbacks.with_timeout(timeout).router();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let stop = CancellationToken::new();
        Self {
            address,
            received,
            failures,
            folder,
            clock,
            serving: tokio::spawn(serve(listener, router, limits, stop.clone())),
            stop,
        }
    }

    fn received(&self) -> Vec<CallbackEvent> {
        self.received
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Sends a signed callback as Slack does, and returns the HTTP status.
    async fn send(&self, path: &str, body: &str) -> u16 {
        self.signed(path, SECRET, NOW, body).await
    }

    async fn signed(&self, path: &str, secret: &str, timestamp: i64, body: &str) -> u16 {
        let response = fake_slack::post_callback((self.address, path), secret, timestamp, body, 0).await;
        response.expect("a response").0
    }

    async fn post(&self, headers: &[(&str, &str)], body: &str) -> (u16, String) {
        let response = fake_slack::post((self.address, CLICKS), headers, body).await;
        response.expect("a response")
    }
}

fn opted_out() -> CallbackEvent {
    CallbackEvent::OptedOut {
        channel: "C1".to_owned(),
        user: "U1".to_owned(),
    }
}

#[tokio::test]
async fn button_clicks_in_welcome_message_are_forwarded() {
    let listener = Listener::start().await;
    assert_eq!(
        listener.send(CLICKS, &click_payload("opt_out", "C1", "U1")).await,
        200
    );
    assert_eq!(
        listener.send(CLICKS, &click_payload("leave", "C1", "U2")).await,
        200
    );
    // A button of another message is ignored.
    assert_eq!(
        listener.send(CLICKS, &click_payload("approve", "C1", "U3")).await,
        200
    );
    let leave_request = CallbackEvent::LeaveRequested {
        channel: "C1".to_owned(),
        user: "U2".to_owned(),
    };
    assert_eq!(listener.received(), [opted_out(), leave_request]);
}

#[tokio::test]
async fn member_join_and_leave_callbacks_are_forwarded() {
    let listener = Listener::start().await;
    let slack_user =
        |id: &str| json!({ "id": id, "team_id": "T2", "profile": { "email": "jane@partner.example" } });
    let invite = json!({ "id": "I1", "date_created": 1, "recipient_email": "jane@partner.example" });
    for event in [
        json!({ "type": "member_joined_channel", "user": "U1", "channel": "C1", "channel_type": "G",
                "team": "T1", "inviter": "U9" }),
        json!({ "type": "member_left_channel", "user": "U1", "channel": "C1", "channel_type": "G", "team": "T1" }),
        json!({ "type": "shared_channel_invite_accepted", "approval_required": false, "invite": invite,
                "channel": { "id": "C1" }, "accepting_user": slack_user("U2"), "event_ts": "1.2" }),
        json!({ "type": "shared_channel_invite_accepted", "invite": invite }),
        json!({ "type": "shared_channel_invite_declined", "invite": invite, "declining_user": slack_user("U2") }),
        // An event type that this service does not subscribe to.
        json!({ "type": "message", "channel": "C1", "text": "hello" }),
    ] {
        assert_eq!(
            listener.send(EVENTS, &event_payload(&event)).await,
            200,
            "{event}"
        );
    }
    let (channel, user, invite_id) = ("C1".to_owned(), "U1".to_owned(), "I1".to_owned());
    let expected = [
        CallbackEvent::Joined {
            channel: channel.clone(),
            user: user.clone(),
        },
        CallbackEvent::Left { channel, user },
        CallbackEvent::InviteAccepted {
            invite_id: invite_id.clone(),
            user: Some("U2".to_owned()),
        },
        CallbackEvent::InviteAccepted {
            invite_id: invite_id.clone(),
            user: None,
        },
        CallbackEvent::InviteDeclined { invite_id },
    ];
    assert_eq!(listener.received(), expected);
}

#[tokio::test]
async fn url_verification_challenge_is_answered_if_signed() {
    let listener = Listener::start().await;
    let body = json!({ "type": "url_verification", "token": "x", "challenge": "3eZbrw1aB" }).to_string();
    let response = fake_slack::post_callback((listener.address, EVENTS), SECRET, NOW, &body, 0).await;
    assert_eq!(response.expect("a response"), (200, "3eZbrw1aB".to_owned()));
    assert_eq!(listener.signed(EVENTS, "forged", NOW, &body).await, 401);
    let unknown = json!({ "type": "app_rate_limited", "minute_rate_limited": 1 }).to_string();
    assert_eq!(listener.send(EVENTS, &unknown).await, 200);
    assert_eq!(listener.received(), []);
}

/// Uses the example of Slack's documentation, because the test kit and the service could otherwise share an error.
#[tokio::test]
async fn signature_matches_the_slack_documentation_example() {
    let body = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&\
        channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&\
        command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2F\
        T1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.\
        803a0bc887a14d10d2c447fce8b6703c";
    let signature = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";
    assert_eq!(fake_slack::signature(SECRET, 1_531_420_618, body), signature);
    let listener = Listener::start().await;
    listener.clock.advance(TimeDelta::seconds(1_531_420_618 - NOW));
    let headers = [
        ("x-slack-request-timestamp", "1531420618"),
        ("x-slack-signature", signature),
    ];
    // The signature is valid, but the body is not an interaction.
    assert_eq!(listener.post(&headers, body).await.0, 400);
    let changed = body.replace("foobar", "foobaz");
    assert_eq!(listener.post(&headers, &changed).await.0, 401);
}

#[tokio::test]
async fn callback_with_invalid_signature_is_refused_without_a_reason() {
    let listener = Listener::start().await;
    let body = click_payload("opt_out", "C1", "U1");
    let valid = fake_slack::signature(SECRET, NOW, &body);
    let now = NOW.to_string();
    let other_secret = fake_slack::signature("another secret", NOW, &body);
    let truncated = &valid[..valid.len() - 2];
    let without_version = valid.trim_start_matches("v0=");
    let other_version = valid.replace("v0=", "v1=");
    let later = (NOW + 1).to_string();
    let (timestamp, signature) = ("x-slack-request-timestamp", "x-slack-signature");
    for headers in [
        vec![],
        vec![(timestamp, now.as_str())],
        vec![(signature, valid.as_str())],
        vec![(timestamp, now.as_str()), (signature, other_secret.as_str())],
        vec![(timestamp, now.as_str()), (signature, truncated)],
        vec![(timestamp, now.as_str()), (signature, without_version)],
        vec![(timestamp, now.as_str()), (signature, other_version.as_str())],
        vec![(timestamp, now.as_str()), (signature, "v0=")],
        vec![(timestamp, now.as_str()), (signature, "v0=zz")],
        vec![(timestamp, later.as_str()), (signature, valid.as_str())],
        vec![(timestamp, "soon"), (signature, valid.as_str())],
    ] {
        let response = listener.post(&headers, &body).await;
        assert_eq!(response, (401, String::new()), "{headers:?}");
    }
    assert_eq!(listener.received(), []);
    assert_eq!(
        listener
            .post(&[(timestamp, &now), (signature, &valid)], &body)
            .await
            .0,
        200
    );
    assert_eq!(listener.received(), [opted_out()]);
}

#[tokio::test]
async fn callback_with_stale_timestamp_is_refused() {
    let listener = Listener::start().await;
    let body = click_payload("opt_out", "C1", "U1");
    for (offset, status) in [
        (-301, 401),
        (301, 401),
        (i64::MIN + NOW, 401),
        (-300, 200),
        (300, 200),
    ] {
        let actual = listener
            .signed(CLICKS, SECRET, NOW.saturating_add(offset), &body)
            .await;
        assert_eq!(actual, status, "{offset}");
    }
    assert_eq!(listener.received().len(), 2);
    listener.clock.advance(TimeDelta::seconds(301));
    assert_eq!(
        listener.send(CLICKS, &body).await,
        401,
        "a replayed callback must be refused"
    );
}

#[tokio::test]
async fn repeated_delivery_is_forwarded_again() {
    let listener = Listener::start().await;
    let event = json!({ "type": "member_left_channel", "user": "U1", "channel": "C1" });
    for repeated in 0..2 {
        let to = (listener.address, EVENTS);
        let response = fake_slack::post_callback(to, SECRET, NOW, &event_payload(&event), repeated).await;
        assert_eq!(response.expect("a response").0, 200);
    }
    let received = listener.received();
    assert_eq!(received.len(), 2);
    assert_eq!(received[0], received[1]);
}

#[tokio::test]
async fn failed_callback_returns_500_for_redelivery() {
    let listener = Listener::start().await;
    listener.failures.store(1, Ordering::Relaxed);
    let event = event_payload(&json!({ "type": "member_left_channel", "user": "U1", "channel": "C1" }));
    assert_eq!(listener.send(EVENTS, &event).await, 500);
    assert_eq!(listener.send(EVENTS, &event).await, 200);
    assert_eq!(listener.received().len(), 2);

    std::fs::remove_file(listener.folder.path().join("secret")).expect("a removed file");
    assert_eq!(
        listener.send(EVENTS, &event).await,
        500,
        "without the secret no signature can be verified"
    );
    std::fs::write(listener.folder.path().join("secret"), "new").expect("a written file");
    assert_eq!(listener.send(EVENTS, &event).await, 401);
    assert_eq!(
        listener.signed(EVENTS, "new", NOW, &event).await,
        200,
        "a new secret must be read without a restart"
    );
}

#[tokio::test]
async fn receiver_timeout_or_panic_returns_500() {
    let folder = tempfile::tempdir().expect("a folder");
    let secret = folder.path().join("secret");
    std::fs::write(&secret, SECRET).expect("a written file");
    let clock = Clock::manual(DateTime::from_timestamp(NOW, 0).expect("a time"));
    let slow: CallbackReceiver = Arc::new(|_| Box::pin(std::future::pending()));
    let panicking: CallbackReceiver = Arc::new(|_| Box::pin(async { panic!("on purpose") }));
    for receiver in [slow, panicking] {
        let callbacks = CallbackEndpoint::new(SecretFile::new(&secret), clock.clone(), receiver)
            .with_timeout(Duration::from_millis(50));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let to = (listener.local_addr().expect("an address"), CLICKS);
        let stop = CancellationToken::new();
        let serving = tokio::spawn(serve(
            listener,
            callbacks.router(),
            ListenerLimits::default(),
            stop.clone(),
        ));
        let response =
            fake_slack::post_callback(to, SECRET, NOW, &click_payload("leave", "C1", "U1"), 0).await;
        assert_eq!(response.expect("a response").0, 500);
        stop.cancel();
        serving.await.expect("a stopped listener");
    }
}

#[tokio::test]
async fn malformed_or_oversize_callback_is_refused() {
    let listener = Listener::start().await;
    assert_eq!(listener.send(CLICKS, "payload=no+JSON").await, 400);
    assert_eq!(listener.send(CLICKS, "nothing=1").await, 400);
    assert_eq!(listener.send(EVENTS, "no JSON").await, 400);
    let event = json!({ "type": "member_left_channel", "user": 7 });
    assert_eq!(listener.send(EVENTS, &event_payload(&event)).await, 400);
    assert_eq!(listener.send("/slack/other", "{}").await, 404);
    let large = format!("payload={}", "x".repeat(1024 * 1024));
    assert_eq!(listener.send(CLICKS, &large).await, 413);
    assert_eq!(listener.received(), []);
}

#[tokio::test]
async fn connections_are_limited_in_number_and_duration() {
    let limits = ListenerLimits {
        connections: 1,
        connection_timeout: Duration::from_secs(3),
    };
    let listener = Listener::with_limits(limits, Duration::from_secs(30)).await;
    let start = tokio::time::Instant::now();
    // Occupies the only connection with an incomplete request.
    let mut idle = TcpStream::connect(listener.address).await.expect("a connection");
    idle.write_all(b"POST /slack/events HTTP/1.1\r\n")
        .await
        .expect("sent");
    // Retries, because on a slow machine the limit may also close the waiting connection.
    while listener.send(CLICKS, &click_payload("opt_out", "C1", "U1")).await != 200 {
        assert!(
            start.elapsed() < Duration::from_secs(300),
            "the connection was never released"
        );
    }
    assert!(
        start.elapsed() >= limits.connection_timeout,
        "the call must wait for the idle connection to time out"
    );
    let mut rest = Vec::new();
    let _ = idle.read_to_end(&mut rest).await;
    assert!(
        !String::from_utf8_lossy(&rest).contains("200"),
        "the idle connection must be closed"
    );
}

#[tokio::test]
async fn slow_clients_keep_no_other_out() {
    let listener = Listener::start().await;
    let mut slow = Vec::new();
    for _ in 0..200 {
        let mut stream = TcpStream::connect(listener.address).await.expect("a connection");
        stream
            .write_all(b"POST /slack/events HTTP/1.1\r\n")
            .await
            .expect("sent");
        slow.push(stream);
    }
    assert_eq!(
        listener.send(CLICKS, &click_payload("opt_out", "C1", "U1")).await,
        200
    );
    let is_open = |stream: &TcpStream| {
        stream
            .try_read(&mut [0])
            .is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
    };
    assert!(
        slow.last().is_some_and(is_open),
        "the call was answered only after the slow clients had been closed"
    );
}

#[tokio::test]
async fn listener_stops_on_cancellation_despite_idle_connections() {
    let listener = Listener::start().await;
    let mut idle = TcpStream::connect(listener.address).await.expect("a connection");
    assert_eq!(
        listener.send(CLICKS, &click_payload("opt_out", "C1", "U1")).await,
        200
    );
    listener.stop.cancel();
    let start = tokio::time::Instant::now();
    listener.serving.await.expect("a stopped listener");
    assert!(
        start.elapsed() < ListenerLimits::default().connection_timeout,
        "the listener must not wait for idle connections"
    );
    let mut rest = Vec::new();
    let _ = idle.read_to_end(&mut rest).await;
    let address = listener.address;
    eventually(async || match TcpStream::connect(address).await {
        Ok(_) => Err("the listener still accepts connections"),
        Err(_) => Ok(()),
    })
    .await;
}
