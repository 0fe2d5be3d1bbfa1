//! Options of the collaboration service alone.

use std::path::PathBuf;

use anyhow::{Context as _, ensure};

use crate::domain::ChannelPolicy;
use crate::links::ChannelLinks;
use crate::provider::ProviderArgs;

/// Options of the collaboration service.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// URL of the opportunity service.
    #[arg(
        long,
        env = "COSELL_OPPORTUNITY_URL",
        default_value = "http://opportunity:50051"
    )]
    pub opportunity_url: String,

    /// Days until an engagement invitation expires, 1 to 365.
    #[arg(
        long,
        env = "COSELL_ENGAGEMENT_INVITATION_DAYS",
        default_value_t = 15,
        value_parser = clap::value_parser!(u32).range(1..=365)
    )]
    pub invitation_days: u32,

    /// Minimum monthly spend that AWS expects in the AWS summary of an opportunity to be eligible for a channel, in whole
    /// units of its currency. Opportunities that AWS marks as strategic are eligible regardless of their spend.
    #[arg(long, env = "COSELL_CHANNEL_MIN_SPEND", default_value_t = 10_000)]
    pub channel_min_spend: u32,

    /// Approve every channel request automatically. Has no effect with the manual channel provider.
    #[arg(long, env = "COSELL_CHANNEL_AUTO_APPROVE")]
    pub channel_auto_approve: bool,

    /// Public base URL of the listener for channel links, as it is written into e-mails. Without it e-mails have no
    /// links to leave a channel or to opt out.
    #[arg(long, env = "COSELL_CHANNEL_LINK_BASE", default_value = "")]
    pub channel_link_base: String,

    /// File with the key that signs channel links, at least 32 random bytes; read at each use. Required with the base
    /// URL.
    #[arg(long, env = "COSELL_CHANNEL_LINK_KEY_FILE")]
    pub channel_link_key_file: Option<PathBuf>,

    /// Options of the channel provider.
    #[command(flatten)]
    pub provider: ProviderArgs,
}

impl Options {
    /// The defaults of the command line, with this URL of the opportunity service.
    pub fn new(opportunity_url: String) -> Self {
        Self {
            opportunity_url,
            invitation_days: 15,
            channel_min_spend: 10_000,
            channel_auto_approve: false,
            channel_link_base: String::new(),
            channel_link_key_file: None,
            provider: ProviderArgs::default(),
        }
    }

    /// The configured channel links. `None` without a base URL.
    pub(crate) fn channel_links(&self) -> anyhow::Result<Option<ChannelLinks>> {
        if self.channel_link_base.is_empty() {
            return Ok(None);
        }
        let key_file = self
            .channel_link_key_file
            .as_ref()
            .context("--channel-link-base requires --channel-link-key-file")?;
        ensure!(
            self.provider.channel_listen.is_some(),
            "--channel-link-base requires --channel-listen, the address that serves the links"
        );
        ChannelLinks::new(&self.channel_link_base, key_file).map(Some)
    }

    pub(crate) fn channel_policy(&self) -> ChannelPolicy {
        ChannelPolicy {
            min_monthly_spend: i64::from(self.channel_min_spend) * 100,
            auto_approve: self.channel_auto_approve,
        }
    }
}
