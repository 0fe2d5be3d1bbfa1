//! Callbacks of Slack, and the links with which members leave channels (CHN-020, CHN-031).

use aws_lc_rs::hmac;
use cosell_collaboration::fuzzing;
use cosell_collaboration::provider::callback::{CallbackEvent, EventDelivery};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

use crate::support::{NOW, split_head};

const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
const TIMESTAMP: &str = "x-slack-request-timestamp";
const SIGNATURE: &str = "x-slack-signature";
/// The maximum distance of a request's timestamp from the current time, in seconds.
const MAX_AGE: i64 = 300;

/// The headers of a request, such as `x-slack-signature: …`, an empty line, and its body.
pub fn callback(data: &[u8]) {
    let (lines, body) = split_head(data);
    check_stated_signature(&lines, body);
    check_signature(body);
    if let Some(EventDelivery::Events(events)) = fuzzing::read_delivery(body) {
        for event in events {
            let again = fuzzing::read_delivery(written_event(&event).as_bytes());
            assert_eq!(again, Some(EventDelivery::Events(vec![event])));
        }
    }
    for event in fuzzing::read_interaction(body).into_iter().flatten() {
        let again = fuzzing::read_interaction(written_click(&event).as_bytes());
        assert_eq!(again, Some(vec![event]));
    }
}

/// The signed text of a channel link.
pub fn channel_link(data: &[u8]) {
    if let Some(text) = fuzzing::rewrite_link(data) {
        assert!(
            text.len() <= data.len(),
            "the expiry of a link has the shortest form"
        );
        assert_eq!(fuzzing::rewrite_link(text.as_bytes()), Some(text));
    }
}

/// Whatever headers say, a request is accepted only with the signature that the secret has for it.
fn check_stated_signature(lines: &[&str], body: &[u8]) {
    let mut headers = HeaderMap::new();
    for (name, value) in lines.iter().filter_map(|line| line.split_once(": ")) {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            headers.append(name, value);
        }
    }
    if fuzzing::is_signed(SECRET, &headers, body, NOW) {
        let timestamp = headers[TIMESTAMP].to_str().expect("a text");
        let expected = signature(timestamp, body);
        let stated = headers[SIGNATURE].to_str().expect("a text");
        assert!(
            stated.eq_ignore_ascii_case(&expected),
            "{stated} is not {expected}"
        );
    }
}

fn check_signature(body: &[u8]) {
    for (age, is_recent) in [(0, true), (MAX_AGE, true), (-MAX_AGE, true), (MAX_AGE + 1, false)] {
        let timestamp = (NOW - age).to_string();
        let mut headers = HeaderMap::new();
        let value = |text: &str| HeaderValue::try_from(text).expect("a value");
        headers.insert(TIMESTAMP, value(&timestamp));
        headers.insert(SIGNATURE, value(&signature(&timestamp, body)));
        assert_eq!(fuzzing::is_signed(SECRET, &headers, body, NOW), is_recent);
        let other = [body, b" "].concat();
        assert!(!fuzzing::is_signed(SECRET, &headers, &other, NOW), "another body");
        assert!(
            !fuzzing::is_signed("other", &headers, body, NOW),
            "another secret"
        );
    }
}

fn signature(timestamp: &str, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    let message = [b"v0:", timestamp.as_bytes(), b":", body].concat();
    let tag = hmac::sign(&key, &message);
    let digits = tag.as_ref().iter().map(|byte| format!("{byte:02x}"));
    format!("v0={}", digits.collect::<String>())
}

/// A delivery with this event.
fn written_event(event: &CallbackEvent) -> String {
    let event = match event {
        CallbackEvent::Joined { channel, user } => {
            json!({ "type": "member_joined_channel", "channel": channel, "user": user })
        }
        CallbackEvent::Left { channel, user } => {
            json!({ "type": "member_left_channel", "channel": channel, "user": user })
        }
        CallbackEvent::InviteAccepted { invite_id, user } => {
            let user = user.as_ref().map_or(Value::Null, |user| json!({ "id": user }));
            json!({
                "type": "shared_channel_invite_accepted",
                "invite": { "id": invite_id },
                "accepting_user": user,
            })
        }
        CallbackEvent::InviteDeclined { invite_id } => {
            json!({ "type": "shared_channel_invite_declined", "invite": { "id": invite_id } })
        }
        CallbackEvent::OptedOut { .. } | CallbackEvent::LeaveRequested { .. } => {
            panic!("a click in a delivery of events")
        }
    };
    json!({ "type": "event_callback", "event": event }).to_string()
}

/// An interaction with this click.
fn written_click(event: &CallbackEvent) -> String {
    let (action, channel, user) = match event {
        CallbackEvent::OptedOut { channel, user } => ("opt_out", channel, user),
        CallbackEvent::LeaveRequested { channel, user } => ("leave", channel, user),
        other => panic!("{other:?} in an interaction"),
    };
    let payload = json!({
        "type": "block_actions",
        "channel": { "id": channel },
        "user": { "id": user },
        "actions": [{ "action_id": action }],
    });
    form_urlencoded::Serializer::new(String::new())
        .append_pair("payload", &payload.to_string())
        .finish()
}
