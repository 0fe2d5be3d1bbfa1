//! Traces, metrics and logs of every cosell process.
//!
//! Logs are JSON lines on standard error; the first entry of `spans` carries `trace_id` and `request_id`. Traces and
//! metrics go to an OTLP collector when one is configured. No personal data may enter any of them: see `Pii` in
//! `cosell-types` and docs/OPERATIONS.md.

mod init;
pub mod metrics;
pub mod propagate;

pub use init::{Guard, LogFormat, TelemetryArgs, init};
