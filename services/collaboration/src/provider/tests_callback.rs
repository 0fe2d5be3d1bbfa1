//! Calls of Slack, over HTTP, as the listener takes them.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use cosell_grpc::Failure;
use cosell_testkit::harness::eventually;
use cosell_testkit::slack::{self as stand_in, clicked, happened};
use cosell_types::Clock;
use serde_json::json;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::callback::{Callbacks, Receiver, Told};
use super::{Limits, SecretFile, serve};

const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
const NOW: i64 = 1_800_000_000;
const CLICKS: &str = "/slack/interactions";
const EVENTS: &str = "/slack/events";

struct Desk {
    address: SocketAddr,
    told: Arc<Mutex<Vec<Told>>>,
    /// How many of the next handings-over fail.
    failing: Arc<AtomicU32>,
    folder: TempDir,
    clock: Clock,
    stop: CancellationToken,
    serving: JoinHandle<()>,
}

impl Desk {
    async fn new() -> Self {
        Self::with(Limits::default(), Duration::from_secs(30)).await
    }

    async fn with(limits: Limits, handling: Duration) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let secret = folder.path().join("secret");
        std::fs::write(&secret, format!("{SECRET}\n")).expect("written");
        let clock = Clock::manual(DateTime::from_timestamp(NOW, 0).expect("a time"));
        let told = Arc::new(Mutex::new(Vec::new()));
        let failing = Arc::new(AtomicU32::new(0));
        let (keep, fail) = (told.clone(), failing.clone());
        let receiver: Receiver = Arc::new(move |told| {
            keep.lock().unwrap_or_else(PoisonError::into_inner).push(told);
            let fails = fail
                .try_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1))
                .is_ok();
            Box::pin(async move {
                match fails {
                    true => Err(Failure::token_invalid()),
                    false => Ok(()),
                }
            })
        });
        let callbacks = Callbacks::new(SecretFile::new(secret), clock.clone(), receiver);
        let router = callbacks.with_handling(handling).router();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let stop = CancellationToken::new();
        Self {
            address,
            told,
            failing,
            folder,
            clock,
            serving: tokio::spawn(serve(listener, router, limits, stop.clone())),
            stop,
        }
    }

    fn told(&self) -> Vec<Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sends a call as Slack does, and returns the status.
    async fn send(&self, path: &str, body: &str) -> u16 {
        self.signed(path, SECRET, NOW, body).await
    }

    async fn signed(&self, path: &str, secret: &str, timestamp: i64, body: &str) -> u16 {
        let answer = stand_in::call_back((self.address, path), secret, timestamp, body, 0).await;
        answer.expect("an answer").0
    }

    async fn post(&self, headers: &[(&str, &str)], body: &str) -> (u16, String) {
        let answer = stand_in::post((self.address, CLICKS), headers, body).await;
        answer.expect("an answer")
    }
}

fn opted_out() -> Told {
    Told::OptedOut {
        channel: "C1".to_owned(),
        user: "U1".to_owned(),
    }
}

#[tokio::test]
async fn what_people_choose_in_the_first_message_is_handed_over() {
    let desk = Desk::new().await;
    assert_eq!(desk.send(CLICKS, &clicked("opt_out", "C1", "U1")).await, 200);
    assert_eq!(desk.send(CLICKS, &clicked("leave", "C1", "U2")).await, 200);
    // Of another message.
    assert_eq!(desk.send(CLICKS, &clicked("approve", "C1", "U3")).await, 200);
    let wants = Told::WantsToLeave {
        channel: "C1".to_owned(),
        user: "U2".to_owned(),
    };
    assert_eq!(desk.told(), [opted_out(), wants]);
}

#[tokio::test]
async fn who_comes_and_goes_is_handed_over() {
    let desk = Desk::new().await;
    let who = |id: &str| json!({ "id": id, "team_id": "T2", "profile": { "email": "jane@partner.example" } });
    let invite = json!({ "id": "I1", "date_created": 1, "recipient_email": "jane@partner.example" });
    for event in [
        json!({ "type": "member_joined_channel", "user": "U1", "channel": "C1", "channel_type": "G",
                "team": "T1", "inviter": "U9" }),
        json!({ "type": "member_left_channel", "user": "U1", "channel": "C1", "channel_type": "G", "team": "T1" }),
        json!({ "type": "shared_channel_invite_accepted", "approval_required": false, "invite": invite,
                "channel": { "id": "C1" }, "accepting_user": who("U2"), "event_ts": "1.2" }),
        json!({ "type": "shared_channel_invite_accepted", "invite": invite }),
        json!({ "type": "shared_channel_invite_declined", "invite": invite, "declining_user": who("U2") }),
        // Nothing that this service asked for.
        json!({ "type": "message", "channel": "C1", "text": "hello" }),
    ] {
        assert_eq!(desk.send(EVENTS, &happened(&event)).await, 200, "{event}");
    }
    let (channel, user, invite_id) = ("C1".to_owned(), "U1".to_owned(), "I1".to_owned());
    let expected = [
        Told::Joined {
            channel: channel.clone(),
            user: user.clone(),
        },
        Told::Left { channel, user },
        Told::InviteAccepted {
            invite_id: invite_id.clone(),
            user: Some("U2".to_owned()),
        },
        Told::InviteAccepted {
            invite_id: invite_id.clone(),
            user: None,
        },
        Told::InviteDeclined { invite_id },
    ];
    assert_eq!(desk.told(), expected);
}

