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

/// Time limit for exporting the last spans and metrics at shutdown.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);

/// Telemetry options of a process.
#[derive(Clone, Debug, clap::Args)]
pub struct TelemetryArgs {
    /// OTLP/gRPC collector for traces and metrics, such as `http://otel-collector:4317`; without it they are discarded.
    #[arg(long, env = "COSELL_OTLP_ENDPOINT")]
    pub otlp_endpoint: Option<String>,

    /// Log filter, in the syntax of `tracing` filters.
    #[arg(long, env = "COSELL_LOG", default_value = "info")]
    pub log: String,

    /// Format of the log lines.
    #[arg(long, env = "COSELL_LOG_FORMAT", default_value = "json")]
    pub log_format: LogFormat,
}

/// Log formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// One JSON object per line.
    Json,
    /// Short human-readable lines.
    Text,
}

/// The running exporters. Call [`TelemetryGuard::flush`] at the end of the process.
#[must_use]
pub struct TelemetryGuard {
    tracer: SdkTracerProvider,
    meter: SdkMeterProvider,
}

/// Initializes logging, tracing and metrics for the process.
pub fn init(service: &'static str, args: &TelemetryArgs) -> anyhow::Result<TelemetryGuard> {
    let resource = Resource::builder()
        .with_service_name(service)
        .with_attribute(KeyValue::new("service.namespace", "cosell"))
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .build();
    // Spans are created also without a collector, because logs and events contain their ids.
    let mut tracer = SdkTracerProvider::builder()
        .with_resource(resource.clone())
        .with_sampler(Sampler::ParentBased(Box::new(Sampler::AlwaysOn)));
    let mut meter = SdkMeterProvider::builder().with_resource(resource);
    if let Some(endpoint) = &args.otlp_endpoint {
        let spans = SpanExporter::builder()
            .with_tonic()
            .with_endpoint(endpoint)
            .build();
        tracer = tracer.with_batch_exporter(spans.context("building the OTLP trace exporter")?);
        let metrics = MetricExporter::builder()
            .with_tonic()
            .with_endpoint(endpoint)
            .build();
        meter = meter.with_periodic_exporter(metrics.context("building the OTLP metric exporter")?);
    }
    let (tracer, meter) = (tracer.build(), meter.build());
    global::set_text_map_propagator(TraceContextPropagator::new());
    global::set_tracer_provider(tracer.clone());
    global::set_meter_provider(meter.clone());

    let filter = EnvFilter::try_new(&args.log).context("parsing the log filter")?;
    let logs = fmt::layer().with_writer(std::io::stderr);
    let logs = match args.log_format {
        LogFormat::Json => logs
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(true)
            .boxed(),
        LogFormat::Text => logs.compact().with_target(false).boxed(),
    };
    // The filter applies to log lines only; spans are traced regardless of it.
    let traces = tracing_opentelemetry::layer()
        .with_tracer(tracer.tracer("cosell"))
        .with_filter(tracing_subscriber::filter::LevelFilter::INFO);
    tracing_subscriber::registry()
        .with(traces)
        .with(logs.with_filter(filter))
        .try_init()?;
    // Without the panic message, which may contain personal data.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        tracing::error!(place, "panicked");
    }));
    Ok(TelemetryGuard { tracer, meter })
}

impl TelemetryGuard {
    /// Exports the remaining spans and metrics, for at most five seconds, so that a dead collector cannot block
    /// shutdown.
    pub async fn flush(self) {
        let flush = tokio::task::spawn_blocking(move || {
            let traces = self.tracer.shutdown_with_timeout(FLUSH_TIMEOUT);
            let metrics = self.meter.shutdown_with_timeout(FLUSH_TIMEOUT);
            traces.and(metrics)
        });
        match tokio::time::timeout(FLUSH_TIMEOUT, flush).await {
            Ok(Ok(Ok(()))) => {}
            Ok(Ok(Err(error))) => tracing::warn!(%error, "exporting the last telemetry failed"),
            Ok(Err(error)) => tracing::warn!(%error, "exporting the last telemetry panicked"),
            Err(_) => tracing::warn!("exporting the last telemetry timed out"),
        }
    }
}
