//! What is known of the request that this task serves, for code far from it, and what every answer says on its account:
//! its names, and the headers that an answer has unless it says otherwise.
//!
//! A proxied answer gets these headers from the shell. An answer in an envelope gets them where it is put in, and its caller's
//! names are learned where the envelope is opened. It deliberately does not know how names are read from headers.

use std::cell::RefCell;
use std::future::Future;

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use tracing::Span;
use tracing::field::Empty;

use super::trace::{self, FreshTraceId, Parent};

const REQUEST_ID_HEADER: HeaderName = HeaderName::from_static(trace::REQUEST_ID_HEADER);
const TRACEPARENT_HEADER: HeaderName = HeaderName::from_static(trace::TRACEPARENT_HEADER);
/// Flags of a trace that begins with us: nobody is known to record it.
const FLAGS_NONE: &str = "00";
/// What a store front in a browser may read of an answer from another origin, beside what it always may. The platform in
/// front of the handler says which origins, and cannot be told this. It is on every answer, not only where the request has an
/// `Origin`: a cache could otherwise give a store front the answer that it keeps from somebody else.
const EXPOSED: &str = "ETag, Location, Retry-After, Idempotency-Replayed, Content-Range, RateLimit, RateLimit-Policy, \
                       Server-Timing, traceparent, x-request-id, WWW-Authenticate";

tokio::task_local! {
    static CONTEXT: RefCell<Context>;
}

/// The names of a request.
pub(super) struct Context {
    trace_id: String,
    /// As the caller calls it; the trace id when no name is sent.
    request_id: Option<HeaderValue>,
    /// Our part of the trace.
    span_id: String,
    /// The part that ours comes from, if anybody named one.
    parent_id: Option<String>,
    flags: String,
    /// What the answer says beside its own.
    added: HeaderMap,
    /// Whether the span says already how the request ended.
    is_answered: bool,
}

impl Context {
    /// The names that a request to the handler brings, or else gets.
    pub(super) fn of(headers: &HeaderMap, fresh: &FreshTraceId) -> Self {
        let invocation_id = trace::invocation_id(headers);
        // The host has drawn one already for each invocation, so nothing is drawn twice.
        let mut drawn = invocation_id.as_deref().and_then(trace::w3c_id).unwrap_or_else(|| fresh());
        let parent = trace::parent(headers);
        let flags = parent.map_or(FLAGS_NONE, |parent| parent.flags).to_owned();
        let trace_id = match parent {
            Some(parent) => parent.trace_id.to_owned(),
            None => invocation_id.unwrap_or_else(|| drawn.clone()),
        };
        drawn.truncate(trace::SPAN_ID_CHARS);
        let (span_id, parent_id) = (drawn, parent.map(|parent| parent.span_id.to_owned()));
        let (request_id, added) = (trace::request_id(headers), HeaderMap::new());
        Self { trace_id, request_id, span_id, parent_id, flags, added, is_answered: false }
    }

    /// The span that all log lines of the request stand in, and that is exported under just these ids. The route is its
    /// template, never the path, which can hold what must not be logged.
    pub(super) fn span(&self, method: &str, route: &str) -> Span {
        let (trace_id, span_id, parent_id) = (&self.trace_id, &self.span_id, self.parent_id.as_deref());
        let (request_id, status) = (Empty, Empty);
        let span =
            tracing::info_span!("request", trace_id, span_id, parent_id, request_id, method, route, status);
        self.record_request_id(&span);
        span
    }

    /// A request that has no name but this.
    #[cfg(test)]
    pub(super) fn named(trace_id: &str) -> Self {
        let fresh: FreshTraceId = std::sync::Arc::new(|| "0123456789abcdef".to_owned());
        Self { trace_id: trace_id.to_owned(), ..Self::of(&HeaderMap::new(), &fresh) }
    }

    fn record_request_id(&self, span: &Span) {
        if let Some(Ok(request_id)) = self.request_id.as_ref().map(HeaderValue::to_str)
            && request_id != self.trace_id
        {
            span.record("request_id", request_id);
        }
    }

