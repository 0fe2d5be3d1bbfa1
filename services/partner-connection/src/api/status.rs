//! Broken rules as failures: every rule has its reason, and the compiler sees to it.

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
    failure(Code::NotFound, reason, format!("{name} {id} does not exist")).about(kind, id)
}

/// No such account.
pub fn no_account(id: &str) -> Failure {
    not_found(ErrorReason::AccountNotFound, "account", "account", id)
}

/// No such member.
pub fn no_member(id: &str) -> Failure {
    not_found(ErrorReason::MemberNotFound, "member", "member", id)
}

/// No such public profile.
pub fn no_profile(id: &str) -> Failure {
    not_found(ErrorReason::ProfileNotFound, "profile", "profile", id)
}

/// No such invitation.
pub fn no_invitation(id: &str) -> Failure {
    let reason = ErrorReason::ConnectionInvitationNotFound;
    not_found(reason, "connection_invitation", "connection invitation", id)
}

/// No such connection.
pub fn no_connection(id: &str) -> Failure {
    not_found(ErrorReason::ConnectionNotFound, "connection", "connection", id)
}

/// Nobody can be invited like this.
pub fn no_receiver(id: &str) -> Failure {
    let reason = ErrorReason::ReceiverProfileNotFound;
    not_found(reason, "receiver", "a company that can be invited as", id)
}

/// A broken rule.
pub fn broken(rule: Rule) -> Failure {
    match rule {
        Rule::Invalid(found) => Failure::invalid(found),
        Rule::NotGrantable(roles) => {
            let roles: Vec<_> = roles.iter().map(|role| role.name()).collect();
            let roles = roles.join(", ");
            let text = format!("the caller may not grant or withdraw {roles}");
            failure(Code::PermissionDenied, ErrorReason::RoleNotGrantable, text)
                .with("roles", roles)
                .denial()
        }
        Rule::RoleLimit(role, limit) => {
            let text = format!("at most {limit} members hold {role}, and as many do");
            failure(Code::FailedPrecondition, ErrorReason::RoleLimitReached, text)
                .with("role", role)
                .with("limit", limit)
        }
        Rule::LeadRequired => {
            let text = "the account has exactly one alliance lead; the lead hands the role over first";
            failure(Code::FailedPrecondition, ErrorReason::AllianceLeadRequired, text)
        }
        Rule::MemberStatus(status, action) => {
            let text = format!(
                "{} is not possible with a member that is {}",
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
            let text = format!("another member of the account has the same {field}");
            failure(Code::AlreadyExists, ErrorReason::DuplicateMember, text).with("field", field)
        }
        Rule::LimitExceeded(limit, most) => exceeded(limit, most),
        Rule::AccountSuspended => {
            let text = "an account that is suspended takes part in nothing";
            failure(Code::FailedPrecondition, ErrorReason::InvalidAccountState, text)
        }
        Rule::SenderProfile => {
            let text =
                "The invitation was not sent: the company has no profile yet. Write it with UpdateProfile.";
            failure(Code::FailedPrecondition, ErrorReason::SenderProfileNotFound, text)
        }
        Rule::ProfileRequired => {
            let text =
                "The visibility was not set: the company has no profile yet. Write it with UpdateProfile.";
            failure(Code::FailedPrecondition, ErrorReason::ProfileRequired, text)
        }
        Rule::Tier { tier, required } => {
            let text = format!(
                "the company is {}, and it takes {} to connect",
                tier.name(),
                required.name()
            );
            failure(Code::FailedPrecondition, ErrorReason::IneligibleAccountTier, text)
                .with("tier", tier.name())
                .with("required_tier", required.name())
        }
        Rule::Linked(party) => {
            let text = match party {
                ParticipantType::Sender => "a company that is under another can have none under itself",
                ParticipantType::Receiver => {
                    "the receiver is under another company already, or has companies under itself"
                }
            };
            failure(
                Code::FailedPrecondition,
                ErrorReason::InvalidAccountLinkingStatus,
                text,
            )
            .with("participant_type", party.name())
        }
        Rule::ReceiverNaming => {
            let text = "OPPORTUNITY_COLLABORATION names another company by its profile id, SUBSIDIARY by its account id";
            let reason = ErrorReason::IncompatibleConnectionInvitationRequest;
            failure(Code::InvalidArgument, reason, text)
        }
        Rule::ReceiverRefuses => {
            let text = "the receiver does not accept invitations of this company";
            let reason = ErrorReason::IncompatibleConnectionInvitationReceiver;
            failure(Code::FailedPrecondition, reason, text)
        }
        Rule::Participant(participant, action) => {
            let text = "the receiver accepts or rejects an invitation, and the sender cancels it";
            let reason = ErrorReason::IncompatibleParticipantType;
            failure(Code::FailedPrecondition, reason, text)
                .with("participant_type", participant.name())
                .with("action", action.name())
        }
        Rule::DuplicateInvitation(id) => {
            let text = format!("{id} between the two companies waits for its answer");
            let reason = ErrorReason::DuplicateConnectionInvitation;
            failure(Code::AlreadyExists, reason, text).about("connection_invitation", id)
        }
        Rule::DuplicateConnection(id) => {
            let text = format!("{id} connects the two companies like this already");
            failure(Code::AlreadyExists, ErrorReason::DuplicateConnection, text).about("connection", id)
        }
        Rule::IncompatibleInvitation(status, action) => {
            let text = format!(
                "{} is not possible with an invitation that is {}",
                action.name(),
                status.name()
            );
            let reason = ErrorReason::IncompatibleConnectionInvitationState;
            failure(Code::FailedPrecondition, reason, text)
                .with("status", status.name())
                .with("action", action.name())
        }
        Rule::NotConnected => {
            let text = "the connection has no active part of this type";
            failure(
                Code::FailedPrecondition,
                ErrorReason::IncompatibleConnectionState,
                text,
            )
        }
    }
}

fn exceeded(limit: Limit, most: i64) -> Failure {
    let (reason, what) = match limit {
        Limit::InvitationsPerDay => (
            ErrorReason::LimitExceededNumberOfConnectionInvitationPerDay,
            "invitations a day",
        ),
        Limit::OpenInvitations => (
            ErrorReason::LimitExceededNumberOfOpenConnectionInvitation,
            "invitations that wait for an answer",
        ),
        Limit::ActiveConnections => (
            ErrorReason::LimitExceededNumberOfActiveConnection,
            "active connections",
        ),
        Limit::ProfileUpdates => (
            ErrorReason::LimitExceededNumberOfProfileUpdatePerDay,
            "changes of the profile a day",
        ),
        Limit::VisibilityUpdates => (
            ErrorReason::LimitExceededNumberOfProfileVisibilityUpdatePerDay,
            "changes of the visibility a day",
        ),
        Limit::Domains => (ErrorReason::LimitExceededNumberOfDomain, "e-mail domains"),
        Limit::Emails => (
            ErrorReason::LimitExceededNumberOfEmail,
            "invitations a day to one address",
        ),
    };
    let text = format!("an account has at most {most} {what}, and that many there are");
    failure(Code::ResourceExhausted, reason, text).with("limit", most)
}
