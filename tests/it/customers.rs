//! Customers: one address each that nobody else has, consents with their times, all that we hold in one answer, and an
//! erasure that leaves nothing personal in any container.
#![cfg(test)]

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::StatusCode;
use azure_data_cosmos::FeedScope;
use futures::TryStreamExt;
use futures::future::{BoxFuture, FutureExt};
use serde_json::{Value, json};
use widgetco::domain::customer::contact::Email;
use widgetco::domain::id::CustomerId;
use widgetco::store::containers::Container;
use widgetco::store::customers::{Record, claims};
use widgetco::store::emulator::{Fate, Gate};

use crate::group_commit::behind;
use crate::shop::{Answer, TestShop, order_body};

/// What identifies Eve: none of it may be left when she is gone.
const PERSONAL: [&str; 8] = [
    "eve.private@mail.example",
    "Eve Example",
    "+4930987654",
    "Secret Street",
    "SW1A-2AA-7",
    "Hiddenham",
    "\"QQ\"",
    "phone call",
];

fn body(id: &str, email: &str) -> Value {
    json!({"id": id, "email": email, "name": id.to_uppercase()})
}

fn eve() -> Value {
    let address = json!({
        "lines": ["Secret Street 7"], "postalCode": "SW1A-2AA-7", "city": "Hiddenham", "country": "QQ",
    });
    json!({
        "id": "eve", "email": PERSONAL[0], "name": "Eve Example", "phone": "+4930987654", "addresses": [address],
    })
}

async fn add(shop: &TestShop, body: Value) -> Answer {
    shop.post("/api/customers", &[], body).await
}

/// Puts what the caller wants in the place of whatever is there.
async fn put(shop: &TestShop, path: &str, body: Value) -> Answer {
    shop.put(path, &[("If-Match", "*")], body).await
}

fn code(answer: &Answer) -> (u16, &str) {
    (answer.status.as_u16(), answer.body["code"].as_str().unwrap_or_default())
}

fn id(text: &str) -> CustomerId {
    CustomerId::parse(text).unwrap()
}

fn email(text: &str) -> Email {
    Email::parse(text).unwrap()
}

/// Every document of every container, each with its container's name.
async fn everything(shop: &TestShop) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    for name in Container::ALL.map(|container| container.definition().name) {
        let container = shop.container(name).await;
        let all = container.query_items::<Value>("SELECT * FROM c", FeedScope::full_container(), None).await;
        let all: Vec<Value> = all.unwrap().try_collect().await.unwrap();
        found.extend(all.into_iter().map(|document| (name, document.to_string())));
    }
    found
}

/// The documents that hold any of these texts, whatever the case.
async fn holding(shop: &TestShop, texts: &[&str]) -> Vec<(&'static str, String)> {
    let holds = |document: &str| {
        let document = document.to_lowercase();
        texts.iter().any(|text| document.contains(&text.to_lowercase()))
    };
    everything(shop).await.into_iter().filter(|(_, document)| holds(document)).collect()
}

/// Adds Eve, who agrees to things, orders twice and cancels once.
async fn shop_with_eve() -> (TestShop, String) {
    let shop = TestShop::open(&[("w", 10)]).await;
    let added = shop.post("/api/customers", &[("Idempotency-Key", "eve-1")], eve()).await;
    assert_eq!(added.status, StatusCode::CREATED, "{:?}", added.body);
    let consents = json!({
        "source": "phone call", "marketing": true, "sharing": [{"partnerId": "nosy-partner", "granted": true}],
    });
    let set = put(&shop, "/api/customers/eve/consents", consents).await;
    assert_eq!(set.status, StatusCode::OK, "{:?}", set.body);
    let order = shop.place("eve", &[("w", 2)]).await;
    shop.advance(Duration::from_secs(1));
    let second = shop.place("eve", &[("w", 1)]).await;
    shop.work().await;
    let cancelled = shop.post(&format!("/api/orders/{second}/cancellation"), &[], json!({})).await;
    assert_eq!(cancelled.status, StatusCode::OK);
    shop.work().await;
    (shop, order)
}

async fn ship(shop: &TestShop, order: &str) {
    let shipped = shop.put(&format!("/api/orders/{order}/shipment"), &[], json!({})).await;
    assert_eq!(shipped.status, StatusCode::OK, "{:?}", shipped.body);
}

