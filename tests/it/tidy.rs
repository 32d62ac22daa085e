//! The house rules that can be read off the files: who may import whom, one file per function, the same routes for the
//! host and for the router, outside parties named in one place, and sizes that only go down.
//!
//! It reads text and knows no Rust beyond comments, literals and paths, so it trusts that `cargo fmt` has run.
#![cfg(test)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// The rooms of the house, which are the top-level modules, level by level. Imports go strictly down.
const LEVELS: [&[&str]; 8] = [
    &["main"],
    &["cli"],
    &["functions", "local"],
    &["app"],
    &["store", "blob", "picture", "events", "auth", "mail", "outbound", "telemetry"],
    &["credential"],
    &["domain", "host", "config", "sources"],
    &["client", "files", "json", "measure", "museum"],
];

/// Rooms that may use less than what lies below them.
const ONLY: [(&str, &[&str]); 1] = [("local", &["sources"])];

/// Files in src/functions that are not a function, and that functions may share.
const SHARED: [&str; 21] = [
    "api",
    "async_api",
    "publish",
    "customer",
    "docs",
    "error",
    "example",
    "insights",
    "keep",
    "kind",
    "order",
    "page",
    "partner",
    "picture",
    "product",
    "pull",
    "resource",
    "review",
    "ring",
    "timing",
    "webhook",
];

/// What src/functions.rs itself has to offer: the table of all functions.
const TABLE: &str = "described";

/// Names of outside parties, and the files or folders of src that may write them.
const OUTSIDE: [(&str, &[&str]); 23] = [
    ("askama", &["src/mail/letter.rs"]),
    ("azure_data_cosmos", &["src/store/cosmos.rs", "src/store/cosmos/"]),
    ("azure_data_cosmos_driver", &["src/store/emulator.rs", "src/store/emulator/"]),
    ("azure_identity", &["src/credential.rs"]),
    ("azure_storage_blob", &["src/blob/container.rs"]),
    ("clap", &["src/cli.rs", "src/cli/"]),
    ("env::var", &["src/config.rs"]),
    // The tests' own handler is told its port as every handler is.
    ("env::var_os", &["src/config.rs", "src/local/tests.rs"]),
    ("env::vars", &["src/config.rs"]),
    ("env::vars_os", &["src/config.rs"]),
    ("fast_image_resize", &["src/picture/"]),
    ("getrandom", &["src/sources.rs"]),
    ("img_parts", &["src/picture.rs", "src/picture/"]),
    ("jsonwebtoken", &["src/auth/"]),
    ("mail_builder", &["src/mail/folder.rs"]),
    (
        "reqwest",
        &[
            "src/auth/keys.rs",
            "src/client.rs",
            "src/mail/azure.rs",
            "src/outbound.rs",
            "src/outbound/",
            "src/telemetry/courier.rs",
        ],
    ),
    // The TLS provider of the same name is rustls's own.
    ("opentelemetry", &["src/telemetry/"]),
    ("opentelemetry_application_insights", &["src/telemetry/export.rs"]),
    ("opentelemetry_http", &["src/telemetry/courier.rs"]),
    ("opentelemetry_otlp", &["src/telemetry/export.rs"]),
    ("opentelemetry_sdk", &["src/telemetry/"]),
    ("ring::hmac", &["src/domain/webhook/signature.rs"]),
    ("ring::signature", &["src/auth/crypto.rs"]),
];

/// What makes code impure: waiting, input and output, clocks, chance, logging.
const IMPURE: [&str; 26] = [
    "async",
    "await",
    "futures",
    "tokio",
    "axum",
    "reqwest",
    "getrandom",
    "tracing",
    "print",
    "println",
    "eprint",
    "eprintln",
    "dbg",
    "std::env",
    "std::fs",
    "std::io",
    "std::net",
    "std::process",
    "Mutex",
    "std::thread",
    "Instant",
    "SystemTime",
    "Utc::now",
    "Local::now",
    "thread_local",
    "unsafe",
];

/// Names that say nothing about what a file owns.
const EMPTY_NAMES: [&str; 12] = [
    "common",
    "helper",
    "helpers",
    "manager",
    "managers",
    "misc",
    "repositories",
    "repository",
    "service",
    "services",
    "util",
    "utils",
];

/// Lines of a file in src, without its tests.
const FILE_LINES_MAX: usize = 400;

