//! The Slack provider. Members of the AWS workspace are added directly, members of partners with Slack Connect.
//! docs/SLACK.md lists the methods with their published definitions.
//!
//! Scopes that the bot token needs: `groups:read`, `groups:write`, `chat:write`, `pins:read`, `pins:write`,
//! `users:read`, `users:read.email`, `conversations.connect:write`, `conversations.connect:manage`.

use std::time::Duration;

use cosell_types::{Pii, comparable_email};
use serde::Deserialize;
use serde_json::{Value, json};

use super::api::Api;
use super::callback::{LEAVE, OPT_OUT};
use super::{CreatedChannel, InviteOutcome, ProviderError, SecretFile, is_channel_name};

/// The timeout of one call.
pub(super) const CALL_TIMEOUT: Duration = Duration::from_secs(10);
/// The timeout of an operation of several calls, as a multiple of the call timeout.
const OPERATION_CALLS: u32 = 6;
/// The maximum number of pages of a search; a page has up to 1000 channels or 100 invitations.
const MAX_PAGES: usize = 20;
/// Slack's limits in characters: the purpose of a channel, and the text of a message.
const MAX_PURPOSE: usize = 250;
const MAX_TEXT: usize = 2900;

/// Slack's error code for an invitation of a user who is in the channel.
const ALREADY_IN_CHANNEL: &str = "already_in_channel";

/// The Slack provider.
pub struct Slack {
    api: Box<Api>,
    call_timeout: Duration,
}

/// The workspace and the user of the bot token.
#[derive(Deserialize)]
struct BotIdentity {
    url: String,
    user_id: String,
}

