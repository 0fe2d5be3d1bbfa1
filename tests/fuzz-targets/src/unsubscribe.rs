//! Links with which members opt out of e-mails, and the forms that are sent to them (NOT-008).

use cosell_notification::fuzzing;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::support::split_head;

/// The signed text of a link.
pub fn unsubscribe_link(data: &[u8]) {
    if let Some(text) = fuzzing::rewrite_link(data) {
        assert_eq!(text.as_bytes(), data, "a target has one text");
    }
}

/// The headers of a request, such as `content-type: …`, an empty line, and its body.
pub fn unsubscribe_form(data: &[u8]) {
    let (lines, body) = split_head(data);
    let mut headers = HeaderMap::new();
    for (name, value) in lines.iter().filter_map(|line| line.split_once(": ")) {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            headers.append(name, value);
        }
    }
    if fuzzing::is_opt_out(&headers, body) {
        // Percent encoding hides the letters of a form; a part has them.
        let is_encoded = body.contains(&b'%');
        let has_value = body.windows(9).any(|bytes| bytes == b"One-Click");
        assert!(is_encoded || has_value, "accepted without the value");
        assert!(!fuzzing::is_opt_out(&HeaderMap::new(), body), "without a type");
    }
}
