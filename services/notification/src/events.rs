//! Creates the published events of this context.

use cosell_events::{AggregateRef, Cause, Event};
use cosell_proto::cosell::notification::v1::EmailFailed;

use crate::store::QueuedMail;

/// The name of this context in subjects.
pub const CONTEXT: &str = "notification";

/// The published event of an e-mail that failed permanently. `code` is the reply code of the mail server, if there was
/// one.
pub fn email_failed(mail: &QueuedMail, code: Option<i32>, cause: Cause<'_>) -> Event {
    let aggregate = AggregateRef {
        context: CONTEXT,
        aggregate: "mail",
        account: &mail.account,
        id: &mail.id,
        version: 1,
    };
    let message = EmailFailed {
        mail_id: mail.id.clone(),
        account_id: mail.account.to_string(),
        member_id: mail.member.as_ref().map(ToString::to_string).unwrap_or_default(),
        revision: 1,
        notification_id: mail.notification.clone().unwrap_or_default(),
        smtp_code: code.unwrap_or_default(),
    };
    Event::new(aggregate, cause, &message)
}
