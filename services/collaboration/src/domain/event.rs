use cosell_types::AccountId;

use super::Person;
use super::values::{ChannelChange, ChannelMemberState, ChannelState, EngagementChange};

/// What happened to an engagement. Becomes a public event for each company that is told of it, and a counter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngagementEvent {
    /// What changed; none when it began.
    pub change: Option<EngagementChange>,
    /// The company that it is about.
    pub about: Option<AccountId>,
    /// Revision of the engagement after it.
    pub revision: i64,
    /// Who is told, and how often each was by now.
    pub told: Vec<(AccountId, i64)>,
    /// Who is part of it now.
    pub members: Vec<AccountId>,
}

impl EngagementEvent {
    /// The end of the event's subject.
    pub fn name(&self) -> &'static str {
        match self.change {
            None => "engagement_created",
            Some(_) => "engagement_updated",
        }
    }
}

/// What happened to an invitation. Becomes a public event for each of the two companies, and a counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvitationEvent {
    /// It was sent.
    Created,
    /// The company is part of the engagement.
    Accepted,
    /// The company does not want it.
    Rejected,
    /// Nobody answered in time.
    Expired,
    /// It was taken back.
    Canceled,
}

impl InvitationEvent {
    /// The end of the event's subject.
    pub fn name(self) -> &'static str {
        match self {
            InvitationEvent::Created => "engagement_invitation_created",
            InvitationEvent::Accepted => "engagement_invitation_accepted",
            InvitationEvent::Rejected => "engagement_invitation_rejected",
            InvitationEvent::Expired => "engagement_invitation_expired",
            InvitationEvent::Canceled => "engagement_invitation_canceled",
        }
    }
}

/// What happened to a channel. Becomes a public event and a counter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelEvent {
    /// What.
    pub change: ChannelChange,
    /// Where the channel stands after it.
    pub state: ChannelState,
    /// Revision of the channel after it.
    pub revision: i64,
    /// The person that it is about, and where that one stands now.
    pub about: Option<(Person, ChannelMemberState)>,
}

impl ChannelEvent {
    /// The end of the event's subject.
    pub fn name(&self) -> &'static str {
        match self.change {
            ChannelChange::Requested => "channel_requested",
            ChannelChange::Approved => "channel_approved",
            ChannelChange::Declined => "channel_declined",
            ChannelChange::Activated => "channel_activated",
            ChannelChange::Archived => "channel_archived",
            ChannelChange::MembersAdded => "channel_members_added",
            ChannelChange::Member => "channel_member_changed",
        }
    }
}
