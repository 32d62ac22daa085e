//! The program itself, as a user starts it: real processes, real ports, real signals.
#![cfg(test)]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use chrono::TimeDelta;
use futures::future::join_all;
use reqwest::header::{AUTHORIZATION, HeaderMap};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use tokio::time::{interval, timeout};
use widgetco::auth::development::{Bearer, token};
use widgetco::domain::image::FILE_BYTES_MAX;
use widgetco::local::{self, Handler, Options};
use widgetco::sources::{Clock, Ids};
use widgetco::store::containers::Container;

use crate::images::form;
use crate::shop::order_body;

/// Longest wait for something that a process is to do.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often it is looked whether it did.
const LOOK: Duration = Duration::from_millis(50);

/// A running program that is killed when the test ends.
pub(crate) struct Program {
    child: Child,
    pub(crate) address: String,
    pub(crate) client: Client,
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_widgetco"));
    command
        .args(arguments)
        .current_dir(root())
        .env_remove("COSMOS_ENDPOINT")
        .env_remove("IMAGES_STORE")
        .env("LOG_FILTER", "off")
        .env("REQUESTS_PER_MINUTE", "1000000");
    // A program that is killed leaves its pictures where temporary files are, until the next one starts.
    command.env("TMPDIR", env!("CARGO_TARGET_TMPDIR"));
    // A failed message comes back after a second, not after five.
    command.env("AzureFunctionsJobHost__extensions__queues__visibilityTimeout", "00:00:01");
    command
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn run(arguments: &[&str], settings: &[(&str, &str)]) -> Output {
    command(arguments).envs(settings.iter().copied()).output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

pub(crate) fn signal(process: u32, signal: &str) {
    let sent = Command::new("kill").args([&format!("-{signal}"), &process.to_string()]).status().unwrap();
    assert!(sent.success());
}

/// The value of `Authorization` of somebody who works in the shop.
pub(crate) fn authorization() -> String {
    format!("Bearer {}", token(&Bearer::Staff, Clock::system().now(), TimeDelta::hours(1)).unwrap())
}

/// A client of theirs.
fn staff() -> Client {
    let headers = HeaderMap::from_iter([(AUTHORIZATION, authorization().parse().unwrap())]);
    Client::builder().default_headers(headers).build().unwrap()
}

/// A folder that is gone with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Program {
    /// Starts the program and reads its address from what it prints.
    fn start(arguments: &[&str], settings: &[(&str, &str)]) -> Self {
        drop(rustls::crypto::ring::default_provider().install_default());
        let mut command = command(arguments);
        let mut child = command.envs(settings.iter().copied()).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = lines.find_map(|line| {
            let line = line.unwrap();
            let from = line.find("http://127.0.0.1:")?;
            Some(line[from..].split([',', ' ']).next().unwrap().trim_end_matches('/').to_owned())
        });
        // What else it prints must not fill the pipe and stop it.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, address: address.expect("it prints its address"), client: staff() }
    }

    pub(crate) fn local() -> Self {
        Self::start(&["local", "--port", "0"], &[])
    }

    /// A handler on a port of its own.
    async fn serve(endpoint: &str) -> Self {
        Self::serve_in(endpoint, "widgetco").await
    }

    /// The same in another database.
    pub(crate) async fn serve_in(endpoint: &str, database: &str) -> Self {
        Self::serve_with(&[("COSMOS_ENDPOINT", endpoint), ("COSMOS_DATABASE", database)]).await
    }

    /// A handler with these settings, which prints where they say.
    pub(crate) async fn serve_with(settings: &[(&str, &str)]) -> Self {
        Self::serve_to(settings, Stdio::inherit()).await
    }

    /// The same, with this for its standard output.
    pub(crate) async fn serve_to(settings: &[(&str, &str)], output: Stdio) -> Self {
        drop(rustls::crypto::ring::default_provider().install_default());
        let port = free_port();
        let mut command = command(&["serve", "--port", &port.to_string()]);
        let child = command.envs(settings.iter().copied()).stdout(output).spawn().unwrap();
        let program = Self { child, address: format!("http://127.0.0.1:{port}"), client: staff() };
        eventually(async || program.client.get(format!("{}/", program.address)).send().await.ok()).await;
        program
    }

    /// What Linux says of its memory: `VmRSS:` is how much it has, `VmHWM:` how much it ever had.
    #[cfg(target_os = "linux")]
    pub(crate) fn memory_kib(&self, line: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let found = status.lines().find_map(|text| text.strip_prefix(line)).unwrap();
        found.split_whitespace().next().unwrap().parse().unwrap()
    }

    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        key: Option<&str>,
        body: Option<String>,
    ) -> Option<(StatusCode, Value)> {
        let mut request = self.client.request(method, format!("{}{path}", self.address));
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        if let Some(body) = body {
            request = request.header("Content-Type", "application/json").body(body);
        }
        let response = request.send().await.ok()?;
        let status = response.status();
        let body = response.bytes().await.ok()?;
        Some((status, serde_json::from_slice(&body).unwrap_or_default()))
    }