/// What eve says of products.
const SAID: &str = "as comfortable as my sofa at home";

#[tokio::test]
async fn erased_customer_leaves_nothing_personal_in_any_container() {
    let (shop, order) = shop_with_eve().await;
    let claim = email(PERSONAL[0]).fingerprint();
    let personal = [&PERSONAL[..], &[claim.as_str()]].concat();
    for text in &personal {
        assert!(!holding(&shop, &[text]).await.is_empty(), "{text} was never there");
    }
    shop.add_product("v", 1).await;
    for product in ["w", "v"] {
        let review = json!({"rating": 4, "title": SAID, "text": SAID});
        let path = format!("/api/products/{product}/reviews/eve");
        assert_eq!(shop.put(&path, &[], review).await.status, StatusCode::CREATED);
    }
    let exported = shop.get("/api/customers/eve/export").await.body;
    assert_eq!(exported["reviews"].as_array().unwrap().len(), 2);
    let reason = json!({ "reason": SAID });
    let cancelled = shop.place("eve", &[("w", 1)]).await;
    shop.post(&format!("/api/orders/{cancelled}/cancellation"), &[], reason).await;
    let tracked = json!({"carrier": "Parcel post", "trackingNumber": SAID});
    let shipped = shop.put(&format!("/api/orders/{order}/shipment"), &[], tracked).await;
    assert_eq!(shipped.status, StatusCode::OK, "{:?}", shipped.body);
    // Staff repeat it when they hide what she said, and she takes that back herself.
    let hidden = json!({"status": "hidden", "reason": SAID});
    shop.put("/api/products/v/reviews/eve/moderation", &[], hidden).await;
    shop.send("DELETE", "/api/products/v/reviews/eve", &[], None).await;
    let told: Vec<_> = holding(&shop, &[SAID]).await.into_iter().map(|(name, _)| name).collect();
    assert_eq!(told.iter().filter(|name| **name == "orders").count(), 4, "{told:?}");
    assert!(told.contains(&"reviews"));
    let personal = [&personal[..], &[SAID]].concat();
    let erased = shop.send("DELETE", "/api/customers/eve", &[], None).await;
    assert_eq!(
        (erased.status, erased.header("cache-control")),
        (StatusCode::NO_CONTENT, "private, no-store")
    );
    assert_eq!(holding(&shop, &personal).await, []);
    let left = shop.documents("customers", "eve").await;
    let fields: Vec<_> =
        left[0].as_object().unwrap().keys().filter(|name| !name.starts_with('_')).cloned().collect();
    assert_eq!(fields, ["consents", "erasedAt", "id", "schemaVersion", "type"]);
    // Whom they had agreed to has to be told.
    assert_eq!(left[0]["consents"], json!({"sharing": [{"partnerId": "nosy-partner"}]}));
    shop.work().await;
    assert_eq!(shop.order(&order).await["shipment"]["carrier"], "Parcel post");
    shop.audit("w").await;
    let again = shop.send("DELETE", "/api/customers/eve", &[], None).await;
    assert_eq!(again.status, StatusCode::NO_CONTENT);
    assert_eq!(shop.documents("customers", "eve").await, left);
}

#[tokio::test]
async fn personal_data_lives_in_one_container_but_for_where_an_order_goes() {
    let (shop, _) = shop_with_eve().await;
    let elsewhere = holding(&shop, &PERSONAL).await.into_iter().filter(|(name, _)| *name != "customers");
    let elsewhere: Vec<Value> =
        elsewhere.map(|(_, document)| serde_json::from_str(&document).unwrap()).collect();
    assert_eq!(elsewhere.len(), 2, "{elsewhere:?}");
    for mut document in elsewhere {
        assert_eq!((&document["type"], &document["ttl"]), (&json!("shippingAddress"), &json!(180 * 86_400)));
        document["address"].take();
        assert!(PERSONAL.iter().all(|text| !document.to_string().contains(text)), "{document}");
    }
    for queue in ["orders", "orders-poison", "orders-rejected"] {
        let texts = shop.messages(queue).join("");
        assert!(PERSONAL.iter().all(|text| !texts.contains(text)), "{queue}: {texts}");
    }
}

