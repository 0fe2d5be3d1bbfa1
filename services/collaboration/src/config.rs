//! Options of the collaboration service alone.

use crate::domain::ChannelPolicy;
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

    /// Minimum expected monthly spend with AWS of an opportunity to be eligible for a channel, in whole units of its
    /// currency. Strategic opportunities are eligible regardless of their spend.
    #[arg(long, env = "COSELL_CHANNEL_MIN_SPEND", default_value_t = 10_000)]
    pub channel_min_spend: u32,

    /// Approve every channel request automatically. Has no effect with the manual channel provider.
    #[arg(long, env = "COSELL_CHANNEL_AUTO_APPROVE")]
    pub channel_auto_approve: bool,

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
            provider: ProviderArgs::default(),
        }
    }

    pub(crate) fn channel_policy(&self) -> ChannelPolicy {
        ChannelPolicy {
            min_monthly_spend: i64::from(self.channel_min_spend) * 100,
            auto_approve: self.channel_auto_approve,
        }
    }
}
