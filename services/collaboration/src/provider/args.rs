//! Options of the provider.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context as _;

use super::slack::{LIMIT, Slack};
use super::{Provider, SecretFile};

const SLACK: &str = "https://slack.com/api/";

/// Where collaboration channels are.
#[derive(Clone, Debug, clap::Args)]
pub struct ProviderArgs {
    /// Where collaboration channels are: made by hand, or with Slack.
    #[arg(long, env = "COSELL_CHANNEL_PROVIDER", default_value = "manual")]
    pub channel_provider: Kind,

    /// The Web API of Slack.
    #[arg(long, env = "COSELL_SLACK_URL", default_value = SLACK)]
    pub slack_url: String,

    /// File with the bot token for Slack; read at each use.
    #[arg(long, env = "COSELL_SLACK_TOKEN_FILE")]
    pub slack_token_file: Option<PathBuf>,

    /// File with the secret that Slack signs its calls with; read at each use.
    #[arg(long, env = "COSELL_SLACK_SIGNING_SECRET_FILE")]
    pub slack_signing_secret_file: Option<PathBuf>,

    /// Where to listen for calls of Slack, behind a proxy that ends TLS; not at all if absent.
    #[arg(
        long,
        env = "COSELL_SLACK_CALLBACK_LISTEN",
        requires = "slack_signing_secret_file"
    )]
    pub slack_callback_listen: Option<SocketAddr>,
}

/// A kind of provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    /// Somebody makes the channel and enters its link.
    Manual,
    /// Slack, with Slack Connect for people of other organisations.
    Slack,
}

impl Default for ProviderArgs {
    /// As without any on the command line.
    fn default() -> Self {
        Self {
            channel_provider: Kind::Manual,
            slack_url: SLACK.to_owned(),
            slack_token_file: None,
            slack_signing_secret_file: None,
            slack_callback_listen: None,
        }
    }
}

impl ProviderArgs {
    /// The provider that was chosen.
    pub fn provider(&self) -> anyhow::Result<Provider> {
        match self.channel_provider {
            Kind::Manual => Ok(Provider::Manual),
            Kind::Slack => {
                let token = self
                    .slack_token_file
                    .as_ref()
                    .context("channels with Slack need --slack-token-file")?;
                let slack = Slack::new(&self.slack_url, SecretFile::new(token), LIMIT)?;
                Ok(Provider::Slack(slack))
            }
        }
    }

    /// Where to listen for calls of Slack and the secret that they are signed with; none when channels are made by
    /// hand or nothing shall be listened to.
    pub fn callbacks(&self) -> Option<(SocketAddr, SecretFile)> {
        let secret = self.slack_signing_secret_file.as_ref()?;
        let address = self.slack_callback_listen?;
        (self.channel_provider == Kind::Slack).then(|| (address, SecretFile::new(secret)))
    }
}