#[tokio::test]
async fn the_challenge_is_answered() {
    let desk = Desk::new().await;
    let body = json!({ "type": "url_verification", "token": "x", "challenge": "3eZbrw1aB" }).to_string();
    let answer = stand_in::call_back((desk.address, EVENTS), SECRET, NOW, &body, 0).await;
    assert_eq!(answer.expect("an answer"), (200, "3eZbrw1aB".to_owned()));
    assert_eq!(desk.signed(EVENTS, "forged", NOW, &body).await, 401);
    let unknown = json!({ "type": "app_rate_limited", "minute_rate_limited": 1 }).to_string();
    assert_eq!(desk.send(EVENTS, &unknown).await, 200);
    assert_eq!(desk.told(), []);
}

/// The example in Slack's documentation, so that the test kit and the service cannot be wrong together.
#[tokio::test]
async fn the_signature_is_that_of_the_documentation() {
    let body = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&\
        channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&\
        command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2F\
        T1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.\
        803a0bc887a14d10d2c447fce8b6703c";
    let signature = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";
    assert_eq!(stand_in::signature(SECRET, 1_531_420_618, body), signature);
    let desk = Desk::new().await;
    desk.clock.advance(TimeDelta::seconds(1_531_420_618 - NOW));
    let headers = [
        ("x-slack-request-timestamp", "1531420618"),
        ("x-slack-signature", signature),
    ];
    // It is Slack's, but it is no click.
    assert_eq!(desk.post(&headers, body).await.0, 400);
    let changed = body.replace("foobar", "foobaz");
    assert_eq!(desk.post(&headers, &changed).await.0, 401);
}

#[tokio::test]
async fn a_call_that_is_not_slacks_is_refused_and_not_told_why() {
    let desk = Desk::new().await;
    let body = clicked("opt_out", "C1", "U1");
    let good = stand_in::signature(SECRET, NOW, &body);
    let now = NOW.to_string();
    let other = stand_in::signature("another secret", NOW, &body);
    let short = &good[..good.len() - 2];
    let bare = good.trim_start_matches("v0=");
    let next = good.replace("v0=", "v1=");
    let later = (NOW + 1).to_string();
    let (time, proof) = ("x-slack-request-timestamp", "x-slack-signature");
    for headers in [
        vec![],
        vec![(time, now.as_str())],
        vec![(proof, good.as_str())],
        vec![(time, now.as_str()), (proof, other.as_str())],
        vec![(time, now.as_str()), (proof, short)],
        vec![(time, now.as_str()), (proof, bare)],
        vec![(time, now.as_str()), (proof, next.as_str())],
        vec![(time, now.as_str()), (proof, "v0=")],
        vec![(time, now.as_str()), (proof, "v0=zz")],
        vec![(time, later.as_str()), (proof, good.as_str())],
        vec![(time, "soon"), (proof, good.as_str())],
    ] {
        let answer = desk.post(&headers, &body).await;
        assert_eq!(answer, (401, String::new()), "{headers:?}");
    }
    assert_eq!(desk.told(), []);
    assert_eq!(desk.post(&[(time, &now), (proof, &good)], &body).await.0, 200);
    assert_eq!(desk.told(), [opted_out()]);
}

#[tokio::test]
async fn a_call_of_another_time_is_refused() {
    let desk = Desk::new().await;
    let body = clicked("opt_out", "C1", "U1");
    for (off, status) in [
        (-301, 401),
        (301, 401),
        (i64::MIN + NOW, 401),
        (-300, 200),
        (300, 200),
    ] {
        let got = desk.signed(CLICKS, SECRET, NOW.saturating_add(off), &body).await;
        assert_eq!(got, status, "{off}");
    }
    assert_eq!(desk.told().len(), 2);
    desk.clock.advance(TimeDelta::seconds(301));
    assert_eq!(desk.send(CLICKS, &body).await, 401, "what was good is overheard");
}

#[tokio::test]
async fn a_repeated_delivery_is_handed_over_again() {
    let desk = Desk::new().await;
    let event = json!({ "type": "member_left_channel", "user": "U1", "channel": "C1" });
    for repeated in 0..2 {
        let to = (desk.address, EVENTS);
        let answer = stand_in::call_back(to, SECRET, NOW, &happened(&event), repeated).await;
        assert_eq!(answer.expect("an answer").0, 200);
    }
    let told = desk.told();
    assert_eq!(told.len(), 2);
    assert_eq!(told[0], told[1]);
}

