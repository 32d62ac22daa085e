//! Makes OpenTelemetry's spans of the requests that the handler serves and of what it asks of others, under the ids that the
//! request itself goes by; and metrics of both, and of what `measure` tells.
//!
//! A span is written when its request has ended: what it comes from may be learned late, inside an envelope or a message. Only
//! fields that stand in the lists here leave the process, whatever else is in a span. Does not know where they go.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use opentelemetry::metrics::MeterProvider;
use opentelemetry::trace::{SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState};
use opentelemetry::{InstrumentationScope, KeyValue, Value};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks, SpanProcessor};
use tokio::time::Instant;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, Filter};
use tracing_subscriber::registry::LookupSpan;

use super::instruments::{CHARGE, DEPENDENCY_TIME, Instruments, REQUEST_TIME};
use crate::measure::{DEPENDENCY, EVENT, NO_STATUS};
use crate::sources::{Clock, Ids};

/// The name of a span that is a request to the handler.
const REQUEST: &str = "request";
/// Whose spans and events are looked at.
const CRATE: &str = env!("CARGO_PKG_NAME");
/// Characters of the id of one span.
const SPAN_ID_CHARS: usize = 16;

/// What leaves of a request, and what it is called then.
const OF_REQUEST: [(&str, &str); 3] =
    [("method", "http.request.method"), ("route", "http.route"), ("status", "http.response.status_code")];
/// What leaves of a request to an outside party; the first four are its labels, too.
const OF_DEPENDENCY: [(&str, &str); 6] = [
    ("system", "db.system.name"),
    ("operation", "db.operation.name"),
    ("container", "db.collection.name"),
    ("status", "http.response.status_code"),
    ("requests", "widgetco.requests"),
    ("charge_ru", "azure.cosmosdb.operation.request_charge"),
];
const DEPENDENCY_LABELS: usize = 4;

type Fields = BTreeMap<&'static str, Value>;

/// The layer; a clone is the same.
#[derive(Clone, Debug)]
pub struct Exporting(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    spans: Box<dyn SpanProcessor>,
    instruments: Instruments,
    scope: InstrumentationScope,
    clock: Clock,
    ids: Ids,
}

/// What is known of a span that has not ended.
struct Sheet {
    /// By the clock, and by what cannot be set back.
    begun: (SystemTime, Instant),
    fields: Fields,
}

impl Exporting {
    /// A layer that gives spans to this processor and values to the instruments of this provider.
    pub fn new(
        spans: impl SpanProcessor + 'static,
        meters: &SdkMeterProvider,
        clock: Clock,
        ids: Ids,
    ) -> Self {
        let instruments = Instruments::new(&meters.meter(CRATE));
        let scope = InstrumentationScope::builder(CRATE).build();
        Self(Arc::new(Parts { spans: Box::new(spans), instruments, scope, clock, ids }))
    }

    /// Sends the rest, and ends.
    ///
    /// # Errors
    /// When that did not go through in time.
    pub fn close(&self) -> OTelSdkResult {
        self.0.spans.shutdown()
    }
}

