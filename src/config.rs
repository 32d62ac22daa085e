//! The settings: one pure parse of a lookup that reports every mistake at once.
//!
//! Does not read the environment by itself and does not act on what it reads.

mod auth;
mod export;
mod images;
mod log;
mod mail;

use std::collections::BTreeMap;
use std::fmt;
use std::net::Ipv4Addr;

pub use self::auth::{AuthConfig, IssuerConfig};
pub use self::export::ExportConfig;
pub use self::images::{ImagePlace, ImagesConfig};
pub use self::log::{LogConfig, LogFormat};
pub use self::mail::{MailConfig, MailPlace};

/// The settings that the handler knows, with what each is for. Printed by `check-config`.
pub const SETTINGS: [(&str, &str); 17] = [
    (
        "COSMOS_ENDPOINT",
        "https address of the Cosmos DB account; `emulator` or a loopback http address for development",
    ),
    ("COSMOS_DATABASE", "name of the database (default: widgetco)"),
    ("COSMOS_REGION", "Azure region to read from first (default: REGION_NAME, which Azure sets)"),
    (
        "IMAGES_STORE",
        "https address of the Blob container for pictures; for development `UseDevelopmentStorage=true`, the address of a \
         container in Azurite, or `folder:PATH` (default: a temporary folder beside an emulator, else none)",
    ),
    (
        "IMAGES_PUBLIC_URL",
        "https address from which anybody can read that container; pictures are then fetched there",
    ),
    (
        "MAIL",
        "https address of the Communication Services resource that sends mails, or `folder:PATH` for development, which keeps \
         each as a file (default: none, and nobody gets mails)",
    ),
    ("MAIL_FROM", "address that mails come from; required when they are sent"),
    ("STAFF_MAIL", "address of those who are told when stock is low (default: none, and it is only logged)"),
    (
        "AUTH_ISSUERS",
        "whose tokens are believed, as a JSON list: each with `issuer`, `audience`, `who` (`customers`, whose id is in \
         `customerClaim`, default sub; or `workforce`, with the roles staff, courier and partner:<id>); required in Azure, and \
         beside an emulator `widgetco token` works without",
    ),
    ("REQUESTS_PER_MINUTE", "how often one signed-in caller may call one instance (default: 600)"),
    ("AZURE_CLIENT_ID", "client id of the user-assigned managed identity (default: the system-assigned one)"),
    ("FUNCTIONS_CUSTOMHANDLER_PORT", "port that `serve` listens on, 1 to 65535; set by the Functions host"),
    (
        "AZURE_FUNCTIONS_ENVIRONMENT",
        "`Development` tells in Server-Timing what an answer cost, and lets webhooks lead to this machine; never in Azure; set by \
         the host on a laptop",
    ),
    ("LOG_FILTER", "what is logged, as a tracing filter (default: info,azure_data_cosmos_driver=warn)"),
    ("LOG_FORMAT", "`text` or `json` (default: json in Azure, else text)"),
    (
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "address of a receiver of traces and metrics by OTLP over HTTP, such as http://127.0.0.1:4318 (default: none)",
    ),
    (
        "APPLICATIONINSIGHTS_CONNECTION_STRING",
        "the Application Insights to which traces and metrics go by the identity, unless an OTLP receiver is named (default: none)",
    ),
];

/// How the names of settings begin that the Functions host reads itself.
const HOST_PREFIXES: [&str; 2] = ["AzureFunctionsJobHost__", "AzureWebJobs."];
/// What Azure sets and no host on a laptop does; Flex Consumption sets the last two.
const IN_AZURE: [&str; 3] = ["WEBSITE_INSTANCE_ID", "WEBSITE_POD_NAME", "WEBSITE_SKU"];
/// Longest value that is repeated in an error.
const GIVEN_CHARS_MAX: usize = 80;
const DATABASE_DEFAULT: &str = "widgetco";

/// Everything the handler can be told from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Which store to talk to.
    pub cosmos: CosmosConfig,
    /// Where pictures are.
    pub images: ImagesConfig,
    /// How mails are sent.
    pub mail: MailConfig,
    /// Who is believed to be whom.
    pub auth: AuthConfig,
    /// Where the Functions host expects the handler; absent outside one.
    pub port: Option<u16>,
    /// Whether callers are those who develop, and may look inside.
    pub development: bool,
    /// How to log.
    pub log: LogConfig,
    /// Where traces and metrics go, if anywhere.
    pub export: Option<ExportConfig>,
}

