//! One event of the topic: whether it is one, in which of the two schemas, and how large it may be.
//!
//! Pure. Knows nothing of what an event says, nor of who hears it.

use serde::Serialize;
use serde_json::{Map, Value};

use super::answer;

/// The most bytes of one event, and of all that one invocation publishes: they leave in one request.
pub(super) const EVENTS_BYTES_MAX: usize = 1024 * 1024;
const CLOUD_EVENTS_VERSION: &str = "1.0";

/// An event that Event Grid would take.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Event(Map<String, Value>);

/// How an event is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Schema {
    CloudEvents,
    EventGrid,
}

impl Event {
    /// Reads an event from its JSON text.
    ///
    /// # Errors
    /// A sentence that names what is wrong.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.len() > EVENTS_BYTES_MAX {
            return Err(format!("an event has {} bytes, above the limit of {EVENTS_BYTES_MAX}", text.len()));
        }
        let Ok(Value::Object(fields)) = serde_json::from_str(text) else {
            return Err("an event must be a JSON object".to_owned());
        };
        let event = Self(fields);
        match event.schema() {
            Schema::CloudEvents => event.check_cloud_event()?,
            Schema::EventGrid => {
                event.check_texts(&["id", "subject", "eventType", "eventTime", "dataVersion"])?
            }
        }
        Ok(event)
    }

    fn check_cloud_event(&self) -> Result<(), String> {
        let version = self.0.get("specversion").and_then(Value::as_str);
        if version != Some(CLOUD_EVENTS_VERSION) {
            return Err(format!("`specversion` of the event must be \"{CLOUD_EVENTS_VERSION}\""));
        }
        self.check_texts(&["id", "source", "type"])?;
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        match self.0.keys().find(|name| *name != "data_base64" && !name.bytes().all(allowed)) {
            Some(name) => Err(format!("`{name}` is not the name of an attribute of a CloudEvent")),
            None => Ok(()),
        }
    }

    fn check_texts(&self, names: &[&str]) -> Result<(), String> {
        let is_text =
            |name: &str| self.0.get(name).and_then(Value::as_str).is_some_and(|text| !text.is_empty());
        match names.iter().find(|name| !is_text(name)) {
            Some(name) => Err(format!("`{name}` of the event must be a text that is not empty")),
            None => Ok(()),
        }
    }

    /// What has a type of Event Grid and no version of CloudEvents is an Event Grid event.
    pub(super) fn schema(&self) -> Schema {
        if self.0.contains_key("eventType") && !self.0.contains_key("specversion") {
            Schema::EventGrid
        } else {
            Schema::CloudEvents
        }
    }

    /// The event as it is delivered.
    pub(super) fn fields(&self) -> &Map<String, Value> {
        &self.0
    }

    /// A text of the event, empty when there is none.
    fn text(&self, name: &str) -> &str {
        self.0.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// Its id, which may repeat.
    pub(super) fn id(&self) -> &str {
        self.text("id")
    }

    /// What kind of thing happened.
    pub(super) fn kind(&self) -> &str {
        match self.schema() {
            Schema::CloudEvents => self.text("type"),
            Schema::EventGrid => self.text("eventType"),
        }
    }
}

/// The events that the value of an `eventGrid` output becomes, all or none.
///
/// # Errors
/// When one is no event, they differ in schema, or they are too large together; the invocation fails.
pub(super) fn output_events(value: &Value) -> Result<Vec<Event>, String> {
    let texts = answer::texts(value)?;
    let size_bytes: usize = texts.iter().map(String::len).sum();
    if size_bytes > EVENTS_BYTES_MAX {
        return Err(format!("the events have {size_bytes} bytes, above the limit of {EVENTS_BYTES_MAX}"));
    }
    let events = texts.iter().map(|text| Event::parse(text)).collect::<Result<Vec<_>, _>>()?;
    match events.first().map(Event::schema) {
        Some(schema) if events.iter().any(|event| event.schema() != schema) => {
            Err("the events are not all CloudEvents or all Event Grid events".to_owned())
        }
        Some(_) | None => Ok(events),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::json;

    use super::*;

    /// A CloudEvent of this id.
    pub(in crate::local) fn cloud_event(id: &str) -> Value {
        json!({"specversion": "1.0", "id": id, "source": "urn:here", "type": "Shop.Opened", "data": {"n": 1}})
    }

    fn grid_event() -> Value {
        json!({
            "id": "1",
            "subject": "shop",
            "eventType": "Opened",
            "eventTime": "2026-03-01T12:00:00Z",
            "dataVersion": "1",
            "data": {},
        })
    }

    #[test]
    fn output_is_taken_as_texts_as_objects_or_as_one_of_either() {
        let event = cloud_event("1");
        let two = json!([cloud_event("1"), cloud_event("2")]);
        for (value, ids) in [
            (json!([event.to_string(), cloud_event("2").to_string()]), &["1", "2"][..]),
            (two.clone(), &["1", "2"]),
            (two.to_string().into(), &["1", "2"]),
            (event.clone(), &["1"]),
            (event.to_string().into(), &["1"]),
            (json!([grid_event()]), &["1"]),
            (json!([]), &[]),
        ] {
            let events = output_events(&value).unwrap();
            assert_eq!(events.iter().map(Event::id).collect::<Vec<_>>(), ids, "{value}");
        }
        assert_eq!(output_events(&json!([event])).unwrap()[0].fields()["data"], json!({"n": 1}));
    }

    #[test]
    fn output_that_is_no_event_names_what_is_wrong() {
        let without = |event: &Value, name: &str| {
            let mut event = event.clone();
            event.as_object_mut().unwrap().remove(name);
            event
        };
        let (cloud, grid) = (cloud_event("1"), grid_event());
        let mut camel = cloud.clone();
        camel["traceParent"] = json!("x");
        for (value, reason) in [
            (json!("hello"), "JSON object"),
            (json!([7]), "JSON object"),
            (without(&cloud, "specversion"), "`specversion`"),
            (without(&cloud, "id"), "`id`"),
            (without(&cloud, "source"), "`source`"),
            (json!([cloud, without(&cloud, "type")]), "`type`"),
            (camel, "`traceParent`"),
            (without(&grid, "dataVersion"), "`dataVersion`"),
            (json!([cloud, grid]), "not all CloudEvents"),
        ] {
            let error = output_events(&value).unwrap_err();
            assert!(error.contains(reason), "{value}: {error}");
        }
    }

    #[test]
    fn events_of_one_invocation_have_one_mebibyte_at_most() {
        let mut event = cloud_event("1");
        event["data"] = json!("x".repeat(EVENTS_BYTES_MAX / 2));
        assert!(output_events(&json!([event])).is_ok());
        assert!(output_events(&json!([event, event])).unwrap_err().contains("limit"));
        event["data"] = json!("x".repeat(EVENTS_BYTES_MAX));
        assert!(Event::parse(&event.to_string()).unwrap_err().contains("limit"));
    }
}
