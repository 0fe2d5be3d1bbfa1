//! Converts violated rules to failures, each with its reason.

use cosell_grpc::Failure;
use cosell_proto::cosell::review::v1::ErrorReason;
use cosell_types::ClosedList as _;
use tonic::Code;

use crate::domain::Rule;

const DOMAIN: &str = "review.cosell";

fn failure(code: Code, reason: ErrorReason, message: impl Into<String>) -> Failure {
    Failure::new(code, DOMAIN, reason.as_str_name(), message)
}

/// The failure of a call on a case that does not exist.
pub fn not_found(id: &str) -> Failure {
    failure(
        Code::NotFound,
        ErrorReason::ReviewCaseNotFound,
        format!("Review case {id} does not exist."),
    )
    .with_resource("review_case", id)
}

/// The failure of an action on this case that violates the rule.
pub fn rule_violated(rule: Rule, id: &str) -> Failure {
    match rule {
        Rule::Invalid(violations) => Failure::invalid(violations),
        Rule::IllegalTransition { state, action } => {
            let text = format!(
                "{} is not allowed on review case {id}: its state is {}. Read the case to see what has changed.",
                action.name(),
                state.name()
            );
            failure(Code::FailedPrecondition, ErrorReason::IllegalTransition, text)
                .with_resource("review_case", id)
                .with("state", state.name())
                .with("action", action.name())
        }
        Rule::NotClaimed => {
            let text =
                format!("Review case {id} cannot be started or decided: it is unclaimed. Claim it first.");
            failure(Code::FailedPrecondition, ErrorReason::CaseNotClaimed, text)
                .with_resource("review_case", id)
        }
        Rule::ClaimedByAnother(assignee) => {
            let text = format!(
                "The action on review case {id} is not allowed: {assignee} has claimed the case. Claim it with \
                 take_over, or leave it to that reviewer."
            );
            failure(Code::FailedPrecondition, ErrorReason::CaseClaimedByAnother, text)
                .with_resource("review_case", id)
                .with("assignee_member_id", assignee)
        }
    }
}
