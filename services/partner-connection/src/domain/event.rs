use super::values::{ConnectionInvitationStatus, ConnectionStatus, ConnectionType};

/// A change of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountEvent {
    /// Provisioning created the account.
    Registered,
    /// Provisioning changed its names, partner types, tier, programs or specializations.
    DetailsChanged,
    /// Provisioning suspended it.
    Suspended,
    /// Provisioning ended its suspension.
    Reinstated,
    /// Its alliance lead accepted the terms, or provisioning recorded that they were accepted elsewhere.
    TermsAccepted,
    /// The texts of its profile changed.
    ProfileUpdated,
    /// Its profile became public or private.
    ProfileVisibilityChanged,
    /// Its preferences for invitations changed.
    ConnectionPreferencesUpdated,
}

/// A change of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberEvent {
    /// The member was invited to join the account.
    Invited,
    /// The member accepted the invitation.
    Joined,
    /// Its roles changed.
    RolesChanged,
    /// Its name, e-mail address, title or phone number changed.
    DetailsChanged,
    /// Its membership ended.
    Deactivated,
    /// Provisioning created the member.
    Registered,
    /// Provisioning set the member to active again.
    Reinstated,
    /// The operator's option on marketing staff was applied to the member (ACC-013).
    VisibilityChanged,
}

/// A change of an invitation, named by the status that it has reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvitationEvent(pub ConnectionInvitationStatus);

/// A change of one type of a connection, named by the status that it has reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionEvent(pub ConnectionType, pub ConnectionStatus);
