//! The entry to the decoder of events, for the fuzz target (tests/fuzz-targets) and for nothing else. Outside of tests only
//! a consumer reads events, from the bus.

use async_nats::HeaderMap;
use bytes::Bytes;

use crate::Delivery;

/// Decodes the envelope of an event. The error names the missing or invalid header.
pub fn delivery(
    subject: &str,
    headers: Option<&HeaderMap>,
    payload: Bytes,
) -> Result<Delivery, &'static str> {
    Delivery::read(subject, headers, payload)
}
