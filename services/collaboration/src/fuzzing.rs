//! Entries to the decoders of callbacks and channel links, for the fuzz targets (tests/fuzz-targets) and for nothing else.
//! Outside of tests both are read from HTTP requests.

use chrono::DateTime;
use http::HeaderMap;
use secrecy::SecretString;

use crate::links::{parse_signed_text, signed_text};
use crate::provider::callback::{self, CallbackEvent, EventDelivery};

/// Whether Slack signed the request with this secret at about this time, in seconds since 1970.
pub fn is_signed(secret: &str, headers: &HeaderMap, body: &[u8], now: i64) -> bool {
    callback::is_signed(&SecretString::from(secret), headers, body, now)
}

/// The events of an interaction; `None` if the body is malformed.
pub fn read_interaction(body: &[u8]) -> Option<Vec<CallbackEvent>> {
    callback::read_interaction(body)
}

/// The content of a delivery of events; `None` if the body is malformed.
pub fn read_delivery(body: &[u8]) -> Option<EventDelivery> {
    callback::read_delivery(body)
}

/// Reads the signed text of a channel link, and writes it again; `None` if it is malformed.
pub fn rewrite_link(text: &[u8]) -> Option<String> {
    let (target, expire_time) = parse_signed_text(text)?;
    Some(signed_text(&target, DateTime::from_timestamp(expire_time, 0)?))
}
