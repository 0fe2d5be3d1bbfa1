//! The layer around all gRPC services of a process: request id and trace, concurrency and rate limits, deadline,
//! authentication, and the reason of each refusal.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroU32;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use cosell_telemetry::{metrics, propagate};
use cosell_types::{Caller, Clock, random};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body::Body as _;
use opentelemetry::KeyValue;
use tokio::time::{Instant, timeout_at};
use tonic::body::Body;
use tonic::{Code, Status};
use tower::{Layer, Service};
use tracing::{Instrument as _, field, info_span};

use crate::answer::{Answer, Unread};
use crate::connection::ConnectionInfo;
use crate::denial::RecordedDenial;
use crate::limits::{CallPermit, Limits};
use crate::rpcs::{self, RpcKind};
use crate::{Deadline, Denial, Failure, ServiceAccess, Tag, Verifier, first_message};

const REQUEST_ID: &str = "x-request-id";
const ACCEPT_ENCODING: &str = "grpc-accept-encoding";
/// Maximum size of the headers of a call in bytes, counted as RFC 9113 does (6.5.2): a token has up to 8 KiB.
const MAX_HEADERS: usize = 16 * 1024;
/// Maximum duration of an upload.
const MAX_UPLOAD: Duration = Duration::from_secs(660);

/// The tower layer around all services of a process.
#[derive(Clone)]
pub struct Edge(Arc<Inner>);

struct Inner {
    verifier: Verifier,
    clock: Clock,
    limits: Limits,
    last_answer: AtomicU64,
    /// Keyed by the full name of the gRPC service.
    gates: HashMap<&'static str, ServiceAccess>,
}

