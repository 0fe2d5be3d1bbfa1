//! Options that only this service has.

/// Options of the review service.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// The opportunity service, for what was submitted.
    #[arg(
        long,
        env = "COSELL_OPPORTUNITY_URL",
        default_value = "http://opportunity:50051"
    )]
    pub opportunity_url: String,
}