    /// Reads as a good client does: again when the handler died under the request.
    pub(crate) async fn get(&self, path: &str) -> Value {
        let (status, body) = eventually(async || {
            let answer = self.call(Method::GET, path, None, None).await?;
            (!answer.0.is_server_error()).then_some(answer)
        })
        .await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        body
    }

    /// Places an order as a good client does: the same request under the same key until there is an answer.
    pub(crate) async fn place(&self, key: &str, lines: &[(&str, u32)]) -> String {
        let body = order_body("c1", lines).to_string();
        let placed = async || {
            let (status, answer) =
                self.call(Method::POST, "/api/orders", Some(key), Some(body.clone())).await?;
            if status.is_server_error() {
                return None;
            }
            assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
            Some(answer["id"].as_str().unwrap().to_owned())
        };
        eventually(placed).await
    }

    /// The order once it is no longer pending.
    pub(crate) async fn decided(&self, id: &str) -> Value {
        let path = format!("/api/orders/{id}");
        let look = async || {
            let (status, order) = self.call(Method::GET, &path, None, None).await?;
            (status == StatusCode::OK && order["status"] != "pending").then_some(order)
        };
        eventually(look).await
    }

    async fn counts(&self, product: &str) -> [u64; 3] {
        let stock = self.get(&format!("/api/products/{product}/stock")).await;
        ["onHand", "held", "available"].map(|name| stock[name].as_u64().unwrap())
    }
}

pub(crate) async fn eventually<T>(look: impl AsyncFn() -> Option<T>) -> T {
    let mut ticks = interval(LOOK);
    let found = async {
        loop {
            ticks.tick().await;
            if let Some(found) = look().await {
                return found;
            }
        }
    };
    timeout(PATIENCE, found).await.expect("it happens in time")
}

fn tally(orders: &[Value]) -> BTreeMap<&str, u32> {
    let mut tally = BTreeMap::new();
    for order in orders {
        *tally.entry(order["status"].as_str().unwrap()).or_insert(0) += 1;
    }
    tally
}

/// A picture of noise, which cannot be made much smaller than it is.
fn noise(side: u32) -> Vec<u8> {
    let mut state = 0x9e37_79b9_u32;
    let picture = image::RgbImage::from_fn(side, side, |_, _| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let [_, first, second, third] = state.to_le_bytes();
        image::Rgb([first, second, third])
    });
    let mut file = Vec::new();
    picture.write_with_encoder(image::codecs::png::PngEncoder::new(&mut file)).unwrap();
    file
}

