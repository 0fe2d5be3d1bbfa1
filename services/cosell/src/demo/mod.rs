//! The journey of opportunities from registration to validation, played against a running installation. It is a
//! demonstration and a check at once: where something does not happen as it should, it ends with an error.

pub mod calls;
mod connection;
mod correction;
mod input;
mod journey;
mod mail;
mod news;
mod people;
mod referral;
mod sharing;
mod timeline;

pub use input::{Input, Record, Verdict, read};
pub use journey::play;
pub use people::{Person, reason, violations};
pub use timeline::{Line, print};
