//! Real PostgreSQL, NATS and SMTP servers, started from a checkout without installation, containers or root privileges;
//! with the feature `harness` also the test harness. For development and tests only.

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
