//! The endpoint for callbacks of Slack: clicks on the buttons of the welcome message, and events of channel members and
//! invitations. Verifies the signature of each request and forwards its events to a receiver.
//!
//! Slack may deliver an event more than once. The endpoint stores nothing, so the receiver must be idempotent. A failed
//! click is not delivered again; Slack shows the user that it failed.
//!
//! Events to subscribe to in Slack's settings: `member_joined_channel`, `member_left_channel`,
//! `shared_channel_invite_accepted`, `shared_channel_invite_declined`.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::hmac;
use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use bytes::Bytes;
use cosell_grpc::Failure;
use cosell_telemetry::metrics;
use cosell_types::Clock;
use futures::future::BoxFuture;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use super::SecretFile;

/// The maximum size of a request, in bytes. It is read before its signature can be verified, so that this and the number
/// of connections limit the memory that anybody can use.
const MAX_BODY: usize = 256 * 1024;
/// The maximum distance of a request's timestamp from the current time, in seconds, which limits replay attacks.
const MAX_AGE: i64 = 300;
/// Less than the three seconds that Slack waits for a response.
const RECEIVER_TIMEOUT: Duration = Duration::from_millis(2500);

/// The action IDs of the buttons in the welcome message.
pub(super) const OPT_OUT: &str = "opt_out";
pub(super) const LEAVE: &str = "leave";

/// An event of the provider, with the provider's IDs of channels, users and invitations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallbackEvent {
    /// A user clicked "Opt out of all invites".
    OptedOut {
        /// The channel of the welcome message.
        channel: String,
        /// The user who opted out.
        user: String,
    },
    /// A user clicked "Leave channel", and is still in the channel.
    LeaveRequested {
        /// The channel to leave.
        channel: String,
        /// The user who clicked.
        user: String,
    },
    /// A user left, or was removed.
    Left {
        /// The channel that the user left.
        channel: String,
        /// The former member.
        user: String,
    },
    /// A user joined; also sent for the bot itself.
    Joined {
        /// The channel that the user joined.
        channel: String,
        /// The new member.
        user: String,
    },
    /// An invitation was accepted. The join itself is a separate event.
    InviteAccepted {
        /// The accepted invitation.
        invite_id: String,
        /// The accepting user, if the provider states it.
        user: Option<String>,
    },
    /// An invitation was declined.
    InviteDeclined {
        /// The declined invitation.
        invite_id: String,
    },
}

/// Applies an event. Must be idempotent.
pub type CallbackReceiver =
    Arc<dyn Fn(CallbackEvent) -> BoxFuture<'static, Result<(), Failure>> + Send + Sync>;

/// The HTTP endpoint for callbacks.
#[derive(Clone)]
pub struct CallbackEndpoint {
    secret: SecretFile,
    clock: Clock,
    receiver: CallbackReceiver,
    timeout: Duration,
}

impl CallbackEndpoint {
    /// An endpoint that accepts requests signed with this secret.
    pub fn new(secret: SecretFile, clock: Clock, receiver: CallbackReceiver) -> Self {
        Self {
            secret,
            clock,
            receiver,
            timeout: RECEIVER_TIMEOUT,
        }
    }

    /// Sets how long a request waits for the receiver. After that the response is an error, and the receiver continues.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// The routes to enter as request URLs in Slack's settings.
    pub fn router(self) -> Router {
        Router::new()
            .route("/slack/interactions", post(interactions))
            .route("/slack/events", post(events))
            .layer(DefaultBodyLimit::max(MAX_BODY))
            .with_state(Arc::new(self))
    }

    /// Verifies that the request is from Slack. The error is the status of the response, which has no reason.
    async fn authenticate(&self, headers: &HeaderMap, body: &[u8]) -> Result<(), StatusCode> {
        let secret = self.secret.read().await.map_err(|error| {
            let error = format!("{error:#}");
            tracing::error!(error, "Slack signing secret could not be read");
            StatusCode::INTERNAL_SERVER_ERROR
        })?;
        if is_signed(&secret, headers, body, self.clock.now().timestamp()) {
            return Ok(());
        }
        metrics::CALLBACKS_REFUSED.add(1, &[]);
        Err(StatusCode::UNAUTHORIZED)
    }

    /// Forwards events to the receiver sequentially. Stops at the first failure; Slack delivers a failed event again.
    async fn forward(&self, events: Vec<CallbackEvent>) -> StatusCode {
        for event in events {
            // A separate task, because a closed connection must not cancel the receiver.
            let task = tokio::spawn((self.receiver)(event));
            let reason = match tokio::time::timeout(self.timeout, task).await {
                Ok(Ok(Ok(()))) => continue,
                Ok(Ok(Err(failure))) => failure.to_string(),
                Ok(Err(_)) => "panicked".to_owned(),
                Err(_) => "timed out".to_owned(),
            };
            tracing::warn!(reason, "Slack callback failed");
            return StatusCode::INTERNAL_SERVER_ERROR;
        }
        StatusCode::OK
    }
}

