use cosell_types::{ClosedList as _, ParticipantType, Role, Violation};

use super::values::{ConnectionInvitationStatus, MemberStatus, PartnerTier};
use super::{ConnectionId, InvitationId};

/// What is asked of a member or an invitation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Change a member's details.
    Update,
    /// Replace a member's roles.
    SetRoles,
    /// End a membership.
    Deactivate,
    /// Make a member the lead.
    TransferAllianceLead,
    /// Accept an invitation.
    Accept,
    /// Reject an invitation.
    Reject,
    /// Cancel an invitation.
    Cancel,
}

impl Action {
    /// The name used in errors.
    pub fn name(self) -> &'static str {
        match self {
            Action::Update => "UPDATE",
            Action::SetRoles => "SET_ROLES",
            Action::Deactivate => "DEACTIVATE",
            Action::TransferAllianceLead => "TRANSFER_ALLIANCE_LEAD",
            Action::Accept => "ACCEPT",
            Action::Reject => "REJECT",
            Action::Cancel => "CANCEL",
        }
    }
}

/// What there can be too much of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Invitations sent in a day.
    InvitationsPerDay,
    /// Invitations that wait for an answer.
    OpenInvitations,
    /// Active connections.
    ActiveConnections,
    /// Changes of the profile in a day.
    ProfileUpdates,
    /// Changes of the visibility in a day.
    VisibilityUpdates,
    /// Domains of e-mail addresses.
    Domains,
    /// How often one address is asked to join in a day.
    Emails,
}

impl Limit {
    /// Whether one more is possible where there are so many of at most so many.
    pub fn check(self, present: i64, most: i64) -> Result<(), Rule> {
        if present < most {
            Ok(())
        } else {
            Err(Rule::LimitExceeded(self, most))
        }
    }
}

/// A broken rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rule {
    /// Fields are missing or wrong.
    #[error("fields are missing or wrong")]
    Invalid(Vec<Violation>),
    /// The actor may not grant or withdraw these (DIR-012).
    #[error("roles that the caller may not grant or withdraw")]
    NotGrantable(Vec<Role>),
    /// As many members hold the role as may (DIR-011).
    #[error("as many members hold the role as may")]
    RoleLimit(Role, usize),
    /// The lead stays the lead until it hands over (DIR-011).
    #[error("the account needs its alliance lead")]
    LeadRequired,
    /// The member's status does not allow it (DIR-010).
    #[error("the status of the member does not allow it")]
    MemberStatus(MemberStatus, Action),
    /// A member has this field's value already (DIR-013).
    #[error("a member has the same value already")]
    DuplicateMember(&'static str),
    /// There is too much of something (CON-040, DIR-032).
    #[error("a limit is reached")]
    LimitExceeded(Limit, i64),
    /// The account is suspended (DIR-001).
    #[error("the account is suspended")]
    AccountSuspended,
    /// The company that invites has no profile (CON-002).
    #[error("the sender has no profile")]
    SenderProfile,
    /// The company has no profile whose visibility could be set (DIR-031).
    #[error("the company has no profile")]
    ProfileRequired,
    /// The company has not come far enough to connect (CON-005).
    #[error("the company has not come far enough in the programme")]
    Tier {
        /// How far it has come.
        tier: PartnerTier,
        /// How far it would have to.
        required: PartnerTier,
    },
    /// One of the two is linked already (CON-006).
    #[error("one of the two is linked already")]
    Linked(ParticipantType),
    /// The receiver is named in the wrong way, or is the sender (CON-002).
    #[error("the invitation names its receiver in the wrong way")]
    ReceiverNaming,
    /// The receiver does not accept invitations of this company (CON-030).
    #[error("the receiver does not accept it")]
    ReceiverRefuses,
    /// This party of the invitation may not do this (CON-010).
    #[error("the {} may not {}", .0.name(), .1.name())]
    Participant(ParticipantType, Action),
    /// The two wait for an answer already (CON-003).
    #[error("an invitation is open already")]
    DuplicateInvitation(InvitationId),
    /// The two are connected already (CON-004).
    #[error("the two are connected already")]
    DuplicateConnection(ConnectionId),
    /// The invitation is not pending any more (CON-010).
    #[error("the invitation is not pending any more")]
    IncompatibleInvitation(ConnectionInvitationStatus, Action),
    /// The connection has no active part of the type (CON-020).
    #[error("the connection has no active part of the type")]
    NotConnected,
}