/// Files that are longer than that, and how long they are. These numbers only go down.
const TOO_LONG: [(&str, usize); 0] = [];

/// The queues that people look into; every other one has a function that reads it.
const READ_BY_PEOPLE: [&str; 2] = ["events-rejected", "orders-rejected"];

/// Text that holds only on the machine where it was written. In two parts, because this file is searched, too.
const MACHINE: [&str; 6] = [
    concat!("/wo", "rk/"),
    concat!("/tm", "p/"),
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
    concat!("/Use", "rs/"),
    concat!("index.crates", ".io"),
];

/// Where such text is looked for, beside the files at the top.
const TEXT_FOLDERS: [&str; 11] = [
    ".ci",
    ".github",
    "benches",
    "docs",
    "functions",
    "infra",
    "scripts",
    "src",
    "templates",
    "tests",
    "web",
];

/// A file of the repository: its path from the root, with `/`, and its text.
struct Source {
    path: String,
    text: String,
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Adds every file below `folder`; a folder that does not exist has none.
fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        // Packages of npm, which tests install, are not of this repository.
        if path.ends_with("node_modules") {
            continue;
        }
        if path.is_dir() {
            collect(&path, paths);
        } else {
            paths.push(path);
        }
    }
}

/// The text files in `folders`, in the order of their paths. Images and the like are left out.
fn texts(folders: &[&str]) -> Vec<Source> {
    let mut paths = Vec::new();
    for folder in folders {
        collect(&root().join(folder), &mut paths);
    }
    paths.sort();
    let read = |path: PathBuf| {
        let relative = path.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/");
        Some(Source { path: relative, text: fs::read_to_string(&path).ok()? })
    };
    paths.into_iter().filter_map(read).collect()
}

fn rust(folders: &[&str]) -> Vec<Source> {
    let mut sources = texts(folders);
    sources.retain(|source| source.path.ends_with(".rs"));
    assert!(!sources.is_empty(), "no Rust file was found in {folders:?}");
    sources
}

/// Fails with everything that breaks one rule.
fn assert_none(broken: &[String]) {
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

/// How many bytes a comment or a literal that starts here has; 0 when none starts here.
fn opaque_len(bytes: &[u8]) -> usize {
    let through = |start: usize, end: &[u8]| {
        bytes.get(start..).and_then(|rest| find(rest, end)).map_or(bytes.len(), |at| start + at + end.len())
    };
    match bytes {
        [b'/', b'/', ..] => through(2, b"\n") - 1,
        [b'/', b'*', ..] => through(2, b"*/"),
        [b'"', ..] => {
            let mut at = 1;
            while at < bytes.len() && bytes[at] != b'"' {
                at += if bytes[at] == b'\\' { 2 } else { 1 };
            }
            bytes.len().min(at + 1)
        }
        [b'r', b'"' | b'#', ..] => {
            let hashes = bytes[1..].iter().take_while(|&&byte| byte == b'#').count();
            let end = [b"\"".as_slice(), &bytes[1..=hashes]].concat();
            if bytes.get(1 + hashes) == Some(&b'"') { through(2 + hashes, &end) } else { 0 }
        }
        [b'\'', b'\\', ..] => through(3, b"'"),
        // A literal of one character, of up to four bytes; otherwise it is a lifetime.
        [b'\'', first, rest @ ..] => {
            let more =
                if first.is_ascii() { 0 } else { rest.iter().take_while(|&&b| b & 0xC0 == 0x80).count() };
            if rest.get(more) == Some(&b'\'') { 3 + more } else { 0 }
        }
        _ => 0,
    }
}

/// The text with blanks for comments and literals; every other byte stays where it is.
fn code(text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let len = opaque_len(&bytes[at..]);
        for byte in &mut bytes[at..at + len] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        at += len.max(1);
    }
    String::from_utf8(bytes).unwrap()
}

/// Where `name` stands as a name of its own, not as part of a longer one.
fn mentions<'a>(code: &'a str, name: &'a str) -> impl Iterator<Item = usize> + 'a {
    let bytes = code.as_bytes();
    let ends = move |at: Option<&u8>| at.is_none_or(|&byte| !is_name_byte(byte));
    code.match_indices(name)
        .map(|(at, _)| at)
        .filter(move |&at| ends(at.checked_sub(1).map(|at| &bytes[at])) && ends(bytes.get(at + name.len())))
}

