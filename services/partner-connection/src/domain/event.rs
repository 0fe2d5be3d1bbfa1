use super::values::{ConnectionInvitationStatus, ConnectionStatus, ConnectionType};

/// What happened to an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountEvent {
    /// The master list brought it.
    Registered,
    /// The master list changed its names, kinds, tier, programmes or designations.
    DetailsChanged,
    /// It takes no part any more.
    Suspended,
    /// It takes part again.
    Reinstated,
    /// Its alliance lead accepted the terms.
    TermsAccepted,
    /// The texts of its profile changed.
    ProfileUpdated,
    /// Its profile is shown to others now, or hidden.
    ProfileVisibilityChanged,
    /// Its preferences for invitations changed.
    ConnectionPreferencesUpdated,
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
    /// The master list brought it.
    Registered,
    /// The master list brought it back.
    Reinstated,
}

/// What happened to an invitation: it came to stand here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvitationEvent(pub ConnectionInvitationStatus);

/// What happened to a connection: one of its types came to stand here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionEvent(pub ConnectionType, pub ConnectionStatus);
