//! Scheduled work, one worker a file. Safe to run in several replicas: every worker checks under a lock whether a row
//! is still due, so the first replica processes it.

mod comparison_keys;
mod invitation_expiry;
mod marketing_option;

pub use comparison_keys::ComparisonKeyWorker;
pub use invitation_expiry::InvitationExpiryWorker;
pub use marketing_option::MarketingOptionWorker;
