//! The rules of the opportunity record. Pure functions: no I/O, no clock, no randomness; time, ids and facts from other
//! sources are arguments. Rule ids are those of docs/DOMAIN.md.

pub mod access;
mod actions;
mod aws_details;
mod aws_summary;
mod canonical;
pub mod catalog;
mod cells;
mod check;
mod closing;
pub mod column_lookup;
mod column_names;
pub mod columns;
mod customer_spend;
mod details;
mod event;
mod field;
pub mod field_warnings;
pub mod job;
mod lifecycle_state;
mod opportunity;
pub mod partner_central;
mod periods;
mod policy;
pub mod postal;
pub mod reference;
mod referred;
mod related;
mod review;
mod rule;
pub mod search;
mod shared;
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
mod tests_case;
#[cfg(test)]
mod tests_cases;
#[cfg(test)]
mod tests_closing;
#[cfg(test)]
mod tests_columns;
#[cfg(test)]
mod tests_correction;
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
mod tests_submission_cases;
#[cfg(test)]
mod tests_transitions;

pub use aws_details::{
    AwsCustomer, AwsDetails, AwsField, AwsInsights, AwsLifeCycle, AwsProject, AwsSoftwareRevenue,
    OpportunityQuality, Recommendation,
};
pub use aws_summary::AwsSummary;
pub use canonical::is_government;
pub use closing::ClosureCorrection;
pub use details::{
    Account, Address, Contact, Customer, Details, ExpectedCustomerSpend, LifeCycle, Marketing, Migration,
    Project, RelatedEntityIdentifiers, SoftwareRevenue, Tag,
};
pub use event::Event;
pub use field::Field;
pub use field_warnings::FieldWarning;
pub use lifecycle_state::{LifecycleState, Transition};
pub use opportunity::{NextStep, Opportunity, Reopening};
pub use periods::Periods;
pub use policy::{Facts, Policy};
pub use referred::{check_referral_offer, initial_aws_summary};
pub use review::{Decision, Review, ReviewOutcome};
pub use rule::Rule;
pub use shared::CopySource;
pub use spend_insights::{Optimization, ProductInsights, SpendInsights, SpendInsightsBySource};
