//! The JSON that the host sends to a handler for functions that are not proxied.
//!
//! Pure: the rules of the wire and nothing about how it is sent. The forms are surprising on purpose; they are those of
//! the real host.

use std::collections::BTreeMap;

use axum::http::HeaderMap;
use chrono::{DateTime, SecondsFormat, Utc};
use data_encoding::BASE64;
use serde_json::{Map, Value, json};

use super::event::Event;
use super::function::{ChangeTrigger, EventTrigger, QueueTrigger, TimerTrigger};
use super::queue::Message;
use super::queues::guid;
use super::route::{Params, decode, query_params};
use crate::sources::{Clock, Ids};

/// The query parameter that carries a key and is therefore kept out of the metadata.
pub(super) const KEY_PARAMETER: &str = "code";

/// One invocation as the handler will read it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Envelope {
    data: Map<String, Value>,
    metadata: BTreeMap<String, Value>,
}

/// The request that made an HTTP function run.
#[derive(Debug)]
pub(super) struct HttpInput<'a> {
    pub(super) method: &'a str,
    /// Scheme and host, without a path.
    pub(super) origin: String,
    /// Still percent-encoded.
    pub(super) path: &'a str,
    /// Still percent-encoded, without the question mark.
    pub(super) query: &'a str,
    pub(super) headers: &'a HeaderMap,
    pub(super) params: &'a Params,
    /// Present only when the request had a `Content-Length` above zero.
    pub(super) body: Option<&'a [u8]>,
}

/// When a timer ran and will run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TimerTimes {
    pub(super) last: Option<DateTime<Utc>>,
    pub(super) next: Option<DateTime<Utc>>,
    pub(super) now: DateTime<Utc>,
}

/// Which run of an invocation this is.
#[derive(Clone, Copy, Debug)]
pub(super) struct RetryContext<'a> {
    /// Runs before this one.
    pub(super) count: u32,
    /// `None` means without end.
    pub(super) count_max: Option<u32>,
    /// Why the last one failed.
    pub(super) failure: Option<&'a str>,
}

impl Envelope {
    fn new(function: &str, binding: &str, value: Value, clock: &Clock, ids: &Ids) -> Self {
        let sys = json!({
            "MethodName": function,
            "RandGuid": guid(ids),
            "UtcNow": clock.now().to_rfc3339_opts(SecondsFormat::Micros, true),
        });
        Self {
            data: Map::from_iter([(binding.to_owned(), value)]),
            metadata: BTreeMap::from([("sys".to_owned(), sys)]),
        }
    }

    /// The envelope of a queue message.
    pub(super) fn of_message(
        function: &str,
        trigger: &QueueTrigger,
        message: &Message,
        clock: &Clock,
        ids: &Ids,
    ) -> Self {
        let text = message.text();
        let value = if trigger.binary { Value::String(BASE64.encode(&message.body)) } else { literal(&text) };
        let mut envelope = Self::new(function, &trigger.binding, value, clock, ids);
        let facts = [
            ("DequeueCount", Value::String(message.dequeue_count.to_string())),
            ("ExpirationTime", iso_seconds(message.expiration_time)),
            ("Id", literal(&message.id)),
            ("InsertionTime", iso_seconds(message.insertion_time)),
            ("NextVisibleTime", iso_seconds(message.next_visible_time)),
            ("PopReceipt", literal(&message.pop_receipt)),
        ];
        for (name, value) in facts {
            envelope.metadata.insert(name.to_owned(), value);
        }
        if !trigger.binary {
            envelope.leak(&text);
        }
        envelope
    }

    /// The envelope of a timer.
    pub(super) fn of_timer(
        function: &str,
        trigger: &TimerTrigger,
        times: &TimerTimes,
        clock: &Clock,
        ids: &Ids,
    ) -> Self {
        let status = if trigger.monitored {
            let time =
                |time: Option<DateTime<Utc>>| time.map_or_else(|| json!("0001-01-01T00:00:00"), iso_seconds);
            json!({
                "Last": time(times.last),
                "LastUpdated": time(Some(times.last.unwrap_or(times.now))),
                "Next": time(times.next),
            })
        } else {
            Value::Null
        };
        let value = json!({
            "IsPastDue": false,
            "Schedule": {"AdjustForDST": true},
            "ScheduleStatus": status,
        });
        Self::new(function, &trigger.binding, value, clock, ids)
    }

