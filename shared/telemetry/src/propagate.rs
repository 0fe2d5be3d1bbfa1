//! Propagates the trace context from a call through the outbox to the consumers, as W3C `traceparent`.

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::global;
use opentelemetry::propagation::{Extractor, Injector};
use opentelemetry::trace::TraceContextExt as _;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// Extracts the trace context from the headers of an incoming call.
pub fn from_headers(headers: &HeaderMap) -> opentelemetry::Context {
    global::get_text_map_propagator(|propagator| propagator.extract(&Headers(headers)))
}

/// Extracts the trace context from a stored `traceparent`.
pub fn from_traceparent(traceparent: Option<&str>) -> opentelemetry::Context {
    let mut headers = HeaderMap::new();
    if let Some(value) = traceparent.and_then(|text| HeaderValue::from_str(text).ok()) {
        headers.insert("traceparent", value);
    }
    from_headers(&headers)
}

/// Injects the current trace context into the headers of an outgoing call.
pub fn into_headers(headers: &mut HeaderMap) {
    let context = Span::current().context();
    global::get_text_map_propagator(|propagator| {
        propagator.inject_context(&context, &mut HeadersMut(headers));
    });
}

/// The current trace context as a `traceparent`, to be stored with an event.
pub fn traceparent() -> Option<String> {
    let mut headers = HeaderMap::new();
    into_headers(&mut headers);
    headers
        .get("traceparent")
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned)
}

/// Sets the remote parent of a span and returns the trace id.
pub fn set_remote_parent(span: &Span, parent: &opentelemetry::Context) -> String {
    // Fails only without an installed tracer, as in most tests; then there is no trace to continue.
    let _ = span.set_parent(parent.clone());
    span.context().span().span_context().trace_id().to_string()
}

/// Sets the status code of gRPC on the span of a call.
pub fn set_status(span: &Span, code: i32) {
    span.set_attribute("rpc.response.status_code", i64::from(code));
}

/// Links a span to the span of a remote producer.
pub fn link(span: &Span, producer: &opentelemetry::Context) {
    span.add_link(producer.span().span_context().clone());
}

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(|value| value.to_str().ok())
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}

struct HeadersMut<'a>(&'a mut HeaderMap);

impl Injector for HeadersMut<'_> {
    fn set(&mut self, key: &str, value: String) {
        if let (Ok(name), Ok(value)) = (
            HeaderName::from_bytes(key.as_bytes()),
            HeaderValue::try_from(value),
        ) {
            self.0.insert(name, value);
        }
    }
}
