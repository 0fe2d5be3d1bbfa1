//! The rules of review. The code is pure: no I/O, clock or randomness. Times, ids and external facts are arguments.
//! Rule ids refer to docs/DOMAIN.md.

pub mod access;
mod case;
mod correctable;
mod event;
mod rule;
#[cfg(test)]
mod tests;
pub mod values;

pub use case::{CaseId, ReviewCase, ReviewOutcome, Round, SubmissionSummary};
pub use correctable::{CORRECTABLE, CORRECTABLE_ENTITIES};
pub use event::CaseEvent;
pub use rule::{CaseAction, Rule};
