//! Traces, metrics and logs of every cosell process.
//!
//! Logs are JSON lines on standard error; the first entry of `spans` has `trace_id` and `request_id`. Traces and
//! metrics are exported to an OTLP collector, if one is configured. None of them may contain personal data: see `Pii`
//! in `cosell-types` and docs/OPERATIONS.md.

mod init;
pub mod metrics;
pub mod propagate;

pub use init::{LogFormat, TelemetryArgs, TelemetryGuard, init};