    /// The envelope of documents that were written; `retry` tells of the earlier runs where there is a policy for them.
    pub(super) fn of_changes(
        function: &str,
        trigger: &ChangeTrigger,
        documents: &[Value],
        retry: Option<RetryContext<'_>>,
        clock: &Clock,
        ids: &Ids,
    ) -> Self {
        let value = literal(&json!(documents).to_string());
        let mut envelope = Self::new(function, &trigger.binding, value, clock, ids);
        if let Some(RetryContext { count, count_max, failure }) = retry {
            let count_max = count_max.map_or_else(|| json!(-1), Value::from);
            let context = json!({"Exception": failure, "MaxRetryCount": count_max, "RetryCount": count});
            envelope.metadata.insert("RetryContext".to_owned(), context);
        }
        envelope
    }

    /// The envelope of an event.
    pub(super) fn of_event(
        function: &str,
        trigger: &EventTrigger,
        event: &Event,
        clock: &Clock,
        ids: &Ids,
    ) -> Self {
        let value = Value::Object(event.fields().clone());
        let mut envelope = Self::new(function, &trigger.binding, value, clock, ids);
        let data = match event.fields().get("data") {
            None | Some(Value::Null) => return envelope,
            Some(Value::Object(fields)) => Value::Object(fields.clone()),
            Some(other) => Value::String(other.to_string()),
        };
        envelope.metadata.insert("data".to_owned(), data);
        envelope
    }

    /// The envelope of an HTTP request that is not proxied.
    pub(super) fn of_request(
        function: &str,
        binding: &str,
        input: &HttpInput<'_>,
        clock: &Clock,
        ids: &Ids,
    ) -> Self {
        let query = query_params(input.query);
        let headers = header_object(input.headers);
        let mark = if input.query.is_empty() { "" } else { "?" };
        let mut request = json!({
            "Headers": headers,
            "Identities": [],
            "Method": input.method,
            "Params": input.params,
            "Query": query,
            "Url": format!("{}{}{mark}{}", input.origin, decode(input.path), input.query),
        });
        let text = input.body.map(String::from_utf8_lossy);
        if let (Some(body), Some(text), Some(fields)) = (input.body, &text, request.as_object_mut()) {
            let value =
                if is_binary(input.headers) { BASE64.encode(body) } else { text.clone().into_owned() };
            fields.insert("Body".to_owned(), Value::String(value));
        }
        let mut envelope = Self::new(function, binding, request, clock, ids);
        if let Some(text) = &text {
            envelope.leak(text);
        }
        for (name, value) in &query {
            if name != KEY_PARAMETER {
                envelope.metadata.insert(name.clone(), literal(value));
            }
        }
        for (name, value) in input.params {
            if let Some(value) = value {
                envelope.metadata.insert(name.clone(), literal(value));
            }
        }
        envelope.metadata.insert("Headers".to_owned(), headers);
        envelope.metadata.insert("Query".to_owned(), json!(query));
        envelope.hide_triggers();
        envelope
    }

    /// Adds each top-level property of a JSON object to the metadata, over what is there; arrays are left out, and a
    /// null removes.
    fn leak(&mut self, text: &str) {
        let Ok(Value::Object(fields)) = serde_json::from_str(text) else {
            return;
        };
        for (name, value) in fields {
            match value {
                Value::Array(_) => {}
                Value::Null => {
                    self.metadata.remove(&name);
                }
                Value::Object(_) => {
                    self.metadata.insert(name, value);
                }
                Value::String(_) | Value::Number(_) | Value::Bool(_) => {
                    self.metadata.insert(name, literal(&scalar_text(&value)));
                }
            }
        }
        self.hide_triggers();
    }

    fn hide_triggers(&mut self) {
        self.metadata.retain(|name, _| !name.to_lowercase().ends_with("trigger"));
    }

    /// The body of the request to the handler.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        json!({"Data": self.data, "Metadata": self.metadata}).to_string().into_bytes()
    }
}

/// A text as JSON inside a JSON string, the form of everything that is not an object.
fn literal(text: &str) -> Value {
    Value::String(Value::from(text).to_string())
}

/// A scalar as .NET converts it to text.
pub(super) fn scalar_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

fn iso_seconds(time: DateTime<Utc>) -> Value {
    Value::String(time.format("%Y-%m-%dT%H:%M:%S+00:00").to_string())
}

fn header_object(headers: &HeaderMap) -> Value {
    let mut object = Map::new();
    for name in headers.keys() {
        let values = headers
            .get_all(name)
            .iter()
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
            .collect::<Vec<_>>();
        object.insert(header_case(name.as_str()), json!(values));
    }
    Value::Object(object)
}

