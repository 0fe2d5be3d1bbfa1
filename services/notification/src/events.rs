//! Public events: the one place where what happened inside becomes what others are told.

use cosell_events::{About, Cause, Event};
use cosell_proto::cosell::notification::v1::EmailFailed;

use crate::store::Queued;

/// The name of this context in subjects.
pub const CONTEXT: &str = "notification";

/// An e-mail was given up.
pub fn email_failed(mail: &Queued, code: Option<i32>, cause: Cause<'_>) -> Event {
    let about = About {
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
    Event::new(about, cause, &message)
}
