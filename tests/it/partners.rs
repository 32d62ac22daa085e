//! Partners: a first pull, then a delta; what leaves is what the contract names, of those who agreed, and on record; and
//! nobody gets what is another's.
#![cfg(test)]

use std::num::NonZeroU32;
use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};
use widgetco::app::pull::Opened;
use widgetco::auth::development::Bearer;
use widgetco::domain::id::PartnerId;
use widgetco::domain::partner::disclosure::Form;

use crate::shop::{Answer, DATABASE, TestShop};

pub(crate) const PULL: &str = "/api/partners/willy/customers";

fn code(answer: &Answer) -> (u16, &str) {
    (answer.status.as_u16(), answer.body["code"].as_str().unwrap_or_default())
}

/// Puts what the caller wants in the place of whatever is there.
async fn put(shop: &TestShop, path: &str, body: Value) -> Answer {
    let answer = shop.put(path, &[("If-Match", "*")], body).await;
    assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.body);
    answer
}

/// Agrees on these fields with a partner that is not there yet.
pub(crate) async fn agree(shop: &TestShop, partner: &str, fields: &[&str]) {
    let contract = contract(fields);
    let path = format!("/api/partners/{partner}");
    let added = shop.put(&path, &[("If-None-Match", "*")], contract).await;
    assert_eq!(added.status, StatusCode::OK, "{:?}", added.body);
}

fn contract(fields: &[&str]) -> Value {
    json!({"purpose": "delivers flyers", "fields": fields, "validUntil": "2027-01-01T00:00:00Z"})
}

pub(crate) async fn consent(shop: &TestShop, customer: &str, partners: &[&str]) {
    let sharing: Vec<_> = partners.iter().map(|id| json!({"partnerId": id, "granted": true})).collect();
    let body = json!({"source": "test", "marketing": false, "sharing": sharing});
    put(shop, &format!("/api/customers/{customer}/consents"), body).await;
}

async fn rename(shop: &TestShop, customer: &str, name: &str) {
    let body = json!({"id": customer, "email": format!("{customer}@example.com"), "name": name});
    put(shop, &format!("/api/customers/{customer}"), body).await;
}

async fn pull(shop: &TestShop, path: &str) -> Answer {
    let answer = shop.get(path).await;
    assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.body);
    answer
}

/// Everything from this address on, page by page: the items, and the link to what comes later.
pub(crate) async fn pull_all(shop: &TestShop, path: &str) -> (Vec<Value>, String) {
    let (mut items, mut path) = (Vec::new(), path.to_owned());
    for _ in 0..100 {
        let page = pull(shop, &path).await.body;
        items.extend(page["items"].as_array().unwrap().clone());
        match (&page["nextLink"], &page["deltaLink"]) {
            (Value::String(next), Value::Null) => path.clone_from(next),
            (Value::Null, Value::String(delta)) => return (items, delta.clone()),
            other => panic!("a page has one link: {other:?}"),
        }
    }
    panic!("the pages do not end");
}

/// A shop whose partner `willy` gets names, with `ada`, `bob` and `eve`, who agreed, and `dan`, who did not.
async fn open() -> TestShop {
    let shop = TestShop::open(&[]).await;
    agree(&shop, "willy", &["/name"]).await;
    for id in ["eve", "dan"] {
        shop.add_customer(id).await;
    }
    for id in ["ada", "bob", "eve"] {
        consent(&shop, id, &["willy"]).await;
    }
    shop
}

fn names(items: &[Value]) -> Vec<&str> {
    let mut names: Vec<_> = items.iter().map(|item| item["name"].as_str().unwrap_or("removed")).collect();
    names.sort_unstable();
    names
}

/// The partner's name for the customer who is called that.
fn alias<'a>(items: &'a [Value], name: &str) -> &'a Value {
    &items.iter().find(|item| item["name"] == name).unwrap()["id"]
}

#[tokio::test]
async fn delta_after_a_change_and_a_withdrawal_is_one_change_and_one_tombstone() {
    let shop = open().await;
    let (first, delta) = pull_all(&shop, PULL).await;
    assert_eq!(names(&first), ["ADA", "BOB", "EVE"]);
    let (nothing, delta) = pull_all(&shop, &delta).await;
    assert!(nothing.is_empty());

    shop.advance(Duration::from_secs(86_400));
    rename(&shop, "ada", "Ada Byron").await;
    consent(&shop, "bob", &[]).await;
    rename(&shop, "dan", "Daniel").await;
    let (second, delta) = pull_all(&shop, &delta).await;
    assert_eq!(names(&second), ["Ada Byron", "removed"]);
    assert_eq!(alias(&second, "Ada Byron"), alias(&first, "ADA"));
    let removed = json!({"id": alias(&first, "BOB"), "removed": true});
    assert!(second.contains(&removed), "{second:?}");
    assert!(pull_all(&shop, &delta).await.0.is_empty());
}

