//! Starts the gRPC and health servers of a process and shuts them down gracefully.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use cosell_types::random;
use ipnet::IpNet;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tonic::service::Routes;
use tonic::transport::Server;
use tonic_health::pb::health_server::HealthServer;
use tracing::Instrument as _;

use crate::health::Statuses;
use crate::incoming::{self, ConnectionLimits};
use crate::{Edge, Readiness};

/// Maximum concurrent streams per connection; tonic has no limit by default.
const MAX_STREAMS: u32 = 128;
/// Maximum size of a header list in bytes. The edge has a lower limit, which it refuses with a reason.
const MAX_HEADERS: u32 = 64 * 1024;
/// Maximum size of a message of a health check or reflection, which needs no token.
const MAX_PUBLIC_MESSAGE: usize = 4 * 1024;
/// Bytes that a client may send before the service has read them: of a call, and of all calls of a connection.
const STREAM_WINDOW: u32 = 256 * 1024;
const CONNECTION_WINDOW: u32 = 1024 * 1024;
/// Maximum age of a connection, so that clients discover new replicas.
const CONNECTION_AGE: Duration = Duration::from_secs(600);

/// Options of every process that serves gRPC.
#[derive(Clone, Debug, clap::Args)]
pub struct ServeArgs {
    /// Listen address for gRPC calls.
    #[arg(long, env = "COSELL_LISTEN", default_value = "0.0.0.0:50051")]
    pub listen: SocketAddr,

    /// Listen address for health checks, in plain text; must not be reachable from outside.
    #[arg(long, env = "COSELL_HEALTH_LISTEN", default_value = "0.0.0.0:50052")]
    pub health_listen: SocketAddr,

    /// Maximum number of concurrent calls of partners, of AWS and of services each, and a quarter of it of one partner
    /// account; further ones are refused with RESOURCE_EXHAUSTED.
    #[arg(long, env = "COSELL_MAX_CALLS", default_value_t = 256)]
    pub max_calls: usize,

    /// Maximum sustained calls per second of one account; bursts of twice as many are accepted for one second.
    #[arg(long, env = "COSELL_ACCOUNT_RATE", default_value = "500")]
    pub account_rate: NonZeroU32,

    /// Maximum number of concurrent connections of one address (of a /64 network with IPv6).
    #[arg(long, env = "COSELL_ADDRESS_CONNECTIONS", default_value_t = 256)]
    pub address_connections: usize,

    /// Addresses and networks of proxies, separated by commas. They connect for many clients: the number of their
    /// connections is not limited, and no connection is closed because one client does not read.
    #[arg(long, env = "COSELL_PROXIES", value_delimiter = ',', value_parser = parse_network)]
    pub proxies: Vec<IpNet>,

    /// Enable server reflection; for development.
    #[arg(long, env = "COSELL_REFLECTION")]
    pub reflection: bool,

    /// Seconds that calls in flight have to finish at shutdown.
    #[arg(long, env = "COSELL_DRAIN_SECONDS", default_value_t = 20)]
    pub drain_seconds: u64,

    /// Certificate chain (PEM) for TLS on the address for gRPC calls; plain text if absent.
    #[arg(long, env = "COSELL_TLS_CERT", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,

    /// Private key (PEM) of the certificate.
    #[arg(long, env = "COSELL_TLS_KEY", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
}

/// Parses a network (CIDR) or an address.
fn parse_network(text: &str) -> Result<IpNet, String> {
    let address = || text.parse::<IpAddr>().map(IpNet::from);
    let network = text.parse().or_else(|_| address());
    network.map_err(|_| "must be an IP address, or a network such as 10.0.0.0/8".to_owned())
}

/// The bound sockets of a process. Bound before the services start, so that their addresses are known.
#[derive(Debug)]
pub struct Listeners {
    calls: TcpListener,
    health: TcpListener,
}

impl Listeners {
    /// Binds the sockets.
    pub async fn bind(args: &ServeArgs) -> anyhow::Result<Self> {
        let bind = async |address: SocketAddr| {
            TcpListener::bind(address)
                .await
                .with_context(|| format!("listening on {address}"))
        };
        Ok(Self {
            calls: bind(args.listen).await?,
            health: bind(args.health_listen).await?,
        })
    }

