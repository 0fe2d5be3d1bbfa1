//! Maps violated rules and missing records to gRPC errors. The match over `Rule` is exhaustive, so every rule has a
//! reason.

use chrono::SecondsFormat;
use cosell_grpc::{Failure, RecordField};
use cosell_proto::cosell::opportunity::v1::ErrorReason;
use cosell_store::Error;
use cosell_types::{ClosedList as _, FieldPath, Violation, ViolationCode, contains_path};
use tonic::Code;

use crate::domain::{LifecycleState, Opportunity, Rule, partner_central};
use crate::store;

/// The field of requests that carry an opportunity.
pub const RECORD: RecordField = RecordField {
    field: "opportunity",
    partner_central_path: partner_central::field_path,
};

/// The field of requests that carry an AWS summary.
pub const SUMMARY: RecordField = RecordField {
    field: "aws_opportunity_summary",
    partner_central_path: partner_central::field_path,
};

const DOMAIN: &str = "opportunity.cosell";

fn failure(code: Code, reason: ErrorReason, message: impl Into<String>) -> Failure {
    Failure::new(code, DOMAIN, reason.as_str_name(), message)
}

/// The opportunity does not exist or is not visible to the caller.
pub fn not_found(id: &str) -> Failure {
    let text = format!("Opportunity {id} does not exist or is not visible to the caller.");
    failure(Code::NotFound, ErrorReason::OpportunityNotFound, text).with_resource("opportunity", id)
}

/// The opportunity has no AWS summary yet (OPP-051).
pub fn not_approved(record: &Opportunity) -> Failure {
    let state = record.lifecycle_state();
    let text = format!(
        "The opportunity has no AWS summary in review status {}: it has one once it is APPROVED.",
        state.status.name()
    );
    let reason = ErrorReason::OpportunityNotApproved;
    with_state(failure(Code::FailedPrecondition, reason, text), state)
        .with_resource("opportunity", record.id())
}

/// The job does not exist or is not visible to the caller.
pub fn operation_not_found(name: &str) -> Failure {
    let text = format!("Operation {name} does not exist or is not visible to the caller.");
    failure(Code::NotFound, ErrorReason::OperationNotFound, text).with_named_resource("operation", name)
}

/// The job cannot be deleted while it is running.
pub fn operation_running(name: &str) -> Failure {
    let text = format!("Operation {name} cannot be deleted: it is running. Cancel it first.");
    failure(Code::FailedPrecondition, ErrorReason::OperationRunning, text)
        .with_named_resource("operation", name)
}

/// The list has another number of opportunities than the request expects.
pub fn count_mismatch(count: i64) -> Failure {
    let text = format!(
        "The list was not transferred: it has {count} opportunities, not expected_count. State {count} as \
         expected_count to transfer all of them."
    );
    failure(Code::FailedPrecondition, ErrorReason::CountMismatch, text).with("count", count)
}

/// The rule that the request violates for this opportunity.
pub fn rule_violated(rule: Rule, id: &str) -> Failure {
    match rule {
        Rule::Invalid(violations) => Failure::invalid(with_request_paths(violations)),
        Rule::RecordNotEditable(state) => {
            let text = format!(
                "The opportunity is not editable in review status {}.",
                status_and_stage(state)
            );
            with_state(
                failure(Code::FailedPrecondition, ErrorReason::RecordNotEditable, text),
                state,
            )
            .with_resource("opportunity", id)
        }
        Rule::FieldsNotEditable(state, violations) => {
            fields_not_editable(state, with_request_paths(violations), id)
        }
        Rule::ActionNotAllowed { state, action } => {
            let text = format!(
                "{action} is not allowed in review status {}.",
                status_and_stage(state)
            );
            with_state(
                failure(Code::FailedPrecondition, ErrorReason::IllegalTransition, text),
                state,
            )
            .with_resource("opportunity", id)
            .with("action", action)
        }
        Rule::CorrectionPeriodEnded { close_time, days } => {
            let close_time = close_time.to_rfc3339_opts(SecondsFormat::Secs, true);
            let text = format!(
                "CORRECT_CLOSED is not allowed: the opportunity was closed at {close_time}, more than {days} days ago. \
                 Ask AWS to reopen it."
            );
            failure(Code::FailedPrecondition, ErrorReason::CorrectionPeriodEnded, text)
                .with_resource("opportunity", id)
                .with("close_time", close_time)
                .with("correction_days", days)
        }
        Rule::NoSubsidiary => {
            let text = "The entity was not associated: it belongs to an account without an active SUBSIDIARY \
                        connection to this account.";
            let reason = ErrorReason::MissingActiveSubsidiaryConnection;
            failure(Code::FailedPrecondition, reason, text)
        }
        Rule::AlreadySubmitted(state) => {
            let text = "DISCARD_DRAFT is not allowed: the draft was submitted before. Only a draft that was never \
                        submitted can be discarded.";
            with_state(
                failure(Code::FailedPrecondition, ErrorReason::IllegalTransition, text),
                state,
            )
            .with_resource("opportunity", id)
            .with("action", "DISCARD_DRAFT")
        }
    }
}