fn line(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

/// The module that a file is, from the crate's root: `src/host/body.rs` is `["host", "body"]`.
fn module(path: &str) -> Vec<String> {
    let path = path.trim_start_matches("src/").trim_end_matches(".rs");
    if path == "main" || path == "lib" { Vec::new() } else { path.split('/').map(str::to_owned).collect() }
}

/// The modules that are open in the text before a place, outermost first, by the indentation of their braces.
fn open_modules(before: &str) -> Vec<String> {
    let mut open: Vec<(usize, String)> = Vec::new();
    for line in before.lines() {
        let indent = line.len() - line.trim_start().len();
        if line.trim() == "}" && open.last().is_some_and(|(last, _)| *last == indent) {
            open.pop();
        } else if let Some(head) = line.trim_end().strip_suffix(" {") {
            let mut words = head.split_whitespace().rev();
            if let (Some(name), Some("mod")) = (words.next(), words.next()) {
                open.push((indent, name.to_owned()));
            }
        }
    }
    open.into_iter().map(|(_, name)| name).collect()
}

/// The paths that start here, with groups in braces spread out: `a::{b, c::d}` are `a::b` and `a::c::d`.
fn spread(text: &str) -> Vec<Vec<String>> {
    let text = text.trim_start();
    if let Some(group) = text.strip_prefix('{') {
        let (mut depth, mut start, mut paths) = (0_usize, 0, Vec::new());
        for (at, character) in group.char_indices() {
            match character {
                '{' => depth += 1,
                ',' | '}' if depth == 0 => {
                    paths.extend(spread(&group[start..at]));
                    start = at + 1;
                    if character == '}' {
                        break;
                    }
                }
                '}' => depth -= 1,
                _ => {}
            }
        }
        return paths;
    }
    let len =
        if text.starts_with('*') { 1 } else { text.bytes().take_while(|&byte| is_name_byte(byte)).count() };
    if len == 0 {
        return Vec::new();
    }
    let name = text[..len].to_owned();
    let rest = text[len..].strip_prefix("::").map(spread).unwrap_or_default();
    if rest.is_empty() {
        return vec![vec![name]];
    }
    rest.into_iter().map(|path| [vec![name.clone()], path].concat()).collect()
}

/// Every path of this crate that a file names, from the crate's root, with its line.
fn crate_paths(source: &Source) -> Vec<(usize, Vec<String>)> {
    let code = code(&source.text);
    let mut found = Vec::new();
    for start in ["crate", "widgetco", "super"] {
        for at in mentions(&code, start) {
            let Some(mut rest) = code[at + start.len()..].strip_prefix("::") else { continue };
            let mut base = Vec::new();
            if start == "super" {
                if code[..at].ends_with("super::") {
                    continue;
                }
                base = [module(&source.path), open_modules(&code[..at])].concat();
                base.pop();
                while let Some(above) = rest.strip_prefix("super::") {
                    base.pop();
                    rest = above;
                }
            }
            for path in spread(rest) {
                found.push((line(&code, at), [base.clone(), path].concat()));
            }
        }
    }
    found
}

fn level(room: &str) -> Option<usize> {
    LEVELS.iter().position(|rooms| rooms.contains(&room))
}

/// The room that a file belongs to.
fn room(path: &str) -> &str {
    let path = path.trim_start_matches("src/");
    path.split_once('/').map_or(path, |(room, _)| room).trim_end_matches(".rs")
}

fn import_mistakes(source: &Source) -> Vec<String> {
    let (path, here) = (&source.path, room(&source.path));
    if here == "lib" {
        let paths = crate_paths(source);
        return paths.iter().map(|(line, _)| format!("{path}:{line}: lib.rs only lists modules")).collect();
    }
    let Some(own) = level(here) else {
        return vec![format!(
            "{path}: `{here}` is a new room; give it its level in LEVELS of tests/it/tidy.rs"
        )];
    };
    let mut mistakes = Vec::new();
    for (line, imported) in crate_paths(source) {
        let there = imported[0].as_str();
        let named = imported.join("::");
        let only = ONLY.iter().find(|(room, _)| *room == here).map(|(_, rooms)| rooms);
        let mistake = match level(there) {
            _ if there == here => continue,
            None => "which is no room: name things by the module that owns them".to_owned(),
            Some(_) if only.is_some_and(|rooms| !rooms.contains(&there)) => {
                format!("but `{here}` may use {only:?} and nothing else of the crate")
            }
            Some(level) if level > own => continue,
            Some(level) if level == own => format!("but `{here}` and `{there}` are on the same level"),
            Some(_) => format!("but `{here}` lies below `{there}`, and imports go down only"),
        };
        mistakes
            .push(format!("{path}:{line}: imports `{named}`, {mistake}; move the code or pass the value in"));
    }
    mistakes
}

fn function_import_mistakes(source: &Source) -> Vec<String> {
    let own = module(&source.path);
    let mut mistakes = Vec::new();
    for (line, imported) in crate_paths(source) {
        let Some(name) = imported.strip_prefix(&["functions".to_owned()]).map(|path| path.first()) else {
            continue;
        };
        let is_shared = |name: &String| SHARED.contains(&name.as_str()) || name == TABLE;
        if imported.starts_with(&own) || name.is_some_and(is_shared) {
            continue;
        }
        mistakes.push(format!(
            "{}:{line}: imports `{}`; functions share only {SHARED:?}: move what two functions need there, or down \
             into app or domain",
            source.path,
            imported.join("::")
        ));
    }
    mistakes
}

fn made_up(path: &str, text: &str) -> Source {
    Source { path: path.to_owned(), text: text.to_owned() }
}

#[test]
fn comments_and_literals_are_not_code() {
    let text = "a /* b */ \"c\\\"d\" 'e' '\\'' r#\"f\"g\"# <'h> 'é' r#match // i\nj";
    let words: Vec<_> = code(text).split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(words, ["a", "<'h>", "r#match", "j"]);
    assert_eq!(code(text).len(), text.len());
}

#[test]
fn import_that_goes_up_or_sideways_is_found_however_it_is_written() {
    for (path, text) in [
        ("src/store/orders.rs", "use crate::app::App;"),
        ("src/store/orders.rs", "use crate::{domain::id::OrderId, app::App};"),
        ("src/store.rs", "use super::app::App;"),
        (
            "src/store/orders.rs",
            "mod tests {\n    use super::super::super::{config::Config, events::Event};\n}\n",
        ),
        ("src/domain/order.rs", "fn now() -> crate::sources::Clock {}"),
        ("src/local/dispatch.rs", "use crate::host::Reply;"),
        ("src/local.rs", "use crate::functions::routes;"),
        ("src/cli.rs", "use crate::Anything;"),
        ("src/new_room.rs", ""),
        ("src/lib.rs", "pub use crate::app::App;"),
    ] {
        assert_eq!(import_mistakes(&made_up(path, text)).len(), 1, "{path}: {text}");
    }
    for (path, text) in [
        ("src/main.rs", "widgetco::cli::run()"),
        ("src/store/orders.rs", "use super::{Error, cosmos::Cosmos};\nmod tests {\n    use super::*;\n}\n"),
        ("src/local/dispatch.rs", "use crate::sources::Clock;\nuse super::bindings::Binding;"),
        ("src/domain.rs", "//! [`crate::store`]\npub(crate) fn name() -> &str { \"crate::app\" }"),
    ] {
        assert_none(&import_mistakes(&made_up(path, text)));
    }
    let function = |text| function_import_mistakes(&made_up("src/functions/get_order.rs", text)).len();
    assert_eq!(function("use super::{error::no_such, get_stock};\nuse crate::functions::routes;"), 2);
    assert_eq!(function("use crate::functions::page::Page;\nmod tests {\n    use super::*;\n}\n"), 0);
}

#[test]
fn imports_go_down_only() {
    let broken: Vec<_> = rust(&["src"]).iter().flat_map(import_mistakes).collect();
    assert_none(&broken);
}

#[test]
fn functions_do_not_import_each_other() {
    let broken: Vec<_> = rust(&["src/functions"]).iter().flat_map(function_import_mistakes).collect();
    assert_none(&broken);
}

/// `PlaceOrder` is `place_order`.
fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for character in name.chars() {
        if character.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(character.to_lowercase());
    }
    snake
}

