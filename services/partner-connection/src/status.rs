//! Maps violated rules to errors. The match is exhaustive, so every rule has a reason.

use cosell_grpc::Failure;
use cosell_proto::cosell::partner::v1::ErrorReason;
use cosell_types::{ClosedList as _, ParticipantType};
use tonic::Code;

use crate::domain::{Limit, Rule};

const DOMAIN: &str = "partner.cosell";

fn failure(code: Code, reason: ErrorReason, message: impl Into<String>) -> Failure {
    Failure::new(code, DOMAIN, reason.as_str_name(), message)
}

fn not_found(reason: ErrorReason, kind: &'static str, name: &str, id: &str) -> Failure {
    let text = format!("{name} {id} does not exist, or the caller has no access to it.");
    failure(Code::NotFound, reason, text).with_resource(kind, id)
}

/// The account does not exist, or the caller has no access to it.
pub fn account_not_found(id: &str) -> Failure {
    not_found(ErrorReason::AccountNotFound, "account", "Account", id)
}

/// The member does not exist, or the caller has no access to it.
pub fn member_not_found(id: &str) -> Failure {
    not_found(ErrorReason::MemberNotFound, "member", "Member", id)
}

/// The profile does not exist or is not public.
pub fn profile_not_found(id: &str) -> Failure {
    let text = format!("Profile {id} does not exist or is not public.");
    failure(Code::NotFound, ErrorReason::ProfileNotFound, text).with_resource("profile", id)
}

/// The invitation does not exist, or the caller's account is not a party to it.
pub fn invitation_not_found(id: &str) -> Failure {
    let reason = ErrorReason::ConnectionInvitationNotFound;
    not_found(reason, "connection_invitation", "Connection invitation", id)
}

/// The connection does not exist, or the caller's account is not a party to it.
pub fn connection_not_found(id: &str) -> Failure {
    not_found(ErrorReason::ConnectionNotFound, "connection", "Connection", id)
}

/// No partner account can be invited by this profile or account id.
pub fn receiver_not_found(id: &str) -> Failure {
    let text = format!(
        "The invitation was not sent: {id} is neither a public profile nor a partner account that can be \
         invited. Check `receiver_id`."
    );
    failure(Code::NotFound, ErrorReason::ReceiverProfileNotFound, text).with_resource("receiver", id)
}

