//! `cosmosDBTrigger` in a function.json: whose changes a function is told, from where on, and under which lease.
//!
//! Reads the binding only; whether the container exists is for those to say who have the store.

use std::num::NonZeroU32;
use std::time::Duration;

use serde_json::Value;

use super::{Settings, binding_name, flag, resolve, text_of};
use crate::local::retry::Retry;

/// What the fields are called that are obeyed.
const PLAYED: [&str; 12] = [
    "type",
    "direction",
    "name",
    "dataType",
    "connection",
    "databaseName",
    "containerName",
    "leaseContainerName",
    "leaseContainerPrefix",
    "maxItemsPerInvocation",
    "feedPollDelay",
    "startFromBeginning",
];
/// Fields without a meaning where one host reads a container as a whole.
const WITHOUT_MEANING: [&str; 5] = [
    "createLeaseContainerIfNotExists",
    "leasesContainerThroughput",
    "leaseAcquireInterval",
    "leaseExpirationInterval",
    "leaseRenewInterval",
];
const LEASE_CONTAINER_DEFAULT: &str = "leases";
const COUNT_MAX_DEFAULT: NonZeroU32 = NonZeroU32::new(100).unwrap();
const POLL_DELAY_DEFAULT: Duration = Duration::from_secs(5);

/// `cosmosDBTrigger`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::local) struct ChangeTrigger {
    pub(in crate::local) binding: String,
    pub(in crate::local) database: String,
    pub(in crate::local) container: String,
    pub(in crate::local) lease_container: String,
    /// Two functions on one container need two of them, or they share the changes.
    pub(in crate::local) lease_prefix: String,
    /// Most documents of an invocation.
    pub(in crate::local) count_max: NonZeroU32,
    /// How long the real host waits before it looks again for what is new.
    pub(in crate::local) poll_delay: Duration,
    /// Whether a function without a lease is told of what is there already.
    pub(in crate::local) from_beginning: bool,
    /// Without one, a batch that fails is not delivered again.
    pub(in crate::local) retry: Option<Retry>,
}

impl ChangeTrigger {
    /// Reads the binding; `retry` stands beside the bindings.
    ///
    /// # Errors
    /// A sentence about the first field that is missing, wrong or not played.
    pub(super) fn parse(binding: &Value, retry: Option<&Value>, settings: &Settings) -> Result<Self, String> {
        let mut fields = binding.as_object().into_iter().flat_map(|fields| fields.keys());
        let known = |field: &&str| PLAYED.contains(field) || WITHOUT_MEANING.contains(field);
        if let Some(field) = fields.find(|field| !known(&field.as_str())) {
            return Err(format!("`{field}` of a cosmosDBTrigger is unknown or not played locally"));
        }
        let optional = |field: &str| text_of(binding, field).map(|text| resolve(text, settings)).transpose();
        let required = |field: &str| optional(field)?.ok_or_else(|| format!("`{field}` is missing"));
        // It names the settings of the account for the real host; here the store is that of the application.
        required("connection")?;
        let number = |field: &str, default: u64| match binding.get(field) {
            None => Ok(default),
            Some(value) => value.as_u64().ok_or_else(|| format!("`{field}` must be a whole number")),
        };
        let count_max = number("maxItemsPerInvocation", u64::from(COUNT_MAX_DEFAULT.get()))?;
        let count_max = u32::try_from(count_max).ok().and_then(NonZeroU32::new);
        let poll_delay_ms =
            number("feedPollDelay", u64::try_from(POLL_DELAY_DEFAULT.as_millis()).unwrap_or(0))?;
        Ok(Self {
            binding: binding_name(binding)?.to_owned(),
            database: required("databaseName")?,
            container: required("containerName")?,
            lease_container: optional("leaseContainerName")?
                .unwrap_or_else(|| LEASE_CONTAINER_DEFAULT.to_owned()),
            lease_prefix: optional("leaseContainerPrefix")?.unwrap_or_default(),
            count_max: count_max.ok_or("`maxItemsPerInvocation` must be at least 1")?,
            poll_delay: Duration::from_millis(poll_delay_ms),
            from_beginning: flag(binding, "startFromBeginning", false),
            retry: retry.map(Retry::parse).transpose()?,
        })
    }

    /// The name of the lease: who reads what.
    pub(in crate::local) fn lease(&self) -> String {
        [self.lease_prefix.as_str(), &self.database, &self.container].join(".")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parsed(extra: Value) -> Result<ChangeTrigger, String> {
        let mut binding = json!({
            "type": "cosmosDBTrigger",
            "direction": "in",
            "name": "documents",
            "connection": "COSMOS",
            "databaseName": "%DATABASE%",
            "containerName": "orders",
        });
        for (name, value) in extra.as_object().unwrap() {
            binding[name] = value.clone();
        }
        let settings = Settings::from([("DATABASE".to_owned(), "shop".to_owned())]);
        ChangeTrigger::parse(&binding, None, &settings)
    }

    #[test]
    fn defaults_are_those_of_the_real_extension() {
        let trigger = parsed(json!({})).unwrap();
        let expected = ChangeTrigger {
            binding: "documents".to_owned(),
            database: "shop".to_owned(),
            container: "orders".to_owned(),
            lease_container: "leases".to_owned(),
            lease_prefix: String::new(),
            count_max: NonZeroU32::new(100).unwrap(),
            poll_delay: Duration::from_secs(5),
            from_beginning: false,
            retry: None,
        };
        assert_eq!(trigger, expected);
    }

    #[test]
    fn every_field_is_read() {
        let trigger = parsed(json!({
            "leaseContainerName": "marks",
            "leaseContainerPrefix": "events",
            "maxItemsPerInvocation": 7,
            "feedPollDelay": 50,
            "startFromBeginning": true,
            "createLeaseContainerIfNotExists": false,
        }))
        .unwrap();
        assert_eq!(
            (trigger.lease().as_str(), trigger.lease_container.as_str()),
            ("events.shop.orders", "marks")
        );
        assert_eq!((trigger.count_max.get(), trigger.poll_delay), (7, Duration::from_millis(50)));
        assert!(trigger.from_beginning);
    }

    #[test]
    fn mistakes_are_named() {
        for (extra, reason) in [
            (json!({"containerName": null}), "`containerName` is missing"),
            (json!({"connection": null}), "`connection` is missing"),
            (json!({"databaseName": "%OTHER%"}), "setting `OTHER`"),
            (json!({"collectionName": "orders"}), "`collectionName` of a cosmosDBTrigger is unknown"),
            (json!({"startFromTime": "2026-03-01T12:00:00Z"}), "not played"),
            (json!({"maxItemsPerInvocation": 0}), "at least 1"),
            (json!({"feedPollDelay": "5 s"}), "`feedPollDelay` must be a whole number"),
        ] {
            let error = parsed(extra.clone()).unwrap_err();
            assert!(error.contains(reason), "{extra}: {error}");
        }
    }
}
