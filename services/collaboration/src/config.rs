//! Options that only this service has.

use crate::domain::ChannelPolicy;
use crate::provider::ProviderArgs;

/// Options of the collaboration service.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// The opportunity service, whose records are shared.
    #[arg(
        long,
        env = "COSELL_OPPORTUNITY_URL",
        default_value = "http://opportunity:50051"
    )]
    pub opportunity_url: String,

    /// Days in which an invitation to an engagement can be answered.
    #[arg(long, env = "COSELL_ENGAGEMENT_INVITATION_DAYS", default_value_t = 15, value_parser = clap::value_parser!(u32).range(1..=365))]
    pub invitation_days: u32,

    /// What a customer is at least expected to spend with AWS in a month for the deal to get a channel, in whole units
    /// of its currency, unless AWS regards the deal as strategic.
    #[arg(long, env = "COSELL_CHANNEL_MIN_SPEND", default_value_t = 10_000)]
    pub channel_min_spend: u32,

    /// Grants every channel that is asked for, where a provider makes it.
    #[arg(long, env = "COSELL_CHANNEL_AUTO_APPROVE")]
    pub channel_auto_approve: bool,

    /// Who keeps channels.
    #[command(flatten)]
    pub provider: ProviderArgs,
}

impl Options {
    /// With the opportunity service there, and otherwise as without any on the command line.
    pub fn new(opportunity_url: String) -> Self {
        Self {
            opportunity_url,
            invitation_days: 15,
            channel_min_spend: 10_000,
            channel_auto_approve: false,
            provider: ProviderArgs::default(),
        }
    }

    /// Which deals get a channel.
    pub(crate) fn channel_policy(&self) -> ChannelPolicy {
        ChannelPolicy {
            min_spend: i64::from(self.channel_min_spend) * 100,
            auto_approve: self.channel_auto_approve,
        }
    }
}
