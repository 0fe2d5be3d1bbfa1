//! Encodes a failure as a gRPC status with `google.rpc` details.

use cosell_proto::cosell::r#type::v1::{ErrorReason, InvalidField, InvalidFields};
use cosell_proto::google::rpc;
use cosell_telemetry::metrics;
use cosell_types::{Violation, random};
use prost::{Message, Name};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt as _};

use super::{Failure, causes, reason_name};
use crate::Tag;

const MAX_VIOLATIONS: usize = 50;
/// Maximum size of the details in bytes. They are sent in a trailer, which base64 makes a third longer, beside the
/// message and others; clients accept 8 KiB of trailers.
const MAX_DETAILS: usize = 5 * 1024;
/// Encoding overhead of a violation, and of the lists of violations, in bytes.
const VIOLATION_OVERHEAD: usize = 12;
const LISTS_OVERHEAD: usize = 120;
/// Bytes of the message as a header, which has three for each blank, quote or character that is not ASCII; the details
/// have the message, too.
const MAX_MESSAGE: usize = 750;
/// Bytes of a description, and of a value or path in it. Longer ones repeat a long input.
const MAX_TEXT: usize = 1_000;
const MAX_VALUE: usize = 200;

impl Failure {
    /// Encodes the failure of one part of a batch or stream as a `google.rpc.Status` message.
    pub fn into_part(self, tag: &Tag) -> Result<rpc::Status, Failure> {
        let status = self.into_status(tag);
        rpc::Status::decode(status.details()).map_err(Failure::internal)
    }

    /// Encodes the status to send, and records the denial. This is the only place that logs the cause of server errors.
    pub(crate) fn into_status(self, tag: &Tag) -> Status {
        let mut parts = *self.0;
        // A record that is not visible to the caller may exist; the database does not distinguish the two. NOT_FOUND
        // is recorded, so that attempts to guess ids leave a trace.
        let record_not_found = parts.code == Code::NotFound && parts.subject.is_some();
        if parts.is_denial || record_not_found {
            let subject = parts.subject.as_ref().map(|(_, id)| id.clone());
            tag.denial.record(parts.reason, subject.unwrap_or_default());
        }
        if is_shed(parts.reason) {
            metrics::CALLS_SHED.add(1, &[]);
        }
        match parts.code {
            Code::Internal => {
                let error_id = random::uuid(tag.received);
                tracing::error!(%error_id, cause = causes(parts.cause.as_deref()), "call failed");
                parts.metadata.insert("error_id".to_owned(), error_id.to_string());
            }
            Code::Unavailable => {
                tracing::warn!(cause = causes(parts.cause.as_deref()), "dependency unavailable");
            }
            _ => {}
        }
        for value in parts.metadata.values_mut() {
            *value = shorten(value, MAX_VALUE);
        }
        let message = shorten_header(&parts.message, MAX_MESSAGE);
        let subject = parts.subject.map(|(kind, id)| (kind, shorten(&id, MAX_VALUE)));
        let mut details = ErrorDetails::new();
        details.set_error_info(parts.reason, parts.domain, parts.metadata);
        details.set_request_info(tag.request_id.to_string(), "");
        match (parts.code, subject) {
            (Code::NotFound, Some((kind, id))) => {
                details.set_resource_info(kind, id, "", shorten(&message, MAX_VALUE));
            }
            (Code::FailedPrecondition, subject) => {
                let id = subject.map(|(_, id)| id).unwrap_or_default();
                details.add_precondition_failure_violation(parts.reason, id, shorten(&message, MAX_VALUE));
            }
            _ => {}
        }
        if let Some(after) = parts.retry_after {
            details.set_retry_info(Some(after));
        }
        if parts.violations.is_empty() {
            return Status::with_error_details(parts.code, message, details);
        }
        let others = Status::with_error_details(parts.code, message.clone(), details.clone());
        let limit = MAX_DETAILS.saturating_sub(others.details().len() + LISTS_OVERHEAD);
        let listed = ListedViolations::of(&parts.violations, limit);
        details.set_bad_request(listed.field_violations);
        let status = Status::with_error_details(parts.code, message, details);
        let fields = listed.fields;
        with_detail(&status, &InvalidFields { fields })
    }
}

/// Whether the reason is that a limit of calls was reached.
fn is_shed(reason: &str) -> bool {
    [ErrorReason::Overloaded, ErrorReason::RateExceeded]
        .iter()
        .any(|shed| reason == reason_name(shed.as_str_name()))
}

/// The text, or its beginning if it has more bytes.
fn shorten(text: &str, max: usize) -> String {
    if text.len() <= max {
        return text.to_owned();
    }
    format!("{}…", &text[..text.floor_char_boundary(max)])
}

/// The text, or its beginning if its percent-encoded form (gRPC over HTTP/2, `grpc-message`) has more bytes.
fn shorten_header(text: &str, max: usize) -> String {
    let size = |character: char| match character {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | ',' | ':' | ';' | '_' | '-' => 1,
        other => 3 * other.len_utf8(),
    };
    let mut left = max;
    let end = text.char_indices().find_map(|(index, character)| {
        let fits = left.checked_sub(size(character));
        left = fits.unwrap_or_default();
        fits.is_none().then_some(index)
    });
    shorten(text, end.unwrap_or(text.len()))
}

/// Appends a detail that is not a `google.rpc` message.
fn with_detail<M: Message + Name>(status: &Status, detail: &M) -> Status {
    let mut message = tonic_types::pb::Status::decode(status.details()).unwrap_or_default();
    message.details.push(prost_types::Any {
        type_url: M::type_url(),
        value: detail.encode_to_vec(),
    });
    Status::with_details(status.code(), status.message(), message.encode_to_vec().into())
}

