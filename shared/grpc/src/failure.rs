//! Why a call fails: one small closed type, turned into a gRPC status at the edge and nowhere else.
//!
//! What clients see is written here or by the use case; what a driver said stays in `cause`, which only the log gets.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use cosell_proto::cosell::r#type::v1::{ErrorReason, InvalidField, InvalidFields};
use cosell_proto::google::rpc;
use cosell_types::{Violation, random};
use prost::{Message, Name};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt as _};

use crate::Tag;

/// The domain of the reasons in `cosell.type.v1.ErrorReason`.
const PLATFORM: &str = "cosell";
const MAX_VIOLATIONS: usize = 50;
/// Details travel in a header; most peers accept 8 KiB of those, and base64 takes a third. So much is for violations.
const MAX_DETAILS: usize = 5_000;
/// What the encoding adds to a violation.
const FRAMES: usize = 12;

/// A refused or failed call.
#[derive(Debug)]
pub struct Failure(Box<Parts>);

#[derive(Debug)]
struct Parts {
    code: Code,
    domain: &'static str,
    reason: &'static str,
    message: String,
    metadata: HashMap<String, String>,
    subject: Option<(&'static str, String)>,
    violations: Vec<Violation>,
    retry_after: Option<Duration>,
    retry: Retry,
    is_denial: bool,
    cause: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// Whether the service itself may run the use case again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// It would fail the same way, or might act twice.
    Never,
    /// Nothing was committed: the whole transaction may run again.
    Transaction,
    /// It is unknown whether it was committed: only a call with a request id may run again.
    IfRepeatable,
}

/// The name of a reason as sent: without the prefix that Protocol Buffers want.
pub fn reason_name(name: &'static str) -> &'static str {
    name.strip_prefix("ERROR_REASON_").unwrap_or(name)
}

impl Failure {
    /// A failure with a reason of a context: its `ErrorReason` by `as_str_name()`.
    pub fn new(code: Code, domain: &'static str, reason: &'static str, message: impl Into<String>) -> Self {
        Failure(Box::new(Parts {
            code,
            domain,
            reason: reason_name(reason),
            message: message.into(),
            metadata: HashMap::new(),
            subject: None,
            violations: Vec::new(),
            retry_after: None,
            retry: Retry::Never,
            is_denial: false,
            cause: None,
        }))
    }

    fn platform(code: Code, reason: ErrorReason, message: impl Into<String>) -> Self {
        Self::new(code, PLATFORM, reason.as_str_name(), message)
    }

    /// Fields are missing or wrong; all of them at once.
    pub fn invalid(violations: Vec<Violation>) -> Self {
        let count = violations.len();
        let shown: Vec<_> = violations
            .iter()
            .take(3)
            .map(|violation| format!("{}: {}", violation.field, violation.description))
            .collect();
        let more = if count > shown.len() {
            format!("; and {} more", count - shown.len())
        } else {
            String::new()
        };
        let noun = if count == 1 { "field is" } else { "fields are" };
        Self::platform(
            Code::InvalidArgument,
            ErrorReason::InvalidFields,
            format!("{count} {noun} invalid: {}{more}", shown.join("; ")),
        )
        .with("violations", count)
        .violations(violations)
    }

    /// The bearer token is absent or does not verify. The text does not say why: that would help a forger.
    pub fn token_invalid() -> Self {
        Self::platform(
            Code::Unauthenticated,
            ErrorReason::TokenInvalid,
            "a valid bearer token is required in the `authorization` header",
        )
    }

    /// No role of the caller permits this RPC.
    pub fn role_not_permitted(rpc: &str) -> Self {
        Self::platform(
            Code::PermissionDenied,
            ErrorReason::RoleNotPermitted,
            format!("no role of the caller permits {rpc}"),
        )
        .with("rpc", rpc)
        .denial()
    }

    /// The directory does not know the caller as somebody who works here now.
    pub fn member_inactive() -> Self {
        Self::platform(
            Code::PermissionDenied,
            ErrorReason::MemberInactive,
            "the caller is no active member of an active account",
        )
        .denial()
    }

    /// The caller's company has not accepted the terms of the programme.
    pub fn terms_not_accepted() -> Self {
        Self::platform(
            Code::FailedPrecondition,
            ErrorReason::TermsNotAccepted,
            "the alliance lead of the company has to accept the terms of the programme first",
        )
        .denial()
    }

    /// The stated etag is not the current one.
    pub fn etag_mismatch(current: &str) -> Self {
        Self::platform(
            Code::Aborted,
            ErrorReason::EtagMismatch,
            format!("the record has changed; its etag is now {current}"),
        )
        .with("current_etag", current)
    }

    /// The request id was used for something else.
    pub fn request_id_reused() -> Self {
        Self::platform(
            Code::InvalidArgument,
            ErrorReason::RequestIdReused,
            "this request_id was used before for another request; a new request needs a new one",
        )
    }

    /// The page token does not belong to this query.
    pub fn page_token_invalid() -> Self {
        Self::platform(
            Code::InvalidArgument,
            ErrorReason::PageTokenInvalid,
            "page_token is damaged, or belongs to another query or caller; begin again without it",
        )
    }

    /// Other writers kept winning.
    pub fn concurrent_change(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::platform(
            Code::Aborted,
            ErrorReason::ConcurrentChange,
            "the record was being changed by others; nothing was changed by this call, which may be repeated",
        )
        .retry(Retry::Transaction)
        .cause(cause)
    }

    /// Time is up.
    pub fn deadline_exceeded() -> Self {
        Self::platform(
            Code::DeadlineExceeded,
            ErrorReason::DeadlineExceeded,
            "the deadline of the call has passed",
        )
    }

    /// Too many calls are in hand.
    pub fn overloaded() -> Self {
        Self::platform(
            Code::ResourceExhausted,
            ErrorReason::Overloaded,
            "the service has too many calls in hand; try again in a moment",
        )
        .retry_after(Duration::from_millis(500))
    }

    /// The account makes more calls than one may.
    pub fn rate_exceeded() -> Self {
        Self::platform(
            Code::ResourceExhausted,
            ErrorReason::RateExceeded,
            "the account makes too many calls; try again in a moment",
        )
        .retry_after(Duration::from_secs(1))
    }

    /// Something that the service needs does not answer.
    pub fn unavailable(retry: Retry, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::platform(
            Code::Unavailable,
            ErrorReason::DependencyUnavailable,
            "the service cannot reach what it depends on; try again in a moment",
        )
        .retry(retry)
        .retry_after(Duration::from_secs(1))
        .cause(cause)
    }

    /// A fault of ours. The cause goes to the log, once, under an id that the client is told.
    pub fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::platform(
            Code::Internal,
            ErrorReason::Internal,
            "an internal error occurred",
        )
        .cause(cause)
    }

    /// The request is not a message of the RPC's type.
    pub fn malformed() -> Self {
        Self::platform(
            Code::InvalidArgument,
            ErrorReason::MalformedRequest,
            "the request could not be decoded as a message of this RPC",
        )
    }

    /// The request is larger than allowed.
    pub fn message_too_large() -> Self {
        Self::platform(
            Code::OutOfRange,
            ErrorReason::MessageTooLarge,
            "the request is larger than 1 MiB, the most that this service accepts",
        )
    }

    /// There is no such RPC.
    pub fn unknown_method() -> Self {
        Self::platform(
            Code::Unimplemented,
            ErrorReason::UnknownMethod,
            "there is no such RPC here",
        )
    }

    /// Adds a fact for machines.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl fmt::Display) -> Self {
        self.0.metadata.insert(key.to_owned(), value.to_string());
        self
    }