#[tokio::test]
async fn largest_picture_passes_the_host_untouched_and_a_larger_one_is_refused_aloud() {
    let shop = Program::local();
    let file = noise(1_660);
    assert!((FILE_BYTES_MAX - 200_000..=FILE_BYTES_MAX).contains(&file.len()), "{} bytes", file.len());
    let address = format!("{}/api/products/widget-classic/images", shop.address);
    let (content_type, body) = form(&[("image", Some("noise.png"), &file), ("alt", None, b"Noise")]);
    let sent =
        shop.client.post(&address).header("Content-Type", content_type).body(body).send().await.unwrap();
    assert_eq!(sent.status(), StatusCode::CREATED);
    let path = sent.headers()["location"].to_str().unwrap().to_owned();
    let product = shop.get("/api/products/widget-classic").await;
    assert_eq!(product["images"][0]["alt"], "Noise");
    assert_eq!(product["images"][0]["renditions"].as_array().unwrap().len(), 2);
    let original = shop.client.get(format!("{}{path}", shop.address)).send().await.unwrap();
    assert!(original.bytes().await.unwrap() == file, "every byte is the same");
    let address_of_copy = format!("{}{path}/400", shop.address);
    let part = shop.client.get(&address_of_copy).header("Range", "bytes=0-3").send().await.unwrap();
    assert_eq!(
        (part.status(), part.bytes().await.unwrap().as_ref()),
        (StatusCode::PARTIAL_CONTENT, &b"RIFF"[..])
    );
    let head = shop.client.head(&address_of_copy).send().await.unwrap();
    let length: u64 = head.headers()["content-length"].to_str().unwrap().parse().unwrap();
    assert_eq!(product["images"][0]["renditions"][0]["sizeBytes"], length);
    for excess in [1, FILE_BYTES_MAX / 2] {
        let body = vec![0; FILE_BYTES_MAX + excess];
        let refused = shop.client.post(&address).body(body).send().await.unwrap();
        assert_eq!(refused.status(), StatusCode::PAYLOAD_TOO_LARGE);
    }
}

