//! The pages behind the links. None names a member, a kind or an address, because they are read without signing in.

use axum::response::Response;
use cosell_web::{Button, Page};
use http::StatusCode;

use super::form::FIELD;

/// A page to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnsubscribePage {
    /// Asks for confirmation.
    Confirm,
    /// The member is opted out, now or before.
    Done,
    /// The path or its token is invalid, or its member is not active: the same page, so that it tells nothing of them.
    NotFound,
    /// The request has another method than GET, HEAD and POST.
    MethodNotAllowed,
    /// The body of the request is too large, incomplete, or not the form.
    InvalidBody(StatusCode),
    /// The opt-out failed, and may succeed later.
    Unavailable,
}

impl UnsubscribePage {
    /// The response with this page.
    pub fn response(self) -> Response {
        let (status, title, text) = match self {
            UnsubscribePage::Confirm => (
                StatusCode::OK,
                "Stop these e-mails?",
                "You will receive no further e-mails of this kind. The notifications stay in your inbox.",
            ),
            UnsubscribePage::Done => (
                StatusCode::OK,
                "You have unsubscribed",
                "You receive no further e-mails of this kind. The notifications stay in your inbox. To receive e-mails \
                 again, sign in and change your notification preferences.",
            ),
            UnsubscribePage::NotFound => (
                StatusCode::NOT_FOUND,
                "This link is not valid",
                "Use the whole link of the latest e-mail, or sign in and change your notification preferences.",
            ),
            UnsubscribePage::MethodNotAllowed => (
                StatusCode::METHOD_NOT_ALLOWED,
                "This request is not supported",
                "Open the link of the e-mail in a browser.",
            ),
            UnsubscribePage::InvalidBody(status) => (
                status,
                "This request is not valid",
                "Open the link of the e-mail in a browser.",
            ),
            UnsubscribePage::Unavailable => (
                StatusCode::SERVICE_UNAVAILABLE,
                "This did not work",
                "Try again in a few minutes.",
            ),
        };
        let button = Button {
            label: "Unsubscribe",
            field: Some(FIELD),
        };
        Page {
            status,
            title,
            text,
            button: (self == UnsubscribePage::Confirm).then_some(button),
        }
        .response()
    }
}