    /// Names the record that it is about: its kind and id. The metadata has it as `<kind>_id`.
    #[must_use]
    pub fn about(mut self, kind: &'static str, id: impl fmt::Display) -> Self {
        self.0.subject = Some((kind, id.to_string()));
        self.with(&format!("{kind}_id"), id)
    }

    /// The same for a record that has a name, such as `operations/…`. The metadata has it as `<kind>`.
    #[must_use]
    pub fn about_named(mut self, kind: &'static str, name: &str) -> Self {
        self.0.subject = Some((kind, name.to_owned()));
        self.with(kind, name)
    }

    /// Adds the fields at fault.
    #[must_use]
    pub fn violations(mut self, violations: Vec<Violation>) -> Self {
        self.0.violations = violations;
        self
    }

    /// Says that it is about who calls, so that it is counted and kept (ACC-030).
    #[must_use]
    pub fn denial(mut self) -> Self {
        self.0.is_denial = true;
        self
    }

    fn retry_after(mut self, after: Duration) -> Self {
        self.0.retry_after = Some(after);
        self
    }

    fn retry(mut self, retry: Retry) -> Self {
        self.0.retry = retry;
        self
    }

    fn cause(mut self, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.0.cause = Some(cause.into());
        self
    }

    /// The same failure when it came from COMMIT: if the server could not be heard, it may have committed all the same.
    #[must_use]
    pub fn on_commit(mut self) -> Self {
        if self.0.code == Code::Unavailable && self.0.retry == Retry::Transaction {
            self.0.retry = Retry::IfRepeatable;
        }
        self
    }

    /// Whether the service may run the use case again.
    pub fn may_retry(&self) -> Retry {
        self.0.retry
    }

