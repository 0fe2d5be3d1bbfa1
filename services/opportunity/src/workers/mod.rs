//! Scheduled work, one worker per file. Safe to run in several replicas: each row states whether work is due, and only
//! the first replica that changes the row does the work.

mod comparison_keys;

pub use comparison_keys::ComparisonKeyWorker;
