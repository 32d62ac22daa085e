//! `doctor`: whether everything that the settings name can be reached from here, is as the code needs it, and may be used.
//!
//! Changes nothing: what it writes to see whether it may, it deletes again.

use std::collections::BTreeSet;
use std::time::Duration;

use azure_core::Bytes;
use futures::future::{join, join_all};
use serde_json::json;
use tokio::time::timeout;

use crate::auth::Auth;
use crate::blob::Blobs;
use crate::config::{AuthConfig, Config};
use crate::domain::notification::OperationId;
use crate::mail::Mailer;
use crate::sources::{Clock, Ids};
use crate::store::Store;
use crate::store::containers::Container;

use super::{Failure, chain, say};

/// Longest that one check may take: more than any of its requests with all its retries.
const CHECK_TIMEOUT: Duration = Duration::from_secs(60);

/// What was looked at, and what is wrong with it.
struct Check {
    what: String,
    wrong: Option<String>,
    advice: &'static str,
}

/// Prints one line for each check, or all as JSON; fails when anything is wrong.
pub(super) async fn doctor(config: &Config, as_json: bool) -> Result<(), Failure> {
    let marker = format!("_doctor-{}", Ids::random().hex32());
    let store = Store::connect(&config.cosmos);
    let containers = join_all(Container::ALL.map(|container| check_container(&store, container, &marker)));
    let (mut checks, pictures) =
        join(containers, check_pictures(&Blobs::connect(&config.images), &marker)).await;
    checks.push(pictures);
    checks.push(check_mails(&Mailer::connect(&config.mail), &marker).await);
    checks.extend(check_issuers(&config.auth).await);
    let wrong = checks.iter().filter(|check| check.wrong.is_some()).count();
    if as_json {
        let checks = checks.iter().map(|check| {
            let advice = check.wrong.as_ref().map(|_| check.advice);
            json!({"check": check.what, "ok": check.wrong.is_none(), "wrong": check.wrong, "advice": advice})
        });
        say(&json!({"checks": checks.collect::<Vec<_>>()}));
    } else {
        say("ok     settings");
        for check in &checks {
            match &check.wrong {
                None => say(&format!("ok     {}", check.what)),
                Some(wrong) => say(&format!("WRONG  {}: {wrong}", check.what)),
            }
        }
        let advice = checks.iter().filter(|check| check.wrong.is_some()).map(|check| check.advice);
        advice.collect::<BTreeSet<_>>().into_iter().for_each(say);
        config.remarks().iter().for_each(say);
    }
    if wrong == 0 { Ok(()) } else { Err(format!("{wrong} of {} checks failed", checks.len()).into()) }
}

/// What is wrong by the outcome of a check, which must come in time.
async fn within(check: impl Future<Output = Result<(), String>>) -> Option<String> {
    match timeout(CHECK_TIMEOUT, check).await {
        Ok(outcome) => outcome.err(),
        Err(_) => Some("it does not answer".to_owned()),
    }
}

async fn check_container(store: &Store, container: Container, marker: &str) -> Check {
    let wrong = within(async {
        let differences = store.check_container(container, marker).await.map_err(|error| chain(&error))?;
        if differences.is_empty() { Ok(()) } else { Err(differences.join("; ")) }
    });
    Check {
        what: format!("container {}", container.definition().name),
        wrong: Box::pin(wrong).await,
        advice: "COSMOS_ENDPOINT and COSMOS_DATABASE must name a database that is made as infra/bicep/modules/cosmos.bicep says, which lets this network in and in which this identity is Cosmos DB Built-in Data Contributor.",
    }
}

async fn check_pictures(blobs: &Blobs, marker: &str) -> Check {
    let wrong = within(async {
        if blobs.is_set() {
            let bytes = Bytes::from_static(b"written by widgetco doctor");
            blobs.put(marker, "text/plain", bytes).await.map_err(|error| chain(&error))?;
            blobs.read(marker, 0..1).await.map_err(|error| chain(&error))?;
            blobs.remove(marker).await.map_err(|error| chain(&error))?;
        }
        Ok(())
    });
    Check {
        what: "pictures".to_owned(),
        wrong: Box::pin(wrong).await,
        advice: "IMAGES_STORE must name a container that exists, which lets this network in and on which this identity is Storage Blob Data Contributor.",
    }
}

/// Asks for a mail that there is not.
async fn check_mails(mailer: &Mailer, marker: &str) -> Check {
    let wrong = within(async {
        if mailer.is_set() {
            mailer.ask(&OperationId::of(marker)).await.map_err(|error| chain(&error))?;
        }
        Ok(())
    });
    Check {
        what: "mails".to_owned(),
        wrong: Box::pin(wrong).await,
        advice: "MAIL must name a Communication Services resource that exists, which this identity may use (Communication and Email Service Owner). Whether it sends for MAIL_FROM is not checked.",
    }
}

async fn check_issuers(config: &AuthConfig) -> Vec<Check> {
    let asked = Auth::new(config, Clock::system()).ask_issuers().await.into_iter();
    let check = |(issuer, answer): (String, Result<(), String>)| Check {
        what: format!("issuer {issuer}"),
        wrong: answer.err(),
        advice: "AUTH_ISSUERS must name issuers as their own documents do, and they must be reachable from here.",
    };
    asked.map(check).collect()
}
