//! Failures of this service: one constructor per missing record, and the mapping of each violated rule to its reason.

use cosell_grpc::Failure;
use cosell_proto::cosell::collaboration::v1::ErrorReason;
use cosell_types::ClosedList as _;
use tonic::Code;

use crate::domain::values::EngagementMemberState;
use crate::domain::{Channel, MAX_MEMBERS, MemberRef, Rule};

const DOMAIN: &str = "collaboration.cosell";

fn failure(code: Code, reason: ErrorReason, message: impl Into<String>) -> Failure {
    Failure::new(code, DOMAIN, reason.as_str_name(), message)
}

/// The same for a record that does not exist and for one that the caller has no access to. `label` names the kind of
/// the record in the message.
fn not_found(reason: ErrorReason, (kind, label): (&'static str, &str), id: &str) -> Failure {
    let text = format!("{label} {id} does not exist or is not visible to the caller.");
    failure(Code::NotFound, reason, text).with_resource(kind, id)
}

pub fn opportunity_not_found(id: &str) -> Failure {
    let kind = ("opportunity", "Opportunity");
    not_found(ErrorReason::OpportunityNotFound, kind, id)
}

pub fn engagement_not_found(id: &str) -> Failure {
    let kind = ("engagement", "Engagement");
    not_found(ErrorReason::EngagementNotFound, kind, id)
}

pub fn invitation_not_found(id: &str) -> Failure {
    let kind = ("engagement_invitation", "Engagement invitation");
    not_found(ErrorReason::EngagementInvitationNotFound, kind, id)
}

pub fn snapshot_not_found(opportunity: &str) -> Failure {
    let text = format!(
        "The snapshot of opportunity {opportunity} does not exist or is not visible to the caller. List the \
         snapshots with ListResourceSnapshots."
    );
    failure(Code::NotFound, ErrorReason::SnapshotNotFound, text).with_resource("opportunity", opportunity)
}

pub fn channel_not_found(id: &str) -> Failure {
    let kind = ("channel", "Channel");
    not_found(ErrorReason::ChannelNotFound, kind, id)
}

pub fn job_not_found(id: &str) -> Failure {
    let kind = ("snapshot_job", "Snapshot job");
    not_found(ErrorReason::SnapshotJobNotFound, kind, id)
}

/// JOIN or LEAVE of a caller who is not a member of the channel, or whose state does not permit it. The caller has
/// access to the channel, so this is not recorded as a denial.
pub fn member_transition_refused(channel: &Channel, caller: &MemberRef, action: &'static str) -> Failure {
    match channel.member(caller) {
        Some(member) => rule_violated(Rule::IllegalTransition {
            state: member.state.name(),
            action,
        }),
        None => {
            let id = channel.id();
            let text = format!("The caller is not a member of channel {id}.");
            failure(Code::NotFound, ErrorReason::ChannelNotFound, text).with("channel_id", id)
        }
    }
}

/// The failure for a violated rule.
pub fn rule_violated(rule: Rule) -> Failure {
    match rule {
        Rule::Invalid(violations) => Failure::invalid(violations),
        Rule::IllegalTransition { state, action } => {
            let text = format!("Action {action} is not permitted in state {state}.");
            failure(Code::FailedPrecondition, ErrorReason::IllegalTransition, text)
                .with("state", state)
                .with("action", action)
        }
        Rule::NotShareable(id, cause) => {
            let text = format!("Opportunity {id} cannot be shared: {cause}.");
            failure(Code::FailedPrecondition, ErrorReason::NotShareable, text)
                .with_resource("opportunity", id)
                .with("cause", cause)
        }
        Rule::NotConnected(account) => {
            let text = format!(
                "The caller's account has no active OPPORTUNITY_COLLABORATION connection with account {account}, or \
                 that account is not an active partner account. Connect the accounts first."
            );
            failure(Code::FailedPrecondition, ErrorReason::NotConnected, text).with("account_id", account)
        }
        Rule::AlreadyInvolved(account, state) => {
            let text = match state {
                EngagementMemberState::Invited => {
                    format!("Account {account} has already been invited to this engagement.")
                }
                _ => format!("Account {account} is already a member of this engagement."),
            };
            failure(Code::AlreadyExists, ErrorReason::AlreadyInvolved, text)
                .with("account_id", account)
                .with("state", state.name())
        }
        Rule::TooManyMembers { present } => {
            let text = format!(
                "The engagement has reached its limit of {MAX_MEMBERS} accounts, including those with a pending \
                 invitation."
            );
            failure(Code::FailedPrecondition, ErrorReason::TooManyMembers, text)
                .with("limit", MAX_MEMBERS)
                .with("present", present)
        }
        Rule::TooManyContexts { limit } => {
            let text = format!(
                "The engagement has reached its limit of {limit} contexts. Update an existing context."
            );
            failure(Code::FailedPrecondition, ErrorReason::TooManyContexts, text).with("limit", limit)
        }
        Rule::ContextNotFound(id) => {
            let text = format!("The engagement has no context {id}.");
            failure(Code::NotFound, ErrorReason::ContextNotFound, text).with("context_id", id)
        }
        Rule::MemberNotFound(account) => {
            let text = format!("Account {account} is not a member of the engagement.");
            failure(Code::NotFound, ErrorReason::EngagementMemberNotFound, text).with("account_id", account)
        }
        Rule::NotEligible(id, cause) => {
            let text = format!("Opportunity {id} is not eligible for a channel: {cause}.");
            failure(Code::FailedPrecondition, ErrorReason::NotEligible, text)
                .with_resource("opportunity", id)
                .with("cause", cause)
        }
        Rule::ChannelExists(id) => {
            let text = format!("The opportunity already has a channel: {id}. Use that channel.");
            failure(Code::AlreadyExists, ErrorReason::ChannelExists, text).with("channel_id", id)
        }
        Rule::SnapshotJobExists(id) => {
            let text = format!(
                "The engagement already has a snapshot job for this opportunity and template: {id}. Use that job."
            );
            failure(Code::AlreadyExists, ErrorReason::SnapshotJobExists, text).with("snapshot_job_id", id)
        }
    }
}
