//! Selects the recipients of notifications and renders their texts. The code is pure: no I/O, clock or randomness. Rule
//! ids refer to docs/DOMAIN.md.

pub mod access;
mod facts;
mod field_labels;
mod preferences;
mod recipients;
mod record_ref;
mod template;
#[cfg(test)]
mod tests_template;
pub mod values;

pub use facts::{
    AssignmentFacts, BulkJobFacts, ChannelFacts, ClosureFacts, InvitationFacts, MemberFacts, ProjectFacts,
    ReferralFacts, ReviewFacts, TemplateFacts,
};
pub use field_labels::{field_labels, in_words};
pub use preferences::EmailPreferences;
pub use recipients::{Contact, Member, Recipients, SelectionCriteria, select_recipients};
pub use record_ref::RecordRef;
pub use template::{NotificationText, Templates};
