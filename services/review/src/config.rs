//! Options of this service only.

/// Options of the review service.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// URL of the opportunity service, from which submitted opportunities are read.
    #[arg(
        long,
        env = "COSELL_OPPORTUNITY_URL",
        default_value = "http://opportunity:50051"
    )]
    pub opportunity_url: String,
}
