use std::time::Duration;

use anyhow::Context as _;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry::{KeyValue, global};
use opentelemetry_otlp::{MetricExporter, SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, fmt};

/// How long the last spans and metrics may take to leave the process.
const FLUSH_LIMIT: Duration = Duration::from_secs(5);

/// Options of every process that tells about itself.
#[derive(Clone, Debug, clap::Args)]
pub struct TelemetryArgs {
    /// OTLP/gRPC collector that receives traces and metrics, such as `http://otel-collector:4317`; none if absent.
    #[arg(long, env = "COSELL_OTLP_ENDPOINT")]
    pub otlp_endpoint: Option<String>,

    /// What is logged, in the syntax of `tracing` filters.
    #[arg(long, env = "COSELL_LOG", default_value = "info")]
    pub log: String,

    /// How logs are written.
    #[arg(long, env = "COSELL_LOG_FORMAT", default_value = "json")]
    pub log_format: LogFormat,
}

/// How logs are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// One JSON object a line, for machines.
    Json,
    /// Short lines, for people.
    Text,
}

/// Flushes what is still to be sent. Call [`Guard::flush`] at the end of the process.
#[must_use]
pub struct Guard {
    tracer: SdkTracerProvider,
    meter: SdkMeterProvider,
}

/// Starts logging, tracing and metrics for the whole process.
pub fn init(service: &'static str, args: &TelemetryArgs) -> anyhow::Result<Guard> {
    let resource = Resource::builder()
        .with_service_name(service)
        .with_attribute(KeyValue::new("service.namespace", "cosell"))
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .build();
    // Without a collector spans still exist: logs and events carry their ids.
    let mut tracer = SdkTracerProvider::builder()
        .with_resource(resource.clone())
        .with_sampler(Sampler::ParentBased(Box::new(Sampler::AlwaysOn)));
    let mut meter = SdkMeterProvider::builder().with_resource(resource);
    if let Some(endpoint) = &args.otlp_endpoint {
        let spans = SpanExporter::builder()
            .with_tonic()
            .with_endpoint(endpoint)
            .build();
        tracer = tracer.with_batch_exporter(spans.context("the OTLP trace exporter")?);
        let numbers = MetricExporter::builder()
            .with_tonic()
            .with_endpoint(endpoint)
            .build();
        meter = meter.with_periodic_exporter(numbers.context("the OTLP metric exporter")?);
    }
    let (tracer, meter) = (tracer.build(), meter.build());
    global::set_text_map_propagator(TraceContextPropagator::new());
    global::set_tracer_provider(tracer.clone());
    global::set_meter_provider(meter.clone());

    let filter = EnvFilter::try_new(&args.log).context("the log filter")?;
    let lines = fmt::layer().with_writer(std::io::stderr);
    let lines = match args.log_format {
        LogFormat::Json => lines
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(true)
            .boxed(),
        LogFormat::Text => lines.compact().with_target(false).boxed(),
    };
    // The filter is for log lines only: a span below the level is still traced.
    let traces = tracing_opentelemetry::layer()
        .with_tracer(tracer.tracer("cosell"))
        .with_filter(tracing_subscriber::filter::LevelFilter::INFO);
    tracing_subscriber::registry()
        .with(traces)
        .with(lines.with_filter(filter))
        .try_init()?;
    // A panic's text may hold what people wrote; where it happened says enough.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        tracing::error!(place, "panicked");
    }));
    Ok(Guard { tracer, meter })
}

impl Guard {
    /// Sends what is left, for at most five seconds: a dead collector must not keep the process alive.
    pub async fn flush(self) {
        let flush = tokio::task::spawn_blocking(move || {
            let traces = self.tracer.shutdown_with_timeout(FLUSH_LIMIT);
            let metrics = self.meter.shutdown_with_timeout(FLUSH_LIMIT);
            traces.and(metrics)
        });
        match tokio::time::timeout(FLUSH_LIMIT, flush).await {
            Ok(Ok(Ok(()))) => {}
            Ok(Ok(Err(error))) => tracing::warn!(%error, "the last telemetry could not be sent"),
            Ok(Err(error)) => tracing::warn!(%error, "sending the last telemetry failed"),
            Err(_) => tracing::warn!("the telemetry collector does not answer; the last spans are lost"),
        }
    }
}
