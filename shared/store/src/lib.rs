//! How every service talks to Postgres.
//!
//! The pool is private: the only way to a connection is a transaction that says for whom it works ([`Db::tx`]), so
//! that row-level security always knows. The SQL in here is about tables that every service has (docs/ARCHITECTURE.md).

mod db;
mod denial;
mod error;
mod migrate;
mod pool;
mod provision;
mod request;

pub use db::{Database, Db, DbArgs, Scope, Tx};
pub use denial::{forget_denials, keep_denials};
pub use error::{Error, written};
pub use migrate::{check, migrate};
pub use provision::{ProvisionArgs, provision, statements};
pub use request::{Claim, claim, claim_with, prune};
