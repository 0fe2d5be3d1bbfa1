//! Calls of Slack's Web API: how they are sent, what answers mean, and when the next call of a method may be made.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use http::uri::Scheme;
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

/// The most that is read of an answer: a page of a thousand channels with room to spare.
const MAX_ANSWER: usize = 8 * 1024 * 1024;
/// How long to wait when Slack wants no more calls and does not say for how long.
const USUAL_PAUSE: Duration = Duration::from_secs(30);
/// The longest wait that is believed.
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);

/// A client of the Web API.
pub(super) struct Api {
    base: String,
    token: SecretFile,
    limit: Duration,
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    /// Until when Slack wants no call of a method.
    gates: Mutex<HashMap<&'static str, Instant>>,
}

struct Answer {
    status: StatusCode,
    retry_after: Duration,
    body: Bytes,
}

/// What every answer has.
#[derive(Deserialize)]
struct Outcome {
    ok: bool,
    #[serde(default)]
    error: String,
}

impl Api {
    /// A client of the API at this address; each call may take so long.
    pub(super) fn new(base: &str, token: SecretFile, limit: Duration) -> anyhow::Result<Self> {
        let address: Uri = base.parse().context("the address of Slack")?;
        // The token goes there.
        let is_safe = address.scheme() == Some(&Scheme::HTTPS) || address.host().is_some_and(is_this_machine);
        ensure!(is_safe, "the address of Slack must be https://");
        let connector = hyper_rustls::HttpsConnectorBuilder::new()
            .with_native_roots()
            .context("the system's certificates")?
            .https_or_http()
            .enable_http1()
            .build();
        Ok(Self {
            base: format!("{}/", base.trim_end_matches('/')),
            token,
            limit,
            client: Client::builder(TokioExecutor::new())
                .pool_timer(TokioTimer::new())
                .build(connector),
            gates: Mutex::default(),
        })
    }

    /// Calls a method with arguments as a form, which all methods take.
    pub(super) async fn form<A: DeserializeOwned>(
        &self,
        method: &'static str,
        arguments: &[(&str, &str)],
    ) -> Result<A, ProviderError> {
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(arguments)
            .finish();
        let kind = "application/x-www-form-urlencoded";
        self.call(method, HeaderValue::from_static(kind), body).await
    }

    /// Calls a method with arguments as JSON, for those that have lists or blocks.
    pub(super) async fn json<A: DeserializeOwned>(
        &self,
        method: &'static str,
        arguments: &Value,
    ) -> Result<A, ProviderError> {
        let kind = "application/json; charset=utf-8";
        self.call(method, HeaderValue::from_static(kind), arguments.to_string())
            .await
    }

    async fn call<A: DeserializeOwned>(
        &self,
        method: &'static str,
        kind: HeaderValue,
        body: String,
    ) -> Result<A, ProviderError> {
        self.pass(method)?;
        let answer = tokio::time::timeout(self.limit, self.exchange(method, kind, body))
            .await
            .map_err(|_| ProviderError::Unavailable(format!("{method} was not answered in time")))?
            .map_err(|error| ProviderError::Unavailable(format!("{method}: {error:#}")))?;
        self.understand(method, &answer)
    }

    async fn exchange(&self, method: &str, kind: HeaderValue, body: String) -> anyhow::Result<Answer> {
        let token = self.token.read().await?;
        // The text of the error could repeat the token.
        let mut bearer = HeaderValue::try_from(format!("Bearer {}", token.expose_secret()))
            .map_err(|_| anyhow::anyhow!("the token has letters that no token has"))?;
        bearer.set_sensitive(true);
        let request = Request::post(format!("{}{method}", self.base))
            .header(AUTHORIZATION, bearer)
            .header(CONTENT_TYPE, kind)
            .body(Full::from(body))
            .context("the request")?;
        let response = self.client.request(request).await?;
        let status = response.status();
        let retry_after = pause(response.headers());
        let body = Limited::new(response.into_body(), MAX_ANSWER)
            .collect()
            .await
            .map_err(|error| anyhow::anyhow!("reading the answer: {error}"))?
            .to_bytes();
        Ok(Answer {
            status,
            retry_after,
            body,
        })
    }

    fn understand<A: DeserializeOwned>(
        &self,
        method: &'static str,
        answer: &Answer,
    ) -> Result<A, ProviderError> {
        let status = answer.status;
        if status == StatusCode::TOO_MANY_REQUESTS {
            return Err(self.close(method, answer.retry_after));
        }
        if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT {
            return Err(ProviderError::Unavailable(format!(
                "{method} was answered {status}"
            )));
        }
        // What a parse error says could repeat what was parsed.
        let unreadable = || ProviderError::Unavailable(format!("{method} was answered with something else"));
        let Ok(outcome) = serde_json::from_slice::<Outcome>(&answer.body) else {
            if status.is_success() {
                return Err(unreadable());
            }
            return Err(ProviderError::refused(&format!("http_{}", status.as_u16())));
        };
        if outcome.ok {
            return serde_json::from_slice(&answer.body).map_err(|_| unreadable());
        }
        Err(match outcome.error.as_str() {
            "ratelimited" | "ratelimit" | "rate_limited" => self.close(method, answer.retry_after),
            passing @ ("fatal_error"
            | "internal_error"
            | "invite_lookup_error"
            | "request_timeout"
            | "service_unavailable"
            | "team_added_to_org") => ProviderError::Unavailable(format!("{method} was answered {passing}")),
            code if is_code(code) => ProviderError::refused(code),
            _ => ProviderError::refused("unknown"),
        })
    }

    /// Lets a call pass, unless Slack wants none of this method yet.
    fn pass(&self, method: &'static str) -> Result<(), ProviderError> {
        let mut gates = self.gates();
        let now = Instant::now();
        match gates.get(method) {
            Some(until) if *until > now => Err(ProviderError::RateLimited {
                retry_after: *until - now,
            }),
            _ => {
                gates.remove(method);
                Ok(())
            }
        }
    }

    fn close(&self, method: &'static str, retry_after: Duration) -> ProviderError {
        self.gates().insert(method, Instant::now() + retry_after);
        ProviderError::RateLimited { retry_after }
    }

    fn gates(&self) -> MutexGuard<'_, HashMap<&'static str, Instant>> {
        self.gates.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn pause(headers: &HeaderMap) -> Duration {
    headers
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok()?.trim().parse().ok())
        .map_or(USUAL_PAUSE, Duration::from_secs)
        .min(LONGEST_PAUSE)
}

/// Whether it is a word of the closed list that Slack documents, by its form; anything else could be anything.
fn is_code(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|letter| matches!(letter, b'a'..=b'z' | b'0'..=b'9' | b'_'))
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost"
        || host
            .trim_matches(['[', ']'])
            .parse::<IpAddr>()
            .is_ok_and(|ip| ip.is_loopback())
}
