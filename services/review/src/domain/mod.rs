//! The rules of review. Pure: no input or output, no clock, no chance; the time, ids and facts from elsewhere are
//! arguments. Rule ids are those of docs/DOMAIN.md.

pub mod access;
mod case;
mod correctable;
mod event;
mod rule;
#[cfg(test)]
mod tests;
pub mod values;

pub use case::{CaseId, ReviewCase, Round, Ruling, Summary};
pub use correctable::CORRECTABLE;
pub use event::Event;
pub use rule::{Action, Rule};
