use cosell_types::AccountId;

use super::Person;
use super::values::ChannelState;

/// An event of an engagement. Becomes a public event for each company that is notified, and a counter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngagementEvent {
    /// What happened.
    pub kind: EngagementEventKind,
    /// Revision of the engagement after it.
    pub revision: i64,
    /// The companies that are notified, with the number of their notifications so far.
    pub told: Vec<(AccountId, i64)>,
    /// The members after it.
    pub members: Vec<AccountId>,
}

/// What happened to an engagement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EngagementEventKind {
    /// It was created.
    Created,
    /// A company was invited.
    MemberInvited(AccountId),
    /// A company accepted its invitation.
    MemberAdded(AccountId),
    /// The invitation of a company ended otherwise.
    MemberNotJoined(AccountId),
    /// A company left.
    MemberLeft(AccountId),
    /// A company was removed.
    MemberRemoved(AccountId),
    /// A context was added.
    ContextCreated(String),
    /// A context was changed.
    ContextUpdated(String),
}

impl EngagementEventKind {
    /// The company that ceased to be a member by it.
    pub fn gone(&self) -> Option<&AccountId> {
        match self {
            EngagementEventKind::MemberLeft(account) | EngagementEventKind::MemberRemoved(account) => {
                Some(account)
            }
            _ => None,
        }
    }
}

impl EngagementEvent {
    /// Its name in logs and metrics.
    pub fn name(&self) -> &'static str {
        match self.kind {
            EngagementEventKind::Created => "engagement_created",
            EngagementEventKind::MemberInvited(_) => "engagement_member_invited",
            EngagementEventKind::MemberAdded(_) => "engagement_member_added",
            EngagementEventKind::MemberNotJoined(_) => "engagement_member_not_joined",
            EngagementEventKind::MemberLeft(_) => "engagement_member_left",
            EngagementEventKind::MemberRemoved(_) => "engagement_member_removed",
            EngagementEventKind::ContextCreated(_) => "engagement_context_created",
            EngagementEventKind::ContextUpdated(_) => "engagement_context_updated",
        }
    }
}

/// An event of an invitation. Becomes a public event for each of the two companies, and a counter.
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
    /// Its name in logs and metrics.
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

/// An event of a channel. Becomes a public event and a counter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelEvent {
    /// What happened.
    pub kind: ChannelEventKind,
    /// State of the channel after it.
    pub state: ChannelState,
    /// Revision of the channel after it.
    pub revision: i64,
}

/// What happened to a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChannelEventKind {
    /// A partner requested it.
    Requested,
    /// AWS approved it.
    Approved,
    /// AWS declined it.
    Declined,
    /// The provider made it.
    Activated,
    /// It is over.
    Archived,
    /// People were selected.
    MembersAdded,
    /// A person was invited.
    MemberInvited(Person),
    /// A person joined.
    MemberJoined(Person),
    /// A person left or was taken out.
    MemberLeft(Person),
    /// A person does not want to be invited.
    MemberOptedOut(Person),
    /// A person did not join in time.
    MemberExpired(Person),
}

impl ChannelEvent {
    /// Its name in logs and metrics.
    pub fn name(&self) -> &'static str {
        match self.kind {
            ChannelEventKind::Requested => "channel_requested",
            ChannelEventKind::Approved => "channel_approved",
            ChannelEventKind::Declined => "channel_declined",
            ChannelEventKind::Activated => "channel_activated",
            ChannelEventKind::Archived => "channel_archived",
            ChannelEventKind::MembersAdded => "channel_members_added",
            ChannelEventKind::MemberInvited(_) => "channel_member_invited",
            ChannelEventKind::MemberJoined(_) => "channel_member_joined",
            ChannelEventKind::MemberLeft(_) => "channel_member_left",
            ChannelEventKind::MemberOptedOut(_) => "channel_member_opted_out",
            ChannelEventKind::MemberExpired(_) => "channel_member_expired",
        }
    }
}