/// Which Cosmos DB, and as whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CosmosConfig {
    /// Where the account is.
    pub endpoint: Endpoint,
    /// Which database in it.
    pub database: String,
    /// Which region to read from first.
    pub region: Option<String>,
    /// Which identity to use.
    pub identity: Identity,
}

/// Where the store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// A Cosmos DB account, over https.
    Azure(String),
    /// An emulator on this machine, over http.
    #[cfg(feature = "emulator")]
    Loopback(String),
    /// An emulator inside this process; its content ends with the process.
    #[cfg(feature = "emulator")]
    Embedded,
}

/// Who the handler is for Azure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// The managed identity of the function app; a client id names a user-assigned one.
    Managed {
        /// Client id of the user-assigned identity.
        client_id: Option<String>,
    },
    /// Whoever is signed in to the developer tools on this machine.
    Developer,
}

/// One setting that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Name of the setting.
    pub setting: &'static str,
    /// What was given; `None` when it is missing. Secrets are masked.
    pub given: Option<String>,
    /// What is allowed.
    pub allowed: &'static str,
}

/// Every setting that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError {
    /// The mistakes, in the order of [`SETTINGS`].
    pub mistakes: Vec<Mistake>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} wrong in the settings:",
            if self.mistakes.len() == 1 { "one thing is" } else { "several things are" }
        )?;
        for mistake in &self.mistakes {
            match &mistake.given {
                Some(given) => {
                    write!(f, "\n  {} is {given:?}; allowed: {}", mistake.setting, mistake.allowed)?
                }
                None => write!(f, "\n  {} is missing; allowed: {}", mistake.setting, mistake.allowed)?,
            }
        }
        Ok(())
    }
}

impl Config {
    /// Reads every setting through `lookup`, which gives the value of a name.
    ///
    /// # Errors
    /// All mistakes at once; a retry helps only after a setting was changed.
    pub fn parse(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let lookup =
            |name: &str| lookup(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        let in_azure = IN_AZURE.iter().any(|sign| lookup(sign).is_some());
        let development = !in_azure
            && lookup("AZURE_FUNCTIONS_ENVIRONMENT")
                .is_some_and(|environment| environment.eq_ignore_ascii_case("Development"));
        let mut mistakes = Vec::new();
        let endpoint = check(&mut mistakes, "COSMOS_ENDPOINT", endpoint(lookup("COSMOS_ENDPOINT"), in_azure));
        let database = check(&mut mistakes, "COSMOS_DATABASE", database(lookup("COSMOS_DATABASE")));
        let place =
            check(&mut mistakes, "IMAGES_STORE", images::place(lookup("IMAGES_STORE"), &endpoint, in_azure));
        let public_url =
            check(&mut mistakes, "IMAGES_PUBLIC_URL", images::public_url(lookup("IMAGES_PUBLIC_URL")));
        let mail = mail::parse(&mut mistakes, &lookup, in_azure);
        let issuers = check(&mut mistakes, "AUTH_ISSUERS", auth::issuers(lookup("AUTH_ISSUERS"), in_azure));
        let requests_per_minute = check(
            &mut mistakes,
            "REQUESTS_PER_MINUTE",
            auth::requests_per_minute(lookup("REQUESTS_PER_MINUTE")),
        );
        let port = check(
            &mut mistakes,
            "FUNCTIONS_CUSTOMHANDLER_PORT",
            port(lookup("FUNCTIONS_CUSTOMHANDLER_PORT")),
        );
        let filter = check(&mut mistakes, "LOG_FILTER", log::filter(lookup("LOG_FILTER")));
        let format = check(&mut mistakes, "LOG_FORMAT", log::format(lookup("LOG_FORMAT"), in_azure));
        let otlp = check(
            &mut mistakes,
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            export::otlp(lookup("OTEL_EXPORTER_OTLP_ENDPOINT")),
        );
        let insights = check(
            &mut mistakes,
            "APPLICATIONINSIGHTS_CONNECTION_STRING",
            export::application_insights(lookup("APPLICATIONINSIGHTS_CONNECTION_STRING")),
        );
        let region = lookup("COSMOS_REGION").or_else(|| lookup("REGION_NAME"));
        let identity = if in_azure || lookup("IDENTITY_ENDPOINT").is_some() {
            Identity::Managed { client_id: lookup("AZURE_CLIENT_ID") }
        } else {
            Identity::Developer
        };
        #[cfg(feature = "emulator")]
        let development_issuer = matches!(endpoint, Some(Endpoint::Loopback(_) | Endpoint::Embedded));
        let auth = issuers.zip(requests_per_minute).map(|(issuers, requests_per_minute)| AuthConfig {
            issuers,
            #[cfg(feature = "emulator")]
            development: development_issuer,
            requests_per_minute,
        });
        let cosmos = endpoint.zip(database).map(|(endpoint, database)| {
            let identity = identity.clone();
            CosmosConfig { endpoint, database, region, identity }
        });
        let export = otlp.zip(insights).map(|(otlp, insights)| export::receiver(otlp, insights, &identity));
        let images = place.zip(public_url);
        let mail = mail.map(|mail| MailConfig { identity: identity.clone(), ..mail });
        let images = images.map(|(place, public_url)| ImagesConfig { place, identity, public_url });
        let log = filter.zip(format).map(|(filter, format)| LogConfig { filter, format });
        match (cosmos, images, mail, auth, port, log, export) {
            (Some(cosmos), Some(images), Some(mail), Some(auth), Some(port), Some(log), Some(export)) => {
                Ok(Self { cosmos, images, mail, auth, port, development, log, export })
            }
            _ => Err(ConfigError { mistakes }),
        }
    }

    /// Looks a setting up in the environment of the process: the lookup that the program uses.
    pub fn environment(name: &str) -> Option<String> {
        #[allow(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
        std::env::var(name).ok()
    }

    /// What works, but not as somebody may expect: for `check-config`.
    pub fn remarks(&self) -> Vec<&'static str> {
        let pictures =
            "IMAGES_STORE is not set: the functions for pictures answer 503 until it names a container";
        let callers = "AUTH_ISSUERS is not set: nobody can sign in";
        let mails = "MAIL is not set: customers and staff get no mails";
        let remarks = [
            (self.images.place == ImagePlace::Unset).then_some(pictures),
            (self.mail.place == MailPlace::Unset).then_some(mails),
            (!self.auth.believes_anybody()).then_some(callers),
        ];
        remarks.into_iter().flatten().collect()
    }

