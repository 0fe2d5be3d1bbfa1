//! The body of a response, which keeps the resources of its call until the client has received it.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http_body::Frame;
use tokio::time::Instant;
use tonic::Status;
use tonic::body::Body;

/// Maximum size of a piece that is passed to the connection. The connection buffers some pieces for a client that does
/// not read, and the rest stays here, where it counts.
const PIECE: usize = 32 * 1024;

/// The responses of a connection that wait for the client to read.
#[derive(Clone, Debug, Default)]
pub(crate) struct UnreadResponses(Arc<Mutex<HashMap<u64, Instant>>>);

impl UnreadResponses {
    /// How long the client has not read a response: the longest time of all responses.
    pub(crate) fn longest(&self) -> Duration {
        let oldest = self.lock().values().min().copied();
        oldest.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// Notes that the client has a piece of this response to read.
    pub(crate) fn add(&self, id: u64) {
        self.lock().insert(id, Instant::now());
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The body of a response. `resources` are dropped with it: at the end, or when the stream or its connection is closed.
pub(crate) struct ResponseBody<R> {
    body: Body,
    piece: Bytes,
    trailers: HeaderMap,
    unread: UnreadResponses,
    id: u64,
    _resources: R,
}

impl<R> ResponseBody<R> {
    /// `trailers` are added to those of the body; `id` is unique in the connection of `unread`.
    pub(crate) fn new(
        body: Body,
        trailers: HeaderMap,
        unread: UnreadResponses,
        id: u64,
        resources: R,
    ) -> Self {
        Self {
            body,
            piece: Bytes::new(),
            trailers,
            unread,
            id,
            _resources: resources,
        }
    }

    fn next_piece(&mut self) -> Frame<Bytes> {
        // The last byte is a piece of its own. The connection asks for a piece when its window has a single byte, and
        // takes it whole: it asks for the last byte only when the window has covered everything before.
        let size = self.piece.len().saturating_sub(1).clamp(1, PIECE);
        self.unread.add(self.id);
        Frame::data(self.piece.split_to(size))
    }
}

impl<R: Unpin> http_body::Body for ResponseBody<R> {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if !self.piece.is_empty() {
            return Poll::Ready(Some(Ok(self.next_piece())));
        }
        // The connection asks for more only when the client has read what came before.
        self.unread.lock().remove(&self.id);
        let Some(frame) = ready!(Pin::new(&mut self.body).poll_frame(context)?) else {
            return Poll::Ready(None);
        };
        let frame = match frame.into_data() {
            Ok(data) => {
                self.piece = data;
                self.next_piece()
            }
            Err(mut frame) => {
                if let Some(trailers) = frame.trailers_mut() {
                    trailers.extend(std::mem::take(&mut self.trailers));
                }
                frame
            }
        };
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.piece.is_empty() && self.body.is_end_stream()
    }
}

impl<R> Drop for ResponseBody<R> {
    fn drop(&mut self) {
        self.unread.lock().remove(&self.id);
    }
}