#[tokio::test]
async fn erased_customer_is_a_tombstone_for_those_who_had_agreed_and_for_nobody_else() {
    let shop = open().await;
    agree(&shop, "other", &["/name"]).await;
    let (first, delta) = pull_all(&shop, PULL).await;
    let (none, other_delta) = pull_all(&shop, "/api/partners/other/customers").await;
    assert!(none.is_empty());
    for id in ["eve", "dan"] {
        let erased = shop.send("DELETE", &format!("/api/customers/{id}"), &[], None).await;
        assert_eq!(erased.status, StatusCode::NO_CONTENT);
    }
    let (items, _) = pull_all(&shop, &delta).await;
    assert_eq!(items, [json!({"id": alias(&first, "EVE"), "removed": true})]);
    assert!(pull_all(&shop, &other_delta).await.0.is_empty());
}

#[tokio::test]
async fn erasure_after_a_withdrawal_that_was_not_pulled_yet_is_still_told() {
    let shop = open().await;
    let (first, delta) = pull_all(&shop, PULL).await;
    consent(&shop, "eve", &[]).await;
    shop.send("DELETE", "/api/customers/eve", &[], None).await;
    let (items, _) = pull_all(&shop, &delta).await;
    assert_eq!(items, [json!({"id": alias(&first, "EVE"), "removed": true})]);
}

#[tokio::test]
async fn consent_withdrawn_between_two_pages_is_a_tombstone_on_a_later_one() {
    let shop = open().await;
    let page = pull(&shop, &format!("{PULL}?limit=1")).await.body;
    let seen = page["items"][0].clone();
    let withdrawn = seen["name"].as_str().unwrap().to_lowercase();
    consent(&shop, &withdrawn, &[]).await;
    // Also one who was not on a page yet: they are on none with their data.
    let waiting = ["ada", "bob", "eve"].into_iter().find(|id| *id != withdrawn).unwrap();
    consent(&shop, waiting, &[]).await;
    let (rest, _) = pull_all(&shop, page["nextLink"].as_str().unwrap()).await;
    assert_eq!(rest.iter().filter(|item| item["name"].is_string()).count(), 1, "{rest:?}");
    assert!(rest.contains(&json!({"id": seen["id"], "removed": true})), "{rest:?}");
    assert!(!names(&rest).contains(&waiting.to_uppercase().as_str()));
}

#[tokio::test]
async fn who_left_long_before_the_first_pull_is_not_named_in_it() {
    let shop = open().await;
    consent(&shop, "bob", &[]).await;
    shop.send("DELETE", "/api/customers/eve", &[], None).await;
    shop.advance(Duration::from_secs(3600));
    let (items, _) = pull_all(&shop, PULL).await;
    assert_eq!(names(&items), ["ADA"]);
}

#[tokio::test]
async fn first_no_is_not_told_to_the_partner() {
    let shop = open().await;
    let (_, delta) = pull_all(&shop, PULL).await;
    let no =
        json!({"source": "test", "marketing": false, "sharing": [{"partnerId": "willy", "granted": false}]});
    put(&shop, "/api/customers/dan/consents", no).await;
    assert!(pull_all(&shop, &delta).await.0.is_empty());
}

#[tokio::test]
async fn contract_that_needs_marketing_too_gets_those_who_agreed_to_both() {
    let shop = open().await;
    let mut contract = contract(&["/name"]);
    contract["consent"] = json!(["sharing", "marketing"]);
    put(&shop, "/api/partners/willy", contract).await;
    let says = async |marketing: bool| {
        let sharing = json!([{"partnerId": "willy", "granted": true}]);
        let body = json!({"source": "test", "marketing": marketing, "sharing": sharing});
        put(&shop, "/api/customers/ada/consents", body).await;
    };
    says(true).await;
    shop.advance(Duration::from_secs(3600));
    let (first, delta) = pull_all(&shop, PULL).await;
    assert_eq!(names(&first), ["ADA"]);
    says(false).await;
    let (second, _) = pull_all(&shop, &delta).await;
    assert_eq!(second, [json!({"id": alias(&first, "ADA"), "removed": true})]);
}