    /// The gRPC code.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// The reason as sent, such as `ETAG_MISMATCH`.
    pub fn reason(&self) -> &'static str {
        self.0.reason
    }

    /// The sentence for people.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The fields at fault.
    pub fn fields(&self) -> &[Violation] {
        &self.0.violations
    }

    /// The status of one of several things that a call asked for, as a message.
    pub fn into_part(self, tag: &Tag) -> Result<rpc::Status, Failure> {
        let status = self.into_status(tag);
        rpc::Status::decode(status.details()).map_err(Failure::internal)
    }

    /// The status to send. Logs the cause of faults that are not the client's, which happens here and only here.
    pub(crate) fn into_status(self, tag: &Tag) -> Status {
        let mut parts = *self.0;
        // A record that is not there for the caller is often there for others, and the database does not say: whoever
        // tries out ids leaves traces.
        let named_none = parts.code == Code::NotFound && parts.subject.is_some();
        if parts.is_denial || named_none {
            let subject = parts.subject.as_ref().map(|(_, id)| id.clone());
            tag.verdict.deny(parts.reason, subject.unwrap_or_default());
        }
        match parts.code {
            Code::Internal => {
                let error_id = random::uuid(tag.received);
                tracing::error!(%error_id, cause = causes(parts.cause.as_deref()), "the call failed");
                parts.metadata.insert("error_id".to_owned(), error_id.to_string());
            }
            Code::Unavailable => {
                tracing::warn!(
                    cause = causes(parts.cause.as_deref()),
                    "a dependency does not answer"
                );
            }
            _ => {}
        }
        let mut details = ErrorDetails::new();
        details.set_error_info(parts.reason, parts.domain, parts.metadata);
        details.set_request_info(tag.request_id.to_string(), "");
        let listed = Listed::of(&parts.violations);
        if !parts.violations.is_empty() {
            details.set_bad_request(listed.sentences);
        }
        match (parts.code, parts.subject) {
            (Code::NotFound, Some((kind, id))) => {
                details.set_resource_info(kind, id, "", parts.message.clone());
            }
            (Code::FailedPrecondition, subject) => {
                let id = subject.map(|(_, id)| id).unwrap_or_default();
                details.add_precondition_failure_violation(parts.reason, id, parts.message.clone());
            }
            _ => {}
        }
        if let Some(after) = parts.retry_after {
            details.set_retry_info(Some(after));
        }
        let status = Status::with_error_details(parts.code, parts.message, details);
        if listed.fields.is_empty() {
            return status;
        }
        let fields = listed.fields;
        with_detail(&status, &InvalidFields { fields })
    }
}

/// The status with one detail more, which is not one of google.rpc.
fn with_detail<M: Message + Name>(status: &Status, detail: &M) -> Status {
    let mut whole = tonic_types::pb::Status::decode(status.details()).unwrap_or_default();
    whole.details.push(prost_types::Any {
        type_url: M::type_url(),
        value: detail.encode_to_vec(),
    });
    Status::with_details(status.code(), status.message(), whole.encode_to_vec().into())
}

/// The violations that an answer has room for.
struct Listed {
    sentences: Vec<FieldViolation>,
    fields: Vec<InvalidField>,
}

impl Listed {
    /// First as many violations as there is room for, then as much of what helps to correct them.
    fn of(violations: &[Violation]) -> Self {
        let mut listed = Self {
            sentences: Vec::new(),
            fields: Vec::new(),
        };
        let mut room = MAX_DETAILS;
        for violation in violations.iter().take(MAX_VIOLATIONS) {
            let sentence = FieldViolation {
                field: violation.field.clone(),
                description: violation.description.clone(),
                reason: violation.code.as_str().to_owned(),
                localized_message: None,
            };
            let field = InvalidField {
                field: violation.field.clone(),
                partner_central_field: violation.original.clone(),
                code: violation.code.as_str().to_owned(),
                rejected_value: violation.rejected.clone(),
                standard_values: violation.list.to_owned(),
                ..InvalidField::default()
            };
            let text = sentence.field.len() + sentence.description.len() + sentence.reason.len();
            let size = text + field.encoded_len() + FRAMES;
            // The first is always listed.
            if size > room && !listed.sentences.is_empty() {
                break;
            }
            room = room.saturating_sub(size);
            listed.sentences.push(sentence);
            listed.fields.push(field);
        }
        for (violation, field) in violations.iter().zip(&mut listed.fields) {
            let more = InvalidField {
                allowed_values: violation.allowed.clone(),
                pattern: violation.pattern.clone(),
                ..InvalidField::default()
            };
            if let Some(left) = room.checked_sub(more.encoded_len()) {
                room = left;
                (field.allowed_values, field.pattern) = (more.allowed_values, more.pattern);
            }
        }
        let left = violations.len() - listed.sentences.len();
        if let (Some(last), true) = (listed.sentences.last_mut(), left > 0) {
            last.description = format!("{}; {left} more are not listed", last.description);
        }
        listed
    }
}

/// The whole chain of causes in one line.
fn causes(cause: Option<&(dyn std::error::Error + Send + Sync + 'static)>) -> String {
    let mut text = String::new();
    let mut next = cause.map(|cause| cause as &dyn std::error::Error);
    while let Some(error) = next {
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&error.to_string());
        next = error.source();
    }
    text
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.0.message, self.0.reason)?;
        if self.0.cause.is_some() {
            write!(f, ": {}", causes(self.0.cause.as_deref()))?;
        }
        Ok(())
    }
}

impl std::error::Error for Failure {}
