//! Broken rules as failures: every rule has its reason, and the compiler sees to it.

use cosell_grpc::{Failure, Record};
use cosell_proto::cosell::opportunity::v1::ErrorReason;
use cosell_store::Error;
use cosell_types::{ClosedList as _, FieldPath, Violation, ViolationCode};
use tonic::Code;

use super::RECORD;
use crate::domain::{Opportunity, Rule, Situation};
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

/// The opportunity has no AWS summary yet (OPP-051).
pub fn not_approved(record: &Opportunity) -> Failure {
    let now = record.situation();
    let text = format!(
        "the opportunity has no AWS summary in review status {}, only once it is APPROVED",
        now.status.name()
    );
    let reason = ErrorReason::OpportunityNotApproved;
    at(failure(Code::FailedPrecondition, reason, text), now).about("opportunity", record.id())
}

/// No such job, or none that the caller may see.
pub fn no_operation(name: &str) -> Failure {
    let text = format!("operation {name} does not exist or is not visible to the caller");
    failure(Code::NotFound, ErrorReason::OperationNotFound, text).about_named("operation", name)
}

/// A job that runs, and so cannot be removed.
pub fn operation_running(name: &str) -> Failure {
    let text = format!("operation {name} is running: cancel it first");
    failure(Code::FailedPrecondition, ErrorReason::OperationRunning, text).about_named("operation", name)
}

/// A list that has another number of records than was thought.
pub fn count_mismatch(count: i64) -> Failure {
    let text =
        format!("the list has {count} records: state this number as expected_count if all of them are meant");
    failure(Code::FailedPrecondition, ErrorReason::CountMismatch, text).with("count", count)
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
        Rule::NotPossible { situation, action } => {
            let text = format!(
                "{action} is not possible in review status {}",
                position(situation)
            );
            at(
                failure(Code::FailedPrecondition, ErrorReason::IllegalTransition, text),
                situation,
            )
            .about("opportunity", id)
            .with("action", action)
        }
        Rule::NoSubsidiary => {
            let text = "the entity belongs to an account with which no SUBSIDIARY connection is in force";
            let reason = ErrorReason::MissingActiveSubsidiaryConnection;
            failure(Code::FailedPrecondition, reason, text)
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
pub fn together<T>(wrong: Vec<Violation>, result: Result<T, Rule>, id: &str) -> Result<T, Failure> {
    let rule = match result {
        Ok(value) if wrong.is_empty() => return Ok(value),
        Ok(_) => return Err(Failure::invalid(RECORD.with_originals(wrong))),
        Err(rule) => rule,
    };
    Err(match rule {
        Rule::Invalid(found) => Failure::invalid(merged(RECORD, wrong, under(found))),
        Rule::FieldsNotEditable(now, found) => not_editable(now, merged(RECORD, wrong, under(found)), id),
        rule => broken(rule, id),
    })
}

/// What the rules of a record found wrong with it, beside what was found before: once for each field.
pub fn merged(record: Record, wrong: Vec<Violation>, found: Vec<Violation>) -> Vec<Violation> {
    let mut wrong = record.with_originals(wrong);
    for violation in found {
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
    record.with_originals(wrong)
}

fn not_editable(now: Situation, found: Vec<Violation>, id: &str) -> Failure {
    let fields: Vec<_> = found
        .iter()
        .filter(|violation| violation.code == ViolationCode::ActionNotPermitted)
        .map(|violation| violation.field.as_str())
        .collect();
    let position = position(now);
    let text = if fields.is_empty() {
        format!("not editable in review status {position}")
    } else {
        format!("not editable in review status {position}: {}", fields.join(", "))
    };
    at(
        failure(Code::FailedPrecondition, ErrorReason::FieldNotEditable, text),
        now,
    )
    .about("opportunity", id)
    .violations(found)
}

/// A refused row: one of the constraints that a caller can break, or a fault of ours.
pub fn constraint(error: Error) -> Failure {
    if error.violates(store::PARTNER_IDENTIFIER) {
        let text = "another opportunity of the account has this partner_opportunity_identifier";
        let at = "opportunity.partner_opportunity_identifier";
        taken(ErrorReason::PartnerIdentifierTaken, text, at)
    } else if error.violates(store::MARKETPLACE_OFFER) {
        let text = "One AWS Marketplace offer can only be associated with one opportunity. This offer is already \
                    associated with another opportunity, try a different offer ID.";
        taken(ErrorReason::MarketplaceOfferTaken, text, "entity_identifier")
    } else {
        error.into()
    }
}

fn taken(reason: ErrorReason, text: &str, at: &str) -> Failure {
    let root = FieldPath::root();
    let violation = Violation::new(&root.field(at), ViolationCode::DuplicateKeyValue, "is taken");
    failure(Code::AlreadyExists, reason, text).violations(vec![violation])
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
    let parameter = |field: &str| matches!(field, "involvement_type" | "visibility" | "entity_identifier");
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
