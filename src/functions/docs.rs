//! The interactive page of the API: its files, which are embedded in the program, and how they are answered.
//!
//! Does not know what the page shows: the browser reads that from `openapi.json` beside it.

use std::io::Read;
use std::sync::OnceLock;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use flate2::bufread::GzDecoder;
use sha2::{Digest, Sha256};

use crate::domain::id::base32;
use crate::functions::keep::set;
use crate::host::{Problem, if_none_match, takes_gzip};

/// Swagger UI writes styles into its elements, carries its icons as data, and shows pictures that it is sent as blobs.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; base-uri 'none'; connect-src 'self'; \
     form-action 'none'; frame-ancestors 'none'; img-src 'self' blob: data:; script-src 'self'; \
     style-src 'self' 'unsafe-inline'";
/// The addresses stay when the program is replaced, so a browser asks each time whether it has the right file.
const CACHE_CONTROL: &str = "no-cache";

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";

/// The page itself. It names the other files as `docs/…`, so it is at no other address.
pub static PAGE: File = File::plain("index.html", HTML, include_bytes!("../../web/docs/index.html"));

/// What it is made of. The texts of the licences go wherever Swagger UI goes.
static FILES: [File; 6] = [
    File::plain("init.js", SCRIPT, include_bytes!("../../web/docs/init.js")),
    File::gzip("swagger-ui-bundle.js", SCRIPT, include_bytes!("../../web/docs/swagger-ui-bundle.js.gz")),
    File::gzip("swagger-ui.css", STYLE, include_bytes!("../../web/docs/swagger-ui.css.gz")),
    File::plain(
        "swagger-ui-bundle.js.LICENSE.txt",
        TEXT,
        include_bytes!("../../web/docs/swagger-ui-bundle.js.LICENSE.txt"),
    ),
    File::plain("swagger-ui.LICENSE.txt", TEXT, include_bytes!("../../web/docs/swagger-ui.LICENSE.txt")),
    File::plain("swagger-ui.NOTICE.txt", TEXT, include_bytes!("../../web/docs/swagger-ui.NOTICE.txt")),
];

/// A file as it lies in the program.
#[derive(Debug)]
pub struct File {
    name: &'static str,
    content_type: &'static str,
    bytes: &'static [u8],
    is_gzip: bool,
    hash: OnceLock<String>,
}

impl File {
    const fn plain(name: &'static str, content_type: &'static str, bytes: &'static [u8]) -> Self {
        Self { name, content_type, bytes, is_gzip: false, hash: OnceLock::new() }
    }

    const fn gzip(name: &'static str, content_type: &'static str, bytes: &'static [u8]) -> Self {
        Self { name, content_type, bytes, is_gzip: true, hash: OnceLock::new() }
    }

    /// The file with this name.
    ///
    /// # Errors
    /// 404.
    pub fn find(name: &str) -> Result<&'static Self, Problem> {
        FILES.iter().find(|file| file.name == name).ok_or_else(|| {
            let names: Vec<_> = FILES.iter().map(|file| file.name).collect();
            Problem::not_found("The page has no such file.")
                .parameter("file", format!("must be one of {}", names.join(", ")))
        })
    }

    /// 200 with the file, as it lies there or unpacked for a caller who does not take gzip, or 304.
    ///
    /// # Errors
    /// 400 when `If-None-Match` is malformed.
    pub fn answer(&self, headers: &HeaderMap) -> Result<Response, Problem> {
        let packed = self.is_gzip && takes_gzip(headers);
        let hash = self.hash.get_or_init(|| base32(&Sha256::digest(self.bytes)[..15]));
        let etag = if packed { format!("\"{hash}.gz\"") } else { format!("\"{hash}\"") };
        let mut response = Response::default();
        set(&mut response, header::ETAG, &etag);
        set(&mut response, header::CACHE_CONTROL, CACHE_CONTROL);
        set(&mut response, header::VARY, "Accept-Encoding");
        if if_none_match(headers)?.matches(&etag) {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return Ok(response);
        }
        set(&mut response, header::CONTENT_TYPE, self.content_type);
        set(&mut response, header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY);
        set(&mut response, header::REFERRER_POLICY, "no-referrer");
        if packed {
            set(&mut response, header::CONTENT_ENCODING, "gzip");
        }
        let bytes = if self.is_gzip && !packed { self.unpacked()? } else { Bytes::from_static(self.bytes) };
        *response.body_mut() = Body::from(bytes);
        Ok(response)
    }

    /// Unpacks it each time: browsers take gzip, so hardly anybody asks for this.
    fn unpacked(&self) -> Result<Bytes, Problem> {
        let mut bytes = Vec::new();
        match GzDecoder::new(self.bytes).read_to_end(&mut bytes) {
            Ok(_) => Ok(bytes.into()),
            Err(error) => {
                tracing::error!(name = self.name, %error, "an embedded file cannot be unpacked");
                Err(Problem::internal())
            }
        }
    }
}
