//! The layer around all gRPC services of a process: request id and trace, concurrency and rate limits, deadline,
//! authentication, and the reason of each refusal.

use std::collections::{HashMap, HashSet};
use std::num::NonZeroU32;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll};

use cosell_telemetry::{metrics, propagate};
use cosell_types::{AccountId, Caller, Clock, random};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use http::{HeaderMap, HeaderValue, Request, Response};
use opentelemetry::KeyValue;
use prost::Message as _;
use tokio::sync::Semaphore;
use tonic::body::Body;
use tonic::{Code, Status};
use tower::{Layer, Service};
use tracing::{Instrument as _, field, info_span};

use crate::denial::RecordedDenial;
use crate::{Deadline, Denial, Failure, ServiceAccess, Tag, Verifier};

const REQUEST_ID: &str = "x-request-id";
const ACCEPT_ENCODING: &str = "grpc-accept-encoding";

/// All RPCs of the definitions. Other paths get no label of their own, so that clients cannot create metric series.
static DEFINED_RPCS: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let set = prost_types::FileDescriptorSet::decode(cosell_proto::DESCRIPTORS).unwrap_or_default();
    let services = set
        .file
        .iter()
        .flat_map(|file| file.service.iter().map(move |service| (file.package(), service)));
    services
        .flat_map(|(package, service)| {
            service
                .method
                .iter()
                .map(move |method| format!("{package}.{}/{}", service.name(), method.name()))
        })
        .collect()
});

/// Client-streaming RPCs, which upload a file before they respond. They are exempt from the deadline of other calls,
/// and their use cases limit their duration.
static UPLOADS: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let set = prost_types::FileDescriptorSet::decode(cosell_proto::DESCRIPTORS).unwrap_or_default();
    let mut rpcs = HashSet::new();
    for file in &set.file {
        for service in &file.service {
            let uploads = service
                .method
                .iter()
                .filter(|method| method.client_streaming() && !method.server_streaming());
            rpcs.extend(
                uploads.map(|method| format!("{}.{}/{}", file.package(), service.name(), method.name())),
            );
        }
    }
    rpcs
});
/// Maximum duration of an upload.
const MAX_UPLOAD: std::time::Duration = std::time::Duration::from_secs(660);

/// The tower layer around all services of a process.
#[derive(Clone)]
pub struct Edge(Arc<Inner>);

struct Inner {
    verifier: Verifier,
    clock: Clock,
    permits: Semaphore,
    /// Keyed by account. Only authenticated callers are counted, so its size is bounded by the number of accounts.
    rate: DefaultKeyedRateLimiter<AccountId>,
    /// Keyed by the full name of the gRPC service.
    gates: HashMap<&'static str, ServiceAccess>,
}

impl Edge {
    /// Creates an edge that accepts at most `max_calls` concurrent calls with tokens that `verifier` accepts, and at
    /// most `account_rate` calls per second of each account. `gates` resolve the roles of members for each gRPC
    /// service.
    pub fn new(
        verifier: Verifier,
        clock: Clock,
        max_calls: usize,
        account_rate: NonZeroU32,
        gates: HashMap<&'static str, ServiceAccess>,
    ) -> Self {
        let quota =
            Quota::per_second(account_rate).allow_burst(account_rate.saturating_add(account_rate.get()));
        Edge(Arc::new(Inner {
            verifier,
            clock,
            permits: Semaphore::new(max_calls),
            rate: RateLimiter::keyed(quota),
            gates,
        }))
    }
}

impl<S> Layer<S> for Edge {
    type Service = Edged<S>;

    fn layer(&self, inner: S) -> Edged<S> {
        Edged {
            edge: self.0.clone(),
            inner,
        }
    }
}

/// A service wrapped by the edge.
#[derive(Clone)]
pub struct Edged<S> {
    edge: Arc<Inner>,
    inner: S,
}

