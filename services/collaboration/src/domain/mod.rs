//! The rules of collaboration. Pure: no input or output, no clock, no chance; the time, ids and facts from elsewhere
//! are arguments. Rule ids are those of docs/DOMAIN.md.

pub mod access;
mod channel;
mod eligible;
mod engagement;
mod event;
mod invitation;
mod preferences;
mod rule;
mod sharing;
mod snapshot;
mod steps;
#[cfg(test)]
mod tests_access;
#[cfg(test)]
mod tests_channel;
#[cfg(test)]
mod tests_engagement;
#[cfg(test)]
mod tests_invitation;
#[cfg(test)]
mod tests_steps;
pub mod values;

pub use channel::{Channel, ChannelId, ChannelMember, Decision, Person, Request};
pub use eligible::{ChannelPolicy, Deal};
pub use engagement::{Beginning, Company, Context, Engagement, EngagementId, MOST_MEMBERS, Participant};
pub use event::{ChannelEvent, ChannelEventKind, EngagementEvent, EngagementEventKind, InvitationEvent};
pub use invitation::{Answer, Invitation, InvitationId, Sending};
pub use preferences::ChannelPreferences;
pub use rule::Rule;
pub use sharing::Shareable;
pub use snapshot::{JobId, Snapshot, SnapshotJob, Subject};
pub use steps::{Hindrance, Step};