    fn follow(&mut self, parent: Parent<'_>) {
        let Parent { trace_id, span_id, flags } = parent;
        trace_id.clone_into(&mut self.trace_id);
        flags.clone_into(&mut self.flags);
        self.parent_id = Some(span_id.to_owned());
        Span::current().record("trace_id", trace_id).record("parent_id", span_id);
    }

    /// `None` when the trace id has another form than W3C's.
    fn traceparent(&self) -> Option<String> {
        let trace_id = trace::w3c_id(&self.trace_id)?;
        Some(format!("00-{trace_id}-{}-{}", self.span_id, self.flags))
    }

    fn sign(&self, headers: &mut HeaderMap) {
        let request_id = self.request_id.clone().or_else(|| HeaderValue::try_from(&self.trace_id).ok());
        if let Some(request_id) = request_id {
            headers.insert(REQUEST_ID_HEADER, request_id);
        }
        if let Some(Ok(traceparent)) = self.traceparent().map(HeaderValue::try_from) {
            headers.insert(TRACEPARENT_HEADER, traceparent);
        }
        headers.extend(self.added.iter().map(|(name, value)| (name.clone(), value.clone())));
    }
}

/// The trace id of the request that this task serves; `None` outside a request and in a task spawned from one.
pub fn trace_id() -> Option<String> {
    CONTEXT.try_with(|context| context.borrow().trace_id.clone()).ok()
}

/// What names this task's part of its trace for those who come after it: what it writes, announces or rings for carries this.
/// W3C's `traceparent`; `None` outside a request and where the trace id has another form than W3C's.
pub fn traceparent() -> Option<String> {
    CONTEXT.try_with(|context| context.borrow().traceparent()).ok().flatten()
}

/// Goes on in the trace of whoever caused this task's work, as a message or an event names it in `traceparent`. A text that
/// is none is as good as none, and outside a request nothing happens.
pub fn follow(traceparent: &str) {
    _ = CONTEXT.try_with(|context| {
        if let Some(parent) = trace::parse_parent(traceparent) {
            context.borrow_mut().follow(parent);
        }
    });
}

/// Notes how the request ended. The first to know is right: the shell sees only the envelope that an answer is in.
pub(super) fn answered(status: StatusCode) {
    _ = CONTEXT.try_with(|context| {
        if !std::mem::replace(&mut context.borrow_mut().is_answered, true) {
            Span::current().record("status", status.as_u16());
        }
    });
}

/// Runs `work` as part of a request.
pub(super) async fn scope<F: Future>(context: Context, work: F) -> F::Output {
    CONTEXT.scope(RefCell::new(context), work).await
}

/// Takes over the names that a caller gave in the headers inside an envelope; the host's own names stay where there are none.
pub(super) fn adopt(headers: &HeaderMap) {
    // Outside a request, as in a test of an extractor alone, there is nobody to call by a name.
    _ = CONTEXT.try_with(|context| {
        let mut context = context.borrow_mut();
        if let Some(parent) = trace::parent(headers) {
            context.follow(parent);
        }
        if let Some(request_id) = trace::request_id(headers) {
            context.request_id = Some(request_id);
            context.record_request_id(&Span::current());
        }
    });
}

/// Has the answer to the request that this task serves say this, too, whatever else it says. Does nothing outside a request.
pub fn add(name: HeaderName, value: HeaderValue) {
    _ = CONTEXT.try_with(|context| context.borrow_mut().added.insert(name, value));
}

