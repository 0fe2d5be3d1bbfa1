//! What Slack tells by calling this service: what people do with the first message, and who comes and goes.
//!
//! Slack may deliver an event again; nothing is remembered here, and whoever receives what was told takes the second
//! time for the first. A click is not delivered again: whoever clicked sees that it failed.
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

/// Most bytes of a call.
const MAX_BODY: usize = 1024 * 1024;
/// How far the time of a call may be from now, in seconds: what was overheard is of no use after that.
const MAX_AGE: i64 = 300;
/// Slack waits three seconds for an answer.
const HANDLING: Duration = Duration::from_millis(2500);

/// The actions of the first message.
pub(super) const OPT_OUT: &str = "opt_out";
pub(super) const LEAVE: &str = "leave";

/// What the provider told, with its own ids of channels, people and invitations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// Somebody wants no further invitation to any channel.
    OptedOut {
        /// The channel in which it was said.
        channel: String,
        /// Who said it.
        user: String,
    },
    /// Somebody chose "Leave channel" in the first message, and is still in the channel.
    WantsToLeave {
        /// The channel.
        channel: String,
        /// Who wants to leave.
        user: String,
    },
    /// Somebody has left, or was taken out.
    Left {
        /// The channel.
        channel: String,
        /// Who left.
        user: String,
    },
    /// Somebody has come in; also the bot itself.
    Joined {
        /// The channel.
        channel: String,
        /// Who came.
        user: String,
    },
    /// An invitation was accepted. Whether its person is in the channel is told by `Joined`.
    InviteAccepted {
        /// The invitation.
        invite_id: String,
        /// Who accepted it.
        user: Option<String>,
    },
    /// An invitation was declined.
    InviteDeclined {
        /// The invitation.
        invite_id: String,
    },
}

/// Takes what was told; may be told the same again.
pub type Receiver = Arc<dyn Fn(Told) -> BoxFuture<'static, Result<(), Failure>> + Send + Sync>;

/// Takes calls of Slack, proves that they are, and hands over what they tell.
#[derive(Clone)]
pub struct Callbacks {
    secret: SecretFile,
    clock: Clock,
    receiver: Receiver,
    handling: Duration,
}

impl Callbacks {
    /// Hands what is told in calls that are signed with this secret to the receiver.
    pub fn new(secret: SecretFile, clock: Clock, receiver: Receiver) -> Self {
        Self {
            secret,
            clock,
            receiver,
            handling: HANDLING,
        }
    }

    /// With another time for the receiver; when it is over, the call is answered with an error, and the receiver goes
    /// on.
    #[must_use]
    pub fn with_handling(self, handling: Duration) -> Self {
        Self { handling, ..self }
    }

    /// The paths that are entered as request addresses in Slack's settings.
    pub fn router(self) -> Router {
        Router::new()
            .route("/slack/interactions", post(interactions))
            .route("/slack/events", post(events))
            .layer(DefaultBodyLimit::max(MAX_BODY))
            .with_state(Arc::new(self))
    }

    /// Nothing when the call is Slack's; else what to answer, without a reason.
    async fn prove(&self, headers: &HeaderMap, body: &[u8]) -> Result<(), StatusCode> {
        let secret = self.secret.read().await.map_err(|error| {
            let error = format!("{error:#}");
            tracing::error!(error, "the secret that Slack signs with cannot be read");
            StatusCode::INTERNAL_SERVER_ERROR
        })?;
        if is_signed(&secret, headers, body, self.clock.now().timestamp()) {
            return Ok(());
        }
        metrics::CALLBACKS_REFUSED.add(1, &[]);
        Err(StatusCode::UNAUTHORIZED)
    }

    async fn hand_over(&self, told: Vec<Told>) -> StatusCode {
        for told in told {
            // A task of its own: a caller that hangs up must not cut what is half done.
            let handling = tokio::spawn((self.receiver)(told));
            let reason = match tokio::time::timeout(self.handling, handling).await {
                Ok(Ok(Ok(()))) => continue,
                Ok(Ok(Err(failure))) => failure.to_string(),
                Ok(Err(_)) => "panicked".to_owned(),
                Err(_) => "not in time".to_owned(),
            };
            tracing::warn!(reason, "what Slack told could not be taken in");
            return StatusCode::INTERNAL_SERVER_ERROR;
        }
        StatusCode::OK
    }
}

