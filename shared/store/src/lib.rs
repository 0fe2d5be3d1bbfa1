//! Database access of all services: pools, scoped transactions, idempotency, denials, migrations.
//!
//! The pool is private: a connection is available only in a transaction with a scope ([`Db::tx`]), by which row-level
//! security is evaluated, or for a statement that sets its scope itself ([`Db::read`]). The SQL of this crate uses only
//! tables that every service has (docs/ARCHITECTURE.md).

mod call;
mod db;
mod denial;
mod error;
mod migrate;
mod pool;
mod provision;
mod queue;
mod request;

pub use call::{begin, begin_with_timeout, commit};
pub use db::{Database, Db, DbArgs, Read, Scope, Tx};
pub use denial::{delete_expired_denials, insert_denials};
pub use error::{Error, require_written};
pub use migrate::{check, migrate};
pub use provision::{ProvisionArgs, provision, provisioning_sql};
pub use request::{Claim, claim, claim_with_attachment, delete_expired_requests};
