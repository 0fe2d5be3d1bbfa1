//! Accepts connections: limits their number and the duration of their handshake.

use std::io;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use cosell_telemetry::metrics;
use futures::Stream;
use ipnet::IpNet;
use opentelemetry::KeyValue;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_util::either::Either;

use crate::connection::{Connection, ConnectionInfo, Transport};
use crate::keyed_limit::KeyedLimit;
use crate::response_body::UnreadResponses;

/// Maximum concurrent connections of a listener, without those of proxies.
const MAX_CONNECTIONS: usize = 2_000;
/// Time limit for TLS and the beginning of HTTP/2. A client that sends nothing or a byte now and then is closed.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// Pause after a failed `accept`, which fails continuously while the process has no free file descriptor.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);
/// The first bytes of a client (RFC 9113, 3.4).
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const FRAME_HEADER: usize = 9;
const SETTINGS: u8 = 4;
/// Maximum size of the first SETTINGS frame in bytes; a setting has 6.
const MAX_SETTINGS: usize = 1024;

/// Limits of connections.
#[derive(Clone, Debug)]
pub(crate) struct ConnectionLimits {
    pub(crate) per_address: usize,
    /// Addresses that connect on behalf of many clients.
    pub(crate) proxies: Vec<IpNet>,
}

/// Accepts connections until the stream is dropped, and yields those whose handshake has succeeded.
pub(crate) fn connections(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    limits: ConnectionLimits,
) -> impl Stream<Item = io::Result<Connection>> {
    let (ready, mut connections) = mpsc::channel(16);
    tokio::spawn(async move {
        let limit = KeyedLimit::new(MAX_CONNECTIONS, limits.per_address);
        loop {
            let (stream, peer) = tokio::select! {
                () = ready.closed() => return,
                (stream, peer) = accept(|| listener.accept()) => (stream, peer.ip().to_canonical()),
            };
            let is_proxy = limits.proxies.iter().any(|proxies| proxies.contains(&peer));
            let client = (!is_proxy).then(|| network(peer));
            let permit = match &client {
                None => None,
                Some(client) => match limit.acquire(client, 1) {
                    None => {
                        // A refusal, by closing the connection, is better than an invisible queue.
                        tracing::debug!(%peer, "connection limit reached");
                        count_refused("limit");
                        continue;
                    }
                    permit => permit,
                },
            };
            let info = ConnectionInfo {
                client,
                unread: UnreadResponses::default(),
            };
            let (tls, ready) = (tls.clone(), ready.clone());
            tokio::spawn(async move {
                let handshake = timeout(HANDSHAKE_TIMEOUT, perform_handshake(stream, tls));
                match handshake
                    .await
                    .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
                {
                    Ok((preface, transport)) => {
                        let connection = Connection::new(preface, transport, info, permit);
                        let _ = ready.send(Ok(connection)).await;
                    }
                    Err(error) => {
                        tracing::debug!(%peer, error = error.to_string(), "handshake failed");
                        count_refused("handshake");
                    }
                }
            });
        }
    });
    futures::stream::poll_fn(move |context| connections.poll_recv(context))
}

