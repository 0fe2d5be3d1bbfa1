//! The failure of a call: one type, which is encoded as a gRPC status after the use case and nowhere else.
//!
//! The message to the client comes from [`constructors`] or from the use case. The text of a driver is only in `cause`,
//! which is logged and never sent.

mod constructors;
mod encoding;

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use cosell_types::Violation;
use tonic::Code;

/// The failure of a call: refused, or failed with an error.
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

/// Whether the service may retry the use case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// A retry would fail in the same way, or could take effect twice.
    Never,
    /// Nothing was committed: the transaction can be retried.
    Transaction,
    /// The outcome of the commit is unknown: only a call with a request id can be retried.
    IfIdempotent,
}

/// The name of a reason as sent: without the enum prefix `ERROR_REASON_`.
pub fn reason_name(name: &'static str) -> &'static str {
    name.strip_prefix("ERROR_REASON_").unwrap_or(name)
}

impl Failure {
    /// Creates a failure; `reason` is the `as_str_name()` of a value of the domain's `ErrorReason`.
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

    /// Adds an entry to the metadata of `ErrorInfo`.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl fmt::Display) -> Self {
        self.0.metadata.insert(key.to_owned(), value.to_string());
        self
    }

    /// Sets the resource of the failure by kind and id, and adds the id to the metadata as `<kind>_id`.
    #[must_use]
    pub fn with_resource(mut self, kind: &'static str, id: impl fmt::Display) -> Self {
        self.0.subject = Some((kind, id.to_string()));
        self.with(&format!("{kind}_id"), id)
    }

    /// Sets the resource by kind and a name such as `operations/…`, and adds the name to the metadata as `<kind>`.
    #[must_use]
    pub fn with_named_resource(mut self, kind: &'static str, name: &str) -> Self {
        self.0.subject = Some((kind, name.to_owned()));
        self.with(kind, name)
    }

    /// Sets the field violations.
    #[must_use]
    pub fn violations(mut self, violations: Vec<Violation>) -> Self {
        self.0.violations = violations;
        self
    }

    /// Marks the failure as a denial: the call is refused because of its caller, and is recorded (ACC-030).
    #[must_use]
    pub fn as_denial(mut self) -> Self {
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

    /// Converts the failure of a COMMIT: if the connection was lost, the outcome is unknown.
    #[must_use]
    pub fn on_commit(mut self) -> Self {
        if self.0.code == Code::Unavailable && self.0.retry == Retry::Transaction {
            self.0.retry = Retry::IfIdempotent;
        }
        self
    }

    /// Whether the service may retry the use case.
    pub fn may_retry(&self) -> Retry {
        self.0.retry
    }

    /// Whether the same work may succeed later: a concurrent change, an outage, or too much load.
    pub fn is_transient(&self) -> bool {
        let transient = [
            Code::Unavailable,
            Code::Aborted,
            Code::DeadlineExceeded,
            Code::ResourceExhausted,
        ];
        transient.contains(&self.code())
    }

    /// The gRPC code.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// The reason as sent, such as `ETAG_MISMATCH`.
    pub fn reason(&self) -> &'static str {
        self.0.reason
    }

    /// The message to the client.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The field violations.
    pub fn fields(&self) -> &[Violation] {
        &self.0.violations
    }
}

/// The chain of causes in one line.
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
