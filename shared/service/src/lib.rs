//! The process of a service: its options and subcommands, its background work, its start and its end. What makes a
//! service what it is comes through [`Service`]; nothing here knows a bounded context.

mod background;
mod cli;
mod denials;
mod due;
mod host;
mod routes;

pub use background::Background;
pub use cli::CommandLine;
pub use due::Work;
pub use host::{Host, PeerArgs, Platform, Service, stop_signal};