/// Whether the layer looks at it; nobody else's spans, events or fields leave the process.
fn is_told(metadata: &Metadata<'_>) -> bool {
    let is_named = if metadata.is_span() {
        [REQUEST, DEPENDENCY].contains(&metadata.name())
    } else {
        metadata.name() == EVENT
    };
    is_named && metadata.target().starts_with(CRATE)
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Exporting {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if !is_told(attributes.metadata()) {
            return;
        }
        let Some(span) = context.span(id) else { return };
        let mut fields = Reader::default();
        attributes.record(&mut fields);
        let begun = (SystemTime::from(self.0.clock.now()), Instant::now());
        span.extensions_mut().insert(Sheet { begun, fields: fields.0 });
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if let Some(sheet) = span.extensions_mut().get_mut::<Sheet>() {
            let mut fields = Reader(std::mem::take(&mut sheet.fields));
            values.record(&mut fields);
            sheet.fields = fields.0;
        }
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if is_told(event.metadata()) {
            let mut fields = Reader::default();
            event.record(&mut fields);
            self.0.instruments.tell(fields.0);
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else { return };
        let Some(sheet) = span.extensions_mut().remove::<Sheet>() else { return };
        if span.name() == REQUEST {
            return self.0.request_ended(&sheet);
        }
        let above = span.scope().skip(1).find(|span| span.name() == REQUEST);
        let extensions = above.as_ref().map(|span| span.extensions());
        self.0.dependency_ended(&sheet, extensions.as_ref().and_then(|extensions| extensions.get::<Sheet>()));
    }
}

impl Parts {
    fn request_ended(&self, sheet: &Sheet) {
        let attributes = chosen(&sheet.fields, &OF_REQUEST);
        self.instruments.add(REQUEST_TIME.name, sheet.seconds(), &attributes);
        let Some((trace_id, span_id)) = sheet.ids() else { return };
        let parent_id = sheet.text("parent_id").and_then(|id| SpanId::from_hex(id).ok());
        let has_failed = sheet.status().is_some_and(|status| status >= 500);
        self.spans.on_end(SpanData {
            span_context: span_context(trace_id, span_id),
            parent_span_id: parent_id.unwrap_or(SpanId::INVALID),
            parent_span_is_remote: parent_id.is_some(),
            span_kind: SpanKind::Server,
            name: sheet.name("method", "route").into(),
            start_time: sheet.begun.0,
            end_time: sheet.begun.0 + sheet.begun.1.elapsed(),
            attributes,
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status: status(has_failed),
            instrumentation_scope: self.scope.clone(),
        });
    }

    /// One that was never made has no status, and one that belongs to no request has no trace to stand in.
    fn dependency_ended(&self, sheet: &Sheet, request: Option<&Sheet>) {
        let Some(code) = sheet.status() else { return };
        let attributes = chosen(&sheet.fields, &OF_DEPENDENCY);
        let labels = chosen(&sheet.fields, &OF_DEPENDENCY[..DEPENDENCY_LABELS]);
        self.instruments.add(DEPENDENCY_TIME.name, sheet.seconds(), &labels);
        if let Some(Value::F64(charge_ru)) = sheet.fields.get("charge_ru") {
            self.instruments.add(CHARGE.name, *charge_ru, &chosen(&sheet.fields, &OF_DEPENDENCY[1..3]));
        }
        let Some((request, (trace_id, parent_id))) = request.and_then(|sheet| Some((sheet, sheet.ids()?)))
        else {
            return;
        };
        let mut span_id = self.ids.hex32();
        span_id.truncate(SPAN_ID_CHARS);
        let span_id = SpanId::from_hex(&span_id).unwrap_or(SpanId::INVALID);
        // By the request's clock, so that the parts of a trace stand in their order.
        let start_time = request.begun.0 + sheet.begun.1.duration_since(request.begun.1);
        self.spans.on_end(SpanData {
            span_context: span_context(trace_id, span_id),
            parent_span_id: parent_id,
            parent_span_is_remote: false,
            span_kind: SpanKind::Client,
            name: sheet.name("operation", "container").into(),
            start_time,
            end_time: start_time + sheet.begun.1.elapsed(),
            attributes,
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status: status(is_failure(code)),
            instrumentation_scope: self.scope.clone(),
        });
    }
}

impl Sheet {
    fn text(&self, field: &str) -> Option<&str> {
        match self.fields.get(field) {
            Some(Value::String(text)) => Some(text.as_str()),
            _ => None,
        }
    }

    fn status(&self) -> Option<i64> {
        match self.fields.get("status") {
            Some(Value::I64(status)) => Some(*status),
            _ => None,
        }
    }

    /// Which trace, and which part of it; a trace id in another form than W3C's or a GUID's is none.
    fn ids(&self) -> Option<(TraceId, SpanId)> {
        let trace_id = TraceId::from_hex(&self.text("trace_id")?.replace('-', "")).ok()?;
        let span_id = SpanId::from_hex(self.text("span_id")?).ok()?;
        (trace_id != TraceId::INVALID && span_id != SpanId::INVALID).then_some((trace_id, span_id))
    }

    fn name(&self, verb: &str, object: &str) -> String {
        format!("{} {}", self.text(verb).unwrap_or_default(), self.text(object).unwrap_or_default())
    }

    fn seconds(&self) -> f64 {
        self.begun.1.elapsed().as_secs_f64()
    }
}

/// That a document is missing, exists or has changed is an answer like any other.
fn is_failure(status: i64) -> bool {
    status == i64::from(NO_STATUS) || matches!(status, 401 | 403 | 408 | 429 | 500..)
}

fn status(has_failed: bool) -> Status {
    if has_failed { Status::error("") } else { Status::Ok }
}

/// Every span is sent, whatever flags the trace came with.
fn span_context(trace_id: TraceId, span_id: SpanId) -> SpanContext {
    SpanContext::new(trace_id, span_id, TraceFlags::SAMPLED, false, TraceState::NONE)
}

/// The fields in the list that are there, by their new names.
fn chosen(fields: &Fields, list: &[(&'static str, &'static str)]) -> Vec<KeyValue> {
    let pair = |(field, name): &(&'static str, &'static str)| {
        Some(KeyValue::new(*name, fields.get(*field)?.clone()))
    };
    list.iter().filter_map(pair).collect()
}

/// Reads texts and numbers; what can only be printed is passed over.
#[derive(Default)]
struct Reader(Fields);

impl Visit for Reader {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned().into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.insert(field.name(), i64::try_from(value).unwrap_or(i64::MAX).into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.insert(field.name(), value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.0.insert(field.name(), value.into());
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

/// Lets the layer see what it looks at and nothing else, so that all other places cost what they do without it.
#[derive(Debug)]
pub struct Told;

impl<S> Filter<S> for Told {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        is_told(metadata)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        match is_told(metadata) {
            true => Interest::always(),
            false => Interest::never(),
        }
    }
}
