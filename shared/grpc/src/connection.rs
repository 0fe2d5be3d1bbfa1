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

use crate::keyed_limit::Permit;
use crate::response_body::UnreadResponses;

/// How long a client may leave a response unread, or the socket full. Then its connection is closed, which ends all its
/// calls.
const MAX_UNREAD: Duration = Duration::from_secs(30);
const CHECK_INTERVAL: Duration = Duration::from_secs(5);

/// A stream of bytes, with or without TLS.
pub(crate) type Transport = Either<TcpStream, TlsStream<TcpStream>>;

/// What calls know of their connection.
#[derive(Clone, Debug)]
pub(crate) struct ConnectionInfo {
    /// The address or network of the client; `None` for a proxy, which connects for many clients.
    pub(crate) client: Option<IpAddr>,
    pub(crate) unread: UnreadResponses,
}

/// A connection. It is closed if its client does not read.
pub(crate) struct Connection {
    /// What the handshake has read of HTTP/2.
    preface: Bytes,
    transport: Transport,
    info: ConnectionInfo,
    check: Pin<Box<Sleep>>,
    /// Since when the socket has been full.
    blocked_since: Option<Instant>,
    /// The permit of the limit of connections; `None` for a proxy.
    _permit: Option<Permit<IpAddr>>,
}

impl Connection {
    pub(crate) fn new(
        preface: Bytes,
        transport: Transport,
        info: ConnectionInfo,
        permit: Option<Permit<IpAddr>>,
    ) -> Self {
        Self {
            preface,
            transport,
            info,
            check: Box::pin(sleep(CHECK_INTERVAL)),
            blocked_since: None,
            _permit: permit,
        }
    }

    /// Fails if the client has not read for too long. Called when nothing can be read or written, so that the task of
    /// the connection is woken for the next check.
    fn poll_check(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        while self.check.as_mut().poll(context).is_ready() {
            let blocked = self.blocked_since.map_or(Duration::ZERO, |since| since.elapsed());
            // A proxy connects for many clients: one that does not read must not close the connection of the others.
            let unread = match self.info.client {
                Some(_) => self.info.unread.longest(),
                None => Duration::ZERO,
            };
            if blocked.max(unread) > MAX_UNREAD {
                tracing::debug!(client = ?self.info.client, "connection closed: its client does not read");
                return Err(io::ErrorKind::TimedOut.into());
            }
            self.check.as_mut().reset(Instant::now() + CHECK_INTERVAL);
        }
        Ok(())
    }

    /// Notes whether the socket is full.
    fn check_written<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_pending() {
            self.blocked_since.get_or_insert_with(Instant::now);
            self.poll_check(context)?;
        } else {
            self.blocked_since = None;
        }
        written
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
        if !self.preface.is_empty() {
            let size = self.preface.len().min(buffer.remaining());
            buffer.put_slice(&self.preface[..size]);
            self.preface.advance(size);
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
        let written = Pin::new(&mut self.transport).poll_write(context, bytes);
        self.check_written(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.transport).poll_write_vectored(context, buffers);
        self.check_written(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.transport.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.transport).poll_flush(context);
        self.check_written(context, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut_down = Pin::new(&mut self.transport).poll_shutdown(context);
        self.check_written(context, shut_down)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;
    use tokio::time::timeout;

    use super::*;

    const CLIENT: Option<IpAddr> = Some(IpAddr::V4(Ipv4Addr::LOCALHOST));

    /// A connection, and its client, which does nothing.
    async fn connect(client: Option<IpAddr>, unread: UnreadResponses) -> (Connection, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
        let address = listener.local_addr().expect("an address");
        let peer = TcpStream::connect(address).await.expect("a connection");
        let (stream, _) = listener.accept().await.expect("a connection");
        let info = ConnectionInfo { client, unread };
        let connection = Connection::new(Bytes::new(), Either::Left(stream), info, None);
        (connection, peer)
    }

    /// How long reading waits until the connection is closed; `None` if it is not.
    async fn time_until_closed(client: Option<IpAddr>, unread: UnreadResponses) -> Option<Duration> {
        let (mut connection, _peer) = connect(client, unread).await;
        let started = Instant::now();
        let read = timeout(MAX_UNREAD * 10, connection.read(&mut [0; 8])).await;
        let error = read.ok()?.expect_err("nothing was sent");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        Some(started.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn plt_015_connection_with_an_unread_answer_is_closed_unless_it_is_that_of_a_proxy() {
        assert_eq!(time_until_closed(CLIENT, UnreadResponses::default()).await, None);
        let unread = UnreadResponses::default();
        unread.add(1);
        let closed = time_until_closed(CLIENT, unread.clone()).await.expect("an end");
        assert!((MAX_UNREAD..MAX_UNREAD + 2 * CHECK_INTERVAL).contains(&closed));
        assert_eq!(time_until_closed(None, unread).await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn plt_015_connection_with_a_full_socket_is_closed() {
        for client in [CLIENT, None] {
            let (mut connection, _peer) = connect(client, UnreadResponses::default()).await;
            let megabytes = vec![0; 64 * 1024 * 1024];
            let written = connection.write_all(&megabytes).await;
            assert_eq!(written.expect_err("nobody reads").kind(), io::ErrorKind::TimedOut);
        }
    }
}