/// Accepts the next connection. Pauses after an error that the next attempt would have, too.
async fn accept<T, F: Future<Output = io::Result<T>>>(next: impl Fn() -> F) -> T {
    loop {
        match next().await {
            Ok(accepted) => return accepted,
            // The client has gone.
            Err(error) if is_of_connection(&error) => {}
            Err(error) => {
                tracing::warn!(error = error.to_string(), "accepting a connection failed");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Whether `accept` failed because of the connection, and not for lack of a resource.
fn is_of_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::PermissionDenied
    )
}

fn count_refused(reason: &'static str) {
    metrics::CONNECTIONS_REFUSED.add(1, &[KeyValue::new("reason", reason)]);
}

/// The network whose connections are counted together: a client has a whole /64 of IPv6 addresses.
fn network(peer: IpAddr) -> IpAddr {
    let prefix = if peer.is_ipv4() { 32 } else { 64 };
    IpNet::new(peer, prefix).map_or(peer, |network| network.network())
}

async fn perform_handshake(stream: TcpStream, tls: Option<TlsAcceptor>) -> io::Result<(Bytes, Transport)> {
    stream.set_nodelay(true)?;
    let mut transport = match tls {
        Some(tls) => Either::Right(tls.accept(stream).await?),
        None => Either::Left(stream),
    };
    let preface = read_preface(&mut transport).await?;
    Ok((preface, transport))
}

/// Reads the preface and the SETTINGS frame, with which every client begins.
async fn read_preface(transport: &mut (impl AsyncRead + Unpin)) -> io::Result<Bytes> {
    let mut read = vec![0; PREFACE.len()];
    transport.read_exact(&mut read).await?;
    if read != PREFACE {
        return Err(io::Error::other("no HTTP/2"));
    }
    let mut header = [0; FRAME_HEADER];
    transport.read_exact(&mut header).await?;
    let length = usize::from(header[0]) << 16 | usize::from(header[1]) << 8 | usize::from(header[2]);
    if header[3] != SETTINGS || length > MAX_SETTINGS {
        return Err(io::Error::other("no SETTINGS"));
    }
    read.extend_from_slice(&header);
    let payload = read.len();
    read.resize(payload + length, 0);
    transport.read_exact(&mut read[payload..]).await?;
    Ok(read.into())
}

/// Creates the acceptor for TLS with a certificate chain and its key, both PEM.
pub(crate) fn tls_acceptor(cert: &Path, key: &Path) -> anyhow::Result<TlsAcceptor> {
    let certificates = CertificateDer::pem_file_iter(cert)
        .and_then(Iterator::collect)
        .context("reading the certificate")?;
    let key = PrivateKeyDer::from_pem_file(key).context("reading the certificate's key")?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(certificates, key)
        .context("using the certificate")?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(Arc::new(config).into())
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use tokio::time::Instant;

    use super::*;

    async fn read(bytes: &[u8]) -> io::Result<Bytes> {
        read_preface(&mut &*bytes).await
    }

    #[tokio::test(start_paused = true)]
    async fn plt_015_accepting_pauses_while_no_descriptor_is_free() {
        let attempts = Cell::new(0);
        let started = Instant::now();
        accept(|| {
            attempts.set(attempts.get() + 1);
            let result = match attempts.get() {
                1 | 3 => Err(io::Error::from_raw_os_error(24)),
                2 => Err(io::ErrorKind::ConnectionAborted.into()),
                _ => Ok(()),
            };
            std::future::ready(result)
        })
        .await;
        assert_eq!(attempts.get(), 4);
        assert_eq!(started.elapsed(), 2 * ACCEPT_PAUSE);
    }

    #[tokio::test]
    async fn plt_015_connection_must_begin_with_preface_and_settings() {
        let settings = [
            PREFACE.as_slice(),
            &[0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 100],
        ]
        .concat();
        assert_eq!(read(&settings).await.expect("a preface"), settings);
        assert!(read(&settings[..20]).await.is_err());
        assert!(read(b"GET / HTTP/1.1\r\nHost: cosell\r\n\r\n").await.is_err());
        let ping = [PREFACE.as_slice(), &[0, 0, 8, 6, 0, 0, 0, 0, 0]].concat();
        assert!(read(&ping).await.is_err());
        let long = [PREFACE.as_slice(), &[0, 255, 0, 4, 0, 0, 0, 0, 0]].concat();
        assert!(read(&long).await.is_err());
    }

    #[test]
    fn plt_015_addresses_of_a_network_are_counted_together() {
        let of = |address: &str| network(address.parse().expect("an address")).to_string();
        assert_eq!(of("192.0.2.7"), "192.0.2.7");
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
    }
}
