//! Sending traces and metrics away: to whom, how often, and how much is kept until then.
//!
//! What does not fit is dropped, and nobody who works ever waits. Does not know what is sent.

use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry_application_insights::Exporter as InsightsExporter;
use opentelemetry_otlp::{MetricExporter, Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use opentelemetry_sdk::metrics::{PeriodicReader, SdkMeterProvider};
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, SpanProcessor};
use tokio::runtime::Handle;

use super::courier::Courier;
use super::layer::Exporting;
use crate::config::ExportConfig;
use crate::credential::credential;
use crate::sources::{Clock, Ids};

/// Who tells: the role in Application Insights.
const SERVICE: &str = "widgetco";
/// How long a part of a trace is kept at most while there is nothing else to do. Short, because the handler is killed without
/// notice.
const SPANS_INTERVAL: Duration = Duration::from_secs(1);
/// Parts of traces that wait at most; those beyond are dropped.
const SPANS_WAITING_MAX: usize = 2048;
/// Parts of traces in one delivery.
const SPANS_TOGETHER_MAX: usize = 512;
/// How often the metrics are sent.
const METRICS_INTERVAL: Duration = Duration::from_secs(15);

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What is being sent: ask it to send the rest before the process ends.
#[derive(Debug)]
pub struct Exports(Option<(Exporting, SdkMeterProvider)>);

impl Exports {
    /// Nothing is sent.
    pub(super) fn none() -> Self {
        Self(None)
    }

    /// Sends what is left, for a few seconds at most. Afterwards nothing is sent any more.
    pub async fn close(self) {
        let Some((exporting, meters)) = self.0 else { return };
        let closed = tokio::task::spawn_blocking(move || {
            drop(exporting.close());
            drop(meters.shutdown());
        });
        // Nobody is left who could do something about it.
        drop(closed.await);
    }
}

/// A layer that sends what it sees to this receiver. Makes no request yet.
///
/// # Errors
/// When the address cannot be used, or this machine lacks what the identity needs.
pub(super) fn open(receiver: &ExportConfig) -> Result<(Exporting, Exports), Failure> {
    let ids = Ids::random();
    let resource = Resource::builder()
        .with_service_name(SERVICE)
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .with_attribute(KeyValue::new("service.instance.id", ids.hex32()))
        .build();
    let (spans, meters) = match receiver {
        ExportConfig::Otlp { endpoint } => {
            let courier = Courier::new(Handle::try_current()?);
            let signal = |path: &str| format!("{}/v1/{path}", endpoint.trim_end_matches('/'));
            let spans = SpanExporter::builder().with_http().with_http_client(courier.clone());
            let spans = spans.with_endpoint(signal("traces")).with_protocol(Protocol::HttpBinary).build()?;
            let metrics = MetricExporter::builder().with_http().with_http_client(courier);
            let metrics =
                metrics.with_endpoint(signal("metrics")).with_protocol(Protocol::HttpBinary).build()?;
            (batched(spans), metered(metrics, &resource))
        }
        ExportConfig::ApplicationInsights { instrumentation_key, endpoint, identity } => {
            let courier = Courier::to_insights(Handle::try_current()?, endpoint, credential(identity)?)?;
            let connection = format!("InstrumentationKey={instrumentation_key};IngestionEndpoint={endpoint}");
            let exporter = InsightsExporter::new_from_connection_string(connection, courier)?;
            (batched(exporter.clone()), metered(exporter, &resource))
        }
    };
    let mut spans = spans;
    spans.set_resource(&resource);
    let exporting = Exporting::new(spans, &meters, Clock::system(), ids);
    Ok((exporting.clone(), Exports(Some((exporting, meters)))))
}

fn batched(exporter: impl opentelemetry_sdk::trace::SpanExporter + 'static) -> BatchSpanProcessor {
    let config = BatchConfigBuilder::default()
        .with_scheduled_delay(SPANS_INTERVAL)
        .with_max_queue_size(SPANS_WAITING_MAX)
        .with_max_export_batch_size(SPANS_TOGETHER_MAX);
    BatchSpanProcessor::new(exporter, config.build())
}

fn metered(exporter: impl PushMetricExporter, resource: &Resource) -> SdkMeterProvider {
    let reader = PeriodicReader::builder(exporter).with_interval(METRICS_INTERVAL).build();
    SdkMeterProvider::builder().with_reader(reader).with_resource(resource.clone()).build()
}
