//! Broken rules as failures: every rule has its reason, and the compiler sees to it.

use cosell_grpc::Failure;
use cosell_proto::cosell::opportunity::v1::ErrorReason;
use cosell_store::Error;
use cosell_types::{ClosedList as _, FieldPath, Violation, ViolationCode};
use tonic::Code;

use super::RECORD;
use crate::domain::{Rule, Situation};
use crate::store;

const DOMAIN: &str = "opportunity.cosell";

fn failure(code: Code, reason: ErrorReason, message: impl Into<String>) -> Failure {
    Failure::new(code, DOMAIN, reason.as_str_name(), message)
}

/// No such record, or none that the caller may see.
pub fn not_found(id: &str) -> Failure {
    let text = format!("opportunity {id} does not exist or is not visible to the caller");
    failure(Code::NotFound, ErrorReason::OpportunityNotFound, text).about("opportunity", id)
}

/// A broken rule of this record.
pub fn broken(rule: Rule, id: &str) -> Failure {
    match rule {
        Rule::Invalid(found) => Failure::invalid(under(found)),
        Rule::RecordNotEditable(now) => {
            let text = format!("the record is not editable in review status {}", position(now));
            at(
                failure(Code::FailedPrecondition, ErrorReason::RecordNotEditable, text),
                now,
            )
            .about("opportunity", id)
        }
        Rule::FieldsNotEditable(now, found) => not_editable(now, under(found), id),
        Rule::IllegalTransition {
            situation,
            transition,
        } => {
            let text = format!(
                "{} is not possible in review status {}",
                transition.name(),
                position(situation)
            );
            at(
                failure(Code::FailedPrecondition, ErrorReason::IllegalTransition, text),
                situation,
            )
            .about("opportunity", id)
            .with("action", transition.name())
        }
        Rule::WasSubmitted(situation) => {
            let text = "DISCARD_DRAFT is only possible for a draft that was never submitted; this one was";
            at(
                failure(Code::FailedPrecondition, ErrorReason::IllegalTransition, text),
                situation,
            )
            .about("opportunity", id)
            .with("action", "DISCARD_DRAFT")
        }
    }
}

/// The result of a rule, unless something was found wrong before: then that and what the rule found, once for each
/// field.
pub fn together<T>(mut wrong: Vec<Violation>, result: Result<T, Rule>, id: &str) -> Result<T, Failure> {
    let rule = match result {
        Ok(value) if wrong.is_empty() => return Ok(value),
        Ok(_) => return Err(Failure::invalid(RECORD.with_originals(wrong))),
        Err(rule) => rule,
    };
    wrong = RECORD.with_originals(wrong);
    let mut merge = |found: Vec<Violation>| {
        for violation in under(found) {
            let known = wrong.iter().any(|known| {
                known
                    .field
                    .strip_prefix(&violation.field)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            });
            if !known {
                wrong.push(violation);
            }
        }
        std::mem::take(&mut wrong)
    };
    Err(match rule {
        Rule::Invalid(found) => Failure::invalid(merge(found)),
        Rule::FieldsNotEditable(now, found) => not_editable(now, merge(found), id),
        rule => broken(rule, id),
    })
}

fn not_editable(now: Situation, found: Vec<Violation>, id: &str) -> Failure {
    let fields: Vec<_> = found
        .iter()
        .filter(|violation| violation.code == ViolationCode::ActionNotPermitted)
        .map(|violation| violation.field.as_str())
        .collect();
    let text = format!(
        "not editable in review status {}: {}",
        position(now),
        fields.join(", ")
    );
    at(
        failure(Code::FailedPrecondition, ErrorReason::FieldNotEditable, text),
        now,
    )
    .about("opportunity", id)
    .violations(found)
}

/// A refused row: the one constraint that a caller can break, or a fault of ours.
pub fn constraint(error: Error) -> Failure {
    if !error.violates(store::PARTNER_IDENTIFIER) {
        return error.into();
    }
    let text = "another opportunity of the account has this partner_opportunity_identifier";
    let field = FieldPath::root();
    let field = field.field("opportunity.partner_opportunity_identifier");
    failure(Code::AlreadyExists, ErrorReason::PartnerIdentifierTaken, text).violations(vec![Violation::new(
        &field,
        ViolationCode::DuplicateKeyValue,
        "is taken",
    )])
}

/// A refused flag: somebody threw the draft away meanwhile, or a fault of ours.
pub fn gone(error: Error, id: &str) -> Failure {
    if error.violates(store::FLAGGED_RECORD) {
        not_found(id)
    } else {
        error.into()
    }
}

fn at(failure: Failure, now: Situation) -> Failure {
    failure
        .with("review_status", now.status.name())
        .with("stage", now.stage.name())
}

fn position(now: Situation) -> String {
    format!("{} and stage {}", now.status.name(), now.stage.name())
}

/// Paths as in the requests that carry the record. What is only a parameter of submission stays as it is.
fn under(found: Vec<Violation>) -> Vec<Violation> {
    let parameter = |field: &str| matches!(field, "involvement_type" | "visibility");
    let found = found
        .into_iter()
        .map(|violation| {
            if parameter(&violation.field) {
                violation
            } else {
                violation.under(RECORD.field)
            }
        })
        .collect();
    RECORD.with_originals(found)
}
