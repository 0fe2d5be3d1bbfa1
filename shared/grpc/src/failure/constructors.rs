//! The failures that all services share, with their messages to clients.

use std::time::Duration;

use cosell_proto::cosell::r#type::v1::ErrorReason;
use cosell_types::Violation;
use tonic::Code;

use super::{Failure, Retry};

/// The `ErrorInfo.domain` of the reasons in `cosell.type.v1.ErrorReason`.
const PLATFORM: &str = "cosell";
/// Maximum length of the violations in a message, in bytes. The details have all that fit.
const MAX_LISTED: usize = 300;

impl Failure {
    fn platform(code: Code, reason: ErrorReason, message: impl Into<String>) -> Self {
        Self::new(code, PLATFORM, reason.as_str_name(), message)
    }

    /// Fields are missing or invalid. `violations` are all of them.
    pub fn invalid(violations: Vec<Violation>) -> Self {
        let count = violations.len();
        let mut listed = String::new();
        for (index, violation) in violations.iter().enumerate() {
            let entry = format!(" {}: {}", violation.field, violation.description);
            if listed.len() + entry.len() > MAX_LISTED {
                listed.push_str(if index == 0 {
                    " The details name it."
                } else {
                    " The details name others."
                });
                break;
            }
            listed.push_str(&entry);
        }
        let noun = if count == 1 { "field" } else { "fields" };
        Self::platform(
            Code::InvalidArgument,
            ErrorReason::InvalidFields,
            format!("The request has {count} invalid {noun}:{listed}"),
        )
        .with("violations", count)
        .violations(violations)
    }

    /// The bearer token is missing or invalid. The message does not say why, because that would help an attacker.
    pub fn token_invalid() -> Self {
        Self::platform(
            Code::Unauthenticated,
            ErrorReason::TokenInvalid,
            "The bearer token in the `authorization` header is missing or invalid. Get a new token.",
        )
    }

    /// No role of the caller permits this RPC.
    pub fn role_not_permitted(rpc: &str) -> Self {
        Self::platform(
            Code::PermissionDenied,
            ErrorReason::RoleNotPermitted,
            format!(
                "None of the caller's roles permits {rpc}. Ask an administrator of the account for a role."
            ),
        )
        .with("rpc", rpc)
        .as_denial()
    }

    /// The directory has no active member of an active account for the caller (ACC-004).
    pub fn member_inactive() -> Self {
        Self::platform(
            Code::PermissionDenied,
            ErrorReason::MemberInactive,
            "The caller is not an active member of an active account. Invited members call AcceptMembership first.",
        )
        .as_denial()
    }

    /// The caller's partner account has not accepted the terms of the program (DIR-003).
    pub fn terms_not_accepted() -> Self {
        Self::platform(
            Code::FailedPrecondition,
            ErrorReason::TermsNotAccepted,
            "The partner account has not accepted the terms of the program. Its alliance lead calls AcceptTerms first.",
        )
        .as_denial()
    }

    /// The etag of the request is not current.
    pub fn etag_mismatch(current: &str) -> Self {
        Self::platform(
            Code::Aborted,
            ErrorReason::EtagMismatch,
            format!(
                "The etag is not current: the record has changed. Read it again; its etag is now {current}."
            ),
        )
        .with("current_etag", current)
    }

    /// The request id was already used for another request.
    pub fn request_id_reused() -> Self {
        Self::platform(
            Code::InvalidArgument,
            ErrorReason::RequestIdReused,
            "The request_id was already used for another request. Use a new UUID for a new request.",
        )
    }

    /// The page token is malformed, or was issued for another query or caller.
    pub fn page_token_invalid() -> Self {
        Self::platform(
            Code::InvalidArgument,
            ErrorReason::PageTokenInvalid,
            "The page_token is malformed, or was issued for another query or caller. Start again without a page_token.",
        )
    }

    /// Version conflicts with concurrent writers, also after retries.
    pub fn concurrent_change(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::platform(
            Code::Aborted,
            ErrorReason::ConcurrentChange,
            "The record was modified concurrently. The call changed nothing; retry it.",
        )
        .retry(Retry::Transaction)
        .cause(cause)
    }

    /// The deadline of the client or of the service has expired.
    pub fn deadline_exceeded() -> Self {
        Self::platform(
            Code::DeadlineExceeded,
            ErrorReason::DeadlineExceeded,
            "The deadline of the call has expired. Retry a write only with the same request_id.",
        )
    }

    /// The limit of concurrent calls is reached: that of the caller's account, or of all.
    pub fn overloaded() -> Self {
        Self::platform(
            Code::ResourceExhausted,
            ErrorReason::Overloaded,
            "The service has reached its limit of concurrent calls. Retry after the delay in RetryInfo.",
        )
        .retry_after(Duration::from_millis(500))
    }

    /// The account has exceeded its rate limit; its next call is accepted after `wait`.
    pub fn rate_exceeded(wait: Duration) -> Self {
        Self::platform(
            Code::ResourceExhausted,
            ErrorReason::RateExceeded,
            "The account has exceeded its rate limit. Retry after the delay in RetryInfo.",
        )
        .retry_after(wait.max(Duration::from_millis(100)))
    }

    /// A dependency does not respond.
    pub fn unavailable(retry: Retry, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::platform(
            Code::Unavailable,
            ErrorReason::DependencyUnavailable,
            "A dependency of the service does not respond. Retry after the delay in RetryInfo.",
        )
        .retry(retry)
        .retry_after(Duration::from_secs(1))
        .cause(cause)
    }

    /// An unexpected error of the service. The cause is logged once, under an `error_id` that the client receives.
    pub fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::platform(
            Code::Internal,
            ErrorReason::Internal,
            "An internal error occurred.",
        )
        .cause(cause)
    }

    /// The request cannot be decoded as a message of the RPC, or its timeout cannot be read.
    pub fn malformed() -> Self {
        Self::platform(
            Code::InvalidArgument,
            ErrorReason::MalformedRequest,
            "The request could not be decoded as a message of this RPC, or its grpc-timeout could not be read.",
        )
    }

    /// The request exceeds [`MAX_REQUEST`](crate::MAX_REQUEST).
    pub fn message_too_large() -> Self {
        Self::platform(
            Code::OutOfRange,
            ErrorReason::MessageTooLarge,
            "The request is larger than 1 MiB, the limit of the service.",
        )
    }

    /// The headers of the call exceed their limit.
    pub fn headers_too_large() -> Self {
        Self::platform(
            Code::OutOfRange,
            ErrorReason::HeadersTooLarge,
            "The headers of the call are larger than 16 KiB, the limit of the service.",
        )
    }

    /// The service has no such RPC.
    pub fn unknown_method() -> Self {
        Self::platform(
            Code::Unimplemented,
            ErrorReason::UnknownMethod,
            "The service has no such RPC.",
        )
    }
}