/// Whether the call was signed by Slack, not longer ago than five minutes.
fn is_signed(secret: &SecretString, headers: &HeaderMap, body: &[u8], now: i64) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(timestamp) = text("x-slack-request-timestamp") else {
        return false;
    };
    let is_timely = timestamp
        .parse::<i64>()
        .is_ok_and(|sent| now.abs_diff(sent) <= MAX_AGE.unsigned_abs());
    let signature = text("x-slack-signature")
        .and_then(|value| value.strip_prefix("v0="))
        .and_then(bytes_of_hex);
    let Some(signature) = signature else {
        return false;
    };
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose_secret().as_bytes());
    let message = [b"v0:", timestamp.as_bytes(), b":", body].concat();
    // Compares in constant time.
    hmac::verify(&key, &message, &signature).is_ok() && is_timely
}

fn bytes_of_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .map(|letter| letter.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect();
    let digits = digits.filter(|digits| digits.len() == 64)?;
    Some(digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

#[derive(Deserialize)]
struct Interaction {
    r#type: String,
    user: Option<Item>,
    channel: Option<Item>,
    #[serde(default)]
    actions: Vec<Action>,
}

#[derive(Deserialize)]
struct Item {
    id: String,
}

#[derive(Deserialize)]
struct Action {
    action_id: String,
}

async fn interactions(
    State(callbacks): State<Arc<Callbacks>>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    if let Err(status) = callbacks.prove(&headers, &body).await {
        return status;
    }
    let payload = form_urlencoded::parse(&body)
        .find(|(name, _)| name == "payload")
        .and_then(|(_, payload)| serde_json::from_str::<Interaction>(&payload).ok());
    match payload {
        Some(interaction) => callbacks.hand_over(chosen(interaction)).await,
        None => StatusCode::BAD_REQUEST,
    }
}

fn chosen(interaction: Interaction) -> Vec<Told> {
    let (Some(user), Some(channel)) = (interaction.user, interaction.channel) else {
        return Vec::new();
    };
    if interaction.r#type != "block_actions" {
        return Vec::new();
    }
    let (channel, user) = (channel.id, user.id);
    let told = |action: Action| match action.action_id.as_str() {
        OPT_OUT => Some(Told::OptedOut {
            channel: channel.clone(),
            user: user.clone(),
        }),
        LEAVE => Some(Told::WantsToLeave {
            channel: channel.clone(),
            user: user.clone(),
        }),
        _ => None,
    };
    interaction.actions.into_iter().filter_map(told).collect()
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Envelope {
    UrlVerification {
        challenge: String,
    },
    EventCallback {
        event: Event,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Event {
    MemberJoinedChannel {
        user: String,
        channel: String,
    },
    MemberLeftChannel {
        user: String,
        channel: String,
    },
    SharedChannelInviteAccepted {
        invite: Item,
        accepting_user: Option<Item>,
    },
    SharedChannelInviteDeclined {
        invite: Item,
    },
    #[serde(other)]
    Other,
}

async fn events(State(callbacks): State<Arc<Callbacks>>, headers: HeaderMap, body: Bytes) -> Response {
    if let Err(status) = callbacks.prove(&headers, &body).await {
        return status.into_response();
    }
    match serde_json::from_slice(&body) {
        Ok(Envelope::UrlVerification { challenge }) => {
            ([(CONTENT_TYPE, "text/plain; charset=utf-8")], challenge).into_response()
        }
        Ok(Envelope::EventCallback { event }) => {
            let told = happened(event).into_iter().collect();
            callbacks.hand_over(told).await.into_response()
        }
        Ok(Envelope::Other) => StatusCode::OK.into_response(),
        Err(_) => StatusCode::BAD_REQUEST.into_response(),
    }
}

fn happened(event: Event) -> Option<Told> {
    Some(match event {
        Event::MemberJoinedChannel { user, channel } => Told::Joined { channel, user },
        Event::MemberLeftChannel { user, channel } => Told::Left { channel, user },
        Event::SharedChannelInviteAccepted {
            invite,
            accepting_user,
        } => Told::InviteAccepted {
            invite_id: invite.id,
            user: accepting_user.map(|user| user.id),
        },
        Event::SharedChannelInviteDeclined { invite } => Told::InviteDeclined { invite_id: invite.id },
        Event::Other => return None,
    })
}
