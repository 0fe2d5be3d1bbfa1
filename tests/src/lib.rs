//! What the tests over all services share: private servers, the services on them, calls by anybody, and the repository
//! as text.

mod child;
pub mod ledger;
mod record;
pub mod repository;
mod workload;
mod world;

pub use child::Child;
pub use record::{INPUT, record};
pub use workload::{Progress, STEPS, Workload};
pub use world::{InProcess, RECOVERY, World};
