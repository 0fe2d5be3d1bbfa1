//! Options that only this service has.

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
    #[arg(long, env = "COSELL_INVITATION_DAYS", default_value_t = 15, value_parser = clap::value_parser!(u32).range(1..=365))]
    pub invitation_days: u32,
}

impl Options {
    /// With the opportunity service there, and otherwise as without any on the command line.
    pub fn new(opportunity_url: String) -> Self {
        Self {
            opportunity_url,
            invitation_days: 15,
        }
    }
}
