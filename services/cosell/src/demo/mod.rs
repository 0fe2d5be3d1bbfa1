//! The demo: runs a scenario of opportunities from creation to AWS's validation against a running installation. Prints
//! a timeline and checks each step; fails with an error if a step has an unexpected result.

pub mod calls;
mod closing;
mod connection;
mod correction;
mod input;
mod mailbox;
mod member_client;
mod notifications;
mod referral;
mod scenario;
mod sharing;
mod timeline;

pub use input::{Input, Record, Verdict, read_input};
pub use member_client::{MemberClient, error_reason, field_violations};
pub use scenario::run;
pub use timeline::TimelineEntry;
