//! Broken rules as failures: every rule has its reason, and the compiler sees to it.

use cosell_grpc::Failure;
use cosell_proto::cosell::review::v1::ErrorReason;
use cosell_types::ClosedList as _;
use tonic::Code;

use crate::domain::Rule;

const DOMAIN: &str = "review.cosell";

fn failure(code: Code, reason: ErrorReason, message: impl Into<String>) -> Failure {
    Failure::new(code, DOMAIN, reason.as_str_name(), message)
}

/// No such case.
pub fn not_found(id: &str) -> Failure {
    failure(
        Code::NotFound,
        ErrorReason::ReviewCaseNotFound,
        format!("review case {id} does not exist"),
    )
    .about("review_case", id)
}

/// A broken rule of this case.
pub fn broken(rule: Rule, id: &str) -> Failure {
    match rule {
        Rule::Invalid(found) => Failure::invalid(found),
        Rule::IllegalTransition { state, action } => {
            let text = format!("{} is not possible in state {}", action.name(), state.name());
            failure(Code::FailedPrecondition, ErrorReason::IllegalTransition, text)
                .about("review_case", id)
                .with("state", state.name())
                .with("action", action.name())
        }
        Rule::NotClaimed => {
            let text = "nobody has claimed the case; claim it first";
            failure(Code::FailedPrecondition, ErrorReason::CaseNotClaimed, text).about("review_case", id)
        }
        Rule::ClaimedByAnother(assignee) => {
            let text =
                format!("{assignee} has claimed the case; claim it with take_over, or leave it to them");
            failure(Code::FailedPrecondition, ErrorReason::CaseClaimedByAnother, text)
                .about("review_case", id)
                .with("assignee_member_id", assignee)
        }
    }
}
