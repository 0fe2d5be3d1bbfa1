//! The command-line client of cosell, and the all-in-one process for development, demos and tests.

pub mod bulk;
mod bulk_commands;
mod cli;
pub mod commands;
pub mod demo;
mod descriptors;
pub mod directory;
mod installation;
pub mod reference;
mod seed;
mod stack;
mod terminal;

pub use cli::main;
pub use seed::{ALDER, AWS, BIRCH, SeedMember, seed_members};
pub use stack::{Stack, StackArgs, StackInfo, issuer};
