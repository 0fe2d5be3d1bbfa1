//! Entries to the decoders of links to opt out and of their forms, for the fuzz targets (tests/fuzz-targets) and for
//! nothing else. Outside of tests both are read from HTTP requests.

use http::HeaderMap;

use crate::unsubscribe::{is_one_click, parse_signed_text, signed_text};

/// Reads the signed text of a link, and writes it again; `None` if it is malformed.
pub fn rewrite_link(text: &[u8]) -> Option<String> {
    parse_signed_text(text).map(|target| signed_text(&target))
}

/// Whether the form opts out.
pub fn is_opt_out(headers: &HeaderMap, body: &[u8]) -> bool {
    is_one_click(headers, body)
}
