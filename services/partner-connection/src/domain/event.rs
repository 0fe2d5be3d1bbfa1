use super::values::{ConnectionStatus, ConnectionType, InvitationStatus};

/// What happened to an account: something about it changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountEvent;

/// What happened to a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberEvent {
    /// It was asked to join.
    Invited,
    /// It joined.
    Joined,
    /// It has other roles.
    RolesChanged,
    /// It has another name, address or title.
    DetailsChanged,
    /// It has left.
    Deactivated,
    /// It came with the master list: it is new, or back.
    Provisioned,
}

impl MemberEvent {
    /// The end of the event's subject.
    pub fn name(self) -> &'static str {
        match self {
            MemberEvent::Invited => "member_invited",
            MemberEvent::Joined => "member_joined",
            MemberEvent::RolesChanged => "member_roles_changed",
            MemberEvent::DetailsChanged => "member_details_changed",
            MemberEvent::Deactivated => "member_deactivated",
            MemberEvent::Provisioned => "member_provisioned",
        }
    }
}

/// What happened to an invitation: it came to stand here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvitationEvent(pub InvitationStatus);

impl InvitationEvent {
    /// The end of the event's subject.
    pub fn name(self) -> &'static str {
        match self.0 {
            InvitationStatus::Pending => "invitation_created",
            InvitationStatus::Accepted => "invitation_accepted",
            InvitationStatus::Rejected => "invitation_rejected",
            InvitationStatus::Canceled => "invitation_canceled",
            InvitationStatus::Expired => "invitation_expired",
        }
    }
}

/// What happened to a connection: one of its types came to stand here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionEvent(pub ConnectionType, pub ConnectionStatus);

impl ConnectionEvent {
    /// The end of the event's subject.
    pub fn name(self) -> &'static str {
        match self.1 {
            ConnectionStatus::Active => "connection_made",
            ConnectionStatus::Canceled => "connection_canceled",
        }
    }
}