impl Edge {
    /// Creates an edge that accepts calls with tokens that `verifier` accepts: at most `max_calls` concurrent ones of
    /// partners, of AWS and of services each, and at most `account_rate` per second of each account. `gates` resolve
    /// the roles of members for each gRPC service.
    pub fn new(
        verifier: Verifier,
        clock: Clock,
        max_calls: usize,
        account_rate: NonZeroU32,
        gates: HashMap<&'static str, ServiceAccess>,
    ) -> Self {
        Edge(Arc::new(Inner {
            verifier,
            clock,
            limits: Limits::new(max_calls, account_rate),
            last_answer: AtomicU64::new(0),
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

/// A call at the edge.
struct Arrival {
    tag: Tag,
    /// `None` if the definitions have no such RPC.
    kind: Option<RpcKind>,
    started: Instant,
    peer: IpAddr,
    unread: Unread,
    /// The caller of the token, once it is verified.
    caller: Option<Caller>,
    /// Added to the trailers of the answer.
    trailers: HeaderMap,
}

impl Inner {
    async fn handle<S>(&self, mut request: Request<Body>, inner: S) -> Result<Response<Body>, S::Error>
    where
        S: Service<Request<Body>, Response = Response<Body>> + Send,
        S::Future: Send,
    {
        if let Some(refusal) = refuse_other_protocol(&request) {
            return Ok(refusal);
        }
        let received = self.clock.now();
        let rpc: Arc<str> = request.uri().path().trim_start_matches('/').into();
        let tag = Tag {
            request_id: request_id(request.headers(), received).into(),
            rpc,
            received,
            denial: RecordedDenial::default(),
        };
        let kind = rpcs::kind(&tag.rpc);
        // Other paths get no label of their own, so that clients cannot create metric series.
        let label = kind.map_or_else(|| "_OTHER".to_owned(), |_| tag.rpc.to_string());
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

        request.extensions_mut().insert(tag.clone());
        let connection = request.extensions().get::<ConnectionInfo>();
        let mut arrival = Arrival {
            tag,
            kind,
            started: Instant::now(),
            peer: connection.map_or(Ipv4Addr::UNSPECIFIED.into(), |connection| connection.peer),
            unread: connection
                .map(|connection| connection.unread.clone())
                .unwrap_or_default(),
            caller: None,
            trailers: HeaderMap::new(),
        };
        let response = self
            .respond(&mut arrival, request, inner)
            .instrument(span.clone())
            .await;
        self.record_denial(&arrival.tag, &label, arrival.caller);
        let mut response = response?;
        if let Ok(value) = HeaderValue::from_str(&arrival.tag.request_id) {
            response.headers_mut().insert(REQUEST_ID, value);
        }
        let code = Status::from_header_map(response.headers()).map_or(Code::Ok, |status| status.code());
        span.record("rpc.response.status_code", i32::from(code));
        if kind.is_some() {
            let labels = [
                KeyValue::new("rpc.method", label),
                KeyValue::new("rpc.response.status_code", i64::from(i32::from(code))),
            ];
            metrics::RPC_DURATION.record(arrival.started.elapsed().as_secs_f64(), &labels);
        }
        Ok(response)
    }

    async fn respond<S>(
        &self,
        arrival: &mut Arrival,
        request: Request<Body>,
        mut inner: S,
    ) -> Result<Response<Body>, S::Error>
    where
        S: Service<Request<Body>, Response = Response<Body>> + Send,
        S::Future: Send,
    {
        let tag = arrival.tag.clone();
        if is_public(&tag.rpc) {
            let Some(permit) = self.limits.public.acquire(&arrival.peer, 1) else {
                return Ok(self.refuse(Failure::overloaded(), arrival));
            };
            let response = inner.call(request).await?;
            return Ok(self.answer(response, arrival, permit));
        }
        let (request, until, permit) = match self.admit(arrival, request).await {
            Ok(admitted) => admitted,
            Err(failure) => return Ok(self.refuse(failure, arrival)),
        };
        let guarded = AssertUnwindSafe(inner.call(request)).catch_unwind();
        let response = match timeout_at(until, guarded).await {
            Ok(Ok(response)) => with_reason(response?, &tag),
            Ok(Err(_)) => {
                let cause = "the use case panicked; the log entry `panicked` has the location";
                return Ok(self.refuse(Failure::internal(cause), arrival));
            }
            Err(_) => return Ok(self.refuse(Failure::deadline_exceeded(), arrival)),
        };
        Ok(self.answer(response, arrival, permit))
    }

    /// Admits a call. Checks in this order, the cheap before the costly: deadline, token and rate limit at its headers,
    /// then, when its first message has arrived, the limit of concurrent calls, then membership. Returns the request,
    /// when it must be answered, and its permit.
    async fn admit(
        &self,
        arrival: &mut Arrival,
        mut request: Request<Body>,
    ) -> Result<(Request<Body>, Instant, CallPermit), Failure> {
        if size_of(request.headers()) > MAX_HEADERS {
            return Err(Failure::headers_too_large());
        }
        let deadline = Deadline::of(request.headers()).ok_or_else(Failure::deadline_exceeded)?;
        let in_time = |_| Failure::deadline_exceeded();
        let authentication = self.verifier.authenticate(request.headers());
        let caller = timeout_at(deadline.instant(), authentication)
            .await
            .map_err(in_time)?
            .ok_or_else(Failure::token_invalid)?;
        arrival.caller = Some(caller.clone());
        self.limits.count(&caller, &mut arrival.trailers)?;

        let class = caller.class();
        let arriving = self
            .limits
            .arriving
            .acquire(&class, 1)
            .ok_or_else(Failure::overloaded)?;
        let body = std::mem::take(request.body_mut());
        let receiving = first_message::receive(body, &class, &self.limits.buffer);
        *request.body_mut() = timeout_at(deadline.instant(), receiving)
            .await
            .map_err(in_time)??;
        drop(arriving);

        let kind = arrival.kind.unwrap_or(RpcKind::Unary);
        let permit = self.limits.admit(kind, &class)?;
        let caller = match (caller, self.gates.get(service(&arrival.tag.rpc))) {
            (Caller::Member(member), Some(gate)) => {
                let resolving = (gate.resolve)(member);
                let resolved = timeout_at(deadline.instant(), resolving).await;
                Caller::Member(resolved.map_err(in_time)??)
            }
            (caller, _) => caller,
        };
        let extensions = request.extensions_mut();
        extensions.insert(deadline);
        extensions.insert(caller);
        extensions.insert(permit.clone());
        let until = match kind {
            RpcKind::Upload => arrival.started + MAX_UPLOAD,
            RpcKind::Unary | RpcKind::Stream => deadline.instant(),
        };
        Ok((request, until, permit))
    }

    /// Adds the trailers, and keeps `resources` until the answer has been sent.
    fn answer<R: Send + Unpin + 'static>(
        &self,
        mut response: Response<Body>,
        arrival: &mut Arrival,
        resources: R,
    ) -> Response<Body> {
        let trailers = std::mem::take(&mut arrival.trailers);
        // A refusal has no body: its headers are its trailers.
        if response.body().is_end_stream() {
            response.headers_mut().extend(trailers);
            return response;
        }
        let id = self.last_answer.fetch_add(1, Ordering::Relaxed);
        let unread = arrival.unread.clone();
        response.map(|body| Body::new(Answer::new(body, trailers, unread, id, resources)))
    }

    fn refuse(&self, failure: Failure, arrival: &mut Arrival) -> Response<Body> {
        if failure.code() == Code::ResourceExhausted {
            metrics::CALLS_SHED.add(1, &[]);
        }
        let response = failure.into_status(&arrival.tag).into_http();
        self.answer(response, arrival, ())
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

fn size_of(headers: &HeaderMap) -> usize {
    let sizes = headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + 32);
    sizes.sum()
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

/// Refuses what is not gRPC over HTTP/2 in the terms of HTTP (RFC 9110, 15.5.6 and 15.5.16).
fn refuse_other_protocol(request: &Request<Body>) -> Option<Response<Body>> {
    let mut response = Response::new(Body::empty());
    if request.method() != Method::POST {
        *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
        response
            .headers_mut()
            .insert(ALLOW, HeaderValue::from_static("POST"));
        return Some(response);
    }
    let content_type = request
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let essence = content_type.and_then(|value| value.split(';').next());
    let essence = essence.unwrap_or_default().trim_end().to_ascii_lowercase();
    if matches!(&*essence, "application/grpc" | "application/grpc+proto") {
        return None;
    }
    *response.status_mut() = StatusCode::UNSUPPORTED_MEDIA_TYPE;
    Some(response)
}

/// Adds the reason to a status that tonic created itself.
fn with_reason(response: Response<Body>, tag: &Tag) -> Response<Body> {
    let Some(status) = Status::from_header_map(response.headers()) else {
        return response;
    };
    if !status.details().is_empty() {
        return response;
    }
    let status_of = |failure: Failure| failure.into_status(tag).into_http();
    match status.code() {
        // Unsupported compression of the body; the header lists the supported encodings.
        Code::Unimplemented if response.headers().contains_key(ACCEPT_ENCODING) => response,
        Code::Unimplemented => status_of(Failure::unknown_method()),
        Code::OutOfRange => status_of(Failure::message_too_large()),
        // INTERNAL of the services always has details: this one is a malformed frame or message.
        Code::Internal | Code::InvalidArgument | Code::Unknown => {
            tracing::debug!(cause = status.message(), "request decoding failed");
            status_of(Failure::malformed())
        }
        _ => response,
    }
}