/// The bindings of every function, by its name.
fn bindings() -> BTreeMap<String, Vec<Value>> {
    let mut functions = BTreeMap::new();
    for source in texts(&["functions"]) {
        let Some(name) =
            source.path.strip_prefix("functions/").and_then(|rest| rest.strip_suffix("/function.json"))
        else {
            panic!("{}: a folder in functions/ holds its function.json and nothing else", source.path)
        };
        let function: Value =
            serde_json::from_str(&source.text).unwrap_or_else(|error| panic!("{}: {error}", source.path));
        let bindings =
            function["bindings"].as_array().unwrap_or_else(|| panic!("{}: no bindings", source.path));
        functions.insert(name.to_owned(), bindings.clone());
    }
    assert!(!functions.is_empty(), "no function.json was found");
    functions
}

#[test]
fn every_function_has_one_file_and_every_file_its_function() {
    let declared: BTreeMap<_, _> = bindings().into_keys().map(|name| (snake_case(&name), name)).collect();
    let written: BTreeSet<_> =
        rust(&["src/functions"]).iter().map(|source| module(&source.path)[1].clone()).collect();
    let mut broken = Vec::new();
    for (file, name) in &declared {
        if !written.contains(file) {
            broken.push(format!("functions/{name}: write src/functions/{file}.rs, or remove the folder"));
        }
    }
    for file in &written {
        if !declared.contains_key(file) && !SHARED.contains(&file.as_str()) {
            broken.push(format!(
                "src/functions/{file}.rs: write its function.json in functions/, in a folder of the same name in \
                 PascalCase, or remove the file"
            ));
        }
    }
    assert_none(&broken);
}

