//! An HTML page that is self-contained, without script and external resources.

use axum::body::Body;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderValue, StatusCode};

const STYLE: &str = "body{font-family:sans-serif;line-height:1.5;color:#111;background:#fff;margin:2rem auto;\
    max-width:36rem;padding:0 1rem}button{font-size:1rem;padding:.75rem 1.5rem;color:#fff;background:#0b5394;\
    border:2px solid #0b5394;border-radius:.25rem}button:focus{outline:3px solid #111;outline-offset:2px}";

/// A page with one paragraph. It is read without signing in, so it must have no data of members.
#[derive(Clone, Copy, Debug)]
pub struct Page<'a> {
    /// The status of the response.
    pub status: StatusCode,
    /// Also the heading.
    pub title: &'a str,
    /// The paragraph.
    pub text: &'a str,
    /// Sends a POST to the URL of the page.
    pub button: Option<Button<'a>>,
}

/// The button of a page.
#[derive(Clone, Copy, Debug)]
pub struct Button<'a> {
    /// The text on the button.
    pub label: &'a str,
    /// The name and the value of the only field of the form; without it the body is empty.
    pub field: Option<(&'a str, &'a str)>,
}

impl Page<'_> {
    /// The response with this page.
    pub fn response(&self) -> Response {
        let form = self.button.map_or_else(String::new, |button| {
            let field = button.field.map_or_else(String::new, |(name, value)| {
                format!(" name=\"{}\" value=\"{}\"", escape(name), escape(value))
            });
            format!(
                "<form method=\"post\"><button type=\"submit\"{field}>{}</button></form>\n",
                escape(button.label)
            )
        });
        let (title, text) = (escape(self.title), escape(self.text));
        let html = format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
             <style>{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n<p>{text}</p>\n{form}</main>\n</body>\n\
             </html>\n"
        );
        let mut response = Response::new(Body::from(html));
        *response.status_mut() = self.status;
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

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_pages_is_escaped() {
        assert_eq!(
            escape("<a href=\"x\" id='y'>&"),
            "&lt;a href=&quot;x&quot; id=&#39;y&#39;&gt;&amp;"
        );
    }
}
