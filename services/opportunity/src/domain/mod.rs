//! The rules of the opportunity record. Pure: no input or output, no clock, no chance; the time, ids and facts from
//! elsewhere are arguments. Rule ids are those of docs/DOMAIN.md.

pub mod access;
mod actions;
pub mod advice;
mod aws_details;
mod aws_summary;
mod canonical;
pub mod catalog;
mod cells;
mod check;
pub mod columns;
mod deal_size;
mod details;
mod event;
mod field;
pub mod job;
mod opportunity;
pub mod original;
mod periods;
mod policy;
mod postal;
pub mod reference;
mod referred;
mod related;
mod review;
mod rule;
pub mod search;
mod shared;
mod situation;
mod spend_insights;
pub mod standard_values;
mod tags;
pub mod values;

#[cfg(test)]
pub(crate) mod fixtures;
#[cfg(test)]
mod tests_access;
#[cfg(test)]
mod tests_actions;
#[cfg(test)]
mod tests_aws_summary;
#[cfg(test)]
mod tests_cases;
#[cfg(test)]
mod tests_columns;
#[cfg(test)]
mod tests_deal_cases;
#[cfg(test)]
mod tests_editability;
#[cfg(test)]
mod tests_related;
#[cfg(test)]
mod tests_rules;
#[cfg(test)]
mod tests_sequences;
#[cfg(test)]
mod tests_shared;
#[cfg(test)]
mod tests_transitions;

pub use advice::Advice;
pub use aws_details::{
    AwsCustomer, AwsDetails, AwsField, AwsInsights, AwsLifeCycle, AwsProject, AwsSoftwareRevenue,
    OpportunityQuality, Recommendation,
};
pub use aws_summary::AwsSummary;
pub use canonical::is_government;
pub use details::{
    Account, Address, Contact, Customer, Details, ExpectedCustomerSpend, LifeCycle, Marketing, Migration,
    Project, RelatedEntityIdentifiers, SoftwareRevenue, Tag,
};
pub use event::Event;
pub use field::Field;
pub use opportunity::{NextStep, Opportunity, Reopening};
pub use periods::Periods;
pub use policy::{Facts, Policy};
pub use referred::{check_offer, introduction};
pub use review::{Decision, Outcome, Review};
pub use rule::Rule;
pub use shared::Source;
pub use situation::{Situation, Transition};
pub use spend_insights::{Optimization, ProductInsights, SpendInsights, SpendInsightsBySource};