/// A method, an address and the module that answers there.
type Route = (String, String, String);

/// The routes that one function.json stands for.
fn declared(name: &str, bindings: &[Value], routes: &mut BTreeSet<Route>, broken: &mut Vec<String>) {
    let is = |binding: &Value, kind: &str, way: &str| binding["type"] == kind && binding["direction"] == way;
    let trigger = bindings.iter().find(|binding| is(binding, "httpTrigger", "in"));
    let answers = bindings.iter().any(|binding| is(binding, "http", "out"));
    let module = snake_case(name);
    let (Some(trigger), true, 2) = (trigger, answers, bindings.len()) else {
        routes.insert(("POST".to_owned(), format!("/{name}"), module));
        return;
    };
    let Some(route) = trigger["route"].as_str() else {
        broken.push(format!("functions/{name}/function.json: name the route of its httpTrigger"));
        return;
    };
    let methods = trigger["methods"].as_array().map(Vec::as_slice).unwrap_or_default();
    if methods.is_empty() {
        broken.push(format!("functions/{name}/function.json: name the methods of its httpTrigger"));
    }
    for method in methods.iter().filter_map(Value::as_str) {
        routes.insert((method.to_uppercase(), format!("/api/{route}"), module.clone()));
    }
}

/// The `.route("/address", method(module::handler))` that starts at `at`, if it has that form.
fn routed(text: &str, code: &str, at: usize) -> Option<Route> {
    let open = at + text[at..].find('"')? + 1;
    let close = open + text[open..].find('"')?;
    let rest = code[close + 1..].trim_start().trim_start_matches(',').trim_start();
    let (method, rest) = rest.split_once('(')?;
    let (handler, rest) = rest.split_once(')')?;
    let (module, _) = handler.split_once("::")?;
    // A second method would be a second function on this line.
    rest.trim_start()
        .trim_start_matches(',')
        .trim_start()
        .starts_with(')')
        .then(|| (method.to_uppercase(), text[open..close].to_owned(), module.trim().to_owned()))
}

#[test]
fn host_and_router_know_the_same_routes() {
    let (mut wanted, mut broken) = (BTreeSet::new(), Vec::new());
    for (name, bindings) in bindings() {
        declared(&name, &bindings, &mut wanted, &mut broken);
    }
    let text = fs::read_to_string(root().join("src/functions.rs")).unwrap();
    let code = code(&text);
    let mut found = BTreeSet::new();
    for (at, _) in code.match_indices(".route(") {
        match routed(&text, &code, at) {
            Some(route) => assert!(found.insert(route.clone()), "src/functions.rs: {route:?} stands there twice"),
            None => broken.push(format!(
                "src/functions.rs:{}: write `.route(\"/address\", method(module::handler))`, one per function",
                line(&text, at)
            )),
        }
    }
    for other in [".nest(", ".nest_service(", ".merge(", ".route_service(", ".fallback("] {
        if code.contains(other) {
            broken.push(format!(
                "src/functions.rs: `{other}` hides addresses from the host; write routes only"
            ));
        }
    }
    for (method, path, module) in wanted.difference(&found) {
        let method = method.to_lowercase();
        broken.push(format!(
            "src/functions.rs: add `.route(\"{path}\", {method}({module}::{module}))`, which its function.json \
             declares, or correct that"
        ));
    }
    for (method, path, module) in found.difference(&wanted) {
        broken.push(format!(
            "src/functions.rs: {method} {path} goes to `{module}`, but no function.json says so: remove the line, \
             or correct one of the two"
        ));
    }
    assert_none(&broken);
}

