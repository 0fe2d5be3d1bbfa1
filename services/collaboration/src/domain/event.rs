use cosell_types::AccountId;

use super::MemberRef;
use super::values::ChannelState;

/// An event of an engagement. Published to each recipient, and counted as a transition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngagementEvent {
    /// The kind, with the account or the context that it concerns.
    pub kind: EngagementEventKind,
    /// The revision of the engagement after the event.
    pub revision: i64,
    /// The accounts that receive the event. Each with its event number, which counts the events of this engagement that
    /// the account has received.
    pub recipients: Vec<(AccountId, i64)>,
    /// The active members after the event.
    pub members: Vec<AccountId>,
}

/// The kind of an engagement event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EngagementEventKind {
    /// The engagement was created.
    Created,
    /// An account was invited.
    MemberInvited(AccountId),
    /// An account accepted its invitation.
    MemberAdded(AccountId),
    /// The invitation of an account was rejected or canceled, or it expired.
    MemberNotJoined(AccountId),
    /// An account left.
    MemberLeft(AccountId),
    /// The creating account removed an account.
    MemberRemoved(AccountId),
    /// A context was added.
    ContextCreated(String),
    /// A context was replaced.
    ContextUpdated(String),
}

impl EngagementEventKind {
    /// The account whose membership the event ended.
    pub fn former_member(&self) -> Option<&AccountId> {
        match self {
            EngagementEventKind::MemberLeft(account) | EngagementEventKind::MemberRemoved(account) => {
                Some(account)
            }
            _ => None,
        }
    }
}

impl EngagementEvent {
    /// The transition name in logs and metrics.
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

/// An event of an invitation. Published to the sender and the receiver, and counted as a transition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvitationEvent {
    /// The invitation was sent.
    Created,
    /// The receiver accepted it and became a member of the engagement.
    Accepted,
    /// The receiver rejected it.
    Rejected,
    /// The deadline passed without an answer.
    Expired,
    /// The sender canceled it, or the platform did when the connection ended.
    Canceled,
}

impl InvitationEvent {
    /// The transition name in logs and metrics.
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

/// An event of a channel. Published to its partner account, and counted as a transition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelEvent {
    /// The kind, with the member that it concerns.
    pub kind: ChannelEventKind,
    /// The state of the channel after the event.
    pub state: ChannelState,
    /// The revision of the channel after the event.
    pub revision: i64,
}

/// The kind of a channel event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChannelEventKind {
    /// A partner requested the channel.
    Requested,
    /// AWS or the platform approved the request.
    Approved,
    /// AWS declined the request.
    Declined,
    /// The channel exists at the provider and can be used.
    Activated,
    /// The channel was closed.
    Archived,
    /// Members were selected.
    MembersAdded,
    /// A member was invited.
    MemberInvited(MemberRef),
    /// A member has joined the channel.
    MemberJoined(MemberRef),
    /// A member left or was removed.
    MemberLeft(MemberRef),
    /// A member opted out of all channels while its invitation was pending.
    MemberOptedOut(MemberRef),
    /// A member did not join before its invitation expired, or could not be invited.
    MemberExpired(MemberRef),
}

impl ChannelEvent {
    /// The transition name in logs and metrics.
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
