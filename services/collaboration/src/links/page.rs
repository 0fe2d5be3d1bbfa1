//! The pages behind the links.

use axum::response::Response;
use cosell_web::{Button, Page};
use http::StatusCode;

use super::LinkAction;

/// A page to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkPage {
    /// Asks for confirmation.
    Confirm(LinkAction),
    /// The action is done, now or before.
    Done(LinkAction),
    /// The channel to leave is closed.
    ChannelClosed,
    /// The token is invalid, or its channel or member does not exist: the same page, so that it tells nothing of them.
    Invalid,
    /// The token has expired.
    Expired,
    /// The request has another method than GET, HEAD and POST.
    MethodNotAllowed,
    /// The body of the request is too large or incomplete.
    InvalidBody(StatusCode),
    /// The action failed, and may succeed later.
    Unavailable,
}

impl LinkPage {
    /// The status, the title, the text and the label of the button.
    fn content(self) -> (StatusCode, &'static str, &'static str, Option<&'static str>) {
        match self {
            LinkPage::Confirm(LinkAction::Leave) => (
                StatusCode::OK,
                "Leave this channel?",
                "You will no longer be a member of the collaboration channel to which the e-mail invited you.",
                Some("Leave channel"),
            ),
            LinkPage::Confirm(LinkAction::OptOut) => (
                StatusCode::OK,
                "Opt out of all invites?",
                "You will receive no further invitations to collaboration channels, and pending ones end. You stay in \
                 channels that you have joined.",
                Some("Opt out of all invites"),
            ),
            LinkPage::Done(LinkAction::Leave) => (
                StatusCode::OK,
                "You have left the channel",
                "You are no longer a member of the collaboration channel. If you have joined the chat itself, leave it \
                 there too.",
                None,
            ),
            LinkPage::Done(LinkAction::OptOut) => (
                StatusCode::OK,
                "You have opted out",
                "You receive no further invitations to collaboration channels. To receive them again, sign in and \
                 change your channel preferences.",
                None,
            ),
            LinkPage::ChannelClosed => (
                StatusCode::GONE,
                "The channel is closed",
                "There is nothing to leave: the collaboration channel has ended for all members.",
                None,
            ),
            LinkPage::Invalid => (
                StatusCode::NOT_FOUND,
                "This link is not valid",
                "Use the whole link of the latest e-mail, or sign in to leave a channel or to opt out.",
                None,
            ),
            LinkPage::Expired => (
                StatusCode::GONE,
                "This link has expired",
                "Sign in to leave a channel or to opt out.",
                None,
            ),
            LinkPage::MethodNotAllowed => (
                StatusCode::METHOD_NOT_ALLOWED,
                "This request is not supported",
                "Open the link of the e-mail in a browser.",
                None,
            ),
            LinkPage::InvalidBody(status) => (
                status,
                "This request is not valid",
                "Open the link of the e-mail in a browser.",
                None,
            ),
            LinkPage::Unavailable => (
                StatusCode::SERVICE_UNAVAILABLE,
                "This did not work",
                "Try again in a few minutes.",
                None,
            ),
        }
    }

    /// The response with this page.
    pub fn response(self) -> Response {
        let (status, title, text, label) = self.content();
        Page {
            status,
            title,
            text,
            button: label.map(|label| Button { label, field: None }),
        }
        .response()
    }
}