/// Standard names get their usual capitals (`Content-Type`), the others stay in lower case.
fn header_case(name: &str) -> String {
    if name.starts_with("x-") {
        return name.to_owned();
    }
    let capitalised = name.split('-').map(|word| {
        let (first, rest) = word.split_at_checked(1).unwrap_or((word, ""));
        format!("{}{rest}", first.to_ascii_uppercase())
    });
    capitalised.collect::<Vec<_>>().join("-")
}

fn is_binary(headers: &HeaderMap) -> bool {
    headers
        .get(axum::http::header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .map(str::to_ascii_lowercase)
        .is_some_and(|kind| kind.starts_with("application/octet-stream") || kind.starts_with("multipart/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::local::ncrontab::Schedule;
    use crate::local::queue::Queue;

    fn clock() -> Clock {
        Clock::manual("2026-03-01T12:00:00.75Z".parse().unwrap())
    }

    fn text(envelope: Envelope) -> String {
        let text = String::from_utf8(envelope.into_bytes()).unwrap();
        let guid = guid(&Ids::seeded(1));
        assert!(text.contains(&guid));
        text.replace(&guid, "GUID")
    }

    fn message(body: &str) -> Message {
        let mut queue = Queue::default();
        queue.put("an-id".to_owned(), body.as_bytes().to_vec(), clock().now());
        queue.take(|| "receipt==".to_owned(), clock().now()).unwrap()
    }

    fn of_message(body: &str, binary: bool) -> String {
        let trigger = QueueTrigger { binding: "item".to_owned(), queue: "orders".to_owned(), binary };
        text(Envelope::of_message("Fun", &trigger, &message(body), &clock(), &Ids::seeded(1)))
    }

    const SYS: &str =
        r#""sys":{"MethodName":"Fun","RandGuid":"GUID","UtcNow":"2026-03-01T12:00:00.750000Z"}"#;

    #[test]
    fn queue_text_is_a_json_literal_inside_a_string() {
        let expected = r#"{"Data":{"item":"\"hello\""},"Metadata":{"DequeueCount":"1","ExpirationTime":"2026-03-08T12:00:00+00:00","Id":"\"an-id\"","InsertionTime":"2026-03-01T12:00:00+00:00","NextVisibleTime":"2026-03-01T12:10:00+00:00","PopReceipt":"\"receipt==\"","#;
        assert_eq!(of_message("hello", false), format!("{expected}{SYS}}}}}"));
    }

    #[test]
    fn json_object_message_stays_text_and_leaks_into_metadata() {
        let body = r#"{"Id":"mine","DequeueCount":7,"ok":true,"deep":{"a":1},"list":[1],"PopReceipt":null,"myTrigger":1}"#;
        let expected = r#"{"Data":{"item":"\"{\\\"Id\\\":\\\"mine\\\",\\\"DequeueCount\\\":7,\\\"ok\\\":true,\\\"deep\\\":{\\\"a\\\":1},\\\"list\\\":[1],\\\"PopReceipt\\\":null,\\\"myTrigger\\\":1}\""},"Metadata":{"DequeueCount":"\"7\"","ExpirationTime":"2026-03-08T12:00:00+00:00","Id":"\"mine\"","InsertionTime":"2026-03-01T12:00:00+00:00","NextVisibleTime":"2026-03-01T12:10:00+00:00","deep":{"a":1},"ok":"\"True\"","#;
        assert_eq!(of_message(body, false), format!("{expected}{SYS}}}}}"));
    }

    #[test]
    fn binary_message_is_base64() {
        assert!(of_message("{\"Id\":1}", true).starts_with(r#"{"Data":{"item":"eyJJZCI6MX0="}"#));
    }

    fn timer(monitored: bool) -> TimerTrigger {
        TimerTrigger {
            binding: "tick".to_owned(),
            schedule: Schedule::parse("0 * * * * *").unwrap(),
            schedule_text: "0 * * * * *".to_owned(),
            run_on_startup: false,
            monitored,
        }
    }

    #[test]
    fn timer_value_is_an_object() {
        let times = TimerTimes {
            last: None,
            next: Some("2026-03-01T12:01:00Z".parse().unwrap()),
            now: clock().now(),
        };
        let of =
            |monitored| text(Envelope::of_timer("Fun", &timer(monitored), &times, &clock(), &Ids::seeded(1)));
        let expected = r#"{"Data":{"tick":{"IsPastDue":false,"Schedule":{"AdjustForDST":true},"ScheduleStatus":null}},"Metadata":{"#;
        assert_eq!(of(false), format!("{expected}{SYS}}}}}"));
        let status = r#""ScheduleStatus":{"Last":"0001-01-01T00:00:00","LastUpdated":"2026-03-01T12:00:00+00:00","Next":"2026-03-01T12:01:00+00:00"}"#;
        assert!(of(true).contains(status));
    }

    #[test]
    fn http_request_is_an_object_whose_body_is_text() {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", "application/json".parse().unwrap());
        headers.append("x-tag", "a".parse().unwrap());
        headers.append("x-tag", "b".parse().unwrap());
        let params = Params::from([("id".to_owned(), Some("7".to_owned())), ("rest".to_owned(), None)]);
        let input = HttpInput {
            method: "POST",
            origin: "http://localhost:7071".to_owned(),
            path: "/api/a%20b/7",
            query: "q=1&q=x%2Fy&code=secret",
            headers: &headers,
            params: &params,
            body: Some(br#"{"n":4}"#),
        };
        let envelope = Envelope::of_request("Fun", "req", &input, &clock(), &Ids::seeded(1));
        let expected = r#"{"Data":{"req":{"Body":"{\"n\":4}","Headers":{"Content-Type":["application/json"],"x-tag":["a","b"]},"Identities":[],"Method":"POST","Params":{"id":"7","rest":null},"Query":{"code":"secret","q":"1,x/y"},"Url":"http://localhost:7071/api/a b/7?q=1&q=x%2Fy&code=secret"}},"Metadata":{"Headers":{"Content-Type":["application/json"],"x-tag":["a","b"]},"Query":{"code":"secret","q":"1,x/y"},"id":"\"7\"","n":"\"4\"","q":"\"1,x/y\"","#;
        // Compared as values: the order of a body that is added last depends on how maps are built.
        let found: Value = serde_json::from_str(&text(envelope)).unwrap();
        let expected: Value = serde_json::from_str(&format!("{expected}{SYS}}}}}")).unwrap();
        assert_eq!(found, expected);
    }

    #[test]
    fn octet_stream_body_is_base64_and_missing_body_is_absent() {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", "application/octet-stream".parse().unwrap());
        let of = |body| {
            let input = HttpInput {
                method: "POST",
                origin: String::new(),
                path: "/",
                query: "",
                headers: &headers,
                params: &Params::new(),
                body,
            };
            let envelope = Envelope::of_request("Fun", "req", &input, &clock(), &Ids::seeded(1));
            envelope.data["req"].get("Body").cloned()
        };
        assert_eq!(of(Some(&[0xff, 0x00])), Some(json!("/wA=")));
        assert_eq!(of(None), None);
    }

    fn change_trigger() -> ChangeTrigger {
        ChangeTrigger {
            binding: "documents".to_owned(),
            database: "shop".to_owned(),
            container: "orders".to_owned(),
            lease_container: "leases".to_owned(),
            lease_prefix: String::new(),
            count_max: std::num::NonZeroU32::MIN,
            poll_delay: std::time::Duration::ZERO,
            from_beginning: true,
            retry: None,
        }
    }

    #[test]
    fn documents_are_the_text_of_an_array_as_a_json_literal_inside_a_string() {
        let documents = [json!({"_etag": "\"7\"", "id": "a"})];
        let of = |retry| {
            let (clock, ids) = (clock(), Ids::seeded(1));
            text(Envelope::of_changes("Fun", &change_trigger(), &documents, retry, &clock, &ids))
        };
        let data = r#"{"Data":{"documents":"\"[{\\\"_etag\\\":\\\"\\\\\\\"7\\\\\\\"\\\",\\\"id\\\":\\\"a\\\"}]\""},"Metadata":{"#;
        assert_eq!(of(None), format!("{data}{SYS}}}}}"));
        let retry = RetryContext { count: 2, count_max: None, failure: Some("it died") };
        let context = r#""RetryContext":{"Exception":"it died","MaxRetryCount":-1,"RetryCount":2},"#;
        assert_eq!(of(Some(retry)), format!("{data}{context}{SYS}}}}}"));
    }

    #[test]
    fn event_is_an_object_and_its_data_stand_in_the_metadata() {
        let trigger = EventTrigger { binding: "event".to_owned() };
        for (data, told) in [
            (json!({"n": 1}), r#""data":{"n":1},"#),
            (json!("x"), r#""data":"\"x\"","#),
            (json!([1, 2]), r#""data":"[1,2]","#),
            (Value::Null, ""),
        ] {
            let mut event = crate::local::event::tests::cloud_event("1");
            event["data"] = data;
            let parsed = Event::parse(&event.to_string()).unwrap();
            let envelope = Envelope::of_event("Fun", &trigger, &parsed, &clock(), &Ids::seeded(1));
            let expected = format!(r#"{{"Data":{{"event":{event}}},"Metadata":{{{told}{SYS}}}}}"#);
            assert_eq!(text(envelope), expected);
        }
    }
}