#[tokio::test]
async fn what_is_not_taken_in_is_delivered_again() {
    let desk = Desk::new().await;
    desk.failing.store(1, Ordering::Relaxed);
    let event = happened(&json!({ "type": "member_left_channel", "user": "U1", "channel": "C1" }));
    assert_eq!(desk.send(EVENTS, &event).await, 500);
    assert_eq!(desk.send(EVENTS, &event).await, 200);
    assert_eq!(desk.told().len(), 2);

    std::fs::remove_file(desk.folder.path().join("secret")).expect("removed");
    assert_eq!(
        desk.send(EVENTS, &event).await,
        500,
        "nobody can prove anything now"
    );
    std::fs::write(desk.folder.path().join("secret"), "new").expect("written");
    assert_eq!(desk.send(EVENTS, &event).await, 401);
    assert_eq!(desk.signed(EVENTS, "new", NOW, &event).await, 200, "a new secret");
}

#[tokio::test]
async fn a_receiver_that_takes_too_long_or_panics_is_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let secret = folder.path().join("secret");
    std::fs::write(&secret, SECRET).expect("written");
    let clock = Clock::manual(DateTime::from_timestamp(NOW, 0).expect("a time"));
    let slow: Receiver = Arc::new(|_| Box::pin(std::future::pending()));
    let broken: Receiver = Arc::new(|_| Box::pin(async { panic!("on purpose") }));
    for receiver in [slow, broken] {
        let callbacks = Callbacks::new(SecretFile::new(&secret), clock.clone(), receiver)
            .with_handling(Duration::from_millis(50));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let to = (listener.local_addr().expect("an address"), CLICKS);
        let stop = CancellationToken::new();
        let serving = tokio::spawn(serve(
            listener,
            callbacks.router(),
            Limits::default(),
            stop.clone(),
        ));
        let answer = stand_in::call_back(to, SECRET, NOW, &clicked("leave", "C1", "U1"), 0).await;
        assert_eq!(answer.expect("an answer").0, 500);
        stop.cancel();
        serving.await.expect("ended");
    }
}

#[tokio::test]
async fn calls_that_are_malformed_or_too_large_are_refused() {
    let desk = Desk::new().await;
    assert_eq!(desk.send(CLICKS, "payload=no+JSON").await, 400);
    assert_eq!(desk.send(CLICKS, "nothing=1").await, 400);
    assert_eq!(desk.send(EVENTS, "no JSON").await, 400);
    let event = json!({ "type": "member_left_channel", "user": 7 });
    assert_eq!(desk.send(EVENTS, &happened(&event)).await, 400);
    assert_eq!(desk.send("/slack/other", "{}").await, 404);
    let large = format!("payload={}", "x".repeat(1024 * 1024));
    assert_eq!(desk.send(CLICKS, &large).await, 413);
    assert_eq!(desk.told(), []);
}

#[tokio::test]
async fn connections_are_few_and_short() {
    let limits = Limits {
        connections: 1,
        time: Duration::from_secs(3),
    };
    let desk = Desk::with(limits, Duration::from_secs(30)).await;
    let start = tokio::time::Instant::now();
    // It takes the only place, begins, and says no more.
    let mut idle = TcpStream::connect(desk.address).await.expect("connected");
    idle.write_all(b"POST /slack/events HTTP/1.1\r\n")
        .await
        .expect("sent");
    // Again and again: on a slow machine the limit may also end the call that waits.
    while desk.send(CLICKS, &clicked("opt_out", "C1", "U1")).await != 200 {
        assert!(
            start.elapsed() < Duration::from_secs(300),
            "the place was never free"
        );
    }
    assert!(start.elapsed() >= limits.time, "it waited for its place");
    let mut rest = Vec::new();
    let _ = idle.read_to_end(&mut rest).await;
    assert!(
        !String::from_utf8_lossy(&rest).contains("200"),
        "the idle one was ended"
    );
}

#[tokio::test]
async fn it_stops_when_told_to() {
    let desk = Desk::new().await;
    let mut idle = TcpStream::connect(desk.address).await.expect("connected");
    assert_eq!(desk.send(CLICKS, &clicked("opt_out", "C1", "U1")).await, 200);
    desk.stop.cancel();
    let start = tokio::time::Instant::now();
    desk.serving.await.expect("ended");
    assert!(
        start.elapsed() < Limits::default().time,
        "it waited for nobody who says nothing"
    );
    let mut rest = Vec::new();
    let _ = idle.read_to_end(&mut rest).await;
    let address = desk.address;
    eventually(async || match TcpStream::connect(address).await {
        Ok(_) => Err("it still listens"),
        Err(_) => Ok(()),
    })
    .await;
}