/// Whether the request has a valid signature of Slack and a timestamp within `MAX_AGE` of `now`.
pub(crate) fn is_signed(secret: &SecretString, headers: &HeaderMap, body: &[u8], now: i64) -> bool {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(timestamp) = header("x-slack-request-timestamp") else {
        return false;
    };
    let is_recent = timestamp
        .parse::<i64>()
        .is_ok_and(|sent| now.abs_diff(sent) <= MAX_AGE.unsigned_abs());
    let signature = header("x-slack-signature")
        .and_then(|value| value.strip_prefix("v0="))
        .and_then(decode_hex);
    let Some(signature) = signature else {
        return false;
    };
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose_secret().as_bytes());
    let message = [b"v0:", timestamp.as_bytes(), b":", body].concat();
    // Compares in constant time.
    hmac::verify(&key, &message, &signature).is_ok() && is_recent
}

/// The bytes of a SHA-256 digest in hexadecimal digits.
fn decode_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .map(|character| character.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect();
    let digits = digits.filter(|digits| digits.len() == 64)?;
    Some(digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

#[derive(Deserialize)]
struct Interaction {
    r#type: String,
    user: Option<ObjectRef>,
    channel: Option<ObjectRef>,
    #[serde(default)]
    actions: Vec<BlockAction>,
}

#[derive(Deserialize)]
struct ObjectRef {
    id: String,
}

#[derive(Deserialize)]
struct BlockAction {
    action_id: String,
}

async fn interactions(
    State(endpoint): State<Arc<CallbackEndpoint>>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    if let Err(status) = endpoint.authenticate(&headers, &body).await {
        return status;
    }
    match read_interaction(&body) {
        Some(events) => endpoint.forward(events).await,
        None => StatusCode::BAD_REQUEST,
    }
}

/// The events of an interaction; `None` if the body is malformed.
pub(crate) fn read_interaction(body: &[u8]) -> Option<Vec<CallbackEvent>> {
    let (_, payload) = form_urlencoded::parse(body).find(|(name, _)| name == "payload")?;
    serde_json::from_str(&payload).ok().map(interaction_events)
}

/// The events of the clicked buttons. Buttons of other messages are ignored.
fn interaction_events(interaction: Interaction) -> Vec<CallbackEvent> {
    let (Some(user), Some(channel)) = (interaction.user, interaction.channel) else {
        return Vec::new();
    };
    if interaction.r#type != "block_actions" {
        return Vec::new();
    }
    let (channel, user) = (channel.id, user.id);
    let to_event = |action: BlockAction| match action.action_id.as_str() {
        OPT_OUT => Some(CallbackEvent::OptedOut {
            channel: channel.clone(),
            user: user.clone(),
        }),
        LEAVE => Some(CallbackEvent::LeaveRequested {
            channel: channel.clone(),
            user: user.clone(),
        }),
        _ => None,
    };
    interaction.actions.into_iter().filter_map(to_event).collect()
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Envelope {
    UrlVerification {
        challenge: String,
    },
    EventCallback {
        event: SlackEvent,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum SlackEvent {
    MemberJoinedChannel {
        user: String,
        channel: String,
    },
    MemberLeftChannel {
        user: String,
        channel: String,
    },
    SharedChannelInviteAccepted {
        invite: ObjectRef,
        accepting_user: Option<ObjectRef>,
    },
    SharedChannelInviteDeclined {
        invite: ObjectRef,
    },
    #[serde(other)]
    Other,
}

async fn events(State(endpoint): State<Arc<CallbackEndpoint>>, headers: HeaderMap, body: Bytes) -> Response {
    if let Err(status) = endpoint.authenticate(&headers, &body).await {
        return status.into_response();
    }
    match read_delivery(&body) {
        Some(EventDelivery::Challenge(challenge)) => {
            ([(CONTENT_TYPE, "text/plain; charset=utf-8")], challenge).into_response()
        }
        Some(EventDelivery::Events(events)) => endpoint.forward(events).await.into_response(),
        None => StatusCode::BAD_REQUEST.into_response(),
    }
}

/// What Slack sends to the URL of events.
#[derive(Debug, PartialEq, Eq)]
pub enum EventDelivery {
    /// A text to return, with which Slack verifies the URL.
    Challenge(String),
    /// The event; none if this service does not subscribe to it.
    Events(Vec<CallbackEvent>),
}

/// `None` if the body is malformed.
pub(crate) fn read_delivery(body: &[u8]) -> Option<EventDelivery> {
    Some(match serde_json::from_slice(body).ok()? {
        Envelope::UrlVerification { challenge } => EventDelivery::Challenge(challenge),
        Envelope::EventCallback { event } => {
            EventDelivery::Events(callback_event(event).into_iter().collect())
        }
        Envelope::Other => EventDelivery::Events(Vec::new()),
    })
}

/// `None` for events that this service does not subscribe to.
fn callback_event(event: SlackEvent) -> Option<CallbackEvent> {
    Some(match event {
        SlackEvent::MemberJoinedChannel { user, channel } => CallbackEvent::Joined { channel, user },
        SlackEvent::MemberLeftChannel { user, channel } => CallbackEvent::Left { channel, user },
        SlackEvent::SharedChannelInviteAccepted {
            invite,
            accepting_user,
        } => CallbackEvent::InviteAccepted {
            invite_id: invite.id,
            user: accepting_user.map(|user| user.id),
        },
        SlackEvent::SharedChannelInviteDeclined { invite } => {
            CallbackEvent::InviteDeclined { invite_id: invite.id }
        }
        SlackEvent::Other => return None,
    })
}
