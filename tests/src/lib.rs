//! Shared code of the tests that span services: private servers, the services that run on them, calls by any caller,
//! and the files of the repository as text.

pub mod baseline;
mod collector;
pub mod directory_records;
pub mod engagements;
pub mod import_files;
mod installation;
pub mod isolation;
pub mod load;
mod opportunity;
pub mod payloads;
mod raw_codec;
pub mod referrals;
pub mod report;
pub mod repository;
pub mod requests;
pub mod scenario;
mod servers;
mod service_process;
mod throttle;
mod workload;

pub use collector::Collector;
pub use installation::Installation;
pub use opportunity::{DEMO_INPUT, valid_opportunity};
pub use servers::{RECOVERY, RunningServices, TestServers};
pub use service_process::ServiceProcess;
pub use throttle::Throttle;
pub use workload::{Progress, STEPS_PER_OPPORTUNITY, Workload};