/// The result of a command, unless the request itself has violations. Reports those and the violations of the rules
/// together, at most one for each field.
pub fn ok_or_violations<T>(
    violations: Vec<Violation>,
    result: Result<T, Rule>,
    id: &str,
) -> Result<T, Failure> {
    let rule = match result {
        Ok(value) if violations.is_empty() => return Ok(value),
        Ok(_) => return Err(Failure::invalid(RECORD.with_partner_central_fields(violations))),
        Err(rule) => rule,
    };
    let merge = |of_rule| merge_violations(RECORD, violations, with_request_paths(of_rule));
    Err(match rule {
        Rule::Invalid(of_rule) => Failure::invalid(merge(of_rule)),
        Rule::FieldsNotEditable(state, of_rule) => fields_not_editable(state, merge(of_rule), id),
        rule => rule_violated(rule, id),
    })
}

/// Adds the violations of the domain rules to those of the request, at most one for each field.
pub fn merge_violations(
    record: RecordField,
    of_request: Vec<Violation>,
    of_rules: Vec<Violation>,
) -> Vec<Violation> {
    let mut violations = record.with_partner_central_fields(of_request);
    for violation in of_rules {
        // A rule about a whole list says something else than a violation in one of its elements.
        let is_reported = violations.iter().any(|reported| {
            contains_path(&violation.field, &reported.field)
                && !reported.field[violation.field.len()..].starts_with('[')
        });
        if !is_reported {
            violations.push(violation);
        }
    }
    record.with_partner_central_fields(violations)
}

fn fields_not_editable(state: LifecycleState, violations: Vec<Violation>, id: &str) -> Failure {
    let fields: Vec<_> = violations
        .iter()
        .filter(|violation| violation.code == ViolationCode::ActionNotPermitted)
        .map(|violation| violation.field.as_str())
        .collect();
    let state_text = status_and_stage(state);
    let text = if fields.is_empty() {
        format!("The field is not editable in review status {state_text}.")
    } else {
        let count = fields.len();
        let named = fields.iter().take(3).copied().collect::<Vec<_>>().join(", ");
        let more = if count > 3 {
            " and others in the details"
        } else {
            ""
        };
        format!("Fields are not editable in review status {state_text}: {named}{more}.")
    };
    with_state(
        failure(Code::FailedPrecondition, ErrorReason::FieldNotEditable, text),
        state,
    )
    .with_resource("opportunity", id)
    .violations(violations)
}

/// Maps a refused write: a unique key that another opportunity has, or an internal error.
pub fn constraint_violation(error: Error) -> Failure {
    let violates = |index: &&str| error.violates(index);
    if store::PARTNER_IDENTIFIER_INDEXES.iter().any(violates) {
        let text = "Another opportunity of the account has this partner_opportunity_identifier.";
        let at = "opportunity.partner_opportunity_identifier";
        // `write.rs` names the opportunity where the caller has access to it.
        duplicate_key(ErrorReason::PartnerIdentifierTaken, text, at).with("opportunity_id", "")
    } else if error.violates(store::MARKETPLACE_OFFER_INDEX) {
        // The error text of AWS Partner Central's API.
        let text = "One AWS Marketplace offer can only be associated with one opportunity. This offer is already \
                    associated with another opportunity, try a different offer ID.";
        duplicate_key(ErrorReason::MarketplaceOfferTaken, text, "entity_identifier")
    } else {
        error.into()
    }
}

fn duplicate_key(reason: ErrorReason, text: &str, at: &str) -> Failure {
    let root = FieldPath::root();
    let description = "Is used by another opportunity of the account.";
    let violation = Violation::new(&root.field(at), ViolationCode::DuplicateKeyValue, description);
    failure(Code::AlreadyExists, reason, text).violations(vec![violation])
}

/// Maps a refused flag: the draft was discarded concurrently, or an internal error.
pub fn flag_failure(error: Error, id: &str) -> Failure {
    if error.violates(store::FLAGGED_RECORD_CONSTRAINT) {
        not_found(id)
    } else {
        error.into()
    }
}

fn with_state(failure: Failure, state: LifecycleState) -> Failure {
    failure
        .with("review_status", state.status.name())
        .with("stage", state.stage.name())
}

fn status_and_stage(state: LifecycleState) -> String {
    format!("{} and stage {}", state.status.name(), state.stage.name())
}

/// Prefixes paths with the field of the requests that carry an opportunity. Parameters of other requests stay
/// unchanged.
fn with_request_paths(violations: Vec<Violation>) -> Vec<Violation> {
    let is_parameter = |field: &str| matches!(field, "involvement_type" | "visibility" | "entity_identifier");
    let violations = violations
        .into_iter()
        .map(|violation| {
            if is_parameter(&violation.field) {
                violation
            } else {
                violation.with_parent(RECORD.field)
            }
        })
        .collect();
    RECORD.with_partner_central_fields(violations)
}
