//! The failures of calls that violate a rule.

use cosell_grpc::Failure;
use cosell_proto::cosell::notification::v1::ErrorReason;
use tonic::Code;

const DOMAIN: &str = "notification.cosell";

/// The failure of a call that names a notification outside the caller's inbox.
pub fn not_found() -> Failure {
    let text = "No notification was marked as read: at least one of them is not in the caller's inbox. List the inbox \
                again.";
    Failure::new(
        Code::NotFound,
        DOMAIN,
        ErrorReason::NotificationNotFound.as_str_name(),
        text,
    )
}
