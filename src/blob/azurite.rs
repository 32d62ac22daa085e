//! Getting into Azurite, which knows no identities: requests are signed with the key that every Azurite has.
//!
//! Development only. The key is public, printed in Microsoft's documentation, and opens nothing but Azurite.

use std::sync::Arc;

use async_trait::async_trait;
use azure_core::credentials::Secret;
use azure_core::error::ErrorKind;
use azure_core::hmac::hmac_sha256;
use azure_core::http::headers::{AUTHORIZATION, CONTENT_LENGTH, HeaderName};
use azure_core::http::policies::{Policy, PolicyResult};
use azure_core::http::{Context, Request};
use azure_core::time::{OffsetDateTime, to_rfc7231};

const ACCOUNT: &str = "devstoreaccount1";
const KEY: &str = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
const DATE: HeaderName = HeaderName::from_static("x-ms-date");

/// Headers that are part of what is signed, in this order; the length comes third.
const SIGNED: [&str; 10] = [
    "content-encoding",
    "content-language",
    "content-md5",
    "content-type",
    "date",
    "if-modified-since",
    "if-match",
    "if-none-match",
    "if-unmodified-since",
    "range",
];
const LENGTH_PLACE: usize = 2;

/// Signs every attempt with the development key.
#[derive(Debug)]
pub(super) struct SharedKey;

#[async_trait]
impl Policy for SharedKey {
    async fn send(&self, ctx: &Context, request: &mut Request, next: &[Arc<dyn Policy>]) -> PolicyResult {
        request.insert_header(DATE, to_rfc7231(&OffsetDateTime::now_utc()));
        let signature = hmac_sha256(&text_to_sign(request), &Secret::new(KEY))?;
        request.insert_header(AUTHORIZATION, format!("SharedKey {ACCOUNT}:{signature}"));
        match next.split_first() {
            Some((first, rest)) => first.send(ctx, request, rest).await,
            None => Err(azure_core::Error::with_message(ErrorKind::Other, "no policy follows")),
        }
    }
}

/// The request as the service puts it together, too, to compare the signatures.
fn text_to_sign(request: &Request) -> String {
    let headers = request.headers();
    let value =
        |name: &'static str| headers.get_optional_str(&HeaderName::from_static(name)).unwrap_or_default();
    let length =
        headers.get_optional_str(&CONTENT_LENGTH).filter(|length| *length != "0").unwrap_or_default();
    let mut lines = vec![request.method().to_string()];
    lines.extend(SIGNED.iter().map(|name| value(name).to_owned()));
    lines.insert(1 + LENGTH_PLACE, length.to_owned());
    let mut own: Vec<_> = headers
        .iter()
        .map(|(name, value)| (name.as_str().to_lowercase(), value.as_str().trim()))
        .filter(|(name, _)| name.starts_with("x-ms-"))
        .collect();
    own.sort();
    lines.extend(own.into_iter().map(|(name, value)| format!("{name}:{value}")));
    lines.push(format!("/{ACCOUNT}{}", request.url().path()));
    let mut pairs: Vec<(String, String)> =
        request.url().query_pairs().map(|(name, value)| (name.to_lowercase(), value.into_owned())).collect();
    pairs.sort();
    lines.extend(pairs.into_iter().map(|(name, value)| format!("{name}:{value}")));
    lines.join("\n")
}
