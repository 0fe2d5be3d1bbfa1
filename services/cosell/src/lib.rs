//! The command line of cosell, and all services in one process for development.

pub mod bulk;
mod cli;
pub mod commands;
pub mod demo;
pub mod directory;
mod files;
mod installation;
pub mod reference;
mod seed;
mod stack;

pub use cli::main;
pub use seed::{ALDER, AWS, BIRCH, SeedMember, members};
pub use stack::{Stack, StackArgs, StackInfo, issuer};