#[derive(Deserialize)]
struct CreateResponse {
    channel: SlackChannel,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct SlackChannel {
    id: String,
    name: String,
    creator: String,
    is_archived: bool,
    purpose: Purpose,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Purpose {
    value: String,
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "T: Deserialize<'de>"))]
struct Page<T> {
    #[serde(alias = "channels", alias = "invites")]
    entries: Vec<T>,
    #[serde(default)]
    response_metadata: ResponseMetadata,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ResponseMetadata {
    next_cursor: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct PendingInvite {
    channel: Option<ObjectRef>,
    invite: Option<Invite>,
}

#[derive(Deserialize)]
struct ObjectRef {
    id: String,
}

#[derive(Deserialize)]
struct Invite {
    id: String,
    #[serde(default)]
    recipient_email: Pii<String>,
}

#[derive(Deserialize)]
struct InviteResponse {
    invite_id: Option<String>,
}

#[derive(Deserialize)]
struct PinsResponse {
    #[serde(default)]
    items: Vec<Pin>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Pin {
    r#type: String,
    created_by: String,
}

#[derive(Deserialize)]
struct PostMessageResponse {
    ts: String,
}

#[derive(Deserialize)]
struct UserInfoResponse {
    user: User,
}

#[derive(Deserialize)]
struct LookupResponse {
    user: ObjectRef,
}

#[derive(Deserialize)]
struct User {
    is_email_confirmed: Option<bool>,
    #[serde(default)]
    profile: Profile,
}

#[derive(Default, Deserialize)]
struct Profile {
    email: Option<Pii<String>>,
}

/// A response whose fields are not used.
#[derive(Deserialize)]
struct EmptyResponse {}

impl Slack {
    /// A provider that calls the Web API at this URL. The timeout of an operation of several calls is six times the
    /// call timeout.
    pub fn new(url: &str, token: SecretFile, call_timeout: Duration) -> anyhow::Result<Self> {
        Ok(Self {
            api: Box::new(Api::new(url, token, call_timeout)?),
            call_timeout,
        })
    }

    pub(super) async fn create(&self, name: &str, purpose: &str) -> Result<CreatedChannel, ProviderError> {
        if !is_channel_name(name) {
            return Err(ProviderError::refused("invalid_name"));
        }
        self.with_timeout(async {
            let bot = self.bot_identity().await?;
            let arguments = [("name", name), ("is_private", "true")];
            let created = self
                .api
                .post_form::<CreateResponse>("conversations.create", &arguments)
                .await;
            let channel = match created {
                Ok(created) => created.channel,
                Err(error) if error.is_refusal("name_taken") => {
                    self.find_channel(name, &bot).await?.ok_or(error)?
                }
                Err(error) => return Err(error),
            };
            let purpose: String = purpose.chars().take(MAX_PURPOSE).collect();
            if channel.purpose.value != purpose {
                let arguments = [("channel", channel.id.as_str()), ("purpose", &purpose)];
                self.api
                    .post_form::<EmptyResponse>("conversations.setPurpose", &arguments)
                    .await?;
            }
            Ok(CreatedChannel {
                link: format!("{}/archives/{}", bot.url.trim_end_matches('/'), channel.id),
                external_id: channel.id,
            })
        })
        .await
    }

    /// The channel with this name that an earlier attempt created. Not a channel of another creator, nor an archived
    /// one.
    async fn find_channel(
        &self,
        name: &str,
        bot: &BotIdentity,
    ) -> Result<Option<SlackChannel>, ProviderError> {
        let arguments = [
            ("types", "private_channel"),
            ("exclude_archived", "true"),
            ("limit", "1000"),
        ];
        self.find_entry("conversations.list", &arguments, |channel: &SlackChannel| {
            channel.name == name && channel.creator == bot.user_id && !channel.is_archived
        })
        .await
    }

    pub(super) async fn invite(
        &self,
        channel: &str,
        email: &Pii<String>,
        is_retry: bool,
    ) -> Result<InviteOutcome, ProviderError> {
        self.with_timeout(async {
            // Slack Connect is only for members of other organizations.
            if let Some(user) = self.find_workspace_user(email).await? {
                let arguments = [("channel", channel), ("users", user.as_str())];
                let added = self
                    .api
                    .post_form::<EmptyResponse>("conversations.invite", &arguments)
                    .await;
                return match added {
                    Ok(EmptyResponse {}) => Ok(InviteOutcome::Invited(None)),
                    Err(error) if error.is_refusal(ALREADY_IN_CHANNEL) => {
                        Ok(InviteOutcome::AlreadyMember(Some(user)))
                    }
                    Err(error) => Err(error),
                };
            }
            if is_retry && let Some(invite_id) = self.find_pending_invite(channel, email).await? {
                return Ok(InviteOutcome::Invited(Some(invite_id)));
            }
            let arguments = json!({
                "channel": channel,
                "emails": [email.reveal()],
                "external_limited": true,
            });
            match self.api.post_json("conversations.inviteShared", &arguments).await {
                Ok(InviteResponse { invite_id }) => Ok(InviteOutcome::Invited(invite_id)),
                Err(error) if error.is_refusal(ALREADY_IN_CHANNEL) => Ok(InviteOutcome::AlreadyMember(None)),
                Err(error) => Err(error),
            }
        })
        .await
    }

    /// The ID of the user of the bot's workspace with this e-mail address.
    async fn find_workspace_user(&self, email: &Pii<String>) -> Result<Option<String>, ProviderError> {
        let arguments = [("email", email.reveal().as_str())];
        match self
            .api
            .post_form::<LookupResponse>("users.lookupByEmail", &arguments)
            .await
        {
            Ok(LookupResponse { user }) => Ok(Some(user.id)),
            Err(error) if error.is_refusal("users_not_found") => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn find_pending_invite(
        &self,
        channel: &str,
        email: &Pii<String>,
    ) -> Result<Option<String>, ProviderError> {
        let is_match = |pending: &PendingInvite| {
            let is_for_channel = pending.channel.as_ref().is_some_and(|item| item.id == channel);
            is_for_channel
                && pending.invite.as_ref().is_some_and(|invite| {
                    comparable_email(invite.recipient_email.reveal()) == comparable_email(email.reveal())
                })
        };
        let pending = self
            .find_entry("conversations.listConnectInvites", &[("count", "100")], is_match)
            .await?;
        Ok(pending.and_then(|pending| pending.invite).map(|invite| invite.id))
    }

    /// The first matching entry of a paginated list. Fails with `list_too_long` after `MAX_PAGES` pages.
    async fn find_entry<T: for<'de> Deserialize<'de>>(
        &self,
        method: &'static str,
        arguments: &[(&str, &str)],
        is_match: impl Fn(&T) -> bool,
    ) -> Result<Option<T>, ProviderError> {
        let mut cursor = String::new();
        for _ in 0..MAX_PAGES {
            let mut arguments = arguments.to_vec();
            if !cursor.is_empty() {
                arguments.push(("cursor", &cursor));
            }
            let page: Page<T> = self.api.post_form(method, &arguments).await?;
            if let Some(entry) = page.entries.into_iter().find(&is_match) {
                return Ok(Some(entry));
            }
            cursor = page.response_metadata.next_cursor;
            if cursor.is_empty() {
                return Ok(None);
            }
        }
        Err(ProviderError::refused("list_too_long"))
    }

    pub(super) async fn post_welcome_message(&self, channel: &str, text: &str) -> Result<(), ProviderError> {
        self.with_timeout(async {
            let bot = self.bot_identity().await?;
            let pins: PinsResponse = self.api.post_form("pins.list", &[("channel", channel)]).await?;
            let is_own = |pin: &Pin| pin.r#type == "message" && pin.created_by == bot.user_id;
            if pins.items.iter().any(is_own) {
                return Ok(());
            }
            let message = welcome_message(channel, text);
            let posted: PostMessageResponse = self.api.post_json("chat.postMessage", &message).await?;
            let arguments = [("channel", channel), ("timestamp", posted.ts.as_str())];
            let pinned = self.api.post_form::<EmptyResponse>("pins.add", &arguments).await;
            ok_if_done_before(pinned, "already_pinned")
        })
        .await
    }

    pub(super) async fn remove(&self, channel: &str, user: &str) -> Result<(), ProviderError> {
        let arguments = [("channel", channel), ("user", user)];
        let removed = self
            .api
            .post_form::<EmptyResponse>("conversations.kick", &arguments)
            .await;
        ok_if_done_before(removed, "not_in_channel")
    }

    pub(super) async fn archive(&self, channel: &str) -> Result<(), ProviderError> {
        let arguments = [("channel", channel)];
        let archived = self
            .api
            .post_form::<EmptyResponse>("conversations.archive", &arguments)
            .await;
        ok_if_done_before(archived, "already_archived")
    }

    pub(super) async fn email_of(&self, user: &str) -> Result<Option<Pii<String>>, ProviderError> {
        match self
            .api
            .post_form::<UserInfoResponse>("users.info", &[("user", user)])
            .await
        {
            // An administrator of another organization can set any address for its users. Slack omits the flag for
            // addresses that it has confirmed itself.
            Ok(response) if response.user.is_email_confirmed == Some(false) => Ok(None),
            Ok(response) => Ok(response.user.profile.email.filter(|email| !email.is_empty())),
            Err(error) if error.is_refusal("user_not_found") || error.is_refusal("user_not_visible") => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    pub(super) async fn is_own(&self, user: &str) -> Result<bool, ProviderError> {
        Ok(self.bot_identity().await?.user_id == user)
    }

    async fn bot_identity(&self) -> Result<BotIdentity, ProviderError> {
        self.api.post_form("auth.test", &[]).await
    }

    /// Runs an operation of several calls with a timeout for the whole operation.
    pub(super) async fn with_timeout<T>(
        &self,
        operation: impl Future<Output = Result<T, ProviderError>>,
    ) -> Result<T, ProviderError> {
        tokio::time::timeout(self.call_timeout * OPERATION_CALLS, operation)
            .await
            .unwrap_or_else(|_| Err(ProviderError::Unavailable("the operation timed out".to_owned())))
    }
}

/// Makes an operation idempotent: a refusal with this code means that an earlier attempt succeeded.
fn ok_if_done_before(
    result: Result<EmptyResponse, ProviderError>,
    done_before_code: &str,
) -> Result<(), ProviderError> {
    match result {
        Err(error) if !error.is_refusal(done_before_code) => Err(error),
        _ => Ok(()),
    }
}

/// The welcome message. Its text is plain: Slack renders no links, formatting or mentions such as `@channel` in it.
fn welcome_message(channel: &str, text: &str) -> Value {
    let text: String = text.chars().take(MAX_TEXT).collect();
    let escaped = text
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    let button = |action: &str, label: &str| {
        json!({
            "type": "button",
            "action_id": action,
            "text": { "type": "plain_text", "text": label },
        })
    };
    json!({
        "channel": channel,
        "text": escaped,
        "unfurl_links": false,
        "unfurl_media": false,
        "blocks": [
            {
                "type": "section",
                "text": { "type": "plain_text", "text": text, "emoji": false },
            },
            {
                "type": "actions",
                "elements": [
                    button(OPT_OUT, "Opt out of all invites"),
                    button(LEAVE, "Leave channel"),
                ],
            },
        ],
    })
}
