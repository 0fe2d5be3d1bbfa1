//! The HTML pages behind the links: self-contained, without script, external resources and data of members or channels.

use axum::body::Body;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderValue, StatusCode};

use super::LinkAction;

const STYLE: &str = "body{font-family:sans-serif;line-height:1.5;color:#111;background:#fff;margin:2rem auto;\
    max-width:36rem;padding:0 1rem}button{font-size:1rem;padding:.75rem 1.5rem;color:#fff;background:#0b5394;\
    border:2px solid #0b5394;border-radius:.25rem}button:focus{outline:3px solid #111;outline-offset:2px}";

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
        let (status, title, text, button) = self.content();
        let form = button.map_or_else(String::new, |label| {
            format!(
                "<form method=\"post\"><button type=\"submit\">{}</button></form>\n",
                escape(label)
            )
        });
        let (title, text) = (escape(title), escape(text));
        let html = format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
             <style>{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n<p>{text}</p>\n{form}</main>\n</body>\n\
             </html>\n"
        );
        let mut response = Response::new(Body::from(html));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        let html_type = HeaderValue::from_static("text/html; charset=utf-8");
        headers.insert(CONTENT_TYPE, html_type);
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if let Ok(policy) = HeaderValue::try_from(content_security_policy()) {
            headers.insert(CONTENT_SECURITY_POLICY, policy);
        }
        response
    }
}

/// Permits only the style of this file, and forms that are sent to this listener.
fn content_security_policy() -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, STYLE.as_bytes());
    let style = STANDARD.encode(digest.as_ref());
    format!(
        "default-src 'none'; style-src 'sha256-{style}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
}

pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}
