//! Command-line options of the channel provider.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;

use super::slack::{CALL_TIMEOUT, Slack};
use super::{Provider, SecretFile};

const SLACK_URL: &str = "https://slack.com/api/";

/// Options of the channel provider.
#[derive(Clone, Debug, clap::Args)]
pub struct ProviderArgs {
    /// Provider that hosts collaboration channels.
    #[arg(long, env = "COSELL_CHANNEL_PROVIDER", default_value = "manual")]
    pub channel_provider: ProviderKind,

    /// Base URL of Slack's Web API.
    #[arg(long, env = "COSELL_SLACK_URL", default_value = SLACK_URL)]
    pub slack_url: String,

    /// File with the Slack bot token; read at each use.
    #[arg(long, env = "COSELL_SLACK_TOKEN_FILE")]
    pub slack_token_file: Option<PathBuf>,

    /// File with the Slack signing secret, which verifies callbacks; read at each use.
    #[arg(long, env = "COSELL_SLACK_SIGNING_SECRET_FILE")]
    pub slack_signing_secret_file: Option<PathBuf>,

    /// Address on which to listen for callbacks of Slack and for the pages of channel links, behind a proxy that
    /// terminates TLS. Requires Slack as the provider or a base URL of channel links. Without it the service receives
    /// no callbacks.
    #[arg(long, env = "COSELL_CHANNEL_LISTEN")]
    pub channel_listen: Option<SocketAddr>,

    /// A listener that is bound to this address already, for a program that must know its port before the service
    /// starts.
    #[arg(skip)]
    pub channel_listener: Option<Arc<TcpListener>>,
}

/// The kind of channel provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum ProviderKind {
    /// AWS account owners create channels manually and enter their links.
    Manual,
    /// Slack hosts the channels; members of other organizations are invited with Slack Connect.
    Slack,
}

impl Default for ProviderArgs {
    /// The defaults of the command line.
    fn default() -> Self {
        Self {
            channel_provider: ProviderKind::Manual,
            slack_url: SLACK_URL.to_owned(),
            slack_token_file: None,
            slack_signing_secret_file: None,
            channel_listen: None,
            channel_listener: None,
        }
    }
}

impl ProviderArgs {
    /// The configured provider.
    pub fn provider(&self) -> anyhow::Result<Provider> {
        match self.channel_provider {
            ProviderKind::Manual => Ok(Provider::Manual),
            ProviderKind::Slack => {
                let token = self
                    .slack_token_file
                    .as_ref()
                    .context("--channel-provider slack requires --slack-token-file")?;
                let slack = Slack::new(&self.slack_url, SecretFile::new(token), CALL_TIMEOUT)?;
                Ok(Provider::Slack(slack))
            }
        }
    }

    /// Takes over a bound listener, and returns its address.
    pub fn listen_on(&mut self, listener: TcpListener) -> std::io::Result<SocketAddr> {
        let address = listener.local_addr()?;
        self.channel_listen = Some(address);
        self.channel_listener = Some(Arc::new(listener));
        Ok(address)
    }

    /// The listener for callbacks and for the pages of links; `None` without an address.
    pub fn listener(&self) -> anyhow::Result<Option<tokio::net::TcpListener>> {
        let bound = self.channel_listener.as_deref();
        self.channel_listen
            .map(|address| cosell_web::bind(address, bound))
            .transpose()
    }

    /// The signing secret of callbacks. `None` for the manual provider or without an address to listen on.
    pub fn callback_secret(&self) -> anyhow::Result<Option<SecretFile>> {
        if self.channel_provider != ProviderKind::Slack || self.channel_listen.is_none() {
            return Ok(None);
        }
        let secret = self
            .slack_signing_secret_file
            .as_ref()
            .context("--channel-listen with --channel-provider slack requires --slack-signing-secret-file")?;
        Ok(Some(SecretFile::new(secret)))
    }
}
