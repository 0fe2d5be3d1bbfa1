//! The domain rules of collaboration. Pure: no input or output, no clock, no randomness; times, IDs and facts of other
//! services are arguments. Rule ids are those of docs/DOMAIN.md.

pub mod access;
mod channel;
mod eligibility;
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
mod tests_snapshot;
#[cfg(test)]
mod tests_steps;
pub mod values;

pub use channel::{Channel, ChannelDecision, ChannelId, ChannelMember, ChannelRequest, MemberRef};
pub use eligibility::{ChannelPolicy, OpportunityFacts};
pub use engagement::{
    AccountProfile, Engagement, EngagementContext, EngagementId, MAX_MEMBERS, NewEngagement, Participant,
};
pub use event::{ChannelEvent, ChannelEventKind, EngagementEvent, EngagementEventKind, InvitationEvent};
pub use invitation::{Invitation, InvitationAnswer, InvitationId, NewInvitation};
pub use preferences::ChannelPreferences;
pub use rule::Rule;
pub use sharing::SharingFacts;
pub use snapshot::{Snapshot, SnapshotJob, SnapshotJobId, SnapshotSubject};
pub use steps::{ChannelStep, StepFailure};