/// What is logged in this thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A shop over HTTP whose store refuses everything once so many requests have passed.
async fn shop_with_weak_store(passes: Arc<AtomicUsize>) -> TestShop {
    let gate: Gate = Arc::new(move |_| -> BoxFuture<'static, Fate> {
        let passed = passes.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_ok();
        async move { if passed { Fate::Pass } else { Fate::Refuse(503) } }.boxed()
    });
    behind(gate, &[]).await.0
}

#[tokio::test]
async fn logs_name_customers_by_their_id_alone() {
    let (log, passes) = (Log::default(), Arc::new(AtomicUsize::new(usize::MAX)));
    let writer = log.clone();
    let lines =
        tracing_subscriber::fmt().with_env_filter("info,widgetco=trace,azure_data_cosmos_driver=warn");
    let _logging = tracing::subscriber::set_default(lines.with_writer(move || writer.clone()).finish());
    let shop = shop_with_weak_store(Arc::clone(&passes)).await;
    shop.get("/api/customers/ada").await;
    let moved = json!({"id": "eve", "email": "other.private@mail.example", "name": "Eve Example"});
    let any = [("If-Match", "*")];
    for (method, path, headers, body) in [
        ("POST", "/api/customers", &[][..], Some(eve())),
        ("PUT", "/api/customers/eve", &any[..], Some(moved)),
        ("DELETE", "/api/customers/eve", &[][..], None),
    ] {
        // Each step fails once and says so.
        for count in 0.. {
            passes.store(count, SeqCst);
            let answer = shop.send(method, path, headers, body.as_ref().map(Value::to_string)).await;
            if answer.status.is_success() {
                break;
            }
            assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{method}: {:?}", answer.body);
        }
    }
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    for said in
        ["create customers eve", "replace customers eve", "address for customer eve", "remove the claim"]
    {
        assert!(text.contains(said), "{said} is not in {text}");
    }
    let claims = [PERSONAL[0], "other.private@mail.example"].map(|text| email(text).fingerprint());
    let hashes = claims.each_ref().map(|claim| claim.as_str());
    for personal in PERSONAL.iter().chain(&hashes).chain(&["other.private"]) {
        assert!(!text.contains(personal), "{personal} is in {text}");
    }
}

