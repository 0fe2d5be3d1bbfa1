//! All SQL of this service. Functions take the transaction and return domain values.

mod cases;
pub mod list;

pub use cases::{load, load_of_opportunity, save, save_round, snapshots};
