//! The layer around all gRPC services of a process: request id and trace, concurrency and rate limits, deadline,
//! authentication, and the reason of each refusal.

use std::collections::HashMap;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use chrono::{DateTime, Utc};
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

use crate::connection::ConnectionInfo;
use crate::denial::RecordedDenial;
use crate::keyed_limit::Permit;
use crate::limits::{CallPermit, Limits};
use crate::response_body::{ResponseBody, UnreadResponses};
use crate::rpcs::{self, RpcKind};
use crate::{Deadline, Denial, Failure, ServiceAccess, Tag, Verifier, first_message};

const REQUEST_ID: &str = "x-request-id";
const ACCEPT_ENCODING: &str = "grpc-accept-encoding";
/// Maximum size of the headers of a call in bytes, counted as RFC 9113 does (6.5.2): a token has up to 8 KiB.
const MAX_HEADERS: usize = 16 * 1024;
/// Time until the first response to a health check or reflection.
const MAX_PUBLIC: Duration = Duration::from_secs(5);
/// Maximum duration of an upload.
const MAX_UPLOAD: Duration = Duration::from_secs(660);

/// The tower layer around all services of a process.
#[derive(Clone)]
pub struct Edge(Arc<Inner>);

struct Inner {
    verifier: Verifier,
    clock: Clock,
    limits: Limits,
    last_response: AtomicU64,
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
            last_response: AtomicU64::new(0),
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
    /// Name in metrics and spans. Other paths have none of their own, so that clients cannot create metric series.
    label: &'static str,
    started: Instant,
    /// `None` for a proxy.
    client: Option<IpAddr>,
    unread: UnreadResponses,
    /// Added to the trailers of the answer.
    trailers: HeaderMap,
}

/// A call within its limits.
enum Admitted {
    /// A health check or reflection.
    Public(Request<Body>, Option<Permit<IpAddr>>),
    Call {
        request: Request<Body>,
        caller: Caller,
        deadline: Deadline,
        permit: CallPermit,
    },
}

impl Arrival {
    fn new(request: &Request<Body>, received: DateTime<Utc>) -> Self {
        let rpc = request.uri().path().trim_start_matches('/');
        let (label, kind) = rpcs::find(rpc).unzip();
        let connection = request.extensions().get::<ConnectionInfo>();
        Self {
            tag: Tag {
                request_id: request_id(request.headers(), received).into(),
                rpc: rpc.into(),
                received,
                denial: RecordedDenial::default(),
            },
            kind,
            label: label.unwrap_or("_OTHER"),
            started: Instant::now(),
            client: connection.and_then(|connection| connection.client),
            unread: connection
                .map(|connection| connection.unread.clone())
                .unwrap_or_default(),
            trailers: HeaderMap::new(),
        }
    }

