//! The rules of the opportunity record. Pure: no input or output, no clock, no chance; the time, ids and facts from
//! elsewhere are arguments. Rule ids are those of docs/DOMAIN.md.

pub mod access;
pub mod advice;
mod canonical;
mod check;
mod deal_size;
mod details;
mod event;
mod field;
mod opportunity;
pub mod original;
mod periods;
mod policy;
mod postal;
pub mod reference;
mod rule;
pub mod search;
mod situation;
pub mod standard_values;
pub mod values;

#[cfg(test)]
pub(crate) mod fixtures;
#[cfg(test)]
mod tests_access;
#[cfg(test)]
mod tests_cases;
#[cfg(test)]
mod tests_deal_cases;
#[cfg(test)]
mod tests_editability;
#[cfg(test)]
mod tests_rules;
#[cfg(test)]
mod tests_sequences;
#[cfg(test)]
mod tests_transitions;

pub use advice::Advice;
pub use details::{
    Account, Address, Contact, Customer, Details, ExpectedCustomerSpend, LifeCycle, Marketing, Migration,
    Project, RelatedEntityIdentifiers, SoftwareRevenue, Tag,
};
pub use event::Event;
pub use field::Field;
pub use opportunity::{Decision, NextStep, Opportunity, Outcome, Review};
pub use periods::Periods;
pub use policy::{Facts, Policy};
pub use rule::Rule;
pub use situation::{Situation, Transition};