#[tokio::test]
async fn nothing_is_shared_unless_it_is_named() {
    let shop = TestShop::open(&[]).await;
    agree(&shop, "willy", &[]).await;
    consent(&shop, "ada", &["willy"]).await;
    let (items, _) = pull_all(&shop, PULL).await;
    let members: Vec<_> = items[0].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!((items.len(), members), (1, vec!["id"]));
    assert_ne!(items[0]["id"], "ada");
}

#[tokio::test]
async fn two_partners_know_one_customer_under_different_names() {
    let shop = open().await;
    agree(&shop, "other", &["/name"]).await;
    consent(&shop, "ada", &["willy", "other"]).await;
    let (willys, _) = pull_all(&shop, PULL).await;
    let (others, _) = pull_all(&shop, "/api/partners/other/customers").await;
    assert_ne!(alias(&willys, "ADA"), alias(&others, "ADA"));
    let partner = shop.get("/api/partners/willy").await.body.to_string();
    assert!(!partner.contains("secret"), "{partner}");
}

#[tokio::test]
async fn cursor_of_another_partner_is_no_cursor() {
    let shop = open().await;
    agree(&shop, "other", &["/name"]).await;
    let (_, delta) = pull_all(&shop, PULL).await;
    let refused = shop.get(&delta.replace("willy", "other")).await;
    assert_eq!(
        (code(&refused), &refused.body["errors"][0]["parameter"]),
        ((400, "invalid-query"), &json!("cursor"))
    );
    for cursor in ["x", "mrsw4ztjmnrw643vojsxgzltoq", ""] {
        assert_eq!(code(&shop.get(&format!("{PULL}?cursor={cursor}")).await), (400, "invalid-query"));
    }
}

