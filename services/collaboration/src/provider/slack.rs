//! Channels with Slack; partners come in by Slack Connect, people of the own workspace as they are.
//!
//! Scopes that the bot token needs: `groups:read`, `groups:write`, `chat:write`, `pins:read`, `pins:write`,
//! `users:read`, `users:read.email`, `conversations.connect:write`, `conversations.connect:manage`.

use std::time::Duration;

use cosell_types::Pii;
use serde::Deserialize;
use serde_json::{Value, json};

use super::api::Api;
use super::callback::{LEAVE, OPT_OUT};
use super::{Created, Invited, ProviderError, SecretFile, is_channel_name};

/// How long one call may take.
pub(super) const LIMIT: Duration = Duration::from_secs(10);
/// How many such times an operation of several calls may take.
const CALLS: u32 = 6;
/// Most pages that are looked through, of a thousand channels or of a hundred invitations.
const PAGES: usize = 20;
/// What Slack takes of a purpose, and of a text in a message.
const PURPOSE: usize = 250;
const TEXT: usize = 2900;

/// The refusal to ask somebody who is in the channel.
const PRESENT: &str = "already_in_channel";

/// Channels with Slack.
pub struct Slack {
    api: Box<Api>,
    limit: Duration,
}

/// Who the token is.
#[derive(Deserialize)]
struct Own {
    url: String,
    user_id: String,
}

