use cosell_types::{ClosedList as _, ParticipantType, Role, Violation};

use super::values::{ConnectionInvitationStatus, MemberStatus, PartnerTier};
use super::{ConnectionId, InvitationId};

/// An action on a member or an invitation whose state can refuse it; errors name it in their metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttemptedAction {
    /// Update a member's details.
    Update,
    /// Replace a member's roles.
    SetRoles,
    /// End a membership.
    Deactivate,
    /// Make a member the alliance lead.
    TransferAllianceLead,
    /// Accept an invitation.
    Accept,
    /// Reject an invitation.
    Reject,
    /// Cancel an invitation.
    Cancel,
}

impl AttemptedAction {
    /// The name in the metadata of errors.
    pub fn name(self) -> &'static str {
        match self {
            AttemptedAction::Update => "UPDATE",
            AttemptedAction::SetRoles => "SET_ROLES",
            AttemptedAction::Deactivate => "DEACTIVATE",
            AttemptedAction::TransferAllianceLead => "TRANSFER_ALLIANCE_LEAD",
            AttemptedAction::Accept => "ACCEPT",
            AttemptedAction::Reject => "REJECT",
            AttemptedAction::Cancel => "CANCEL",
        }
    }
}

/// A limit of an account. Days are UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Connection invitations sent in a day.
    InvitationsPerDay,
    /// Pending connection invitations that the account sent.
    OpenInvitations,
    /// Active connections.
    ActiveConnections,
    /// Changes of the profile in a day.
    ProfileUpdatesPerDay,
    /// Changes of the profile's visibility in a day.
    VisibilityUpdatesPerDay,
    /// Domains of the members' e-mail addresses.
    EmailDomains,
    /// Invitations to join that are sent to one e-mail address in a day.
    EmailsPerDay,
}

impl Limit {
    /// Whether `current` is below `max`, so that one more is permitted.
    pub fn check(self, current: i64, max: i64) -> Result<(), Rule> {
        if current < max {
            Ok(())
        } else {
            Err(Rule::LimitExceeded(self, max))
        }
    }
}

/// A violated rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rule {
    /// Fields are missing or invalid.
    #[error("Fields are missing or invalid.")]
    Invalid(Vec<Violation>),
    /// The actor may not grant or withdraw these roles (DIR-012).
    #[error("The actor may not grant or withdraw these roles.")]
    NotGrantable(Vec<Role>),
    /// The account has reached its limit of members with the role (DIR-011).
    #[error("The account has reached its limit of members with this role.")]
    RoleLimit(Role, usize),
    /// The alliance lead cannot lose its role before transferring it (DIR-011).
    #[error("An account must have exactly one alliance lead.")]
    AllianceLeadRequired,
    /// The status of the member does not permit the action (DIR-010).
    #[error("The status of the member does not permit the action.")]
    IncompatibleMemberStatus(MemberStatus, AttemptedAction),
    /// Another member of the account has the same value in this field (DIR-013).
    #[error("Another member of the account has the same value.")]
    DuplicateMember(&'static str),
    /// The account has reached this limit (CON-040, DIR-013, DIR-016, DIR-032).
    #[error("The account has reached a limit.")]
    LimitExceeded(Limit, i64),
    /// The account is suspended (DIR-001).
    #[error("The account is suspended.")]
    AccountSuspended,
    /// The sender of the invitation has no profile (CON-002).
    #[error("The sender has no profile.")]
    SenderProfileRequired,
    /// The account has no profile whose visibility could be set (DIR-031).
    #[error("The account has no profile.")]
    ProfileRequired,
    /// The tier of the account is too low for connections (CON-005).
    #[error("The partner tier of the account is too low.")]
    IneligibleTier {
        /// The tier of the account.
        tier: PartnerTier,
        /// The lowest tier that may connect.
        required: PartnerTier,
    },
    /// An existing SUBSIDIARY connection of this party excludes another one (CON-006).
    #[error("One of the two accounts has a link that excludes this one.")]
    AlreadyLinked(ParticipantType),
    /// The receiver id is of the wrong kind for the connection type, or names the sender (CON-002).
    #[error("The receiver id is invalid for this connection type.")]
    InvalidReceiverId,
    /// The receiver is suspended, or its preferences do not admit invitations of the sender (CON-030).
    #[error("The receiver does not accept the invitation.")]
    InvitationNotAdmitted,
    /// Only the counterparty may do this with the invitation (CON-010).
    #[error("The {} may not {}.", .0.name(), .1.name())]
    IncompatibleParticipant(ParticipantType, AttemptedAction),
    /// This invitation of the same type between the two accounts is pending (CON-003).
    #[error("An invitation between the two accounts is pending.")]
    DuplicateInvitation(InvitationId),
    /// The two accounts have this active connection of the same type (CON-004).
    #[error("The two accounts have an active connection of this type.")]
    DuplicateConnection(ConnectionId),
    /// The invitation is no longer pending (CON-010).
    #[error("The invitation is no longer pending.")]
    IncompatibleInvitationStatus(ConnectionInvitationStatus, AttemptedAction),
    /// This type of the connection is not active (CON-020).
    #[error("This type of the connection is not active.")]
    ConnectionTypeNotActive,
}