    /// Local address for gRPC calls.
    pub fn address(&self) -> anyhow::Result<SocketAddr> {
        Ok(self.calls.local_addr()?)
    }

    /// Local address for health checks.
    pub fn health_address(&self) -> anyhow::Result<SocketAddr> {
        Ok(self.health.local_addr()?)
    }
}

fn reflection(services: &[String]) -> tonic_reflection::server::Builder<'static> {
    let definitions = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(cosell_proto::DESCRIPTORS);
    // The definitions also contain services that this process does not serve.
    services
        .iter()
        .fold(definitions, |builder, service| builder.with_service_name(service))
}

/// Serves until `stop` resolves, then stops accepting calls and waits up to `drain_seconds` for those in flight.
pub async fn serve(
    args: &ServeArgs,
    listeners: Listeners,
    routes: Routes,
    services: Vec<String>,
    edge: Edge,
    readiness: Readiness,
    stop: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let Listeners { calls, health } = listeners;
    tracing::info!(address = %calls.local_addr()?, health = %health.local_addr()?, "serving");
    let statuses = Statuses::new(services.clone());
    let health_service = HealthServer::new(statuses.clone()).max_decoding_message_size(MAX_PUBLIC_MESSAGE);
    let reporting = tokio::spawn(readiness.report(statuses.clone()).in_current_span());
    let limits = ConnectionLimits {
        per_address: args.address_connections,
        proxies: args.proxies.clone(),
    };
    let health_server = tokio::spawn(
        builder()
            .add_service(health_service.clone())
            .serve_with_incoming(incoming::connections(health, None, limits.clone())),
    );

    let mut server = builder().layer(edge);
    let mut router = server.add_routes(routes).add_service(health_service);
    if args.reflection {
        // Clients older than grpcurl 1.8.7 support only v1alpha.
        router = router
            .add_service(
                reflection(&services)
                    .build_v1()?
                    .max_decoding_message_size(MAX_PUBLIC_MESSAGE),
            )
            .add_service(
                reflection(&services)
                    .build_v1alpha()?
                    .max_decoding_message_size(MAX_PUBLIC_MESSAGE),
            );
    }
    let (shutdown, shutdown_requested) = tokio::sync::oneshot::channel::<()>();
    let mut serving = tokio::spawn(router.serve_with_incoming_shutdown(
        incoming::connections(calls, tls(args)?, limits),
        async {
            let _ = shutdown_requested.await;
        },
    ));
    tokio::select! {
        () = stop => {}
        result = &mut serving => {
            result?.context("serving calls")?;
            anyhow::bail!("the server stopped unexpectedly");
        }
    }
    reporting.abort();
    let _ = reporting.await;
    statuses.set_ready(false);
    drop(shutdown);
    // `serving` alone would wait forever for an idle connection or an open stream.
    let drained = tokio::time::timeout(Duration::from_secs(args.drain_seconds), serving).await;
    if drained.is_err() {
        tracing::warn!(
            seconds = args.drain_seconds,
            "drain timeout expired; open connections closed"
        );
    }
    health_server.abort();
    Ok(())
}

fn builder() -> Server {
    // No `max_connection_age_grace`: with it tonic aborts calls in flight instead of letting them finish.
    Server::builder()
        .max_concurrent_streams(MAX_STREAMS)
        .http2_max_header_list_size(MAX_HEADERS)
        .http2_keepalive_interval(Some(Duration::from_secs(30)))
        .http2_keepalive_timeout(Some(Duration::from_secs(10)))
        .http2_adaptive_window(Some(false))
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_connection_age(CONNECTION_AGE.mul_f64(0.9 + 0.2 * (random::jitter() - 0.5)))
}

fn tls(args: &ServeArgs) -> anyhow::Result<Option<TlsAcceptor>> {
    match (&args.tls_cert, &args.tls_key) {
        (Some(cert), Some(key)) => incoming::tls_acceptor(cert, key).map(Some),
        _ => Ok(None),
    }
}
