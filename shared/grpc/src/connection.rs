//! A connection after its handshake.

use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf as _, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep};
use tokio_rustls::server::TlsStream;
use tokio_util::either::Either;
use tonic::transport::server::Connected;

use crate::answer::Unread;
use crate::keyed_limit::Permit;

/// How long a client may leave an answer unread. Then its connection is closed, which ends all its calls.
const MAX_UNREAD: Duration = Duration::from_secs(30);
const CHECK_INTERVAL: Duration = Duration::from_secs(5);

/// A stream of bytes, with or without TLS.
pub(crate) type Transport = Either<TcpStream, TlsStream<TcpStream>>;

/// What calls know of their connection.
#[derive(Clone, Debug)]
pub(crate) struct ConnectionInfo {
    /// The address of the client or proxy.
    pub(crate) peer: IpAddr,
    pub(crate) unread: Unread,
}

/// A connection. It is closed if its client leaves an answer unread, unless the client is a proxy: one of the clients
/// behind it must not close the connection of the others.
pub(crate) struct Connection {
    /// What the handshake has read of HTTP/2.
    pub(crate) beginning: Bytes,
    pub(crate) transport: Transport,
    pub(crate) info: ConnectionInfo,
    /// The next check for unread answers; `None` for a proxy.
    pub(crate) check: Option<Pin<Box<Sleep>>>,
    /// The permit of the limit of connections; `None` for a proxy.
    pub(crate) _permit: Option<Permit<IpAddr>>,
}

impl Connection {
    pub(crate) fn next_check() -> Pin<Box<Sleep>> {
        Box::pin(sleep(CHECK_INTERVAL))
    }

    fn poll_check(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        while let Some(check) = &mut self.check
            && check.as_mut().poll(context).is_ready()
        {
            if self.info.unread.longest() > MAX_UNREAD {
                tracing::debug!(peer = %self.info.peer, "connection closed: its client does not read");
                return Err(io::ErrorKind::TimedOut.into());
            }
            check.as_mut().reset(Instant::now() + CHECK_INTERVAL);
        }
        Ok(())
    }
}

impl Connected for Connection {
    type ConnectInfo = ConnectionInfo;

    fn connect_info(&self) -> ConnectionInfo {
        self.info.clone()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.beginning.is_empty() {
            let size = self.beginning.len().min(buffer.remaining());
            buffer.put_slice(&self.beginning[..size]);
            self.beginning.advance(size);
            return Poll::Ready(Ok(()));
        }
        let read = Pin::new(&mut self.transport).poll_read(context, buffer);
        if read.is_pending() {
            self.poll_check(context)?;
        }
        read
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.transport).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.transport).poll_write_vectored(context, buffers)
    }

    fn is_write_vectored(&self) -> bool {
        self.transport.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.transport).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.transport).poll_shutdown(context)
    }
}