impl<S> Service<Request<Body>> for Edged<S>
where
    S: Service<Request<Body>, Response = Response<Body>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Send,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        // Only the clone that was polled ready may be called; its replacement is polled before the next call.
        let replacement = self.inner.clone();
        let inner = std::mem::replace(&mut self.inner, replacement);
        let edge = self.edge.clone();
        Box::pin(async move { edge.handle(request, inner).await })
    }
}

impl Inner {
    async fn handle<S>(&self, mut request: Request<Body>, mut inner: S) -> Result<Response<Body>, S::Error>
    where
        S: Service<Request<Body>, Response = Response<Body>> + Send,
        S::Future: Send,
    {
        let received = self.clock.now();
        let rpc: Arc<str> = request.uri().path().trim_start_matches('/').into();
        let tag = Tag {
            request_id: request_id(request.headers(), received).into(),
            rpc,
            received,
            denial: RecordedDenial::default(),
        };
        let is_defined = DEFINED_RPCS.contains(&*tag.rpc);
        let label = if is_defined {
            tag.rpc.to_string()
        } else {
            "_OTHER".to_owned()
        };
        let span = info_span!(
            "call",
            otel.kind = "server",
            otel.name = %label,
            rpc.system.name = "grpc",
            rpc.method = %label,
            rpc.response.status_code = field::Empty,
            trace_id = field::Empty,
            request_id = %tag.request_id,
        );
        let trace_id = propagate::set_remote_parent(&span, &propagate::from_headers(request.headers()));
        span.record("trace_id", trace_id);

        let started = tokio::time::Instant::now();
        request.extensions_mut().insert(tag.clone());
        let mut caller = None;
        let response = async {
            if is_public(&tag.rpc) {
                return inner.call(request).await;
            }
            match self.authorize(&mut request, &tag.rpc, &mut caller).await {
                Ok((_permit, deadline)) => {
                    let guarded = AssertUnwindSafe(inner.call(request)).catch_unwind();
                    let until = if UPLOADS.contains(&*tag.rpc) {
                        started + MAX_UPLOAD
                    } else {
                        deadline.instant()
                    };
                    Ok(match tokio::time::timeout_at(until, guarded).await {
                        Ok(Ok(response)) => with_reason(response?, &tag),
                        Ok(Err(_)) => refuse(
                            Failure::internal(
                                "the use case panicked; the log entry `panicked` has the location",
                            ),
                            &tag,
                        ),
                        Err(_) => refuse(Failure::deadline_exceeded(), &tag),
                    })
                }
                Err(failure) => Ok(refuse(failure, &tag)),
            }
        }
        .instrument(span.clone())
        .await;

        self.record_denial(&tag, &label, caller);
        let mut response = response?;
        if let Ok(value) = HeaderValue::from_str(&tag.request_id) {
            response.headers_mut().insert(REQUEST_ID, value);
        }
        let code = Status::from_header_map(response.headers()).map_or(Code::Ok, |status| status.code());
        span.record("rpc.response.status_code", i32::from(code));
        if is_defined {
            let labels = [
                KeyValue::new("rpc.method", label),
                KeyValue::new("rpc.response.status_code", i64::from(i32::from(code))),
            ];
            metrics::RPC_DURATION.record(started.elapsed().as_secs_f64(), &labels);
        }
        Ok(response)
    }

