//! All SQL of this service. Functions take the transaction and return domain values.

mod cases;
pub mod list;
#[cfg(test)]
mod tests_plans;

pub use cases::{load_case, load_case_of_opportunity, load_snapshots, save_case, save_round};