#[tokio::test]
async fn partner_that_asks_for_anothers_customers_finds_nothing_and_nothing_is_recorded() {
    let shop = open().await;
    agree(&shop, "other", &["/name"]).await;
    let (_, delta) = pull_all(&shop, PULL).await;
    let other = shop.token(&Bearer::Partner(PartnerId::parse("other").unwrap()));
    for path in [PULL, &delta, "/api/partners/nobody/customers"] {
        for accept in ["application/json", "text/csv"] {
            let headers = [("authorization", other.as_str()), ("accept", accept)];
            let answer = shop.send("GET", path, &headers, None).await;
            assert_eq!(code(&answer), (404, "not-found"), "{path}");
        }
    }
    let pulls = shop.get("/api/partners/willy/disclosures").await.body;
    assert_eq!(pulls["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn without_a_contract_or_after_its_end_nothing_leaves() {
    let shop = open().await;
    assert_eq!(code(&shop.get("/api/partners/nobody/customers").await), (403, "no-contract"));
    let (_, delta) = pull_all(&shop, PULL).await;
    shop.advance(Duration::from_secs(400 * 86_400));
    for path in [PULL, &delta] {
        assert_eq!(code(&shop.get(path).await), (403, "no-contract"));
    }
    assert_eq!(shop.get("/api/partners/willy/disclosures").await.body["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn cursor_of_another_contract_gives_everybody_anew_and_who_has_left_since() {
    let shop = open().await;
    let (first, delta) = pull_all(&shop, PULL).await;
    let same = put(&shop, "/api/partners/willy", contract(&["/name"])).await;
    assert_eq!(same.body["version"], 1);
    let (_, delta) = pull_all(&shop, &delta).await;
    let wider = put(&shop, "/api/partners/willy", contract(&["/name", "/email"])).await;
    assert_eq!(wider.body["version"], 2);
    let (anew, _) = pull_all(&shop, &delta).await;
    let (items, _) = pull_all(&shop, PULL).await;
    assert_eq!(anew, items);
    assert_eq!(items.len(), first.len());
    assert_eq!(alias(&items, "ADA"), alias(&first, "ADA"));
    assert!(items.iter().all(|item| item["email"].is_string()), "{items:?}");
}

#[tokio::test]
async fn contract_is_agreed_on_at_a_version_and_with_every_mistake_named() {
    let shop = open().await;
    let put = async |condition: (&str, &str), body: Value| {
        shop.put("/api/partners/willy", &[condition], body).await
    };
    let again = put(("If-None-Match", "*"), contract(&[])).await;
    assert_eq!(again.status, StatusCode::PRECONDITION_FAILED);
    let missing = shop.put("/api/partners/nobody", &[("If-Match", "*")], contract(&[])).await;
    assert_eq!(missing.status, StatusCode::PRECONDITION_FAILED);
    let body = json!({"purpose": " ", "fields": ["/id", "/name"], "consent": [], "validUntil": "2027-01-01T00:00:00Z"});
    let refused = put(("If-Match", "*"), body).await;
    let pointers: Vec<_> = refused.body["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["pointer"].as_str().unwrap())
        .collect();
    assert_eq!(
        (code(&refused), pointers),
        ((400, "invalid-body"), vec!["/purpose", "/fields/0", "/consent"])
    );
    let body = json!({"purpose": "x", "consent": ["marketing"], "validUntil": "2027-01-01T00:00:00Z"});
    assert_eq!(code(&put(("If-Match", "*"), body).await), (400, "invalid-body"));
    assert_eq!(code(&put(("If-Match", "*"), json!({"purpose": "x"})).await), (400, "invalid-body"));
    let found = shop.get("/api/partners").await;
    assert_eq!(found.body["items"], json!([shop.get("/api/partners/willy").await.body]));
    assert_eq!(code(&shop.get("/api/partners/nobody").await), (404, "not-found"));
    assert_eq!(code(&shop.get("/api/partners/nobody/disclosures").await), (404, "not-found"));
}

#[tokio::test]
async fn staff_see_every_pull_and_customers_who_got_their_data() {
    let shop = open().await;
    let (_, delta) = pull_all(&shop, PULL).await;
    shop.advance(Duration::from_secs(1));
    rename(&shop, "ada", "Ada Byron").await;
    consent(&shop, "bob", &[]).await;
    pull_all(&shop, &delta).await;

    let pulls = shop.get("/api/partners/willy/disclosures").await.body;
    let counts: Vec<_> = pulls["items"].as_array().unwrap().iter().map(|pull| &pull["count"]).collect();
    let expected = [json!({"customers": 1, "removed": 1}), json!({"customers": 3, "removed": 0})];
    assert_eq!(counts, expected.iter().collect::<Vec<_>>());
    assert!(delta.ends_with(pulls["items"][0]["after"].as_str().unwrap()));
    assert_eq!(pulls["items"][1]["after"], Value::Null);
    assert_eq!(pulls["items"][0]["fields"], json!(["/name"]));
    let page = shop.get("/api/partners/willy/disclosures?limit=1").await.body;
    let next = shop.get(page["nextLink"].as_str().unwrap()).await.body;
    assert_eq!((&page["items"][0], &next["items"][0]), (&pulls["items"][0], &pulls["items"][1]));

    let about = async |id: &str| shop.get(&format!("/api/customers/{id}/disclosures")).await;
    for (id, times) in [("ada", 2), ("bob", 1), ("dan", 0)] {
        let found = about(id).await.body;
        assert_eq!(found["items"].as_array().unwrap().len(), times, "{id}: {found}");
        let export = shop.get(&format!("/api/customers/{id}/export")).await.body;
        assert_eq!(export["disclosures"], found["items"], "{id}");
    }
    let newest = &about("ada").await.body["items"][0];
    assert_eq!((&newest["partnerId"], &newest["purpose"]), (&json!("willy"), &json!("delivers flyers")));
    assert_eq!(code(&about("nobody").await), (404, "not-found"));
    shop.send("DELETE", "/api/customers/ada", &[], None).await;
    assert_eq!(about("ada").await.body["items"].as_array().unwrap().len(), 2, "also of one who was erased");
}

async fn lines(shop: &TestShop, path: &str, accept: &str) -> String {
    let (status, headers, body) = shop.exchange("GET", path, &[("Accept", accept)], "").await;
    assert_eq!((status, &headers["content-type"]), (StatusCode::OK, &accept.parse().unwrap()));
    assert_eq!(
        (&headers["cache-control"], &headers["vary"]),
        (&"private, no-store".parse().unwrap(), &"Accept, Accept-Encoding".parse().unwrap())
    );
    String::from_utf8(body.to_vec()).unwrap()
}

#[tokio::test]
async fn lines_say_the_same_as_pages_and_end_with_the_cursor() {
    let shop = open().await;
    let (items, _) = pull_all(&shop, PULL).await;
    let text = lines(&shop, PULL, "application/x-ndjson").await;
    let mut read: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let last = read.pop().unwrap();
    assert_eq!(last["change"], "cursor");
    for line in &mut read {
        assert_eq!(line.as_object_mut().unwrap().remove("change"), Some(json!("customer")));
    }
    let by_id = |mut items: Vec<Value>| {
        items.sort_by_key(|item| item["id"].to_string());
        items
    };
    assert_eq!(by_id(read), by_id(items.clone()));

    consent(&shop, "bob", &[]).await;
    let delta = format!("{PULL}?cursor={}", last["cursor"].as_str().unwrap());
    let text = lines(&shop, &delta, "application/x-ndjson").await;
    let removed: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    assert_eq!(
        (removed, text.lines().count()),
        (json!({"change": "removed", "id": alias(&items, "BOB")}), 2)
    );
    let pulls = shop.get("/api/partners/willy/disclosures").await.body;
    let counts: Vec<_> =
        pulls["items"].as_array().unwrap().iter().map(|pull| (&pull["form"], &pull["count"])).collect();
    assert!(counts.contains(&(&json!("ndjson"), &json!({"customers": 3, "removed": 0}))), "{counts:?}");
    assert!(counts.contains(&(&json!("ndjson"), &json!({"customers": 0, "removed": 1}))), "{counts:?}");
}

#[tokio::test]
async fn rows_are_quoted_ended_and_guarded() {
    let shop = TestShop::open(&[]).await;
    agree(&shop, "willy", &["/name", "/phone", "/addresses/*/city"]).await;
    let address = json!({"lines": ["Street 1"], "city": "Frankfurt, \"Main\"", "country": "DE"});
    let body = json!({
        "id": "ada", "email": "ada@example.com", "name": "=HYPERLINK(\"http://x\")", "phone": "+4930123456",
        "addresses": [address],
    });
    put(&shop, "/api/customers/ada", body).await;
    consent(&shop, "ada", &["willy"]).await;
    let text = lines(&shop, PULL, "text/csv").await;
    let rows: Vec<_> = text.split("\r\n").collect();
    let head = "change,id,name,phone,addresses.0.city,addresses.1.city,";
    assert!(rows[0].starts_with(head), "{text}");
    let cells = r#","'=HYPERLINK(""http://x"")",'+4930123456,"Frankfurt, ""Main""",,,,,,,,,"#;
    assert!(rows[1].starts_with("customer,") && rows[1].ends_with(cells), "{text}");
    assert!(rows[2].starts_with("cursor,") && rows[2].ends_with(",,,,,,,,,,,,"), "{text}");
    assert_eq!((rows.len(), rows[3]), (4, ""));
    let read = csv::Reader::from_reader(text.as_bytes()).into_records().map(Result::unwrap).count();
    assert_eq!(read, 2);
    assert!(!text.contains("Street"), "{text}");
}

#[tokio::test]
async fn form_that_there_is_not_is_refused_and_streams_take_no_limit() {
    let shop = open().await;
    let ask = async |path: &str, accept: &str| {
        let (status, _, body) = shop.exchange("GET", path, &[("Accept", accept)], "").await;
        (status.as_u16(), serde_json::from_slice::<Value>(&body).unwrap()["code"].clone())
    };
    assert_eq!(ask(PULL, "text/html").await, (406, json!("not-acceptable")));
    assert_eq!(ask(&format!("{PULL}?limit=5"), "text/csv").await, (400, json!("invalid-query")));
    for limit in ["0", "1001", "x", ""] {
        let path = format!("{PULL}?limit={limit}");
        assert_eq!(ask(&path, "*/*").await, (400, json!("invalid-query")), "{limit}");
    }
}

#[tokio::test]
async fn cursor_outlives_a_split_of_the_partitions() {
    let shop = open().await;
    let (first, delta) = pull_all(&shop, PULL).await;
    shop.emulator.begin_split(DATABASE, "customers", "ada").await.unwrap().finish().await.unwrap();
    rename(&shop, "ada", "Ada Byron").await;
    let (second, delta) = pull_all(&shop, &delta).await;
    assert_eq!(names(&second), ["Ada Byron"]);
    consent(&shop, "bob", &[]).await;
    let (third, _) = pull_all(&shop, &delta).await;
    assert_eq!(third, [json!({"id": alias(&first, "BOB"), "removed": true})]);
    assert_eq!(pull_all(&shop, PULL).await.0.len(), 3, "two, and bob, who left a moment ago");
}

#[tokio::test]
async fn contract_that_changes_while_a_stream_goes_on_ends_it() {
    let shop = open().await;
    let willy = PartnerId::parse("willy").unwrap();
    let one = NonZeroU32::MIN;
    let Opened::Pull(mut pull) = shop.app.open_pull(&willy, None, Form::Ndjson, one).await.unwrap() else {
        panic!("there is a contract");
    };
    assert!(pull.next().await.unwrap().is_some());
    put(&shop, "/api/partners/willy", contract(&[])).await;
    assert!(pull.next().await.unwrap().is_none());
    let pulls = shop.get("/api/partners/willy/disclosures").await.body;
    assert_eq!(
        (&pulls["items"][0]["contractVersion"], &pulls["items"][0]["count"]),
        (&json!(1), &Value::Null)
    );
}
