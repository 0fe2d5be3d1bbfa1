//! The process of a service: command line, background work, start and graceful shutdown. A service plugs in through
//! [`Service`]; this crate is independent of the bounded contexts.

/// Faster than the system's allocator under load (docs/adr/0023).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

mod background;
mod cli;
mod consumers;
mod denials;
mod host;
mod routes;
mod schedule;

pub use background::Background;
pub use cli::CommandLine;
pub use consumers::Consumers;
pub use host::{Host, PeerArgs, Platform, Service, stop_signal};
pub use routes::GrpcServices;
pub use schedule::ScheduledWork;