/// The error for a violated rule.
pub fn rule_violated(rule: Rule) -> Failure {
    match rule {
        Rule::Invalid(violations) => Failure::invalid(violations),
        Rule::NotGrantable(roles) => {
            let roles: Vec<_> = roles.iter().map(|role| role.name()).collect();
            let roles = roles.join(", ");
            let text = format!(
                "The change was refused: the caller may not grant or withdraw {roles}. Leave these roles \
                 unchanged, or ask the alliance lead."
            );
            failure(Code::PermissionDenied, ErrorReason::RoleNotGrantable, text)
                .with("roles", roles)
                .as_denial()
        }
        Rule::RoleLimit(role, limit) => {
            let text = format!(
                "The account has reached its limit of {limit} for members with the role {role}. Withdraw the \
                 role from another member first."
            );
            failure(Code::FailedPrecondition, ErrorReason::RoleLimitReached, text)
                .with("role", role)
                .with("limit", limit)
        }
        Rule::AllianceLeadRequired => {
            let text = "The alliance lead cannot lose the role or be deactivated: an account must have exactly \
                        one. Transfer the role with TransferAllianceLead first.";
            failure(Code::FailedPrecondition, ErrorReason::AllianceLeadRequired, text)
        }
        Rule::IncompatibleMemberStatus(status, action) => {
            let text = format!(
                "The action {} is not permitted for a member in status {}.",
                action.name(),
                status.name()
            );
            failure(
                Code::FailedPrecondition,
                ErrorReason::IncompatibleMemberStatus,
                text,
            )
            .with("status", status.name())
            .with("action", action.name())
        }
        Rule::DuplicateMember(field) => {
            let text = format!(
                "The value of `{field}` is not available: another member of the account has it, or it is \
                 reserved. Use another value."
            );
            failure(Code::AlreadyExists, ErrorReason::DuplicateMember, text).with("field", field)
        }
        Rule::LimitExceeded(limit, max) => limit_exceeded(limit, max),
        Rule::AccountSuspended => {
            let text = "The change was refused: one of the two accounts is suspended. Only the operator can \
                        reinstate it.";
            failure(Code::FailedPrecondition, ErrorReason::InvalidAccountState, text)
        }
        Rule::SenderProfileRequired => {
            let text = "The invitation was not sent: the account has no profile. Create it with UpdateProfile first.";
            failure(Code::FailedPrecondition, ErrorReason::SenderProfileNotFound, text)
        }
        Rule::ProfileRequired => {
            let text =
                "The visibility was not set: the account has no profile. Create it with UpdateProfile first.";
            failure(Code::FailedPrecondition, ErrorReason::ProfileRequired, text)
        }
        Rule::IneligibleTier { tier, required } => {
            let text = format!(
                "The invitation was not sent: the account has the partner tier {}, and connections require {}.",
                tier.name(),
                required.name()
            );
            failure(Code::FailedPrecondition, ErrorReason::IneligibleAccountTier, text)
                .with("tier", tier.name())
                .with("required_tier", required.name())
        }
        Rule::AlreadyLinked(party) => {
            let text = match party {
                ParticipantType::Sender => {
                    "A subsidiary cannot have subsidiaries: the sender has an active SUBSIDIARY connection to \
                     its parent. Cancel that connection first."
                }
                ParticipantType::Receiver => {
                    "The receiver cannot become a subsidiary: it has an active SUBSIDIARY connection to a \
                     parent or to subsidiaries of its own. Cancel that connection first."
                }
            };
            failure(
                Code::FailedPrecondition,
                ErrorReason::InvalidAccountLinkingStatus,
                text,
            )
            .with("participant_type", party.name())
        }
        Rule::InvalidReceiverId => {
            let text = "The invitation was not sent: `receiver_id` must identify another account, by its \
                        profile id for OPPORTUNITY_COLLABORATION and by its account id for SUBSIDIARY.";
            let reason = ErrorReason::IncompatibleConnectionInvitationRequest;
            failure(Code::InvalidArgument, reason, text)
        }
        Rule::InvitationNotAdmitted => {
            let text =
                "The invitation was not sent: the receiver does not accept invitations from this account.";
            let reason = ErrorReason::IncompatibleConnectionInvitationReceiver;
            failure(Code::FailedPrecondition, reason, text)
        }
        Rule::IncompatibleParticipant(participant, action) => {
            let text =
                "Only the receiver can accept or reject an invitation, and only the sender can cancel it.";
            let reason = ErrorReason::IncompatibleParticipantType;
            failure(Code::FailedPrecondition, reason, text)
                .with("participant_type", participant.name())
                .with("action", action.name())
        }
        Rule::DuplicateInvitation(id) => {
            let text = format!(
                "The invitation was not sent: invitation {id} of this type between the two accounts is still \
                 pending."
            );
            let reason = ErrorReason::DuplicateConnectionInvitation;
            failure(Code::AlreadyExists, reason, text).with_resource("connection_invitation", id)
        }
        Rule::DuplicateConnection(id) => {
            let text = format!("The two accounts already have the active connection {id} of this type.");
            failure(Code::AlreadyExists, ErrorReason::DuplicateConnection, text)
                .with_resource("connection", id)
        }
        Rule::IncompatibleInvitationStatus(status, action) => {
            let text = format!(
                "The action {} is not permitted for an invitation in status {}.",
                action.name(),
                status.name()
            );
            let reason = ErrorReason::IncompatibleConnectionInvitationState;
            failure(Code::FailedPrecondition, reason, text)
                .with("status", status.name())
                .with("action", action.name())
        }
        Rule::ConnectionTypeNotActive => {
            let text = "The connection was not canceled: this type of the connection is not active.";
            failure(
                Code::FailedPrecondition,
                ErrorReason::IncompatibleConnectionState,
                text,
            )
        }
    }
}

fn limit_exceeded(limit: Limit, max: i64) -> Failure {
    let (reason, what) = match limit {
        Limit::InvitationsPerDay => (
            ErrorReason::LimitExceededNumberOfConnectionInvitationPerDay,
            "connection invitations a day (UTC)",
        ),
        Limit::OpenInvitations => (
            ErrorReason::LimitExceededNumberOfOpenConnectionInvitation,
            "pending connection invitations",
        ),
        Limit::ActiveConnections => (
            ErrorReason::LimitExceededNumberOfActiveConnection,
            "active connections",
        ),
        Limit::ProfileUpdatesPerDay => (
            ErrorReason::LimitExceededNumberOfProfileUpdatePerDay,
            "profile updates a day (UTC)",
        ),
        Limit::VisibilityUpdatesPerDay => (
            ErrorReason::LimitExceededNumberOfProfileVisibilityUpdatePerDay,
            "changes of the profile's visibility a day (UTC)",
        ),
        Limit::EmailDomains => (
            ErrorReason::LimitExceededNumberOfDomain,
            "e-mail domains of its members",
        ),
        Limit::EmailsPerDay => (
            ErrorReason::LimitExceededNumberOfEmail,
            "invitations to one e-mail address a day (UTC)",
        ),
    };
    let account = match limit {
        Limit::ActiveConnections => "One of the two accounts",
        _ => "The account",
    };
    let text = format!("{account} has reached its limit of {max} {what}.");
    failure(Code::ResourceExhausted, reason, text).with("limit", max)
}
