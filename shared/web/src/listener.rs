//! Serves routes over HTTP/1.1 in plain text, behind a proxy that terminates TLS, with limits on the number and the
//! duration of connections.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The delay after a failed accept, for example when the process has too many open files.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(100);
/// Time limit for the headers of a request. A proxy sends those of a slow client at once.
const HEADERS_TIMEOUT: Duration = Duration::from_secs(5);
/// Maximum size of the headers of a request, and of what is read ahead of its body, in bytes.
const MAX_HEADERS: usize = 16 * 1024;

/// The limits of a listener.
#[derive(Clone, Copy, Debug)]
pub struct ListenerLimits {
    /// The maximum number of concurrent connections; further ones wait to be accepted.
    pub connections: usize,
    /// The maximum duration of a connection, which carries one request.
    pub connection_timeout: Duration,
}

impl Default for ListenerLimits {
    fn default() -> Self {
        Self {
            connections: 256,
            connection_timeout: Duration::from_secs(10),
        }
    }
}

/// Listens on the address, with the listener that is bound to it already if there is one.
pub fn bind(address: SocketAddr, bound: Option<&std::net::TcpListener>) -> anyhow::Result<TcpListener> {
    let listen = || {
        let listener = match bound {
            Some(bound) => bound.try_clone()?,
            None => std::net::TcpListener::bind(address)?,
        };
        listener.set_nonblocking(true)?;
        TcpListener::from_std(listener)
    };
    listen().with_context(|| format!("listening on {address}"))
}

/// Serves until `stop` is cancelled, then waits for the requests in flight.
pub async fn serve(listener: TcpListener, router: Router, limits: ListenerLimits, stop: CancellationToken) {
    let permits = Arc::new(Semaphore::new(limits.connections));
    let connections = TaskTracker::new();
    let accept_all = async {
        loop {
            // The semaphore is never closed.
            let Ok(permit) = permits.clone().acquire_owned().await else {
                return;
            };
            let stream = match listener.accept().await {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "HTTP connection could not be accepted");
                    tokio::time::sleep(ACCEPT_RETRY_DELAY).await;
                    continue;
                }
            };
            let (router, stop) = (router.clone(), stop.clone());
            connections.spawn(async move {
                let serving = serve_connection(stream, router, stop);
                let _ = tokio::time::timeout(limits.connection_timeout, serving).await;
                drop(permit);
            });
        }
    };
    tokio::select! {
        () = accept_all => {}
        () = stop.cancelled() => {}
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

async fn serve_connection(stream: TcpStream, router: Router, stop: CancellationToken) {
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADERS_TIMEOUT)
            .max_buf_size(MAX_HEADERS)
            .keep_alive(false)
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
    );
    tokio::select! {
        // Connection errors are the client's.
        _ = connection.as_mut() => {}
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}
