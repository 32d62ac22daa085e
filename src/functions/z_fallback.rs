//! Any other request below `/api`: refused as this API refuses, where the host alone would answer with a bare 404.
//!
//! The host tries routes in the order of the functions' names, so this one has the last.

use axum::http::{Uri, header};

use crate::functions::api::DOCUMENT;
use crate::host::kind::METHOD_NOT_ALLOWED;
use crate::host::{Answer, Problem, methods_at};

/// Answers 405 with `Allow` where the path takes other methods, otherwise 404.
///
/// # Errors
/// Always a [`Problem`].
pub async fn z_fallback(uri: Uri) -> Result<Answer, Problem> {
    let methods = DOCUMENT.as_ref().map(|document| methods_at(document, uri.path())).unwrap_or_default();
    if methods.is_empty() {
        return Err(Problem::not_found("There is nothing at this path."));
    }
    Ok(Answer::from(Problem::new(&METHOD_NOT_ALLOWED)).header(header::ALLOW, methods.join(", ")))
}