    /// The settings of the process that are for the Functions host: `AzureFunctionsJobHost__a__b` overrides host.json,
    /// `AzureWebJobs.{Name}.Disabled` switches a function off.
    pub fn host_settings() -> BTreeMap<String, String> {
        let is_for_host =
            |(name, _): &(String, String)| HOST_PREFIXES.iter().any(|prefix| name.starts_with(prefix));
        std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .filter(is_for_host)
            .collect()
    }
}

/// What is wrong with one setting: the value if there is one, and what is allowed.
type Wrong = (Option<String>, &'static str);

fn check<T>(mistakes: &mut Vec<Mistake>, setting: &'static str, parsed: Result<T, Wrong>) -> Option<T> {
    match parsed {
        Ok(value) => Some(value),
        Err((given, allowed)) => {
            mistakes.push(Mistake { setting, given: given.map(|given| masked(&given)), allowed });
            None
        }
    }
}

/// A value as it may be shown: cut short, and hidden when it looks like a connection string with a key in it.
fn masked(given: &str) -> String {
    let lower = given.to_ascii_lowercase();
    if ["key=", "sig=", "secret", "password"].iter().any(|sign| lower.contains(sign)) {
        return "(hidden: it looks like a secret)".to_owned();
    }
    given.chars().take(GIVEN_CHARS_MAX).collect()
}

#[cfg(feature = "emulator")]
const ENDPOINTS: &str =
    "https://<account>.documents.azure.com:443/, or for development `emulator` or http://127.0.0.1:<port>/";
#[cfg(not(feature = "emulator"))]
const ENDPOINTS: &str = "https://<account>.documents.azure.com:443/ (this build holds no emulator)";

fn endpoint(given: Option<String>, in_azure: bool) -> Result<Endpoint, Wrong> {
    let Some(text) = given else { return Err((None, ENDPOINTS)) };
    if text.strip_prefix("https://").is_some_and(is_host) {
        return Ok(Endpoint::Azure(text));
    }
    if in_azure {
        return Err((
            Some(text),
            "an https address: in Azure an emulator would lose every order at the next restart",
        ));
    }
    #[cfg(feature = "emulator")]
    {
        if text == "emulator" {
            return Ok(Endpoint::Embedded);
        }
        if is_loopback(&text) && text.strip_prefix("http://").is_some_and(is_host) {
            return Ok(Endpoint::Loopback(text));
        }
    }
    Err((Some(text), ENDPOINTS))
}

/// Whether an address says http and means this machine.
#[cfg(feature = "emulator")]
fn is_loopback(address: &str) -> bool {
    let host = address.strip_prefix("http://").unwrap_or_default();
    ["127.0.0.1:", "localhost:"].iter().any(|name| host.starts_with(name))
}

/// Whether the rest of an address is a host, perhaps with a port, and nothing else.
fn is_host(text: &str) -> bool {
    let text = text.strip_suffix('/').unwrap_or(text);
    let (name, port) = text.split_once(':').unwrap_or((text, "443"));
    !name.is_empty()
        && (name.parse::<Ipv4Addr>().is_ok()
            || name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.')))
        && port.parse::<u16>().is_ok_and(|port| port > 0)
}

fn database(given: Option<String>) -> Result<String, Wrong> {
    let name = given.unwrap_or_else(|| DATABASE_DEFAULT.to_owned());
    let fits = name.len() <= 255
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if fits { Ok(name) } else { Err((Some(name), "1 to 255 letters, digits, hyphens and underscores")) }
}

fn port(given: Option<String>) -> Result<Option<u16>, Wrong> {
    let Some(text) = given else { return Ok(None) };
    match text.parse::<u16>() {
        Ok(port) if port > 0 => Ok(Some(port)),
        _ => Err((Some(text), "a number from 1 to 65535")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(settings: &[(&str, &str)]) -> Result<Config, ConfigError> {
        Config::parse(|name| {
            settings.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    const ACCOUNT: (&str, &str) = ("COSMOS_ENDPOINT", "https://shop.documents.azure.com:443/");
    const ISSUERS: (&str, &str) = (
        "AUTH_ISSUERS",
        r#"[{"issuer": "https://a.ciamlogin.com/t/v2.0", "audience": "shop", "who": "customers", "customerClaim": "oid"},
            {"issuer": "https://login.microsoftonline.com/t/v2.0", "audience": "api://shop", "who": "workforce"}]"#,
    );

    #[test]
    fn account_needs_nothing_but_its_address() {
        let config = parse(&[ACCOUNT]).unwrap();
        assert_eq!(config.cosmos.database, "widgetco");
        assert_eq!(config.cosmos.identity, Identity::Developer);
        assert_eq!(config.port, None);
    }

    #[test]
    fn every_mistake_is_reported_at_once_with_name_value_and_what_is_allowed() {
        let wrong = [
            ("COSMOS_ENDPOINT", "ftp://x"),
            ("COSMOS_DATABASE", "a/b"),
            ("IMAGES_STORE", "ftp://y"),
            ("IMAGES_PUBLIC_URL", "http://plain.example"),
            ("FUNCTIONS_CUSTOMHANDLER_PORT", "70000"),
            ("LOG_FILTER", "loud=very"),
            ("LOG_FORMAT", "xml"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector.example:4318"),
            ("APPLICATIONINSIGHTS_CONNECTION_STRING", "none"),
        ];
        let error = parse(&wrong).unwrap_err();
        let text = error.to_string();
        assert_eq!(error.mistakes.len(), wrong.len(), "{text}");
        for (name, value) in wrong {
            assert!(text.contains(name) && text.contains(value), "{name} in {text}");
        }
        assert!(parse(&[]).unwrap_err().to_string().contains("COSMOS_ENDPOINT is missing"));
    }

    #[test]
    fn connection_string_with_a_key_is_not_repeated() {
        let error =
            parse(&[("COSMOS_ENDPOINT", "AccountEndpoint=https://x/;AccountKey=c2VjcmV0")]).unwrap_err();
        assert!(!error.to_string().contains("c2VjcmV0"), "{error}");
    }

    #[test]
    fn emulator_is_refused_in_azure() {
        for endpoint in ["emulator", "http://127.0.0.1:8081"] {
            let settings = [("COSMOS_ENDPOINT", endpoint), ("WEBSITE_INSTANCE_ID", "abc")];
            assert!(parse(&settings).unwrap_err().to_string().contains("lose every order"));
        }
    }

    #[test]
    fn development_is_what_the_host_says_and_never_in_azure() {
        let says = ("AZURE_FUNCTIONS_ENVIRONMENT", "development");
        assert!(parse(&[ACCOUNT, says]).unwrap().development);
        assert!(!parse(&[ACCOUNT, ("AZURE_FUNCTIONS_ENVIRONMENT", "Production")]).unwrap().development);
        assert!(!parse(&[ACCOUNT]).unwrap().development);
        assert!(!parse(&[ACCOUNT, says, ("WEBSITE_INSTANCE_ID", "abc"), ISSUERS]).unwrap().development);
    }

    #[cfg(feature = "emulator")]
    #[test]
    fn plain_http_is_for_this_machine_only() {
        assert!(parse(&[("COSMOS_ENDPOINT", "http://example.com:8081")]).is_err());
        assert!(parse(&[("COSMOS_ENDPOINT", "http://127.0.0.1:8081/path")]).is_err());
        let config = parse(&[("COSMOS_ENDPOINT", "http://127.0.0.1:8081/")]).unwrap();
        assert_eq!(config.cosmos.endpoint, Endpoint::Loopback("http://127.0.0.1:8081/".into()));
    }

    #[test]
    fn issuers_are_needed_in_azure_and_each_says_whom_it_names() {
        for sign in IN_AZURE {
            let missing = parse(&[ACCOUNT, (sign, "abc")]).unwrap_err();
            assert_eq!(missing.mistakes.iter().map(|one| one.setting).collect::<Vec<_>>(), ["AUTH_ISSUERS"]);
        }
        let auth = parse(&[ACCOUNT, ISSUERS, ("REQUESTS_PER_MINUTE", "7")]).unwrap().auth;
        let said: Vec<_> =
            auth.issuers.iter().map(|one| (one.customer_claim.as_deref(), one.has_roles)).collect();
        assert_eq!((said, auth.requests_per_minute), (vec![(Some("oid"), false), (None, true)], 7));
        let laptop = parse(&[ACCOUNT]).unwrap();
        assert!(
            !laptop.auth.believes_anybody()
                && laptop.remarks().iter().any(|one| one.contains("AUTH_ISSUERS"))
        );
        let entry = |more: &str| {
            format!(r#"[{{"issuer":"https://a.example","audience":"x","who":"workforce"{more}}}]"#)
        };
        assert!(parse(&[ACCOUNT, ("AUTH_ISSUERS", &entry(""))]).is_ok());
        for wrong in [
            "[]".to_owned(),
            "{}".to_owned(),
            "https://a.example".to_owned(),
            entry(r#","customerClaim":"oid""#),
            entry(r#","colour":"red""#),
            entry("").replace("workforce", "everybody"),
            entry("").replace("https", "http"),
            entry("").replace("https://a.example", "https://a.example?x"),
            entry("").replace("\"x\"", "\"\""),
            format!("[{0},{0}]", entry("").trim_matches(['[', ']'])),
            r#"[{"issuer":"https://a.example","audience":"x","who":"customers"},
                {"issuer":"https://b.example","audience":"x","who":"customers"}]"#
                .to_owned(),
        ] {
            let refused = parse(&[ACCOUNT, ("AUTH_ISSUERS", &wrong)]);
            assert!(refused.is_err(), "{wrong}");
        }
        for wrong in ["0", "-1", "many", "1000001"] {
            assert!(parse(&[ACCOUNT, ("REQUESTS_PER_MINUTE", wrong)]).is_err(), "{wrong}");
        }
    }

    #[cfg(feature = "emulator")]
    #[test]
    fn developers_tokens_are_believed_over_an_emulator_alone() {
        assert!(parse(&[("COSMOS_ENDPOINT", "emulator")]).unwrap().auth.development);
        assert!(parse(&[("COSMOS_ENDPOINT", "http://127.0.0.1:8081/"), ISSUERS]).unwrap().auth.development);
        assert!(!parse(&[ACCOUNT, ISSUERS]).unwrap().auth.development);
        let local = ISSUERS.1.replace("https://a.ciamlogin.com/t/v2.0", "http://127.0.0.1:8080/realm");
        assert!(parse(&[ACCOUNT, ("AUTH_ISSUERS", &local)]).is_ok());
        assert!(parse(&[ACCOUNT, ("AUTH_ISSUERS", &local), ("WEBSITE_INSTANCE_ID", "abc")]).is_err());
    }

    #[test]
    fn identity_is_managed_in_azure() {
        let settings = [ACCOUNT, ("WEBSITE_INSTANCE_ID", "abc"), ("AZURE_CLIENT_ID", "id-1"), ISSUERS];
        let config = parse(&settings).unwrap();
        assert_eq!(config.cosmos.identity, Identity::Managed { client_id: Some("id-1".into()) });
        assert_eq!(config.log.format, LogFormat::Json);
    }
}