/// The violations that fit into the details, in both encodings.
struct ListedViolations {
    field_violations: Vec<FieldViolation>,
    fields: Vec<InvalidField>,
}

impl ListedViolations {
    /// Lists as many violations as fit into `limit` bytes, then as many of their allowed values and patterns as still fit,
    /// the short ones first.
    fn of(violations: &[Violation], limit: usize) -> Self {
        let mut listed = Self {
            field_violations: Vec::new(),
            fields: Vec::new(),
        };
        let mut remaining = limit;
        for violation in violations.iter().take(MAX_VIOLATIONS) {
            let field_violation = FieldViolation {
                field: shorten(&violation.field, MAX_VALUE),
                description: shorten(&violation.description, MAX_TEXT),
                reason: violation.code.as_str().to_owned(),
                localized_message: None,
            };
            let field = InvalidField {
                field: field_violation.field.clone(),
                partner_central_field: shorten(&violation.partner_central_field, MAX_VALUE),
                code: violation.code.as_str().to_owned(),
                rejected_value: violation.rejected.clone(),
                standard_values: violation.list.to_owned(),
                ..InvalidField::default()
            };
            let text = field_violation.field.len()
                + field_violation.description.len()
                + field_violation.reason.len();
            let size = text + field.encoded_len() + VIOLATION_OVERHEAD;
            // The first violation is always listed.
            if size > remaining && !listed.field_violations.is_empty() {
                break;
            }
            remaining = remaining.saturating_sub(size);
            listed.field_violations.push(field_violation);
            listed.fields.push(field);
        }
        let hints = violations.iter().map(|violation| InvalidField {
            allowed_values: violation.allowed.clone(),
            pattern: violation.pattern.clone(),
            ..InvalidField::default()
        });
        let mut hints: Vec<_> = listed.fields.iter_mut().zip(hints).collect();
        hints.sort_by_key(|(_, hints)| hints.encoded_len());
        for (field, hints) in hints {
            let Some(rest) = remaining.checked_sub(hints.encoded_len()) else {
                break;
            };
            remaining = rest;
            (field.allowed_values, field.pattern) = (hints.allowed_values, hints.pattern);
        }
        let unlisted = violations.len() - listed.field_violations.len();
        if let (Some(last), true) = (listed.field_violations.last_mut(), unlisted > 0) {
            last.description = format!("{} {unlisted} more violations are not listed.", last.description);
        }
        listed
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use cosell_types::{FieldPath, ViolationCode};

    use super::*;
    use crate::denial::RecordedDenial;

    /// Trailers that clients accept, and what those cost that are not of the failure: request id, quota and others.
    const MAX_TRAILERS: usize = 8 * 1024;
    const OTHER_TRAILERS: usize = 400;

    fn assert_fits(failure: Failure) {
        let tag = Tag {
            request_id: "r".repeat(64).into(),
            rpc: "".into(),
            received: DateTime::UNIX_EPOCH,
            denial: RecordedDenial::default(),
        };
        let status = failure.into_status(&tag);
        assert!(
            status.details().len() <= MAX_DETAILS,
            "{}",
            status.details().len()
        );
        let trailers = status.into_http::<()>();
        let sizes = trailers
            .headers()
            .iter()
            .map(|(name, value)| name.as_str().len() + value.len() + 32);
        let size = sizes.sum::<usize>();
        assert!(size + OTHER_TRAILERS <= MAX_TRAILERS, "{size}");
    }

    #[test]
    fn plt_007_details_fit_into_trailers_whatever_the_client_has_sent() {
        let long = "漢".repeat(100_000);
        let not_found = Failure::new(Code::NotFound, "cosell", "RECORD_NOT_FOUND", &long)
            .with_named_resource("operation", &long)
            .with("other", &long);
        assert_fits(not_found);
        let precondition =
            Failure::new(Code::FailedPrecondition, "cosell", "STATE", &long).with_resource("record", &long);
        assert_fits(precondition);
        let root = FieldPath::root();
        let violations: Vec<_> = (0..1_000)
            .map(|number| {
                let field = root.field(if number == 0 { &long } else { "field" });
                Violation::new(&field, ViolationCode::InvalidValue, &long)
                    .with_rejected_value(&long)
                    .with_pattern(&long)
            })
            .collect();
        assert_fits(Failure::invalid(violations.clone()));
        for text in ["x", "\"", " "] {
            let text = text.repeat(1_000);
            let ascii = violations.iter().cloned().map(|violation| Violation {
                description: text.clone(),
                ..violation
            });
            assert_fits(Failure::invalid(ascii.collect()));
            assert_fits(Failure::new(Code::Aborted, "cosell", "OTHER", &text).with("value", &text));
        }
    }

    #[test]
    fn plt_007_message_lists_whole_violations() {
        let violations = |count| {
            let root = FieldPath::root();
            let field = root.field("record.details.address.country_code");
            vec![Violation::new(&field, ViolationCode::InvalidValue, "Must not be that."); count]
        };
        let message = |count| Failure::invalid(violations(count)).message().to_owned();
        assert_eq!(
            message(1),
            "The request has 1 invalid field: record.details.address.country_code: Must not be that."
        );
        let many = message(40);
        assert!(many.starts_with("The request has 40 invalid fields: record.details."));
        assert!(
            many.ends_with(": Must not be that. The details name others."),
            "{many}"
        );
    }
}
