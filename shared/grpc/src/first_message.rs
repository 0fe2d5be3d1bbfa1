//! Receives the first message of a call before the call uses anything else (PLT-015).
//!
//! A client can send the headers of a call and let its message wait for seconds. Such a call uses its stream and the
//! bytes that have arrived.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use cosell_types::CallerClass;
use http_body::Frame;
use http_body_util::BodyExt as _;
use tonic::Status;
use tonic::body::Body;

use crate::keyed_limit::{KeyedLimit, Permit};
use crate::{Failure, MAX_REQUEST};

/// A byte that says whether the message is compressed, and four with its length.
const PREFIX: usize = 5;

/// A body of which the beginning has been received.
struct Received {
    beginning: VecDeque<Bytes>,
    rest: Body,
    _bytes: Permit<CallerClass>,
}

/// Receives the body up to the end of its first message, or to its end if `is_only` says that the message is the only
/// one. Each byte counts against the limit until the body is dropped.
pub(crate) async fn receive(
    mut body: Body,
    is_only: bool,
    class: &CallerClass,
    buffer: &KeyedLimit<CallerClass>,
) -> Result<Body, Failure> {
    let mut bytes = buffer.acquire(class, 0).ok_or_else(Failure::overloaded)?;
    let mut beginning = VecDeque::new();
    let mut prefix = Vec::with_capacity(PREFIX);
    let mut received = 0;
    loop {
        let expected = length(&prefix).map(|length| PREFIX + length);
        if is_only && expected.is_some_and(|expected| received > expected) {
            return Err(Failure::malformed());
        }
        // The decoder waits for the end of the body after the only message.
        if !is_only && expected.is_some_and(|expected| received >= expected) {
            break;
        }
        // A body that ends early or fails is left to the decoder.
        let Some(Ok(frame)) = body.frame().await else {
            break;
        };
        let Ok(data) = frame.into_data() else { continue };
        if !bytes.grow(data.len()) {
            return Err(Failure::overloaded());
        }
        prefix.extend_from_slice(&data[..data.len().min(PREFIX - prefix.len())]);
        if length(&prefix).is_some_and(|length| length > MAX_REQUEST) {
            return Err(Failure::message_too_large());
        }
        received += data.len();
        beginning.push_back(data);
    }
    Ok(Body::new(Received {
        beginning,
        rest: body,
        _bytes: bytes,
    }))
}

/// The length of the message, once its prefix is complete.
fn length(prefix: &[u8]) -> Option<usize> {
    let length = prefix.get(1..PREFIX)?.try_into().ok()?;
    usize::try_from(u32::from_be_bytes(length)).ok()
}

impl http_body::Body for Received {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        match self.beginning.pop_front() {
            Some(data) => Poll::Ready(Some(Ok(Frame::data(data)))),
            None => Pin::new(&mut self.rest).poll_frame(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.beginning.is_empty() && self.rest.is_end_stream()
    }
}
