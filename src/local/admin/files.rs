//! Looking into the folders that the host was given: which files there are, and what is in one.
//!
//! Nothing outside of them can be reached: a file is named by one plain part of a path, and is no link.

use std::io::ErrorKind;
use std::path::{Component, Path as FilePath};

use axum::Json;
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde::Serialize;

use super::{Problem, Shared};
use crate::local::page;
use crate::local::site::Site;

/// Files that are listed, the newest ones.
const LISTED_MAX: usize = 1_000;
/// Largest file that is shown.
const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// A file as it lies in its folder.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct File {
    name: String,
    size_bytes: u64,
    modified_at: DateTime<Utc>,
}

pub(super) async fn list_files(
    State(site): Shared,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let files = files(folder(&site, &name)?).map_err(|error| unreadable(&error.to_string()))?;
    if !page::is_wanted(&headers) {
        return Ok(Json(files).into_response());
    }
    let links = files.iter().map(|file| {
        let target =
            form_urlencoded::byte_serialize(file.name.as_bytes()).collect::<String>().replace('+', "%20");
        let modified_at = file.modified_at.format("%Y-%m-%d %H:%M:%S");
        (format!("/local/folders/{name}/{target}"), format!("{modified_at} {}", file.name))
    });
    Ok(page::html(&name, &format!("{} files in {name}, newest first", files.len()), links))
}

pub(super) async fn show_file(
    State(site): Shared,
    Path((name, file)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let folder = folder(&site, &name)?;
    let nothing =
        || Problem::new(StatusCode::NOT_FOUND, format!("there is no file of this name in `{name}`"));
    let mut parts = FilePath::new(&file).components();
    if !matches!((parts.next(), parts.next()), (Some(Component::Normal(part)), None) if part == file.as_str())
    {
        return Err(nothing());
    }
    let path = folder.join(&file);
    let metadata =
        std::fs::symlink_metadata(&path).ok().filter(std::fs::Metadata::is_file).ok_or_else(nothing)?;
    if metadata.len() > FILE_BYTES_MAX {
        return Err(unreadable("it is too large to be shown"));
    }
    let bytes = std::fs::read(&path).map_err(|error| unreadable(&error.to_string()))?;
    // Mail would be downloaded under its own type; as text it is shown.
    let kind = match std::str::from_utf8(&bytes) {
        Ok(_) => "text/plain; charset=utf-8",
        Err(_) => "application/octet-stream",
    };
    let headers = [
        (CONTENT_TYPE, kind),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    Ok((headers, bytes).into_response())
}

fn folder<'a>(site: &'a Site, name: &str) -> Result<&'a FilePath, Problem> {
    let found = site.folders.iter().find(|folder| folder.name == name);
    found.map(|folder| folder.path.as_path()).ok_or_else(|| {
        let known = site.folders.iter().map(|folder| folder.name.as_str()).collect::<Vec<_>>().join(", ");
        let detail = format!("there is no folder `{name}` to look into; known are: {known}");
        Problem::new(StatusCode::NOT_FOUND, detail)
    })
}

/// The files of a folder, newest first; one that does not exist yet has none.
fn files(folder: &FilePath) -> std::io::Result<Vec<File>> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let file = |entry: std::io::Result<std::fs::DirEntry>| {
        let entry = entry.ok()?;
        let metadata = entry.metadata().ok().filter(std::fs::Metadata::is_file)?;
        let (name, size_bytes) = (entry.file_name().into_string().ok()?, metadata.len());
        Some(File { name, size_bytes, modified_at: metadata.modified().ok()?.into() })
    };
    let mut files: Vec<_> = entries.filter_map(file).collect();
    files.sort_by(|one, other| (other.modified_at, &other.name).cmp(&(one.modified_at, &one.name)));
    files.truncate(LISTED_MAX);
    Ok(files)
}

fn unreadable(reason: &str) -> Problem {
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, format!("it cannot be read: {reason}"))
}
