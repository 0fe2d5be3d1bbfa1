//! Options that only this service has.

/// Options of the opportunity service.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// The review service, for the remarks of its decisions.
    #[arg(long, env = "COSELL_REVIEW_URL", default_value = "http://review:50051")]
    pub review_url: String,

    /// Name of the catalog: `AWS` in production, `Sandbox` elsewhere.
    #[arg(long, env = "COSELL_CATALOG", default_value = "AWS")]
    pub catalog: String,
}
