//! Who is told what. Pure: no input or output, no clock, no chance. Rule ids are those of docs/DOMAIN.md.

pub mod access;
mod audience;
mod template;
pub mod values;

pub use audience::{Audience, Contact, Member, Subject, audience};
pub use template::{Facts, Job, Letter, Referral, Shared, Templates};
