//! What a person sees: the page of the API and the pictures, in a real Chromium, from the program as a user starts it.
//! tests/browser/look.mjs looks; what it has to see is here.
#![cfg(test)]

use std::env;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

use flate2::read::GzDecoder;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::images::png;
use crate::npm::installed;
use crate::program::{Program, authorization};

/// Why npm is needed, for those who lack it.
const PURPOSE: &str = "the tests in a browser";
/// How it is called on the systems that have it.
const CHROMIUM: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];
/// What an operation of the document may be called.
const METHODS: [&str; 8] = ["delete", "get", "head", "options", "patch", "post", "put", "trace"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The browser that `CHROMIUM` names, or the first on the path.
fn chromium() -> PathBuf {
    if let Some(named) = env::var_os("CHROMIUM") {
        return named.into();
    }
    let folders: Vec<_> = env::split_paths(&env::var_os("PATH").unwrap_or_default()).collect();
    let mut places = CHROMIUM.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    places.find(|place| place.is_file()).unwrap_or_else(|| {
        panic!(
            "Install Chromium (on Debian: `apt-get install chromium`), or name one in CHROMIUM, for {PURPOSE}"
        )
    })
}

/// What look.mjs sees; nothing may have gone wrong meanwhile, nor to another host.
fn look(what: &str, shop: &Program, paths: &[String]) -> Value {
    installed("tests/browser", PURPOSE);
    let ended = Command::new("node")
        .arg(root().join("tests/browser/look.mjs"))
        .arg(chromium())
        .args([what, &shop.address])
        .args(paths)
        .env("TMPDIR", env!("CARGO_TARGET_TMPDIR"))
        .env("AUTHORIZATION", authorization())
        .output()
        .unwrap_or_else(|error| panic!("Install Node.js with npm for {PURPOSE}: {error}"));
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    let seen: Value = serde_json::from_slice(&ended.stdout).unwrap();
    assert_eq!((&seen["elsewhere"], &seen["complaints"]), (&json!([]), &json!([])));
    seen
}

#[test]
fn page_of_the_api_is_made_of_what_npm_has_at_the_pinned_version() {
    let dist = installed("tests/browser", PURPOSE).join("swagger-ui-dist");
    let docs = root().join("web/docs");
    let npm = |name: &str| fs::read(dist.join(name)).unwrap();
    for name in ["swagger-ui-bundle.js", "swagger-ui.css"] {
        let mut ours = Vec::new();
        let file = fs::File::open(docs.join(format!("{name}.gz"))).unwrap();
        GzDecoder::new(file).read_to_end(&mut ours).unwrap();
        assert!(ours == npm(name), "web/docs/{name}.gz is not npm's; run web/docs/renew");
    }
    for (name, original) in [
        ("swagger-ui-bundle.js.LICENSE.txt", "swagger-ui-bundle.js.LICENSE.txt"),
        ("swagger-ui.LICENSE.txt", "LICENSE"),
        ("swagger-ui.NOTICE.txt", "NOTICE"),
    ] {
        assert!(fs::read(docs.join(name)).unwrap() == npm(original), "web/docs/{name}: run web/docs/renew");
    }
    let package: Value = serde_json::from_slice(&npm("package.json")).unwrap();
    let named = format!("swagger-ui-dist {},", package["version"].as_str().unwrap());
    let readme = fs::read_to_string(docs.join("README.md")).unwrap();
    assert!(readme.contains(&named), "web/docs/README.md does not name {named:?}: run web/docs/renew");
}

#[tokio::test]
async fn pictures_of_a_new_product_open_in_a_browser_in_the_sizes_that_the_list_tells() {
    let shop = Program::local();
    let product = json!({
        "sku": "WIDGET-GOLD", "name": "Gold widget", "status": "active",
        "price": {"amountMinor": 49999, "currency": "EUR"},
    });
    let made = shop.call(Method::POST, "/api/products", None, Some(product.to_string())).await.unwrap();
    assert_eq!(made.0, StatusCode::CREATED, "{}", made.1);
    for (alt, file) in [("Front", png(1, 1_600, 900)), ("Case", png(2, 700, 1_000))] {
        let address = format!("{}/api/products/widget-gold/images?alt={alt}", shop.address);
        let sent = shop.client.post(address).body(file).send().await.unwrap();
        assert_eq!(sent.status(), StatusCode::CREATED);
    }
    let page = shop.get("/api/products?minPrice=20000&sort=-price&q=widget").await;
    let ids: Vec<_> = page["items"].as_array().unwrap().iter().map(|item| &item["id"]).collect();
    assert_eq!(ids, ["widget-last-one", "widget-gold", "widget-vintage"]);
    let (mut paths, mut sizes) = (Vec::new(), Vec::new());
    for image in page["items"][1]["images"].as_array().unwrap() {
        let path = format!("/api/products/widget-gold/images/{}", image["id"].as_str().unwrap());
        sizes.push([&image["widthPx"], &image["heightPx"]]);
        paths.push(path.clone());
        for rendition in image["renditions"].as_array().unwrap() {
            sizes.push([&rendition["widthPx"], &rendition["heightPx"]]);
            paths.push(format!("{path}/{}", rendition["widthPx"]));
        }
    }
    let told = json!(sizes);
    assert_eq!(told, json!([[1600, 900], [400, 225], [1200, 675], [700, 1000], [400, 571], [700, 1000]]));
    let seen = look("pictures", &shop, &paths);
    assert_eq!((&seen["alone"], &seen["together"]), (&told, &told));
}

#[tokio::test]
async fn report_of_reviews_is_a_page_with_charts_that_tell_what_they_show_and_fit_any_window() {
    let shop = Program::local();
    let paths = ["/api/review-insights", "/api/review-insights?product=widget-classic"].map(str::to_owned);
    let seen = look("charts", &shop, &paths);
    let titles: Vec<_> = seen["pages"].as_array().unwrap().iter().map(|page| &page["title"]).collect();
    assert_eq!(titles, ["Reviews of all products", "Reviews of Classic widget"]);
    for page in seen["pages"].as_array().unwrap() {
        assert_eq!((&page["rows"], &page["fits"]), (&json!(12), &json!([true, true])));
        let names: Vec<_> = page["named"].as_array().unwrap().iter().map(|texts| &texts[0]).collect();
        let expected = [
            "Mean rating and number of reviews by month",
            "Reviews by rating",
            "Words that most reviews mention",
        ];
        assert_eq!(names, expected);
        let colours = page["bars"].as_array().unwrap();
        assert!(colours.len() > 12 && colours.iter().all(|colour| colour != "rgb(0, 0, 0)"), "{colours:?}");
    }
}

/// The operations of the document, as `method path`, sorted.
fn documented(document: &Value) -> Vec<String> {
    let paths = document["paths"].as_object().unwrap().iter();
    let operations = paths.flat_map(|(path, item)| {
        let methods = METHODS.iter().filter(|method| item.get(method).is_some());
        methods.map(move |method| format!("{method} {path}"))
    });
    sorted(operations.collect())
}

/// The operations that the browser saw, in the same form.
fn listed(operations: &Value) -> Vec<String> {
    let text = |operation: &Value, name: &str| operation[name].as_str().unwrap().to_owned();
    let operations = operations.as_array().unwrap().iter();
    sorted(operations.map(|operation| text(operation, "method") + " " + &text(operation, "path")).collect())
}

fn sorted(mut operations: Vec<String>) -> Vec<String> {
    operations.sort();
    operations
}

#[tokio::test]
async fn page_of_the_api_lists_every_operation_and_tries_one_out_without_any_other_host() {
    let shop = Program::local();
    let document = shop.get("/api/openapi.json").await;
    let documented = documented(&document);
    assert!(!documented.is_empty());
    let seen = look("docs", &shop, &[]);
    assert_eq!(seen["title"], "Widget & Co shop API");
    assert_eq!(listed(&seen["operations"]), documented);
    assert_eq!(listed(&seen["operationsUnderPrefix"]), documented, "under another server's prefix");
    assert_eq!(seen["hasFilter"], true);

    let tried = &seen["tried"];
    assert_eq!((&tried["status"], &tried["showsDuration"]), (&json!("200"), &json!(true)));
    assert!(tried["linked"].as_str().unwrap().len() > "#/".len(), "an open operation has an address");
    let asked = tried["address"].as_str().unwrap().strip_prefix(&shop.address).unwrap();
    assert!(asked == "/api/products" || asked.starts_with("/api/products?"), "{asked}");
    let shown: Value = serde_json::from_str(tried["body"].as_str().unwrap()).unwrap();
    assert_eq!(shown, shop.get(asked).await);
    assert!(!shown["items"].as_array().unwrap().is_empty(), "{shown}");

    assert_eq!(seen["schemes"], json!(["bearer"]));
}