#[tokio::test]
async fn customer_whose_order_is_not_done_is_not_erased() {
    let (shop, order) = shop_with_eve().await;
    let before = shop.documents("customers", "eve").await;
    let refused = shop.send("DELETE", "/api/customers/eve", &[], None).await;
    assert_eq!(code(&refused), (409, "orders-open"));
    assert_eq!(shop.documents("customers", "eve").await, before);
    assert_eq!(shop.get(&format!("/api/orders/{order}/shipping-address")).await.status, StatusCode::OK);
    ship(&shop, &order).await;
    let erased = shop.send("DELETE", "/api/customers/eve", &[], None).await;
    assert_eq!(erased.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn orders_of_an_erased_customer_stay_and_no_others_come() {
    let (shop, order) = shop_with_eve().await;
    ship(&shop, &order).await;
    let before = shop.order(&order).await;
    shop.send("DELETE", "/api/customers/eve", &[], None).await;
    assert_eq!(shop.order(&order).await, before);
    let orders = shop.get("/api/customers/eve/orders").await.body;
    assert_eq!(orders["items"].as_array().unwrap().len(), 2);
    let refused = shop.post("/api/orders", &[], order_body("eve", &[("w", 1)])).await;
    assert_eq!(code(&refused), (422, "unprocessable-order"));
    assert_eq!(refused.body["errors"][0]["pointer"], "/customerId");
    shop.audit("w").await;
}

#[tokio::test]
async fn erased_customer_is_gone_and_the_id_is_nobody_elses() {
    let (shop, order) = shop_with_eve().await;
    ship(&shop, &order).await;
    shop.send("DELETE", "/api/customers/eve", &[], None).await;
    for path in ["/api/customers/eve", "/api/customers/eve/export"] {
        assert_eq!(code(&shop.get(path).await), (410, "customer-erased"));
    }
    assert_eq!(code(&put(&shop, "/api/customers/eve", eve()).await), (410, "customer-erased"));
    let consents = json!({"source": "x", "marketing": false});
    assert_eq!(code(&put(&shop, "/api/customers/eve/consents", consents).await), (410, "customer-erased"));
    assert_eq!(code(&add(&shop, eve()).await), (409, "id-taken"));
    let replay = shop.post("/api/customers", &[("Idempotency-Key", "eve-1")], eve()).await;
    assert_eq!(code(&replay), (409, "id-taken"));
    // The address is free at once.
    assert_eq!(add(&shop, body("eve2", PERSONAL[0])).await.status, StatusCode::CREATED);
    let listed = shop.get("/api/customers").await.body;
    let ids: Vec<_> =
        listed["items"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["ada", "bob", "eve2"]);
}

#[tokio::test]
async fn export_holds_all_about_one_customer_by_page() {
    let (shop, order) = shop_with_eve().await;
    shop.place("ada", &[("w", 1)]).await;
    let (mut orders, mut path) = (Vec::new(), "/api/customers/eve/export?limit=1".to_owned());
    loop {
        let page = shop.get(&path).await;
        assert_eq!((page.status, page.header("cache-control")), (StatusCode::OK, "private, no-store"));
        assert_eq!(page.body["customer"], shop.get("/api/customers/eve").await.body);
        orders.extend(page.body["orders"].as_array().unwrap().clone());
        match page.body["nextLink"].as_str() {
            Some(next) => path = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(orders.len(), 2);
    assert_eq!(orders[1]["order"], shop.order(&order).await);
    let events = shop.get(&format!("/api/orders/{order}/events")).await.body;
    assert_eq!(orders[1]["events"], events["items"]);
    assert_eq!(orders[0]["order"]["status"], "cancelled");
}

#[tokio::test]
async fn address_belongs_to_one_customer_whatever_its_case() {
    let shop = TestShop::open(&[]).await;
    let refused = add(&shop, body("cy", "ADA@Example.com")).await;
    assert_eq!(code(&refused), (409, "email-taken"));
    assert_eq!(refused.body["errors"][0]["pointer"], "/email");
    let told = refused.body.to_string();
    assert!(!told.contains("ada") && !told.contains("ADA"), "{told}");
    assert_eq!(shop.get("/api/customers/cy").await.status, StatusCode::NOT_FOUND);
    let refused = put(&shop, "/api/customers/bob", body("bob", "ada@EXAMPLE.com")).await;
    assert_eq!(code(&refused), (409, "email-taken"));
    let recased = put(&shop, "/api/customers/ada", body("ada", "Ada@Example.com")).await;
    assert_eq!((recased.status, &recased.body["email"]), (StatusCode::OK, &json!("Ada@Example.com")));
}

#[tokio::test]
async fn address_that_was_given_up_is_free_for_others() {
    let shop = TestShop::open(&[]).await;
    let before = shop.requests();
    let moved = put(&shop, "/api/customers/ada", body("ada", "ada@new.example")).await;
    assert_eq!(moved.status, StatusCode::OK, "{:?}", moved.body);
    assert_eq!(shop.requests() - before, 5, "customer, both claims, customer, old claim");
    assert_eq!(add(&shop, body("cy", "ada@example.com")).await.status, StatusCode::CREATED);
    assert_eq!(code(&add(&shop, body("dee", "ada@new.example")).await), (409, "email-taken"));
    let before = shop.requests();
    assert_eq!(add(&shop, body("dee", "dee@example.com")).await.status, StatusCode::CREATED);
    assert_eq!(shop.requests() - before, 3, "who is there, the claim, the customer");
}

#[tokio::test]
async fn claim_of_a_request_that_was_cut_off_is_taken_over_after_a_while() {
    let shop = TestShop::open(&[]).await;
    let customers = &shop.app.store.customers;
    // Of what `cut` asked for only the claim was written.
    assert!(customers.claim(&email("x@example.com"), &id("cut"), shop.app.clock.now()).await.unwrap());
    assert_eq!(code(&add(&shop, body("cy", "x@example.com")).await), (503, "unavailable"));
    shop.advance(claims::PATIENCE.to_std().unwrap());
    assert_eq!(add(&shop, body("cy", "x@example.com")).await.status, StatusCode::CREATED);
    assert_eq!(code(&add(&shop, body("cut", "x@example.com")).await), (409, "email-taken"));
    // The id is vacant, and can be had with another address.
    assert_eq!(shop.get("/api/customers/cut").await.status, StatusCode::NOT_FOUND);
    assert_eq!(
        code(&put(&shop, "/api/customers/cut", body("cut", "y@example.com")).await),
        (404, "not-found")
    );
    assert_eq!(add(&shop, body("cut", "y@example.com")).await.status, StatusCode::CREATED);
    assert_eq!(shop.documents("customers", "cut").await[0].get("ttl"), None);
}

#[tokio::test]
async fn request_that_was_cut_off_goes_on_when_it_comes_again() {
    let shop = TestShop::open(&[]).await;
    let customers = &shop.app.store.customers;
    assert!(customers.claim(&email("x@example.com"), &id("cy"), shop.app.clock.now()).await.unwrap());
    assert_eq!(add(&shop, body("cy", "x@example.com")).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn slow_giver_is_outdated_by_whoever_takes_its_claim() {
    let shop = TestShop::open(&[]).await;
    let customers = &shop.app.store.customers;
    let wanted = email("x@example.com");
    // Ada's worker has looked, has claimed, and sleeps.
    let Some(seen) = customers.find(&id("ada")).await.unwrap() else { panic!("no ada") };
    assert!(customers.claim(&wanted, &id("ada"), shop.app.clock.now()).await.unwrap());
    shop.advance(claims::PATIENCE.to_std().unwrap());
    assert_eq!(put(&shop, "/api/customers/bob", body("bob", "x@example.com")).await.status, StatusCode::OK);
    // It wakes up.
    let mut late = seen.value.clone();
    late.details.email = wanted.clone();
    assert_eq!(customers.replace(&seen.etag, &late).await.unwrap(), widgetco::store::Written::Overtaken);
    let ada = customers.find(&id("ada")).await.unwrap().unwrap();
    assert_eq!(ada.value, seen.value, "she is as she was");
}

#[tokio::test]
async fn claim_that_is_made_anew_is_not_taken_over_on_an_old_sight() {
    let shop = TestShop::open(&[]).await;
    let customers = &shop.app.store.customers;
    let (wanted, now) = (email("x@example.com"), shop.app.clock.now());
    assert!(customers.claim(&wanted, &id("ada"), now).await.unwrap());
    let sight = customers.claim_of(&wanted).await.unwrap().unwrap();
    assert!(customers.claim(&wanted, &id("ada"), now).await.unwrap());
    let renewed = customers.claim_of(&wanted).await.unwrap().unwrap();
    assert_eq!(renewed.value, sight.value);
    assert_ne!(renewed.etag, sight.etag);
    // Nor is it taken away by those who saw the old one.
    customers.release(&wanted, &id("ada"), &sight).await.unwrap();
    assert_eq!(customers.claim_of(&wanted).await.unwrap(), Some(renewed));
}

#[tokio::test]
async fn of_many_who_want_one_address_at_once_one_gets_it() {
    let shop = TestShop::open(&[]).await;
    let names: Vec<_> = (0..8).map(|number| format!("r{number}")).collect();
    let wishes = names.iter().map(|name| add(&shop, body(name, "one@example.com")));
    let answers = futures::future::join_all(wishes).await;
    let created = answers.iter().filter(|answer| answer.status == StatusCode::CREATED).count();
    assert_eq!(created, 1);
    let refused = answers.iter().filter(|answer| matches!(code(answer), (409, "email-taken") | (503, _)));
    assert_eq!(refused.count(), names.len() - 1);
}

#[tokio::test]
async fn erasure_also_takes_away_claims_that_were_left_behind() {
    let shop = TestShop::open(&[]).await;
    let customers = &shop.app.store.customers;
    let left = email("left@example.com");
    assert!(customers.claim(&left, &id("ada"), shop.app.clock.now()).await.unwrap());
    assert_eq!(shop.send("DELETE", "/api/customers/ada", &[], None).await.status, StatusCode::NO_CONTENT);
    assert_eq!(customers.claim_of(&left).await.unwrap(), None);
    assert_eq!(customers.claim_of(&email("ada@example.com")).await.unwrap(), None);
    // One that a slow request leaves after that goes when it is erased once more.
    assert!(customers.claim(&left, &id("ada"), shop.app.clock.now()).await.unwrap());
    assert_eq!(shop.send("DELETE", "/api/customers/ada", &[], None).await.status, StatusCode::NO_CONTENT);
    assert_eq!(customers.claim_of(&left).await.unwrap(), None);
    assert!(matches!(customers.newest(&id("ada")).await.unwrap().unwrap().value, Record::Erased(_)));
}

#[tokio::test]
async fn same_request_twice_makes_one_customer() {
    let shop = TestShop::open(&[]).await;
    assert_eq!(add(&shop, eve()).await.status, StatusCode::CREATED);
    let again = add(&shop, eve()).await;
    assert_eq!((again.status, again.header("idempotency-replayed")), (StatusCode::CREATED, "true"));
    let other = add(&shop, body("eve", PERSONAL[0])).await;
    assert_eq!(code(&other), (409, "id-taken"));
}

#[tokio::test]
async fn consents_keep_the_time_and_the_source_of_when_they_were_first_said() {
    let shop = TestShop::open(&[]).await;
    let path = "/api/customers/ada/consents";
    let first = json!({
        "source": "checkout", "marketing": true, "sharing": [{"partnerId": "a", "granted": true}],
    });
    let first = put(&shop, path, first).await.body;
    shop.advance(Duration::from_secs(60));
    let second = put(&shop, path, json!({"source": "account page", "marketing": true})).await.body;
    assert_eq!(second["consents"]["marketing"], first["consents"]["marketing"]);
    let withdrawn = json!([{
        "partnerId": "a", "granted": false, "at": "2026-03-02T09:16:00.000Z", "source": "account page",
        "agreedAt": "2026-03-02T09:15:00.000Z",
    }]);
    assert_eq!(second["consents"]["sharing"], withdrawn);
    let future = json!({"source": "x", "marketing": true, "at": "2030-01-01T00:00:00Z"});
    assert_eq!(code(&put(&shop, path, future).await), (400, "invalid-body"));
    // Details that are put anew leave consents alone.
    let details = put(&shop, "/api/customers/ada", body("ada", "ada@example.com")).await;
    assert_eq!(details.body["consents"], second["consents"]);
}

#[tokio::test]
async fn customer_is_replaced_only_at_the_version_that_is_named() {
    let shop = TestShop::open(&[]).await;
    let seen = shop.get("/api/customers/ada").await;
    let version = [("If-Match", seen.header("etag"))];
    let other = json!({"id": "ada", "email": "ada@example.com", "name": "Ada"});
    let done = shop.put("/api/customers/ada", &version, other.clone()).await;
    assert_eq!((done.status, &done.body["name"]), (StatusCode::OK, &json!("Ada")));
    let stale = shop.put("/api/customers/ada", &version, body("ada", "ada@example.com")).await;
    assert_eq!(stale.status, StatusCode::PRECONDITION_FAILED);
    let misnamed = put(&shop, "/api/customers/bob", other).await;
    assert_eq!(code(&misnamed), (422, "unprocessable-body"));
    assert_eq!(misnamed.body["errors"][0]["pointer"], "/id");
}

#[tokio::test]
async fn customers_come_by_page_without_keys_and_claims() {
    let shop = TestShop::open(&[]).await;
    for name in ["cy", "Dee", "eli"] {
        let key = [("Idempotency-Key", name)];
        shop.post("/api/customers", &key, body(name, &format!("{name}@example.com"))).await;
    }
    let (mut seen, mut path) = (Vec::new(), "/api/customers?limit=2".to_owned());
    loop {
        let page = shop.get(&path).await;
        assert_eq!((page.status, page.header("cache-control")), (StatusCode::OK, "private, no-store"));
        let items = page.body["items"].as_array().unwrap().clone();
        assert!(items.len() <= 2);
        seen.extend(items.iter().map(|one| one["id"].as_str().unwrap().to_owned()));
        match page.body["nextLink"].as_str() {
            Some(next) => path = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(seen, ["Dee", "ada", "bob", "cy", "eli"]);
}
