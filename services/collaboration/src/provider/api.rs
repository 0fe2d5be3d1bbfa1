//! A client of Slack's Web API: sends calls, classifies responses, and enforces Slack's rate limits.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use cosell_grpc::is_secure_url;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::Instant;

use super::{ProviderError, SecretFile};

/// The maximum size of a response, in bytes; more than a page of 1000 channels has.
const MAX_RESPONSE: usize = 8 * 1024 * 1024;
/// The delay after a rate limit without a `Retry-After` header.
const DEFAULT_RETRY_AFTER: Duration = Duration::from_secs(30);
/// The upper limit of the delay that Slack can request.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(3600);

/// Error codes of rate limits, besides HTTP status 429; the last is that of invitations by e-mail.
pub(super) const RATE_LIMIT_ERRORS: [&str; 3] = ["ratelimited", "rate_limited", "ratelimit"];
/// Error codes after which the same call may succeed without a change by an operator.
pub(super) const TRANSIENT_ERRORS: [&str; 7] = [
    "external_channel_migrating",
    "fatal_error",
    "internal_error",
    "invite_lookup_error",
    "request_timeout",
    "service_unavailable",
    "team_added_to_org",
];

/// A client of the Web API.
pub(super) struct Api {
    base_url: String,
    token: SecretFile,
    timeout: Duration,
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    /// By method, the time until which Slack refuses its calls.
    rate_limits: Mutex<HashMap<&'static str, Instant>>,
}

struct HttpResponse {
    status: StatusCode,
    retry_after: Duration,
    body: Bytes,
}

/// The fields that all responses have.
#[derive(Deserialize)]
struct ResponseStatus {
    ok: bool,
    #[serde(default)]
    error: String,
    /// The scope that the token lacks, with the error `missing_scope`.
    #[serde(default)]
    needed: String,
}

impl Api {
    /// A client of the API at this URL, with a timeout for each call.
    pub(super) fn new(base_url: &str, token: SecretFile, timeout: Duration) -> anyhow::Result<Self> {
        let url: Uri = base_url.parse().context("parsing the URL of Slack")?;
        // Each request has the token, so it must be encrypted or stay on this host.
        ensure!(is_secure_url(&url), "the URL of Slack must begin with https://");
        let connector = hyper_rustls::HttpsConnectorBuilder::new()
            .with_native_roots()
            .context("loading the system's root certificates")?
            .https_or_http()
            .enable_http1()
            .build();
        Ok(Self {
            base_url: format!("{}/", base_url.trim_end_matches('/')),
            token,
            timeout,
            client: Client::builder(TokioExecutor::new())
                .pool_timer(TokioTimer::new())
                .build(connector),
            rate_limits: Mutex::default(),
        })
    }

    /// Calls a method with form-encoded arguments, which all methods accept.
    pub(super) async fn post_form<R: DeserializeOwned>(
        &self,
        method: &'static str,
        arguments: &[(&str, &str)],
    ) -> Result<R, ProviderError> {
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(arguments)
            .finish();
        let content_type = HeaderValue::from_static("application/x-www-form-urlencoded");
        self.call(method, content_type, body).await
    }

    /// Calls a method with JSON arguments, for methods with lists or blocks.
    pub(super) async fn post_json<R: DeserializeOwned>(
        &self,
        method: &'static str,
        arguments: &Value,
    ) -> Result<R, ProviderError> {
        let content_type = HeaderValue::from_static("application/json; charset=utf-8");
        self.call(method, content_type, arguments.to_string()).await
    }

    async fn call<R: DeserializeOwned>(
        &self,
        method: &'static str,
        content_type: HeaderValue,
        body: String,
    ) -> Result<R, ProviderError> {
        self.check_rate_limit(method)?;
        let response = tokio::time::timeout(self.timeout, self.send(method, content_type, body))
            .await
            .map_err(|_| ProviderError::Unavailable(format!("{method} timed out")))?
            .map_err(|error| ProviderError::Unavailable(format!("{method}: {error:#}")))?;
        self.parse_response(method, &response)
    }

