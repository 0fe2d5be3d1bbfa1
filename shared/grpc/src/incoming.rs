//! Connections: a limit to their number, and an end for those that are opened and then say nothing.

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

/// Most connections at a time.
const MAX_CONNECTIONS: usize = 2_000;
/// How long a new connection may stay silent.
const FIRST_BYTE: Duration = Duration::from_secs(10);
/// A peer that vanished is noticed by the kernel.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// The connections that arrive at a listener.
pub(crate) fn connections(listener: TcpListener) -> impl Stream<Item = io::Result<Connection>> {
    let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    TcpIncoming::from(listener)
        .with_nodelay(Some(true))
        .with_keepalive(Some(KEEPALIVE))
        .filter_map(move |accepted| {
            let permit = room.clone().try_acquire_owned();
            // Without room the stream is dropped, which closes it: better a clear refusal than a queue nobody sees.
            futures::future::ready(match (accepted, permit) {
                (Ok(stream), Ok(permit)) => Some(Ok(Connection {
                    stream,
                    silence: Some(Box::pin(sleep(FIRST_BYTE))),
                    _permit: permit,
                })),
                (Ok(_), Err(_)) => {
                    tracing::warn!(limit = MAX_CONNECTIONS, "a connection was refused");
                    None
                }
                (Err(error), _) => Some(Err(error)),
            })
        })
}

/// A connection that has to begin talking.
pub(crate) struct Connection {
    stream: TcpStream,
    silence: Option<Pin<Box<Sleep>>>,
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
                    self.silence = None;
                }
                Poll::Ready(result)
            }
            Poll::Pending => {
                if let Some(silence) = &mut self.silence {
                    ready!(silence.as_mut().poll(context));
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
