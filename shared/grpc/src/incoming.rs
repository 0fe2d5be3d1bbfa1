//! Incoming connections: limits their number and closes those that send nothing.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures::{Stream, StreamExt as _};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Sleep, sleep};
use tonic::transport::server::{Connected, TcpConnectInfo, TcpIncoming};

/// Maximum number of concurrent connections per listener.
const MAX_CONNECTIONS: usize = 2_000;
/// How long a new connection may wait before its first byte.
const FIRST_BYTE_TIMEOUT: Duration = Duration::from_secs(10);
/// TCP keepalive: the kernel closes connections whose peer has disappeared.
const TCP_KEEPALIVE: Duration = Duration::from_secs(60);

/// Accepts connections up to the limit.
pub(crate) fn connections(listener: TcpListener) -> impl Stream<Item = io::Result<Connection>> {
    let permits = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    TcpIncoming::from(listener)
        .with_nodelay(Some(true))
        .with_keepalive(Some(TCP_KEEPALIVE))
        .filter_map(move |accepted| {
            let permit = permits.clone().try_acquire_owned();
            // Without a permit the stream is dropped, which closes it: a refusal is better than an invisible queue.
            futures::future::ready(match (accepted, permit) {
                (Ok(stream), Ok(permit)) => Some(Ok(Connection {
                    stream,
                    first_byte_timeout: Some(Box::pin(sleep(FIRST_BYTE_TIMEOUT))),
                    _permit: permit,
                })),
                (Ok(_), Err(_)) => {
                    tracing::warn!(
                        limit = MAX_CONNECTIONS,
                        "connection limit reached; connection refused"
                    );
                    None
                }
                (Err(error), _) => Some(Err(error)),
            })
        })
}

/// A connection that times out unless it receives a first byte.
pub(crate) struct Connection {
    stream: TcpStream,
    first_byte_timeout: Option<Pin<Box<Sleep>>>,
    _permit: OwnedSemaphorePermit,
}

impl Connected for Connection {
    type ConnectInfo = TcpConnectInfo;

    fn connect_info(&self) -> TcpConnectInfo {
        self.stream.connect_info()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        match Pin::new(&mut self.stream).poll_read(context, buffer) {
            Poll::Ready(result) => {
                if buffer.filled().len() > before {
                    self.first_byte_timeout = None;
                }
                Poll::Ready(result)
            }
            Poll::Pending => {
                if let Some(timeout) = &mut self.first_byte_timeout {
                    ready!(timeout.as_mut().poll(context));
                    return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
                }
                Poll::Pending
            }
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
