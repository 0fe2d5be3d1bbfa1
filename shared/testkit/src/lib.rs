//! Real Postgres, real NATS and real SMTP, started from a checkout without installing anything, without containers
//! and without root; and, with the feature `harness`, what tests share. For development and tests only.

pub mod nats;
pub mod postgres;
mod process;
pub mod smtp;
pub mod tools;

#[cfg(feature = "harness")]
pub mod harness;
#[cfg(feature = "harness")]
pub mod slack;

pub use process::{Process, free_port, is_root, reap_all};