    /// Adds the request id, and records the duration of the call.
    fn finish(&self, mut response: Response<Body>) -> Response<Body> {
        if let Ok(value) = HeaderValue::from_str(&self.tag.request_id) {
            response.headers_mut().insert(REQUEST_ID, value);
        }
        if self.kind.is_some() {
            let labels = [
                KeyValue::new("rpc.method", self.label),
                KeyValue::new(
                    "rpc.response.status_code",
                    i64::from(i32::from(code_of(&response))),
                ),
            ];
            metrics::RPC_DURATION.record(self.started.elapsed().as_secs_f64(), &labels);
        }
        response
    }
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
        let mut arrival = Arrival::new(&request, self.clock.now());
        request.extensions_mut().insert(arrival.tag.clone());
        let response = match self.admit(&mut arrival, request).await {
            Ok(admitted) => self.respond(&mut arrival, admitted, inner).await?,
            Err(failure) => self.refuse(failure, &mut arrival),
        };
        Ok(arrival.finish(response))
    }

    /// Admits a call. Checks in this order, the cheap before the costly: size of the headers, deadline, token and rate
    /// limit at its headers, then, when its first message has arrived, the limit of concurrent calls. A refused call
    /// has no span: a caller that exceeds its limits must not cost much.
    async fn admit(&self, arrival: &mut Arrival, mut request: Request<Body>) -> Result<Admitted, Failure> {
        if size_of(request.headers()) > MAX_HEADERS {
            return Err(Failure::headers_too_large());
        }
        let is_public = is_public(&arrival.tag.rpc);
        let limit = match is_public {
            true => &self.limits.public,
            false => &self.limits.unverified,
        };
        let permit = match &arrival.client {
            Some(client) => Some(limit.acquire(client, 1).ok_or_else(Failure::overloaded)?),
            None => None,
        };
        if is_public {
            return Ok(Admitted::Public(request, permit));
        }
        let deadline = Deadline::of(request.headers())?;
        let in_time = |_| Failure::deadline_exceeded();
        let authentication = self.verifier.authenticate(request.headers());
        let caller = timeout_at(deadline.instant(), authentication)
            .await
            .map_err(in_time)?
            .ok_or_else(Failure::token_invalid)?;
        drop(permit);
        self.limits.count(&caller, &mut arrival.trailers)?;

        let class = caller.class();
        let arriving = self.limits.arriving.acquire(&class, 1);
        let arriving = arriving.ok_or_else(Failure::overloaded)?;
        let body = std::mem::take(request.body_mut());
        let is_only = !matches!(arrival.kind, Some(RpcKind::Upload | RpcKind::Stream));
        let receiving = first_message::receive(body, is_only, &class, self.limits.buffer(&class));
        *request.body_mut() = timeout_at(deadline.instant(), receiving)
            .await
            .map_err(in_time)??;
        drop(arriving);
        Ok(Admitted::Call {
            request,
            caller,
            deadline,
            permit: self.limits.admit(arrival.kind, &class)?,
        })
    }

    async fn respond<S>(
        &self,
        arrival: &mut Arrival,
        admitted: Admitted,
        mut inner: S,
    ) -> Result<Response<Body>, S::Error>
    where
        S: Service<Request<Body>, Response = Response<Body>> + Send,
        S::Future: Send,
    {
        let (request, caller, deadline, permit) = match admitted {
            Admitted::Public(request, permit) => {
                let until = Instant::now() + MAX_PUBLIC;
                let Ok(response) = timeout_at(until, inner.call(request)).await else {
                    return Ok(self.refuse(Failure::deadline_exceeded(), arrival));
                };
                let response = with_reason(response?, &arrival.tag);
                return Ok(self.answer(response, arrival, permit));
            }
            Admitted::Call {
                request,
                caller,
                deadline,
                permit,
            } => (request, caller, deadline, permit),
        };
        let span = info_span!(
            "call",
            otel.kind = "server",
            otel.name = arrival.label,
            rpc.system.name = "grpc",
            rpc.method = arrival.label,
            trace_id = field::Empty,
            request_id = %arrival.tag.request_id,
        );
        let trace_id = propagate::set_remote_parent(&span, &propagate::from_headers(request.headers()));
        span.record("trace_id", trace_id);
        let responding = async {
            let response = match self.resolve(arrival, caller.clone(), deadline).await {
                Ok(resolved) => {
                    let response = Self::call(arrival, request, resolved, deadline, &permit, inner).await;
                    response.map(|response| with_reason(response, &arrival.tag))?
                }
                Err(failure) => into_response(failure, &arrival.tag),
            };
            self.record_denial(arrival, &caller);
            Ok(self.answer(response, arrival, permit))
        };
        let response = responding.instrument(span.clone()).await?;
        propagate::set_status(&span, code_of(&response).into());
        Ok(response)
    }

    /// Resolves the roles of a member.
    async fn resolve(
        &self,
        arrival: &Arrival,
        caller: Caller,
        deadline: Deadline,
    ) -> Result<Caller, Failure> {
        match (caller, self.gates.get(service(&arrival.tag.rpc))) {
            (Caller::Member(member), Some(gate)) => {
                let resolved = timeout_at(deadline.instant(), (gate.resolve)(member)).await;
                let resolved = resolved.map_err(|_| Failure::deadline_exceeded())?;
                resolved.map(Caller::Member)
            }
            (caller, _) => Ok(caller),
        }
    }

    /// Calls the service. Panics and the deadline become failures.
    async fn call<S>(
        arrival: &Arrival,
        mut request: Request<Body>,
        caller: Caller,
        deadline: Deadline,
        permit: &CallPermit,
        mut inner: S,
    ) -> Result<Response<Body>, S::Error>
    where
        S: Service<Request<Body>, Response = Response<Body>> + Send,
        S::Future: Send,
    {
        let extensions = request.extensions_mut();
        extensions.insert(deadline);
        extensions.insert(caller);
        extensions.insert(permit.clone());
        let until = match arrival.kind {
            Some(RpcKind::Upload) => arrival.started + MAX_UPLOAD,
            _ => deadline.instant(),
        };
        let guarded = AssertUnwindSafe(inner.call(request)).catch_unwind();
        let failure = match timeout_at(until, guarded).await {
            Ok(Ok(response)) => return response,
            Ok(Err(_)) => {
                Failure::internal("the use case panicked; the log entry `panicked` has the location")
            }
            Err(_) => Failure::deadline_exceeded(),
        };
        Ok(into_response(failure, &arrival.tag))
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
        let id = self.last_response.fetch_add(1, Ordering::Relaxed);
        let unread = arrival.unread.clone();
        response.map(|body| Body::new(ResponseBody::new(body, trailers, unread, id, resources)))
    }

    fn refuse(&self, failure: Failure, arrival: &mut Arrival) -> Response<Body> {
        let response = into_response(failure, &arrival.tag);
        self.answer(response, arrival, ())
    }

    /// Counts, logs and stores the denial of a call, if it was denied.
    fn record_denial(&self, arrival: &Arrival, caller: &Caller) {
        let tag = &arrival.tag;
        let Some((reason, subject)) = tag.denial.get() else {
            return;
        };
        let labels = [
            KeyValue::new("rpc.method", arrival.label),
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

fn into_response(failure: Failure, tag: &Tag) -> Response<Body> {
    failure.into_status(tag).into_http()
}

fn code_of(response: &Response<Body>) -> Code {
    Status::from_header_map(response.headers()).map_or(Code::Ok, |status| status.code())
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
    let mut stated = request.headers().get_all(CONTENT_TYPE).iter();
    let content_type = match (stated.next(), stated.next()) {
        (Some(content_type), None) => content_type.to_str().ok(),
        _ => None,
    };
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
    match status.code() {
        // Unsupported compression of the body; the header lists the supported encodings.
        Code::Unimplemented if response.headers().contains_key(ACCEPT_ENCODING) => response,
        Code::Unimplemented => into_response(Failure::unknown_method(), tag),
        Code::OutOfRange => into_response(Failure::message_too_large(), tag),
        // INTERNAL of the services always has details: this one is a malformed frame or message.
        Code::Internal | Code::InvalidArgument | Code::Unknown => {
            tracing::debug!(cause = status.message(), "request decoding failed");
            into_response(Failure::malformed(), tag)
        }
        _ => response,
    }
}
