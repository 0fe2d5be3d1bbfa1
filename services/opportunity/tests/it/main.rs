//! Tests of the running service: a real client, a real connection, a real database of its own.

mod actions;
mod allowed_actions;
mod associations;
mod aws_summary;
mod aws_summary_access;
mod bad_input;
mod cancelled_calls;
mod create_and_get;
mod denials;
mod finding;
mod flags;
mod history;
mod idempotency;
mod isolation;
mod list;
mod members;
mod outbox;
mod presets;
mod review_events;
mod reviewer;
mod standards;
mod submit;
mod support;
mod tokens;
mod update;