#[test]
fn function_that_takes_every_path_is_tried_last_and_passes_no_path_on() {
    // The host goes by the names of the functions, in alphabetical order.
    let functions = bindings();
    let takes_all = |(_, bindings): &(&String, &Vec<Value>)| {
        bindings.iter().any(|binding| binding["route"].as_str().is_some_and(|route| route.starts_with("{*")))
    };
    let first = functions.iter().find(takes_all).expect("something answers what is nowhere");
    assert_eq!(Some(first), functions.iter().next_back());
    // With an HTTP output alone it would be routed again by the path, past the key of the function there.
    assert!(first.1.len() > 2, "{} gets requests as they are", first.0);
}

#[test]
fn every_queue_that_is_written_is_read() {
    let functions = bindings();
    let queues = |kind: &'static str| {
        functions.iter().flat_map(move |(name, bindings)| {
            let bindings = bindings.iter().filter(move |binding| binding["type"] == kind);
            bindings.map(move |binding| (binding["queueName"].as_str().unwrap_or_default(), name))
        })
    };
    let read: BTreeSet<_> = queues("queueTrigger").map(|(queue, _)| queue).collect();
    let unread =
        queues("queue").filter(|(queue, _)| !READ_BY_PEOPLE.contains(queue) && !read.contains(queue));
    let broken: Vec<_> = unread
        .map(|(queue, name)| {
            format!(
                "functions/{name}/function.json: no function reads the queue `{queue}`: correct the name, or write the \
                 function with a queueTrigger on it"
            )
        })
        .collect();
    assert_none(&broken);
}

#[test]
fn domain_is_pure() {
    let mut broken = Vec::new();
    for source in rust(&["src"]).iter().filter(|source| room(&source.path) == "domain") {
        let code = code(&source.text);
        for name in IMPURE {
            for at in mentions(&code, name) {
                broken.push(format!(
                    "{}:{}: `{name}` does not belong into the domain: take the value as an argument, or give the \
                     decision back and act on it in app or functions",
                    source.path,
                    line(&code, at)
                ));
            }
        }
    }
    assert_none(&broken);
}

#[test]
fn outside_parties_are_named_in_one_place() {
    let mut broken = Vec::new();
    for source in rust(&["src"]) {
        let code = code(&source.text);
        for (name, places) in OUTSIDE {
            let allowed = places
                .iter()
                .any(|place| source.path == *place || place.ends_with('/') && source.path.starts_with(place));
            for at in mentions(&code, name).filter(|_| !allowed) {
                let (path, line) = (&source.path, line(&code, at));
                broken.push(format!(
                    "{path}:{line}: `{name}` is named only in {places:?}: call what stands there"
                ));
            }
        }
    }
    assert_none(&broken);
}

#[test]
fn every_rust_file_opens_with_what_it_owns() {
    let mut broken = Vec::new();
    for Source { path, text } in rust(&["src", "tests", "benches"]) {
        let first =
            text.lines().find(|line| !line.starts_with("#![") && !line.is_empty()).unwrap_or_default();
        if !first.starts_with("//! ") {
            broken.push(format!(
                "{path}: open it with `//!`: what it owns, what it deliberately does not know"
            ));
        }
    }
    assert_none(&broken);
}

#[test]
fn file_names_say_who_owns_the_code() {
    let mut broken = Vec::new();
    for Source { path, .. } in rust(&["src", "tests", "benches"]) {
        let parts = || path.trim_end_matches(".rs").split(['/', '_']);
        if path.ends_with("/mod.rs") {
            broken.push(format!("{path}: rename it after its folder, to stand beside it"));
        } else if let Some(part) = parts().find(|part| EMPTY_NAMES.contains(part)) {
            broken.push(format!("{path}: `{part}` says nothing; name the owner of what it holds"));
        }
    }
    assert_none(&broken);
}

