use super::values::{ConnectionStatus, ConnectionType, InvitationStatus};

/// What happened to an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountEvent {
    /// The master list brought it.
    Registered,
    /// The master list changed it.
    Provisioned,
    /// Its alliance lead accepted the terms.
    TermsAccepted,
    /// Its profile, or who may see it, changed.
    ProfileUpdated,
    /// Its preferences for invitations changed.
    PreferencesUpdated,
}

impl AccountEvent {
    /// The last token of the event's subject.
    pub fn name(self) -> &'static str {
        match self {
            AccountEvent::Registered => "account_registered",
            AccountEvent::Provisioned => "account_provisioned",
            AccountEvent::TermsAccepted => "account_terms_accepted",
            AccountEvent::ProfileUpdated => "account_profile_updated",
            AccountEvent::PreferencesUpdated => "account_preferences_updated",
        }
    }
}

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
    /// The last token of the event's subject.
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
    /// The last token of the event's subject.
    pub fn name(self) -> &'static str {
        match self.0 {
            InvitationStatus::Pending => "connection_invitation_created",
            InvitationStatus::Accepted => "connection_invitation_accepted",
            InvitationStatus::Rejected => "connection_invitation_rejected",
            InvitationStatus::Canceled => "connection_invitation_canceled",
            InvitationStatus::Expired => "connection_invitation_expired",
        }
    }
}

/// What happened to a connection: one of its types came to stand here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionEvent(pub ConnectionType, pub ConnectionStatus);

impl ConnectionEvent {
    /// The last token of the event's subject.
    pub fn name(self) -> &'static str {
        match self.1 {
            ConnectionStatus::Active => "connection_established",
            ConnectionStatus::Canceled => "connection_canceled",
        }
    }
}