#[derive(Deserialize)]
struct Made {
    channel: Channel,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Channel {
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
    response_metadata: Next,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Next {
    next_cursor: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct OpenInvite {
    channel: Option<Item>,
    invite: Option<InviteOf>,
}

#[derive(Deserialize)]
struct Item {
    id: String,
}

#[derive(Deserialize)]
struct InviteOf {
    id: String,
    #[serde(default)]
    recipient_email: Pii<String>,
}

#[derive(Deserialize)]
struct Sent {
    invite_id: Option<String>,
}

#[derive(Deserialize)]
struct Pins {
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
struct Posted {
    ts: String,
}

#[derive(Deserialize)]
struct Person {
    user: User,
}

#[derive(Deserialize)]
struct Colleague {
    user: Item,
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

/// An answer of which nothing is needed.
#[derive(Deserialize)]
struct Done {}

impl Slack {
    /// Channels with the Slack at this address. Each call may take as long as the limit; an operation, which may be
    /// several calls, six times that.
    pub fn new(url: &str, token: SecretFile, limit: Duration) -> anyhow::Result<Self> {
        Ok(Self {
            api: Box::new(Api::new(url, token, limit)?),
            limit,
        })
    }

    pub(super) async fn create(&self, name: &str, title: &str) -> Result<Created, ProviderError> {
        if !is_channel_name(name) {
            return Err(ProviderError::refused("invalid_name"));
        }
        self.within(async {
            let own = self.own().await?;
            let arguments = [("name", name), ("is_private", "true")];
            let made = self.api.form::<Made>("conversations.create", &arguments).await;
            let channel = match made {
                Ok(made) => made.channel,
                Err(error) if error.is_refusal("name_taken") => self.find(name, &own).await?.ok_or(error)?,
                Err(error) => return Err(error),
            };
            let purpose: String = title.chars().take(PURPOSE).collect();
            if channel.purpose.value != purpose {
                let arguments = [("channel", channel.id.as_str()), ("purpose", &purpose)];
                self.api
                    .form::<Done>("conversations.setPurpose", &arguments)
                    .await?;
            }
            Ok(Created {
                link: format!("{}/archives/{}", own.url.trim_end_matches('/'), channel.id),
                external_id: channel.id,
            })
        })
        .await
    }

    /// The channel with this name that an earlier attempt made. One that somebody else made under the name, or that
    /// is ended, is not it.
    async fn find(&self, name: &str, own: &Own) -> Result<Option<Channel>, ProviderError> {
        let arguments = [
            ("types", "private_channel"),
            ("exclude_archived", "true"),
            ("limit", "1000"),
        ];
        self.search("conversations.list", &arguments, |channel: &Channel| {
            channel.name == name && channel.creator == own.user_id && !channel.is_archived
        })
        .await
    }

    pub(super) async fn invite(
        &self,
        channel: &str,
        email: &Pii<String>,
        again: bool,
    ) -> Result<Invited, ProviderError> {
        self.within(async {
            // Slack Connect is for other organisations only.
            if let Some(user) = self.colleague(email).await? {
                let arguments = [("channel", channel), ("users", user.as_str())];
                let added = self.api.form::<Done>("conversations.invite", &arguments).await;
                return match added {
                    Ok(Done {}) => Ok(Invited::Asked(None)),
                    Err(error) if error.is_refusal(PRESENT) => Ok(Invited::Present(Some(user))),
                    Err(error) => Err(error),
                };
            }
            if again && let Some(invite_id) = self.open_invite(channel, email).await? {
                return Ok(Invited::Asked(Some(invite_id)));
            }
            let arguments = json!({
                "channel": channel,
                "emails": [email.reveal()],
                "external_limited": true,
            });
            match self.api.json("conversations.inviteShared", &arguments).await {
                Ok(Sent { invite_id }) => Ok(Invited::Asked(invite_id)),
                Err(error) if error.is_refusal("already_invited") => Ok(Invited::Asked(None)),
                Err(error) if error.is_refusal(PRESENT) => Ok(Invited::Present(None)),
                Err(error) => Err(error),
            }
        })
        .await
    }

    /// The person of the own workspace with this address.
    async fn colleague(&self, email: &Pii<String>) -> Result<Option<String>, ProviderError> {
        let arguments = [("email", email.reveal().as_str())];
        match self
            .api
            .form::<Colleague>("users.lookupByEmail", &arguments)
            .await
        {
            Ok(Colleague { user }) => Ok(Some(user.id)),
            Err(error) if error.is_refusal("users_not_found") => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn open_invite(&self, channel: &str, email: &Pii<String>) -> Result<Option<String>, ProviderError> {
        let is_it = |open: &OpenInvite| {
            let in_channel = open.channel.as_ref().is_some_and(|item| item.id == channel);
            in_channel
                && open.invite.as_ref().is_some_and(|invite| {
                    invite
                        .recipient_email
                        .reveal()
                        .eq_ignore_ascii_case(email.reveal())
                })
        };
        let found = self
            .search("conversations.listConnectInvites", &[("count", "100")], is_it)
            .await?;
        Ok(found.and_then(|open| open.invite).map(|invite| invite.id))
    }

    /// The first entry of a list that is the one.
    async fn search<T: for<'de> Deserialize<'de>>(
        &self,
        method: &'static str,
        arguments: &[(&str, &str)],
        is_it: impl Fn(&T) -> bool,
    ) -> Result<Option<T>, ProviderError> {
        let mut cursor = String::new();
        for _ in 0..PAGES {
            let mut arguments = arguments.to_vec();
            if !cursor.is_empty() {
                arguments.push(("cursor", &cursor));
            }
            let page: Page<T> = self.api.form(method, &arguments).await?;
            if let Some(found) = page.entries.into_iter().find(&is_it) {
                return Ok(Some(found));
            }
            cursor = page.response_metadata.next_cursor;
            if cursor.is_empty() {
                return Ok(None);
            }
        }
        Err(ProviderError::refused("list_too_long"))
    }

    pub(super) async fn greet(&self, channel: &str, about: &str) -> Result<(), ProviderError> {
        self.within(async {
            let own = self.own().await?;
            let pins: Pins = self.api.form("pins.list", &[("channel", channel)]).await?;
            let is_ours = |pin: &Pin| pin.r#type == "message" && pin.created_by == own.user_id;
            if pins.items.iter().any(is_ours) {
                return Ok(());
            }
            let message = greeting(channel, about);
            let posted: Posted = self.api.json("chat.postMessage", &message).await?;
            let arguments = [("channel", channel), ("timestamp", posted.ts.as_str())];
            let pinned = self.api.form::<Done>("pins.add", &arguments).await;
            done_unless(pinned, "already_pinned")
        })
        .await
    }

    pub(super) async fn remove(&self, channel: &str, user: &str) -> Result<(), ProviderError> {
        let arguments = [("channel", channel), ("user", user)];
        let removed = self.api.form::<Done>("conversations.kick", &arguments).await;
        done_unless(removed, "not_in_channel")
    }

    pub(super) async fn archive(&self, channel: &str) -> Result<(), ProviderError> {
        let arguments = [("channel", channel)];
        let archived = self.api.form::<Done>("conversations.archive", &arguments).await;
        done_unless(archived, "already_archived")
    }

    pub(super) async fn email_of(&self, user: &str) -> Result<Option<Pii<String>>, ProviderError> {
        match self.api.form::<Person>("users.info", &[("user", user)]).await {
            // Whoever runs the other organisation could give a person any address. Where Slack says nothing of it, it
            // has made sure of the address itself.
            Ok(person) if person.user.is_email_confirmed == Some(false) => Ok(None),
            Ok(person) => Ok(person.user.profile.email.filter(|email| !email.is_empty())),
            Err(error) if error.is_refusal("user_not_found") || error.is_refusal("user_not_visible") => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    pub(super) async fn is_own(&self, user: &str) -> Result<bool, ProviderError> {
        Ok(self.own().await?.user_id == user)
    }

    async fn own(&self) -> Result<Own, ProviderError> {
        self.api.form("auth.test", &[]).await
    }

    /// Ends an operation of several calls that takes too long altogether.
    pub(super) async fn within<T>(
        &self,
        operation: impl Future<Output = Result<T, ProviderError>>,
    ) -> Result<T, ProviderError> {
        tokio::time::timeout(self.limit * CALLS, operation)
            .await
            .unwrap_or_else(|_| Err(ProviderError::Unavailable("not ended in time".to_owned())))
    }
}

fn done_unless(answer: Result<Done, ProviderError>, done_before: &str) -> Result<(), ProviderError> {
    match answer {
        Err(error) if !error.is_refusal(done_before) => Err(error),
        _ => Ok(()),
    }
}

/// The first message. What it says is shown as it is: nothing in it becomes a link, a format or a call to everybody.
fn greeting(channel: &str, about: &str) -> Value {
    let about: String = about.chars().take(TEXT).collect();
    let escaped = about
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
                "text": { "type": "plain_text", "text": about, "emoji": false },
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