    /// Checks the concurrency limit, deadline, token, rate limit and membership, in this order: an overloaded service
    /// does not spend work on authentication. Sets `authenticated` as soon as the token is verified.
    async fn authorize(
        &self,
        request: &mut Request<Body>,
        rpc: &str,
        authenticated: &mut Option<Caller>,
    ) -> Result<(tokio::sync::SemaphorePermit<'_>, Deadline), Failure> {
        let permit = self.permits.try_acquire().map_err(|_| {
            metrics::CALLS_SHED.add(1, &[]);
            Failure::overloaded()
        })?;
        let deadline = Deadline::of(request.headers()).ok_or_else(Failure::deadline_exceeded)?;
        let authentication = self.verifier.authenticate(request.headers());
        let caller: Caller = tokio::time::timeout_at(deadline.instant(), authentication)
            .await
            .map_err(|_| Failure::deadline_exceeded())?
            .ok_or_else(Failure::token_invalid)?;
        *authenticated = Some(caller.clone());
        // One account must not exhaust the permits of all others.
        if let Some(account) = caller.account()
            && self.rate.check_key(account).is_err()
        {
            metrics::CALLS_SHED.add(1, &[]);
            return Err(Failure::rate_exceeded());
        }
        let caller = match (caller, self.gates.get(service(rpc))) {
            (Caller::Member(member), Some(gate)) => {
                let resolved = tokio::time::timeout_at(deadline.instant(), (gate.resolve)(member)).await;
                Caller::Member(resolved.map_err(|_| Failure::deadline_exceeded())??)
            }
            (caller, _) => caller,
        };
        request.extensions_mut().insert(deadline);
        request.extensions_mut().insert(caller);
        Ok((permit, deadline))
    }

    /// Counts, logs and stores the denial of a call, if it was denied.
    fn record_denial(&self, tag: &Tag, label: &str, caller: Option<Caller>) {
        let (Some((reason, subject)), Some(caller)) = (tag.denial.get(), caller) else {
            return;
        };
        let labels = [
            KeyValue::new("rpc.method", label.to_owned()),
            KeyValue::new("reason", *reason),
        ];
        metrics::ACCESS_DENIED.add(1, &labels);
        tracing::info!(actor = caller.actor(), rpc = %tag.rpc, reason, "access denied");
        if let Some(gate) = self.gates.get(service(&tag.rpc)) {
            (gate.denial_sink)(Denial {
                id: random::uuid(tag.received),
                time: tag.received,
                account: caller.account().cloned(),
                actor: caller.actor(),
                rpc: tag.rpc.clone(),
                reason,
                subject: subject.clone(),
                request_id: tag.request_id.clone(),
            });
        }
    }
}

/// The full name of the called gRPC service.
fn service(rpc: &str) -> &str {
    rpc.split('/').next().unwrap_or_default()
}

/// Health checks and reflection need no authentication; the server exposes them by configuration.
fn is_public(rpc: &str) -> bool {
    rpc.starts_with("grpc.health.") || rpc.starts_with("grpc.reflection.")
}

fn request_id(headers: &HeaderMap, received: chrono::DateTime<chrono::Utc>) -> String {
    let stated = headers
        .get(REQUEST_ID)
        .and_then(|value| value.to_str().ok())
        .filter(|text| {
            (1..=64).contains(&text.len())
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        });
    stated.map_or_else(|| random::uuid(received).to_string(), str::to_owned)
}

fn refuse(failure: Failure, tag: &Tag) -> Response<Body> {
    failure.into_status(tag).into_http()
}

/// Adds the reason to a status that tonic created itself.
fn with_reason(response: Response<Body>, tag: &Tag) -> Response<Body> {
    let Some(status) = Status::from_header_map(response.headers()) else {
        return response;
    };
    if !status.details().is_empty() {
        return response;
    }
    match status.code() {
        // Unsupported compression of the body; the header lists the supported encodings.
        Code::Unimplemented if response.headers().contains_key(ACCEPT_ENCODING) => response,
        Code::Unimplemented => refuse(Failure::unknown_method(), tag),
        Code::OutOfRange => refuse(Failure::message_too_large(), tag),
        // INTERNAL of the services always has details: this one is a malformed frame or message.
        Code::Internal | Code::InvalidArgument | Code::Unknown => {
            tracing::debug!(cause = status.message(), "request decoding failed");
            refuse(Failure::malformed(), tag)
        }
        _ => response,
    }
}
