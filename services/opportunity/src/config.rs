//! Options that only this service has.

use cosell_types::{Currency, ServiceName};

use crate::domain::Policy;

/// Options of the opportunity service.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// URL of the review service, from which review comments are read.
    #[arg(long, env = "COSELL_REVIEW_URL", default_value = "http://review:50051")]
    pub review_url: String,

    /// URL of the referral service, from which accepted opportunities and converted leads are read.
    #[arg(long, env = "COSELL_REFERRAL_URL", default_value = "http://referral:50051")]
    pub referral_url: String,

    /// Name of the catalog in opportunities and their ARNs: `AWS` in production, `Sandbox` elsewhere.
    #[arg(long, env = "COSELL_CATALOG", default_value = "AWS")]
    pub catalog: String,

    /// Permitted currencies of amounts (ISO 4217), separated by commas.
    #[arg(
        long,
        env = "COSELL_CURRENCIES",
        default_value = CURRENCIES,
        value_delimiter = ','
    )]
    pub currencies: Vec<Currency>,

    /// Types of partners that must state the customer's AWS account to launch an opportunity, separated by commas;
    /// `none` for no type.
    #[arg(
        long,
        env = "COSELL_ACCOUNT_TO_LAUNCH",
        default_value = ACCOUNT_TO_LAUNCH,
        value_delimiter = ','
    )]
    pub account_to_launch: Vec<String>,

    /// Whether an opportunity before stage COMMITTED can have a description of its solution instead of a registered
    /// one.
    #[arg(long, env = "COSELL_SOLUTION_IN_WORDS", default_value_t = true, action = clap::ArgAction::Set)]
    pub solution_in_words: bool,

    /// Days after an opportunity was closed during which the partner can correct its close date and the customer's AWS
    /// account, 0 to 3650. With 0 only AWS can, by reopening it.
    #[arg(
        long,
        env = "COSELL_CORRECTION_DAYS",
        default_value_t = CORRECTION_DAYS,
        value_parser = clap::value_parser!(u32).range(0..=3650)
    )]
    pub correction_days: u32,

    /// Services that read and update AWS summaries on behalf of AWS's CRM, separated by commas.
    #[arg(long, env = "COSELL_CRM_SERVICES", default_value = CRM, value_delimiter = ',')]
    pub crm_services: Vec<ServiceName>,

    /// Limits of imported files.
    #[command(flatten)]
    pub import: ImportLimits,

    /// Services that import the catalogs of solutions and products, separated by commas.
    #[arg(long, env = "COSELL_CATALOG_KEEPERS", default_value = CATALOG_KEEPER, value_delimiter = ',')]
    pub catalog_keepers: Vec<ServiceName>,
}

/// Limits of imported files (OPP-080).
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct ImportLimits {
    /// Maximum number of rows in an imported file.
    #[arg(long, env = "COSELL_IMPORT_ROWS", default_value_t = IMPORT_ROWS)]
    pub import_rows: u32,

    /// Maximum size of an imported file, in bytes.
    #[arg(long, env = "COSELL_IMPORT_BYTES", default_value_t = IMPORT_BYTES)]
    pub import_bytes: u64,
}

impl Default for ImportLimits {
    /// The defaults of the command line.
    fn default() -> Self {
        Self {
            import_rows: IMPORT_ROWS,
            import_bytes: IMPORT_BYTES,
        }
    }
}

// Defaults of the options.
const CURRENCIES: &str = "USD,EUR";
const ACCOUNT_TO_LAUNCH: &str = "CONSULTING_PARTNER";
const CORRECTION_DAYS: u32 = 30;
const CRM: &str = "crm";
const CATALOG_KEEPER: &str = "provisioner";
const IMPORT_ROWS: u32 = 1500;
const IMPORT_BYTES: u64 = 10 * 1024 * 1024;

impl Default for Options {
    /// The defaults of the command line.
    fn default() -> Self {
        Self {
            referral_url: "http://referral:50051".to_owned(),
            review_url: "http://review:50051".to_owned(),
            catalog: "AWS".to_owned(),
            currencies: CURRENCIES
                .split(',')
                .filter_map(|code| code.parse().ok())
                .collect(),
            account_to_launch: vec![ACCOUNT_TO_LAUNCH.to_owned()],
            solution_in_words: true,
            correction_days: CORRECTION_DAYS,
            crm_services: CRM.parse().into_iter().collect(),
            catalog_keepers: CATALOG_KEEPER.parse().into_iter().collect(),
            import: ImportLimits::default(),
        }
    }
}

impl Options {
    /// The options that configure domain rules.
    pub(crate) fn policy(&self) -> Policy {
        Policy {
            currencies: self.currencies.clone(),
            account_to_launch: self.account_to_launch.iter().cloned().collect(),
            solution_in_words: self.solution_in_words,
            correction_days: self.correction_days,
        }
    }
}