#[test]
fn missing_place_for_pictures_is_said_by_the_check() {
    let azure = [
        ("COSMOS_ENDPOINT", "https://shop.documents.azure.com:443/"),
        ("WEBSITE_INSTANCE_ID", "a"),
        ("AUTH_ISSUERS", r#"[{"issuer":"https://a.example","audience":"shop","who":"workforce"}]"#),
    ];
    let checked = run(&["check-config"], &azure);
    let said = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert!(checked.status.success() && said.contains("IMAGES_STORE is not set"), "{said}");
}

#[tokio::test]
async fn two_hundred_orders_at_once_over_http_sell_exactly_what_there_is() {
    let shop = Program::local();
    let body = Some(json!({"delta": 40, "reason": "delivery"}).to_string());
    shop.call(Method::POST, "/api/products/widget-maxi/stock/adjustments", None, body).await.unwrap();
    assert_eq!(shop.counts("widget-maxi").await, [100, 0, 100]);
    let keys: Vec<_> = (0..200).map(|index| format!("key-{index}")).collect();
    let ids = join_all(keys.iter().map(|key| shop.place(key, &[("widget-maxi", 1)]))).await;
    let orders = join_all(ids.iter().map(|id| shop.decided(id))).await;
    assert_eq!(tally(&orders), [("confirmed", 100), ("failed", 100)].into());
    assert_eq!(shop.counts("widget-maxi").await, [100, 100, 0]);
}

#[tokio::test]
async fn handler_killed_in_the_middle_loses_nothing_and_counts_nothing_twice() {
    const KILLS: u32 = 6;
    let shop = Program::local();
    let kills = async {
        let mut killed = Vec::new();
        for _ in 0..KILLS {
            // A fresh handler that has begun to work: it has moved the stock since the last kill.
            let counts = shop.counts("widget-mini").await;
            let handler = eventually(async || {
                let handler = shop.get("/local/handler").await;
                let fresh = handler["state"] == "ready" && !killed.contains(&handler["pid"]);
                (fresh && shop.counts("widget-mini").await != counts).then_some(handler["pid"].clone())
            })
            .await;
            signal(u32::try_from(handler.as_u64().unwrap()).unwrap(), "KILL");
            killed.push(handler);
        }
    };
    let keys: Vec<_> = (0..50).map(|index| format!("key-{index}")).collect();
    let placing = async {
        let mut ids = Vec::new();
        for keys in keys.chunks(3) {
            ids.extend(
                join_all(keys.iter().map(|key| shop.place(key, &[("widget-mini", 1), ("widget-oak", 2)])))
                    .await,
            );
        }
        ids
    };
    let (ids, ()) = tokio::join!(placing, kills);
    let orders = join_all(ids.iter().map(|id| shop.decided(id))).await;
    // 55 pieces of oak are enough for 27 orders of 2; there are minis for all.
    assert_eq!(tally(&orders), [("confirmed", 27), ("failed", 23)].into());
    eventually(async || {
        (shop.counts("widget-oak").await == [55, 54, 1] && shop.counts("widget-mini").await == [400, 27, 373])
            .then_some(())
    })
    .await;
    let (mut placed, mut path) = (0, "/api/customers/c1/orders?limit=100".to_owned());
    loop {
        let page = shop.get(&path).await;
        placed += page["items"].as_array().unwrap().len();
        match page["nextLink"].as_str() {
            Some(next) => path = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(placed, 50);
    for id in &ids {
        let events = shop.get(&format!("/api/orders/{id}/events")).await;
        assert_eq!(events["items"].as_array().unwrap().len(), 2, "{events}");
    }
    assert!(shop.get("/local/handler").await["restarts"].as_u64().unwrap() >= u64::from(KILLS));
}

#[tokio::test]
async fn emulator_is_shared_by_handlers_and_outlives_them() {
    let emulator = Program::start(&["emulator", "--port", "0"], &[]);
    let first = Program::serve(&emulator.address).await;
    let data = json!({
        "Url": "http://localhost/api/orders", "Method": "POST", "Query": {}, "Params": {},
        "Headers": {"Content-Type": ["application/json"], "Authorization": [authorization()]},
        "Body": order_body("c1", &[("widget-mini", 1)]).to_string(),
    });
    let envelope = Some(json!({"Data": {"req": data}, "Metadata": {}}).to_string());
    let (status, reply) = first.call(Method::POST, "/PlaceOrder", None, envelope).await.unwrap();
    assert_eq!((status, &reply["Outputs"]["res"]["statusCode"]), (StatusCode::OK, &json!(202)));
    let bell = reply["Outputs"]["orders"][0].as_str().unwrap().to_owned();
    drop(first);
    let second = Program::serve(&emulator.address).await;
    let envelope = json!({"Data": {"message": Value::String(bell).to_string()}, "Metadata": {}}).to_string();
    let (status, reply) = second.call(Method::POST, "/ProcessOrder", None, Some(envelope)).await.unwrap();
    assert_eq!((status, reply.is_object()), (StatusCode::OK, true));
    assert_eq!(second.counts("widget-mini").await, [400, 1, 399]);
}

#[tokio::test]
async fn audit_of_a_shared_emulator_finds_its_books_in_order() {
    let emulator = Program::start(&["emulator", "--port", "0"], &[]);
    let audited = run(&["audit"], &[("COSMOS_ENDPOINT", &emulator.address)]);
    assert!(audited.status.success(), "{}", stderr(&audited));
    assert_eq!(String::from_utf8_lossy(&audited.stdout).trim(), "20 products, 0 findings");
}

#[tokio::test]
async fn doctor_finds_a_shared_emulator_well_and_tells_what_is_missing_elsewhere() {
    let emulator = Program::start(&["emulator", "--port", "0"], &[]);
    let endpoint = ("COSMOS_ENDPOINT", emulator.address.as_str());
    let well = run(&["doctor"], &[endpoint]);
    let told = String::from_utf8_lossy(&well.stdout).into_owned();
    assert!(well.status.success() && !told.contains("WRONG"), "{told}{}", stderr(&well));
    assert!(told.contains("ok     container orders\n") && told.contains("ok     pictures\n"), "{told}");
    assert!(told.contains("ok     mails\n"), "{told}");

    let ill = run(&["doctor", "--json"], &[endpoint, ("COSMOS_DATABASE", "elsewhere")]);
    let told: Value = serde_json::from_slice(&ill.stdout).unwrap();
    let is_ok = |what: &str| {
        told["checks"].as_array().unwrap().iter().find(|check| check["check"] == what).unwrap()["ok"].clone()
    };
    let wrong = format!("{} of ", Container::ALL.len());
    assert!(!ill.status.success() && stderr(&ill).contains(&wrong), "{told}{}", stderr(&ill));
    assert_eq!((is_ok("container orders"), is_ok("pictures")), (json!(false), json!(true)));

    let issuer = format!("http://127.0.0.1:{}", free_port());
    let issuers = json!([{"issuer": issuer, "audience": "shop", "who": "workforce"}]).to_string();
    let ill = run(&["doctor"], &[endpoint, ("AUTH_ISSUERS", &issuers)]);
    let told = String::from_utf8_lossy(&ill.stdout).into_owned();
    assert!(!ill.status.success() && told.contains(&format!("WRONG  issuer {issuer}: ")), "{told}");
    assert_eq!(told.matches("WRONG").count(), 1, "{told}");
}

#[test]
fn doctor_says_that_a_store_does_not_answer() {
    let nobody = format!("http://127.0.0.1:{}/", free_port());
    let ill = run(&["doctor"], &[("COSMOS_ENDPOINT", &nobody)]);
    let told = String::from_utf8_lossy(&ill.stdout).into_owned();
    assert!(!ill.status.success() && told.contains("WRONG  container orders: "), "{told}{}", stderr(&ill));
}

#[tokio::test]
async fn package_starts_under_a_host_that_follows_the_protocol() {
    drop(rustls::crypto::ring::default_provider().install_default());
    let folder = Folder::new("package");
    let out = folder.0.to_str().unwrap();
    for _ in 0..2 {
        let packaged = run(&["package", "--out", out], &[]);
        assert!(packaged.status.success(), "{}", stderr(&packaged));
    }
    let settings: Value =
        serde_json::from_str(&std::fs::read_to_string(folder.0.join("local.settings.json")).unwrap())
            .unwrap();
    let values = settings["Values"].as_object().unwrap().iter();
    let values = values.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()));
    let settings = values.chain([("LOG_FILTER".to_owned(), "off".to_owned())]).collect();
    let options = Options {
        root: folder.0.clone(),
        port: 0,
        enable_auth: false,
        cors: None,
        cors_credentials: false,
        handler: Handler::default(),
        settings,
        changes: None,
        folders: Vec::new(),
        clock: Clock::system(),
        ids: Ids::random(),
    };
    let host = local::start(options).await.unwrap();
    assert_eq!(host.warnings(), Vec::<String>::new());
    let response = Client::new()
        .get(format!("http://{}/api/products/widget-mini", host.address()))
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    host.stop().await;
}

#[test]
fn package_does_not_write_into_a_folder_with_other_things() {
    let folder = Folder::new("occupied");
    std::fs::create_dir_all(&folder.0).unwrap();
    std::fs::write(folder.0.join("thesis.txt"), "irreplaceable").unwrap();
    let packaged = run(&["package", "--out", folder.0.to_str().unwrap()], &[]);
    assert!(
        !packaged.status.success() && stderr(&packaged).contains("holds other things"),
        "{}",
        stderr(&packaged)
    );
}

#[tokio::test]
async fn interrupt_stops_host_and_handler() {
    let mut shop = Program::local();
    let handler = shop.get("/local/handler").await["pid"].as_u64().unwrap();
    signal(shop.child.id(), "INT");
    let ended = shop.child.wait().unwrap();
    assert!(ended.success(), "{ended}");
    let alive =
        Command::new("kill").args(["-0", &handler.to_string()]).stderr(Stdio::null()).status().unwrap();
    assert!(!alive.success(), "the handler is gone");
}

#[tokio::test]
async fn handler_does_not_outlive_a_host_that_is_killed() {
    let mut shop = Program::local();
    let handler = shop.get("/local/handler").await["pid"].as_u64().unwrap().to_string();
    shop.child.kill().unwrap();
    shop.child.wait().unwrap();
    eventually(async || {
        let alive = Command::new("kill").args(["-0", &handler]).stderr(Stdio::null()).status().unwrap();
        (!alive.success()).then_some(())
    })
    .await;
}

#[test]
fn taken_port_is_a_clear_message() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let ended = run(&["local", "--port", &port], &[]);
    assert!(!ended.status.success());
    assert!(stderr(&ended).contains(&format!("port {port} is taken")), "{}", stderr(&ended));
}

