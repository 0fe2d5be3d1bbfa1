//! Broken rules as failures.

use cosell_grpc::Failure;
use cosell_proto::cosell::notification::v1::ErrorReason;
use tonic::Code;

const DOMAIN: &str = "notification.cosell";

/// One of the notifications is not in the caller's inbox.
pub fn not_found() -> Failure {
    let text = "one or more of the notifications do not exist in the caller's inbox; none was marked";
    Failure::new(
        Code::NotFound,
        DOMAIN,
        ErrorReason::NotificationNotFound.as_str_name(),
        text,
    )
}
