//! The providers that host channels: Slack, or manual, where AWS account owners create the channels (CHN-030).
//!
//! After a crash the worker may repeat an operation, so each one is idempotent as far as its comment says.

mod api;
mod args;
pub mod callback;
mod secret;
mod slack;

#[cfg(test)]
mod tests_callback;
#[cfg(test)]
mod tests_definitions;
#[cfg(test)]
mod tests_failures;
#[cfg(test)]
mod tests_slack;

use std::time::Duration;

use cosell_types::Pii;

pub use args::{ProviderArgs, ProviderKind};
pub use secret::SecretFile;
pub use slack::Slack;

/// The provider that hosts channels.
pub enum Provider {
    /// Slack hosts the channels.
    Slack(Slack),
    /// AWS account owners create channels and enter their links. Operations have no effect.
    Manual,
}

/// A channel that the provider created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatedChannel {
    /// The channel's ID at the provider.
    pub external_id: String,
    /// The URL of the channel for its members.
    pub link: String,
}

/// The result of an invitation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InviteOutcome {
    /// The member is invited, now or before. With the invitation's ID at the provider, if it returned one.
    Invited(Option<String>),
    /// The member is already in the channel. With its user ID at the provider, if it returned one.
    AlreadyMember(Option<String>),
}

/// A failed operation of a provider. Has no personal data.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// The provider limits the rate of calls.
    #[error("the provider limits the rate of calls: retry after {} s", retry_after.as_secs())]
    RateLimited {
        /// The time until the next permitted call.
        retry_after: Duration,
    },
    /// A transient failure, or no response. Whether the provider executed the call is unknown.
    #[error("the provider is unavailable: {0}")]
    Unavailable(String),
    /// The provider refused the call.
    #[error("the provider refused the call: {code}")]
    Refused {
        /// The provider's error code: lower-case letters, digits and underscores.
        code: String,
    },
}

/// Error codes that concern only the member to invite or to remove. The causes of all others can be fixed, by an
/// operator or by a member who administers the channel at the provider.
const MEMBER_REFUSALS: [&str; 10] = [
    "cant_invite",
    "cant_invite_self",
    "cant_kick_self",
    "invalid_email",
    "invitee_cant_see_channel",
    "no_user",
    "org_user_not_in_team",
    "ura_max_channels",
    "user_is_restricted",
    "user_not_found",
];

/// Further error codes of a removal that concern only the member: the provider permits no removal of this user, for
/// example of a user of another organization.
const REMOVAL_REFUSALS: [&str; 2] = ["not_supported", "restricted_action"];

impl ProviderError {
    /// A refusal with this error code.
    pub fn refused(code: &str) -> Self {
        Self::Refused {
            code: code.to_owned(),
        }
    }

    /// The error code: that of the provider for a refusal, otherwise `rate_limited` or `unavailable`.
    pub fn code(&self) -> &str {
        match self {
            Self::RateLimited { .. } => "rate_limited",
            Self::Unavailable(_) => "unavailable",
            Self::Refused { code } => code,
        }
    }

    /// Whether the provider refused the call with this error code.
    pub fn is_refusal(&self, expected: &str) -> bool {
        matches!(self, Self::Refused { code } if code == expected)
    }

    /// Whether the refusal concerns only the member; the same call for another member may succeed.
    pub fn is_member_refusal(&self) -> bool {
        matches!(self, Self::Refused { code } if MEMBER_REFUSALS.contains(&code.as_str()))
    }

    /// Whether the refusal of a removal concerns only the member.
    pub fn is_removal_refusal(&self) -> bool {
        let is_refusal = matches!(self, Self::Refused { code } if REMOVAL_REFUSALS.contains(&code.as_str()));
        is_refusal || self.is_member_refusal()
    }
}

impl Provider {
    /// Whether AWS account owners create the channels.
    pub fn is_manual(&self) -> bool {
        matches!(self, Self::Manual)
    }

    /// Creates the channel, or finds the one that an earlier attempt created under this name, so that a repetition
    /// creates no second channel. `None` for the manual provider.
    pub async fn create(&self, name: &str, purpose: &str) -> Result<Option<CreatedChannel>, ProviderError> {
        match self {
            Self::Slack(slack) => slack.create(name, purpose).await.map(Some),
            Self::Manual => Ok(None),
        }
    }

    /// Invites a member by e-mail address. Succeeds if the member is already invited or in the channel. With `is_retry`
    /// it first searches the pending invitations, which is slow, so that a repetition sends no second invitation.
    pub async fn invite(
        &self,
        channel: &str,
        email: &Pii<String>,
        is_retry: bool,
    ) -> Result<InviteOutcome, ProviderError> {
        match self {
            Self::Slack(slack) => slack.invite(channel, email, is_retry).await,
            Self::Manual => Ok(InviteOutcome::Invited(None)),
        }
    }

    /// Posts the welcome message, with the actions "Opt out of all invites" and "Leave channel", and pins it. A
    /// repetition pins no second message. It posts a second one if the response to the first was lost, because a search
    /// would need permission to read the members' messages.
    pub async fn post_welcome_message(&self, channel: &str, text: &str) -> Result<(), ProviderError> {
        match self {
            Self::Slack(slack) => slack.post_welcome_message(channel, text).await,
            Self::Manual => Ok(()),
        }
    }

    /// Removes a user from the channel. Succeeds if the user is not in it.
    pub async fn remove(&self, channel: &str, user: &str) -> Result<(), ProviderError> {
        match self {
            Self::Slack(slack) => slack.remove(channel, user).await,
            Self::Manual => Ok(()),
        }
    }

    /// Archives the channel. Succeeds if it is already archived.
    pub async fn archive(&self, channel: &str) -> Result<(), ProviderError> {
        match self {
            Self::Slack(slack) => slack.archive(channel).await,
            Self::Manual => Ok(()),
        }
    }

    /// Whether this user ID is that of this service's bot.
    pub async fn is_own(&self, user: &str) -> Result<bool, ProviderError> {
        match self {
            Self::Slack(slack) => slack.is_own(user).await,
            Self::Manual => Ok(false),
        }
    }

    /// The e-mail address of a user. `None` if the user is unknown, hides the address, or has not confirmed it.
    pub async fn email_of(&self, user: &str) -> Result<Option<Pii<String>>, ProviderError> {
        match self {
            Self::Slack(slack) => slack.email_of(user).await,
            Self::Manual => Ok(None),
        }
    }
}

/// Whether Slack accepts this channel name: at most 80 lower-case letters, digits, `-` and `_`, with at least one
/// letter or digit.
pub fn is_channel_name(name: &str) -> bool {
    let is_permitted = |character: char| matches!(character, 'a'..='z' | '0'..='9' | '-' | '_');
    name.len() <= 80
        && name.chars().all(is_permitted)
        && name.contains(|character: char| character.is_ascii_alphanumeric())
}