/// Gives an answer to the request that this task serves what every answer has: the request's names, and `Cache-Control`
/// (nobody keeps what says nothing of it). Does nothing outside a request.
pub(super) fn sign(headers: &mut HeaderMap) {
    _ = CONTEXT.try_with(|context| {
        context.borrow().sign(headers);
        headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
        if headers.contains_key(header::CONTENT_TYPE) {
            headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        }
    });
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const SPAN: &str = "0123456789abcdef";

    fn headers(given: &[(&'static str, &str)]) -> HeaderMap {
        given
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap()))
            .collect()
    }

    fn context(given: &[(&'static str, &str)]) -> Context {
        let fresh: FreshTraceId = Arc::new(|| SPAN.repeat(2));
        Context::of(&headers(given), &fresh)
    }

    /// The request id and the traceparent of an answer.
    async fn names(context: Context, inside: &HeaderMap) -> (String, String) {
        let answer = scope(context, async {
            adopt(inside);
            let mut answer = HeaderMap::new();
            sign(&mut answer);
            answer
        });
        let answer = answer.await;
        let text =
            |name: &str| answer.get(name).map_or(String::new(), |value| value.to_str().unwrap().into());
        (text("x-request-id"), text("traceparent"))
    }

    #[tokio::test]
    async fn names_of_the_caller_come_back_with_a_span_of_ours() {
        let parent = format!("00-{TRACE}-00f067aa0ba902b7-01");
        let given = context(&[("x-request-id", "tour:1"), ("traceparent", &parent)]);
        let wanted = ("tour:1".to_owned(), format!("00-{TRACE}-{SPAN}-01"));
        assert_eq!(names(given, &HeaderMap::new()).await, wanted);
    }

    #[tokio::test]
    async fn invocation_id_serves_as_request_id_and_without_dashes_as_trace_id() {
        let given = context(&[(trace::INVOCATION_ID_HEADER, "4bf92f35-77b3-4da6-a3ce-929d0e0e4736")]);
        let span = &TRACE[..trace::SPAN_ID_CHARS];
        let wanted = ("4bf92f35-77b3-4da6-a3ce-929d0e0e4736".to_owned(), format!("00-{TRACE}-{span}-00"));
        assert_eq!(names(given, &HeaderMap::new()).await, wanted);
        let given = context(&[(trace::INVOCATION_ID_HEADER, "i-1")]);
        assert_eq!(names(given, &HeaderMap::new()).await, ("i-1".to_owned(), String::new()));
    }

    #[tokio::test]
    async fn names_inside_an_envelope_come_before_the_hosts() {
        let hosts = [(trace::INVOCATION_ID_HEADER, "4bf92f35-77b3-4da6-a3ce-929d0e0e4736")];
        let parent = format!("00-{}-00f067aa0ba902b7-01", "ab".repeat(16));
        let inside = headers(&[("x-request-id", "mine"), ("traceparent", &parent)]);
        let span = &TRACE[..trace::SPAN_ID_CHARS];
        let wanted = ("mine".to_owned(), format!("00-{}-{span}-01", "ab".repeat(16)));
        assert_eq!(names(context(&hosts), &inside).await, wanted);
    }

    #[tokio::test]
    async fn trace_of_a_message_goes_on_with_a_span_of_ours() {
        let parent = format!("00-{TRACE}-00f067aa0ba902b7-01");
        let carried = |given: &'static str| {
            scope(context(&[]), async move {
                follow(given);
                traceparent()
            })
        };
        let parent: &'static str = parent.leak();
        assert_eq!(carried(parent).await, Some(format!("00-{TRACE}-{SPAN}-01")));
        assert_eq!(carried("no trace").await, Some(format!("00-{}-{SPAN}-00", SPAN.repeat(2))));
        assert_eq!(traceparent(), None);
    }

    #[tokio::test]
    async fn what_an_answer_says_of_keeping_it_stays() {
        let kept = scope(context(&[]), async {
            let mut answer = headers(&[("cache-control", "no-cache")]);
            sign(&mut answer);
            answer
        });
        assert_eq!(kept.await["cache-control"], "no-cache");
    }

    #[tokio::test]
    async fn trace_id_is_known_only_inside_the_scope() {
        assert_eq!(trace_id(), None);
        assert_eq!(scope(context(&[]), async { trace_id() }).await, Some(SPAN.repeat(2)));
    }
}
