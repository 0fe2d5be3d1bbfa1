//! What the tests over all services share: private servers, the services on them, calls by anybody, and the repository
//! as text.

mod child;
mod collector;
pub mod companies;
pub mod deals;
pub mod engagements;
pub mod isolation;
pub mod ledger;
mod raw;
mod record;
pub mod referrals;
pub mod repository;
pub mod requests;
pub mod scene;
mod throttle;
mod workload;
mod world;

pub use child::Child;
pub use collector::Collector;
pub use record::{INPUT, record};
pub use throttle::Throttle;
pub use workload::{Progress, STEPS, Workload};
pub use world::{InProcess, RECOVERY, World};
