//! The command line of cosell, and all services in one process for development.

mod cli;
pub mod commands;
pub mod demo;
pub mod directory;
mod installation;
pub mod reference;
mod seed;
mod stack;

pub use cli::main;
pub use seed::{ALDER, AWS, BIRCH, SeedMember, members};
pub use stack::{Stack, StackArgs, StackInfo, issuer};
