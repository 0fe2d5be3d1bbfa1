//! Broken rules as failures: every rule has its reason, and the compiler sees to it.

use cosell_grpc::Failure;
use cosell_proto::cosell::collaboration::v1::ErrorReason;
use cosell_types::ClosedList as _;
use tonic::Code;

use crate::domain::{Channel, MOST_MEMBERS, Person, Rule};

const DOMAIN: &str = "collaboration.cosell";

fn failure(code: Code, reason: ErrorReason, message: impl Into<String>) -> Failure {
    Failure::new(code, DOMAIN, reason.as_str_name(), message)
}

/// There is none, or none that the caller may see.
fn not_found(reason: ErrorReason, kind: &'static str, id: &str) -> Failure {
    let text = format!("{} {id} does not exist", kind.replace('_', " "));
    failure(Code::NotFound, reason, text).about(kind, id)
}

/// No such opportunity.
pub fn opportunity_not_found(id: &str) -> Failure {
    not_found(ErrorReason::OpportunityNotFound, "opportunity", id)
}

/// No such engagement.
pub fn engagement_not_found(id: &str) -> Failure {
    not_found(ErrorReason::EngagementNotFound, "engagement", id)
}

/// No such invitation.
pub fn invitation_not_found(id: &str) -> Failure {
    not_found(
        ErrorReason::EngagementInvitationNotFound,
        "engagement_invitation",
        id,
    )
}

/// No such snapshot.
pub fn snapshot_not_found(opportunity: &str) -> Failure {
    let text = format!("there is no such snapshot of opportunity {opportunity}");
    failure(Code::NotFound, ErrorReason::SnapshotNotFound, text).about("opportunity", opportunity)
}

/// No such channel.
pub fn channel_not_found(id: &str) -> Failure {
    not_found(ErrorReason::ChannelNotFound, "channel", id)
}

/// A person cannot do this in a channel: it is not one of its people, or stands where that is not possible.
pub fn not_moved(channel: &Channel, who: &Person, action: &'static str) -> Failure {
    match channel.member(who) {
        Some(present) => broken(Rule::IllegalTransition {
            state: present.state.name(),
            action,
        }),
        None => channel_not_found(channel.id().as_str()),
    }
}

/// No such job.
pub fn job_not_found(id: &str) -> Failure {
    not_found(ErrorReason::SnapshotJobNotFound, "snapshot_job", id)
}

/// A broken rule.
pub fn broken(rule: Rule) -> Failure {
    match rule {
        Rule::Invalid(found) => Failure::invalid(found),
        Rule::IllegalTransition { state, action } => {
            let text = format!("{action} is not possible in state {state}");
            failure(Code::FailedPrecondition, ErrorReason::IllegalTransition, text)
                .with("state", state)
                .with("action", action)
        }
        Rule::NotShareable(id, cause) => {
            let text = format!("opportunity {id} cannot be shared: {cause}");
            failure(Code::FailedPrecondition, ErrorReason::NotShareable, text)
                .about("opportunity", id)
                .with("cause", cause)
        }
        Rule::NotConnected(account) => {
            let text = format!("there is no active connection with {account}");
            failure(Code::FailedPrecondition, ErrorReason::NotConnected, text).with("account_id", account)
        }
        Rule::AlreadyInvolved(account, state) => {
            let text = format!("{account} is in state {} already", state.name());
            failure(Code::AlreadyExists, ErrorReason::AlreadyInvolved, text)
                .with("account_id", account)
                .with("state", state.name())
        }
        Rule::TooManyMembers { present } => {
            let text =
                format!("an engagement has at most {MOST_MEMBERS} companies, with those that are invited");
            failure(Code::FailedPrecondition, ErrorReason::TooManyMembers, text)
                .with("limit", MOST_MEMBERS)
                .with("present", present)
        }
        Rule::TooManyContexts { limit } => {
            let text = format!("an engagement has at most {limit} contexts");
            failure(Code::FailedPrecondition, ErrorReason::TooManyContexts, text).with("limit", limit)
        }
        Rule::NoContext(id) => {
            let text = format!("the engagement has no context {id}");
            failure(Code::NotFound, ErrorReason::ContextNotFound, text).with("context_id", id)
        }
        Rule::NoMember(account) => {
            let text = format!("{account} is not part of the engagement");
            failure(Code::NotFound, ErrorReason::EngagementMemberNotFound, text).with("account_id", account)
        }
        Rule::NotEligible(id, cause) => {
            let text = format!("opportunity {id} gets no channel: {cause}");
            failure(Code::FailedPrecondition, ErrorReason::NotEligible, text)
                .about("opportunity", id)
                .with("cause", cause)
        }
        Rule::ChannelExists(id) => {
            let text = format!("there is the channel {id} for it");
            failure(Code::AlreadyExists, ErrorReason::ChannelExists, text).with("channel_id", id)
        }
        Rule::JobExists(id) => {
            let text = format!("there is the job {id} for it");
            failure(Code::AlreadyExists, ErrorReason::SnapshotJobExists, text).with("snapshot_job_id", id)
        }
    }
}
