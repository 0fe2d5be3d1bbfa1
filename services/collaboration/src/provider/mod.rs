//! Where collaboration channels are: with Slack, or wherever the AWS account owner makes them by hand.
//!
//! What is told to a provider may be told again after a crash; each operation says what the second time does.

mod api;
mod args;
pub mod callback;
mod secret;
mod serve;
mod slack;

#[cfg(test)]
mod tests_callback;
#[cfg(test)]
mod tests_slack;
#[cfg(test)]
mod tests_trouble;

use std::time::Duration;

use cosell_types::Pii;

pub use args::{Kind, ProviderArgs};
pub use secret::SecretFile;
pub use serve::{Limits, serve};
pub use slack::Slack;

/// Where channels are.
pub enum Provider {
    /// Slack makes them, invites to them and ends them.
    Slack(Slack),
    /// The AWS account owner makes them and enters their links. Nothing is called anywhere.
    Manual,
}

/// A channel that the provider made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Created {
    /// The provider's id of the channel.
    pub external_id: String,
    /// Where members open it.
    pub link: String,
}

/// What became of asking a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Invited {
    /// It was asked, now or before, with the provider's id of the invitation where it said one.
    Asked(Option<String>),
    /// It is in the channel, with the provider's id of the person where it said one.
    Present(Option<String>),
}

/// Why a provider did not do what it was asked. Holds no personal data.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// Too many calls: not before this time has passed.
    #[error("the provider wants no call for {} s", retry_after.as_secs())]
    RateLimited {
        /// How long to wait.
        retry_after: Duration,
    },
    /// It did not answer, or answered that it cannot now. Whether it did something is unknown.
    #[error("the provider is unavailable: {0}")]
    Unavailable(String),
    /// It refused.
    #[error("the provider refused: {code}")]
    Refused {
        /// The provider's word for the reason, of lower-case letters, digits and underscores.
        code: String,
    },
}

/// Refusals that are about who is to be asked or taken out, and about nobody else. All others somebody can mend: an operator, or
/// whoever did something to the channel at the provider.
const ABOUT_A_PERSON: [&str; 9] = [
    "cant_invite",
    "cant_invite_self",
    "cant_kick_self",
    "invalid_email",
    "invitee_cant_see_channel",
    "no_user",
    "ura_max_channels",
    "user_is_bot",
    "user_not_found",
];

impl ProviderError {
    /// A refusal with this word.
    pub fn refused(code: &str) -> Self {
        Self::Refused {
            code: code.to_owned(),
        }
    }

    /// What it is in a word: the provider's own where it refused.
    pub fn word(&self) -> &str {
        match self {
            Self::RateLimited { .. } => "rate_limited",
            Self::Unavailable(_) => "unavailable",
            Self::Refused { code } => code,
        }
    }

    /// Whether it was refused with this code.
    pub fn is_refusal(&self, with: &str) -> bool {
        matches!(self, Self::Refused { code } if code == with)
    }

    /// Whether it is the person that was refused: the same for another one may be taken.
    pub fn is_about_a_person(&self) -> bool {
        matches!(self, Self::Refused { code } if ABOUT_A_PERSON.contains(&code.as_str()))
    }
}

impl Provider {
    /// Whether somebody has to make the channel and enter its link.
    pub fn is_manual(&self) -> bool {
        matches!(self, Self::Manual)
    }

    /// Makes the channel, or finds the one that an earlier attempt made under this name: repeating it after a crash
    /// makes no second one. None when somebody has to make it by hand.
    pub async fn create(&self, name: &str, title: &str) -> Result<Option<Created>, ProviderError> {
        match self {
            Self::Slack(slack) => slack.create(name, title).await.map(Some),
            Self::Manual => Ok(None),
        }
    }

    /// Asks a person by e-mail. Somebody who is invited or in the channel already is a success. With `again`, for what
    /// an earlier attempt may have done, the invitations that are open are looked through first: that is slow, and
    /// sends no second one.
    pub async fn invite(
        &self,
        channel: &str,
        email: &Pii<String>,
        again: bool,
    ) -> Result<Invited, ProviderError> {
        match self {
            Self::Slack(slack) => slack.invite(channel, email, again).await,
            Self::Manual => Ok(Invited::Asked(None)),
        }
    }

    /// Posts the first message, with the actions "Opt out of all invites" and "Leave channel", and pins it. Repeating
    /// it pins no second one; it posts a second one where the answer to the first was lost, since looking for it would
    /// need the right to read what people write.
    pub async fn greet(&self, channel: &str, about: &str) -> Result<(), ProviderError> {
        match self {
            Self::Slack(slack) => slack.greet(channel, about).await,
            Self::Manual => Ok(()),
        }
    }

    /// Takes a person out of the channel; one who is not in it is fine.
    pub async fn remove(&self, channel: &str, user: &str) -> Result<(), ProviderError> {
        match self {
            Self::Slack(slack) => slack.remove(channel, user).await,
            Self::Manual => Ok(()),
        }
    }

    /// Ends the channel; one that is ended already is fine.
    pub async fn archive(&self, channel: &str) -> Result<(), ProviderError> {
        match self {
            Self::Slack(slack) => slack.archive(channel).await,
            Self::Manual => Ok(()),
        }
    }

    /// Whether it is this service that is known by this id to the provider.
    pub async fn is_own(&self, user: &str) -> Result<bool, ProviderError> {
        match self {
            Self::Slack(slack) => slack.is_own(user).await,
            Self::Manual => Ok(false),
        }
    }

    /// The e-mail of a person of the provider, which must equal the member's. None when the person is unknown, shows
    /// none, or has not confirmed it.
    pub async fn email_of(&self, user: &str) -> Result<Option<Pii<String>>, ProviderError> {
        match self {
            Self::Slack(slack) => slack.email_of(user).await,
            Self::Manual => Ok(None),
        }
    }
}

/// Whether channels can have this name: at most 80 lower-case letters, digits, `-` and `_`, not only the latter.
pub fn is_channel_name(name: &str) -> bool {
    let is_in = |letter: char| matches!(letter, 'a'..='z' | '0'..='9' | '-' | '_');
    name.len() <= 80
        && name.chars().all(is_in)
        && name.contains(|letter: char| letter.is_ascii_alphanumeric())
}