/// Lines of a file before its tests.
fn lines_without_tests(text: &str) -> usize {
    let lines: Vec<_> = text.lines().collect();
    let tests =
        lines.windows(2).position(|pair| pair[0] == "#[cfg(test)]" && pair[1].contains("mod tests {"));
    tests.unwrap_or(lines.len())
}

#[test]
fn files_are_short_and_long_ones_get_shorter() {
    let allowed: BTreeMap<_, _> = TOO_LONG.into_iter().collect();
    let sources = rust(&["src"]);
    // Tests of a folder may stand in a file of their own, which its owner says is for tests alone.
    let holds_tests = |path: &str| {
        path.strip_suffix("/tests.rs").map(|owner| format!("{owner}.rs")).is_some_and(|owner| {
            let mut sources = sources.iter();
            sources.any(|source| source.path == owner && source.text.contains("#[cfg(test)]\nmod tests;"))
        })
    };
    let mut broken = Vec::new();
    for Source { path, text } in sources.iter().filter(|source| !holds_tests(&source.path)) {
        let lines = lines_without_tests(text);
        match allowed.get(path.as_str()) {
            None if lines > FILE_LINES_MAX => broken.push(format!(
                "{path}: {lines} lines without tests, more than {FILE_LINES_MAX}: move what can be named alone to a \
                 file of its own"
            )),
            Some(&most) if lines > most => broken.push(format!(
                "{path}: {lines} lines without tests, more than its {most} in TOO_LONG, which only go down: move \
                 something out"
            )),
            Some(_) if lines <= FILE_LINES_MAX => {
                broken.push(format!("{path}: short enough now; remove it from TOO_LONG in tests/it/tidy.rs"));
            }
            Some(&most) if lines < most => {
                broken.push(format!("{path}: shorter now; lower it to {lines} in TOO_LONG of tests/it/tidy.rs"));
            }
            None | Some(_) => {}
        }
    }
    for (path, _) in TOO_LONG {
        if sources.iter().all(|source| source.path != path) {
            broken.push(format!("{path}: is gone; remove it from TOO_LONG in tests/it/tidy.rs"));
        }
    }
    assert_none(&broken);
}

#[test]
fn every_dependency_says_why_it_is_there() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let (mut section, mut above, mut count, mut broken) = ("", "", 0_usize, Vec::new());
    for line in manifest.lines() {
        if line.starts_with('[') {
            section = line;
            assert!(!line.contains("dependencies."), "Cargo.toml: write {line} as a line of [dependencies]");
        } else if let (true, Some((name, _))) = (section.ends_with("dependencies]"), line.split_once(" =")) {
            // Lines that go on with a value are indented.
            if !name.starts_with([' ', '#']) {
                count += 1;
                if !above.starts_with("# ") {
                    broken.push(format!(
                        "Cargo.toml: write a comment above `{name}` that says why it is there"
                    ));
                }
            }
        }
        above = line;
    }
    assert!(count > 0, "Cargo.toml: no dependencies were found");
    assert_none(&broken);
}

#[test]
fn no_text_depends_on_the_machine_it_was_written_on() {
    let mut sources = texts(&TEXT_FOLDERS);
    for entry in fs::read_dir(root()).unwrap() {
        let path = entry.unwrap().path();
        if let (true, Ok(text)) = (path.is_file(), fs::read_to_string(&path)) {
            sources.push(Source { path: path.file_name().unwrap().to_str().unwrap().to_owned(), text });
        }
    }
    let mut broken = Vec::new();
    for Source { path, text } in sources {
        for needle in MACHINE {
            for (at, _) in text.match_indices(needle) {
                // Inside a longer path or an address it is somebody else's folder; Azure keeps sites at /home/site.
                let inner = text[..at].ends_with(|c: char| c.is_alphanumeric() || "_-.})]*".contains(c));
                let azure = text[at..].starts_with(concat!("/ho", "me/site"));
                let temporary = needle == MACHINE[1] && path.starts_with("tests/");
                if !(inner && needle.starts_with('/') || azure || temporary) {
                    broken.push(format!("{path}:{}: `{needle}` exists on one machine only", line(&text, at)));
                }
            }
        }
    }
    assert_none(&broken);
}