    async fn send(
        &self,
        method: &str,
        content_type: HeaderValue,
        body: String,
    ) -> anyhow::Result<HttpResponse> {
        let token = self.token.read().await?;
        // Drops the source error, whose text could repeat the token.
        let mut bearer = HeaderValue::try_from(format!("Bearer {}", token.expose_secret()))
            .map_err(|_| anyhow::anyhow!("the token has invalid characters"))?;
        bearer.set_sensitive(true);
        let request = Request::post(format!("{}{method}", self.base_url))
            .header(AUTHORIZATION, bearer)
            .header(CONTENT_TYPE, content_type)
            .body(Full::from(body))
            .context("building the request")?;
        let response = self.client.request(request).await?;
        let status = response.status();
        let retry_after = parse_retry_after(response.headers());
        let body = Limited::new(response.into_body(), MAX_RESPONSE)
            .collect()
            .await
            .map_err(|error| anyhow::anyhow!("reading the response: {error}"))?
            .to_bytes();
        Ok(HttpResponse {
            status,
            retry_after,
            body,
        })
    }

    fn parse_response<R: DeserializeOwned>(
        &self,
        method: &'static str,
        response: &HttpResponse,
    ) -> Result<R, ProviderError> {
        let status = response.status;
        if status == StatusCode::TOO_MANY_REQUESTS {
            return Err(self.set_rate_limit(method, response.retry_after));
        }
        if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT {
            return Err(ProviderError::Unavailable(format!("{method} returned {status}")));
        }
        // Drops the parse error, whose text could repeat personal data.
        let malformed = || ProviderError::Unavailable(format!("{method} returned a malformed response"));
        let Ok(response_status) = serde_json::from_slice::<ResponseStatus>(&response.body) else {
            if status.is_success() {
                return Err(malformed());
            }
            return Err(ProviderError::refused(&format!("http_{}", status.as_u16())));
        };
        if response_status.ok {
            return serde_json::from_slice(&response.body).map_err(|_| malformed());
        }
        Err(match response_status.error.as_str() {
            rate_limited if RATE_LIMIT_ERRORS.contains(&rate_limited) => {
                self.set_rate_limit(method, response.retry_after)
            }
            transient if TRANSIENT_ERRORS.contains(&transient) => {
                ProviderError::Unavailable(format!("{method} returned {transient}"))
            }
            missing_scope @ "missing_scope" => {
                let needed = Some(response_status.needed.as_str()).filter(|scope| is_scope(scope));
                tracing::error!(method, needed, "token for Slack lacks a scope");
                ProviderError::refused(missing_scope)
            }
            code if is_error_code(code) => ProviderError::refused(code),
            _ => ProviderError::refused("unknown"),
        })
    }

    /// Fails while a rate limit of the method is in effect.
    fn check_rate_limit(&self, method: &'static str) -> Result<(), ProviderError> {
        let mut rate_limits = self.rate_limits();
        let now = Instant::now();
        match rate_limits.get(method) {
            Some(until) if *until > now => Err(ProviderError::RateLimited {
                retry_after: *until - now,
            }),
            _ => {
                rate_limits.remove(method);
                Ok(())
            }
        }
    }

    fn set_rate_limit(&self, method: &'static str, retry_after: Duration) -> ProviderError {
        self.rate_limits().insert(method, Instant::now() + retry_after);
        ProviderError::RateLimited { retry_after }
    }

    fn rate_limits(&self) -> MutexGuard<'_, HashMap<&'static str, Instant>> {
        self.rate_limits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn parse_retry_after(headers: &HeaderMap) -> Duration {
    headers
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok()?.trim().parse().ok())
        .map_or(DEFAULT_RETRY_AFTER, Duration::from_secs)
        .min(MAX_RETRY_AFTER)
}

/// Whether the text has the form of Slack's documented error codes. Any other text could have personal data.
fn is_error_code(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))
}

/// Whether the text has the form of a list of scopes.
fn is_scope(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && text
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'_' | b'.' | b':' | b','))
}