#[test]
fn wrong_settings_are_reported_all_at_once() {
    let settings =
        [("COSMOS_ENDPOINT", "nowhere"), ("COSMOS_DATABASE", "a b"), ("FUNCTIONS_CUSTOMHANDLER_PORT", "0")];
    for arguments in [["check-config"].as_slice(), &["serve"]] {
        let ended = run(arguments, &settings);
        assert!(!ended.status.success());
        for (name, value) in settings {
            assert!(stderr(&ended).contains(name) && stderr(&ended).contains(value), "{}", stderr(&ended));
        }
    }
    assert!(
        run(&["check-config"], &[("COSMOS_ENDPOINT", "https://shop.documents.azure.com:443/")])
            .status
            .success()
    );
}

#[tokio::test]
async fn keys_are_asked_for_when_auth_is_enabled() {
    let shop = Program::start(&["local", "--port", "0", "--enable-auth"], &[]);
    let (status, _) = shop.call(Method::GET, "/api/products/widget-mini", None, None).await.unwrap();
    assert_eq!(status, StatusCode::OK, "the catalogue is open");
    let (status, _) = shop.call(Method::GET, "/admin/functions", None, None).await.unwrap();
    assert_eq!(status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn tokens_of_developers_open_a_shop_on_a_laptop_as_long_as_they_hold() {
    let shop = Program::local();
    let ask = async |arguments: &[&str]| {
        let ended = run(&[&["token"], arguments].concat(), &[]);
        assert!(ended.status.success(), "{}", stderr(&ended));
        let token = String::from_utf8(ended.stdout).unwrap();
        let request = Client::new().get(format!("{}/api/customers/c1", shop.address));
        request.bearer_auth(token.trim()).send().await.unwrap().status().as_u16()
    };
    assert_eq!(ask(&["--customer", "c1"]).await, 200);
    assert_eq!(ask(&["--customer", "c2"]).await, 404);
    assert_eq!(ask(&["--role", "staff"]).await, 200);
    assert_eq!(ask(&["--role", "courier"]).await, 403);
    assert_eq!(ask(&["--partner", "willy"]).await, 403);
    assert_eq!(ask(&["--role", "staff", "--valid-minutes", "-2"]).await, 401);
    for wrong in
        [&["token"][..], &["token", "--role", "staff", "--customer", "c1"], &["token", "--customer", "C 1"]]
    {
        assert!(!run(wrong, &[]).status.success(), "{wrong:?}");
    }
}

#[test]
fn handler_in_azure_does_not_start_without_an_issuer() {
    let azure = [
        ("COSMOS_ENDPOINT", "https://shop.documents.azure.com:443/"),
        ("WEBSITE_INSTANCE_ID", "1"),
        ("FUNCTIONS_CUSTOMHANDLER_PORT", "7"),
    ];
    let ended = run(&["serve"], &azure);
    assert!(
        !ended.status.success() && stderr(&ended).contains("AUTH_ISSUERS is missing"),
        "{}",
        stderr(&ended)
    );
}

#[tokio::test]
async fn queues_and_manual_runs_are_open_to_a_developer() {
    let shop = Program::local();
    let text = json!({"checkoutId": "by-hand", "customerId": "c2", "lines": [{"productId": "widget-mini", "quantity": 2}]});
    let (status, _) =
        shop.call(Method::POST, "/local/queues/orders/messages", None, Some(text.to_string())).await.unwrap();
    assert_eq!(status, StatusCode::CREATED);
    shop.call(Method::POST, "/local/queues/orders/messages", None, Some("garbage".into())).await.unwrap();
    let rejected = eventually(async || {
        let messages = shop.get("/local/queues/orders-rejected/messages").await;
        messages.get(0).cloned()
    })
    .await;
    assert!(rejected["text"].as_str().unwrap().contains("garbage"), "{rejected}");
    let orders = eventually(async || {
        let orders = shop.get("/api/customers/c2/orders").await;
        (orders["items"][0]["status"] == "confirmed").then_some(orders)
    })
    .await;
    assert_eq!(orders["items"].as_array().unwrap().len(), 1);
    let (status, _) = shop
        .call(
            Method::POST,
            "/admin/functions/ProcessOrder",
            None,
            Some(json!({"input": "more garbage"}).to_string()),
        )
        .await
        .unwrap();
    assert_eq!(status, StatusCode::ACCEPTED);
    eventually(async || {
        let messages = shop.get("/local/queues/orders-rejected/messages").await;
        (messages.as_array().unwrap().len() == 2).then_some(())
    })
    .await;
}

/// The commands of the README's tour, and what each is said to print.
fn tour() -> Vec<(String, String)> {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let section = readme.split("## A five-minute tour").nth(1).unwrap().split("\n## ").next().unwrap();
    let blocks: Vec<_> = section.split("```").skip(1).step_by(2).collect();
    let body = |block: &str, language: &str| block.strip_prefix(language).unwrap().trim().to_owned();
    blocks.chunks(2).map(|pair| (body(pair[0], "sh\n"), body(pair[1], "json\n"))).collect()
}

#[test]
fn tour_of_the_readme_prints_what_it_says() {
    const BETWEEN: &str = "--- next step ---";
    let shop = Program::local();
    let address = shop.address.strip_prefix("http://").unwrap();
    let steps = tour();
    assert!(steps.len() >= 8, "the tour is found");
    let script: String =
        steps.iter().map(|(command, _)| format!("{command}\necho\necho '{BETWEEN}'\n")).collect();
    let script = script.replace("localhost:7071", address);
    let script = script.replace("cargo run -q --", env!("CARGO_BIN_EXE_widgetco"));
    let ended =
        Command::new("bash").args(["-eu", "-c", &script]).output().expect("the tour needs bash and curl");
    assert!(ended.status.success(), "{}", stderr(&ended));
    let printed = String::from_utf8(ended.stdout).unwrap();
    for ((command, expected), printed) in steps.iter().zip(printed.split(BETWEEN)) {
        let mut rest = printed;
        for fragment in expected.split('…') {
            let found = rest.find(fragment);
            let at = found.unwrap_or_else(|| panic!("{command}\nprinted {printed}\nwithout {fragment}"));
            rest = &rest[at + fragment.len()..];
        }
    }
}

#[test]
fn readme_lists_every_setting_and_function() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    for (setting, _) in widgetco::config::SETTINGS {
        assert!(
            readme.contains(&format!("| `{setting}` |")),
            "{setting} is missing in the README's settings"
        );
    }
    for function in std::fs::read_dir(root().join("functions")).unwrap() {
        let name = function.unwrap().file_name().into_string().unwrap();
        assert!(readme.contains(&format!("`{name}`")), "{name} is missing in the README's functions");
    }
}
