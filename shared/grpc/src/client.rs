//! Calls to other services of the platform, with this service's token, a deadline and the trace context.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use cosell_telemetry::propagate;
use cosell_types::{Caller, ServiceName};
use http::HeaderMap;
use http::uri::Scheme;
use tokio::time::Instant;
use tonic::Request;
use tonic::metadata::{AsciiMetadataValue, MetadataMap};
use tonic::transport::{Channel, ClientTlsConfig, Endpoint};

use crate::{Failure, Issuer, Retry};

/// Deadline of calls to other services.
const CALL_TIMEOUT: Duration = Duration::from_secs(3);
/// How long a token is cached; bounds how late a rotated token file is noticed.
const REREAD_AFTER: Duration = Duration::from_secs(30);

/// The source of a service's own token.
#[derive(Clone)]
pub enum TokenSource {
    /// A file that is renewed externally, such as a projected service-account token.
    File(PathBuf),
    /// A development issuer, and the name of the service.
    Issuer(Box<Issuer>, ServiceName),
}

/// A client of another service of the platform.
#[derive(Clone)]
pub struct Peer {
    channel: Channel,
    tokens: TokenSource,
    cached: Arc<Mutex<Option<(Instant, AsciiMetadataValue)>>>,
}

impl Peer {
    /// Creates a client for an address such as `http://review:50051`; connects on first use. With `https`, the server
    /// certificate is verified against the system's root certificates, or those in `SSL_CERT_FILE`.
    pub fn new(address: &str, tokens: TokenSource) -> anyhow::Result<Self> {
        let mut endpoint = Endpoint::from_shared(address.to_owned())
            .with_context(|| format!("{address} is not a valid service address"))?;
        if endpoint.uri().scheme() == Some(&Scheme::HTTPS) {
            endpoint = endpoint.tls_config(ClientTlsConfig::new().with_native_roots())?;
        }
        let endpoint = endpoint
            .connect_timeout(Duration::from_secs(1))
            .http2_keep_alive_interval(Duration::from_secs(20))
            .keep_alive_timeout(Duration::from_secs(5))
            .keep_alive_while_idle(true)
            .tcp_nodelay(true);
        Ok(Self {
            channel: endpoint.connect_lazy(),
            tokens,
            cached: Arc::default(),
        })
    }

    /// The channel for a generated client.
    pub fn channel(&self) -> Channel {
        self.channel.clone()
    }

    /// Creates a request with token, deadline and trace context.
    pub fn request<M>(&self, message: M) -> Result<Request<M>, Failure> {
        let token = self
            .token()
            .map_err(|error| Failure::unavailable(Retry::Never, error))?;
        let mut headers = HeaderMap::new();
        propagate::into_headers(&mut headers);
        let mut request = Request::new(message);
        *request.metadata_mut() = MetadataMap::from_headers(headers);
        request.metadata_mut().insert("authorization", token);
        request.set_timeout(CALL_TIMEOUT);
        Ok(request)
    }

    fn token(&self) -> anyhow::Result<AsciiMetadataValue> {
        let mut cached = self.cached.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((read, token)) = &*cached
            && read.elapsed() < REREAD_AFTER
        {
            return Ok(token.clone());
        }
        let token = match &self.tokens {
            TokenSource::File(path) => {
                std::fs::read_to_string(path).context("reading the service's token")?
            }
            TokenSource::Issuer(issuer, name) => issuer.token(&Caller::Service(name.clone()))?,
        };
        let mut token: AsciiMetadataValue = format!("Bearer {}", token.trim())
            .parse()
            .context("parsing the service's token")?;
        token.set_sensitive(true);
        *cached = Some((Instant::now(), token.clone()));
        Ok(token)
    }
}
