//! Reviews: written, read, listed, taken back, voted for, reported and moderated; and a summary that says at every moment what
//! they say.
#![cfg(test)]

use std::collections::BTreeMap;
use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};
use widgetco::domain::review::Content;
use widgetco::domain::review::terms::terms_of;

use crate::shop::{Answer, TestShop};

const REVIEWS: &str = "/api/products/w/reviews";

impl TestShop {
    pub(crate) async fn review(&self, customer: &str, rating: u32) -> Answer {
        let body = json!({"rating": rating, "title": format!("By {customer}")});
        self.put(&format!("{REVIEWS}/{customer}"), &[], body).await
    }

    /// Checks summary, votes and reports of a product against its documents, read behind the shop's back. Gives how many
    /// reviews are listed.
    pub(crate) async fn audit_reviews(&self, product: &str) -> u64 {
        let documents = self.documents("reviews", product).await;
        let of_type = |kind: &'static str| documents.iter().filter(move |document| document["type"] == kind);
        let mut ratings = [0_u64; 5];
        for review in of_type("review") {
            let is_hidden = review["moderation"]["status"] == "hidden";
            let rating = review["content"]["rating"].as_u64();
            assert_eq!(review["isListed"], json!(rating.is_some() && !is_hidden), "{review}");
            if let (Some(rating), false) = (rating, is_hidden) {
                ratings[usize::try_from(rating).unwrap() - 1] += 1;
            }
            for (kind, count) in [("vote", "helpful"), ("report", "reports")] {
                let marks = of_type("mark").filter(|mark| {
                    mark["customerId"] == review["customerId"]
                        && mark["edition"] == review["edition"]
                        && mark["reaction"]["kind"] == kind
                });
                assert_eq!(json!(marks.count()), review[count], "{count} of {review}");
            }
            let reasons =
                review["reportReasons"].as_object().into_iter().flat_map(|reasons| reasons.values());
            let reports: u64 = reasons.map(|count| count.as_u64().unwrap()).sum();
            assert_eq!(review["reports"], reports, "reasons of {review}");
        }
        self.audit_months(&documents);
        let summary = of_type("summary").next().map_or(json!([0, 0, 0, 0, 0]), |one| one["ratings"].clone());
        assert_eq!(summary, json!(ratings), "the summary of {product}");
        ratings.iter().sum()
    }

    /// Checks that each month of a product says what the listed reviews say that were written in it.
    fn audit_months(&self, documents: &[Value]) {
        let mut months: BTreeMap<String, ([u64; 5], BTreeMap<String, u64>)> = BTreeMap::new();
        for review in documents.iter().filter(|document| document["isListed"] == true) {
            let month = review["createdAt"].as_str().unwrap()[..7].to_owned();
            let (ratings, terms) = months.entry(month).or_default();
            let content: Content = serde_json::from_value(review["content"].clone()).unwrap();
            ratings[usize::from(content.rating.number()) - 1] += 1;
            for term in terms_of(&content) {
                *terms.entry(term).or_default() += 1;
            }
        }
        for month in documents.iter().filter(|document| document["type"] == "month") {
            let name = month["month"].as_str().unwrap();
            assert_eq!(month["id"], format!("_{name}"));
            let (ratings, terms) = months.remove(name).unwrap_or_default();
            assert_eq!((&month["ratings"], &month["terms"]), (&json!(ratings), &json!(terms)), "{name}");
        }
        assert!(months.is_empty(), "months without a document: {months:?}");
    }
}

async fn summary(shop: &TestShop) -> Value {
    let answer = shop.get("/api/products/w/review-summary").await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    json!([answer.body["count"], answer.body["mean"], answer.body["histogram"]])
}

/// The customers of all pages of a list.
async fn listed(shop: &TestShop, query: &str) -> Vec<String> {
    let (mut seen, mut path) = (Vec::new(), format!("{REVIEWS}?{query}"));
    loop {
        let page = shop.get(&path).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.body);
        let items = page.body["items"].as_array().unwrap();
        seen.extend(items.iter().map(|item| item["customerId"].as_str().unwrap().to_owned()));
        match page.body["nextLink"].as_str() {
            Some(next) => path = next.to_owned(),
            None => return seen,
        }
    }
}

/// The reviews of all pages of the list for staff.
async fn reported(shop: &TestShop, query: &str) -> Vec<String> {
    let (mut seen, mut path) = (Vec::new(), format!("/api/reported-reviews?{query}"));
    loop {
        let page = shop.get(&path).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.body);
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let items = page.body["items"].as_array().unwrap();
        seen.extend(
            items.iter().map(|one| format!("{}/{}", text(&one["productId"]), text(&one["customerId"]))),
        );
        match page.body["nextLink"].as_str() {
            Some(next) => path = next.to_owned(),
            None => return seen,
        }
    }
}

fn code(answer: &Answer) -> (u16, &str) {
    (answer.status.as_u16(), answer.body["code"].as_str().unwrap_or_default())
}

#[tokio::test]
async fn review_is_one_per_customer_and_can_be_changed() {
    let shop = TestShop::open(&[("w", 1)]).await;
    assert_eq!(summary(&shop).await, json!([0, null, [0, 0, 0, 0, 0]]));
    let first = shop.review("ada", 4).await;
    assert_eq!(first.status, StatusCode::CREATED, "{}", first.body);
    assert_eq!(first.header("location"), "/api/products/w/reviews/ada");
    let again = shop.review("ada", 4).await;
    assert_eq!((again.status, &again.body), (StatusCode::OK, &first.body));
    assert_eq!(again.header("etag"), first.header("etag"));
    shop.advance(Duration::from_secs(60));
    let changed = shop.review("ada", 2).await;
    assert_eq!((changed.status, &changed.body["rating"]), (StatusCode::OK, &json!(2)));
    assert_eq!(changed.body["createdAt"], first.body["createdAt"]);
    assert_ne!(changed.body["updatedAt"], first.body["updatedAt"]);
    shop.review("bob", 5).await;
    assert_eq!(summary(&shop).await, json!([2, 3.5, [0, 1, 0, 0, 1]]));
    assert_eq!(shop.audit_reviews("w").await, 2);
    let read = shop.get(&format!("{REVIEWS}/ada")).await;
    assert_eq!((read.status, &read.body), (StatusCode::OK, &changed.body));
}

#[tokio::test]
async fn review_is_changed_only_at_the_version_that_is_named() {
    let shop = TestShop::open(&[("w", 1)]).await;
    let path = format!("{REVIEWS}/ada");
    let body = |rating: u32| json!({"rating": rating, "title": "Fine"});
    let missing = shop.put(&path, &[("If-Match", "*")], body(3)).await;
    assert_eq!(missing.status, StatusCode::PRECONDITION_FAILED, "there is nothing to replace");
    let etag = shop.put(&path, &[], body(3)).await.header("etag").to_owned();
    let changed = shop.put(&path, &[("If-Match", &etag)], body(4)).await;
    assert_eq!(changed.status, StatusCode::OK);
    let stale = shop.put(&path, &[("If-Match", &etag)], body(5)).await;
    assert_eq!(stale.status, StatusCode::PRECONDITION_FAILED);
    let stale = shop.send("DELETE", &path, &[("If-Match", &etag)], None).await;
    assert_eq!(stale.status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(summary(&shop).await, json!([1, 4.0, [0, 0, 0, 1, 0]]));
}

#[tokio::test]
async fn review_of_or_by_nobody_is_refused() {
    let shop = TestShop::open(&[("w", 1), ("gone", 1)]).await;
    shop.send("DELETE", "/api/products/gone", &[], None).await;
    let body = json!({"rating": 3, "title": "Fine"});
    for (path, expected) in [
        ("/api/products/none/reviews/ada", (404, "not-found")),
        ("/api/products/gone/reviews/ada", (409, "product-deleted")),
        ("/api/products/w/reviews/nobody", (422, "unprocessable-review")),
        ("/api/products/w/reviews/_summary", (404, "not-found")),
    ] {
        assert_eq!(code(&shop.put(path, &[], body.clone()).await), expected, "{path}");
    }
    let wrong = shop.put(&format!("{REVIEWS}/ada"), &[], json!({"rating": 0, "title": ""})).await;
    let places: Vec<_> =
        wrong.body["errors"].as_array().unwrap().iter().map(|one| one["pointer"].as_str().unwrap()).collect();
    assert_eq!((code(&wrong), places), ((400, "invalid-body"), vec!["/rating", "/title"]));
    for path in [REVIEWS, "/api/products/w/review-summary", "/api/products/gone/reviews"] {
        assert_eq!(shop.get(path).await.status, StatusCode::OK, "{path}");
        let path = path.replace("/w/", "/none/").replace("/gone/", "/none/");
        assert_eq!(shop.get(&path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(shop.get(&format!("{REVIEWS}/ada")).await.status, StatusCode::NOT_FOUND);
    assert_eq!(shop.audit_reviews("w").await, 0);
}

#[tokio::test]
async fn purchase_is_verified_once_an_order_with_the_product_has_shipped() {
    let shop = TestShop::open(&[("w", 9), ("x", 9)]).await;
    let is_verified = async |rating: u32| shop.review("ada", rating).await.body["verifiedPurchase"].clone();
    let other = shop.place("ada", &[("x", 1)]).await;
    let of_another = shop.place("bob", &[("w", 1)]).await;
    let order = shop.place("ada", &[("x", 1), ("w", 1)]).await;
    shop.work().await;
    for id in [&other, &of_another] {
        shop.send("PUT", &format!("/api/orders/{id}/shipment"), &[], None).await;
    }
    assert_eq!(is_verified(4).await, false, "confirmed is not shipped, and others' orders do not count");
    shop.send("PUT", &format!("/api/orders/{order}/shipment"), &[], None).await;
    assert_eq!(is_verified(4).await, true, "also when nothing else has changed");
    assert_eq!(is_verified(5).await, true);
}

#[tokio::test]
async fn review_that_is_taken_back_is_gone_and_begins_anew() {
    let shop = TestShop::open(&[("w", 1)]).await;
    let path = format!("{REVIEWS}/ada");
    let delete = async || shop.send("DELETE", &path, &[], None).await.status;
    assert_eq!(delete().await, StatusCode::NOT_FOUND);
    shop.review("ada", 4).await;
    shop.put(&format!("{path}/votes/bob"), &[], json!(null)).await;
    assert_eq!(delete().await, StatusCode::NO_CONTENT);
    assert_eq!(delete().await, StatusCode::NO_CONTENT, "again changes nothing");
    assert_eq!(shop.get(&path).await.status, StatusCode::NOT_FOUND);
    assert_eq!(listed(&shop, "").await, Vec::<String>::new());
    assert_eq!(summary(&shop).await, json!([0, null, [0, 0, 0, 0, 0]]));
    let kept = shop.documents("reviews", "w").await;
    assert!(kept.iter().all(|document| document.get("content").is_none()), "{kept:?}");
    let anew = shop.review("ada", 1).await;
    assert_eq!((anew.status, &anew.body["helpful"]), (StatusCode::CREATED, &json!(0)));
    shop.put(&format!("{path}/votes/bob"), &[], json!(null)).await;
    assert_eq!(shop.get(&path).await.body["helpful"], 1, "the old vote was for what was taken back");
    assert_eq!(shop.audit_reviews("w").await, 1);
}

#[tokio::test]
async fn reviews_are_listed_newest_or_most_helpful_first_by_page() {
    let shop = TestShop::open(&[("w", 1)]).await;
    let customers = ["c0", "c1", "c2", "c3", "c4", "c5", "c6"];
    for (index, customer) in (0..).zip(customers) {
        shop.add_customer(customer).await;
        assert_eq!(shop.review(customer, index % 2 + 4).await.status, StatusCode::CREATED);
        // Three at the same moment: the customer breaks the tie.
        shop.advance(Duration::from_millis(if (2..4).contains(&index) { 0 } else { 1 }));
    }
    for (review, voters) in [("c1", 3), ("c4", 1), ("c2", 1)] {
        for voter in ["ada", "bob", "c0"].into_iter().take(voters) {
            let voted = shop.send("PUT", &format!("{REVIEWS}/{review}/votes/{voter}"), &[], None).await;
            assert_eq!(voted.status, StatusCode::NO_CONTENT, "{}", voted.body);
        }
    }
    let newest = ["c6", "c5", "c4", "c3", "c2", "c1", "c0"];
    assert_eq!(listed(&shop, "limit=2").await, newest);
    assert_eq!(listed(&shop, "sort=newest&limit=3").await, newest);
    assert_eq!(listed(&shop, "sort=helpful&limit=2").await, ["c1", "c4", "c2", "c6", "c5", "c3", "c0"]);
    assert_eq!(listed(&shop, "rating=5&limit=2").await, ["c5", "c3", "c1"]);
    assert_eq!(listed(&shop, "sort=helpful&rating=4&limit=1").await, ["c4", "c2", "c6", "c0"]);
    let page = shop.get(&format!("{REVIEWS}?limit=2")).await.body["nextLink"].as_str().unwrap().to_owned();
    assert_eq!(code(&shop.get(&format!("{page}&sort=helpful")).await), (400, "invalid-query"));
    for query in ["rating=0", "rating=6", "sort=oldest", "stars=3"] {
        assert_eq!(code(&shop.get(&format!("{REVIEWS}?{query}")).await), (400, "invalid-query"), "{query}");
    }
    shop.audit_reviews("w").await;
}

#[tokio::test]
async fn page_goes_on_where_it_was_whatever_is_written_or_hidden_meanwhile() {
    let shop = TestShop::open(&[("w", 1)]).await;
    for customer in ["c1", "c2", "c3", "c4"] {
        shop.add_customer(customer).await;
        shop.review(customer, 3).await;
        shop.advance(Duration::from_millis(1));
    }
    let first = shop.get(&format!("{REVIEWS}?limit=2")).await.body;
    assert_eq!(first["items"][1]["customerId"], "c3");
    shop.review("ada", 3).await;
    shop.send("DELETE", &format!("{REVIEWS}/c3"), &[], None).await;
    let second = shop.get(first["nextLink"].as_str().unwrap()).await.body;
    let customers: Vec<_> =
        second["items"].as_array().unwrap().iter().map(|one| &one["customerId"]).collect();
    assert_eq!(customers, ["c2", "c1"]);
}

#[tokio::test]
async fn vote_counts_once_per_voter_and_never_for_the_author() {
    let shop = TestShop::open(&[("w", 1)]).await;
    let vote = async |method: &'static str, voter: &'static str| {
        shop.send(method, &format!("{REVIEWS}/ada/votes/{voter}"), &[], None).await
    };
    assert_eq!(code(&vote("PUT", "bob").await), (404, "not-found"));
    shop.review("ada", 3).await;
    let helpful = async || shop.get(&format!("{REVIEWS}/ada")).await.body["helpful"].clone();
    for (method, votes) in [("DELETE", 0), ("PUT", 1), ("PUT", 1), ("DELETE", 0), ("DELETE", 0), ("PUT", 1)] {
        assert_eq!(vote(method, "bob").await.status, StatusCode::NO_CONTENT);
        assert_eq!(helpful().await, votes, "{method}");
    }
    assert_eq!(code(&vote("PUT", "ada").await), (409, "own-review"));
    assert_eq!(code(&vote("PUT", "nobody").await), (422, "unprocessable-review"));
    shop.audit_reviews("w").await;
    shop.review("ada", 1).await;
    assert_eq!(helpful().await, 1, "a review that is changed keeps its votes");
}

#[tokio::test]
async fn votes_touch_no_books_and_other_words_only_those_of_the_month() {
    let shop = TestShop::open(&[("w", 1)]).await;
    shop.review("ada", 3).await;
    let books = async || {
        let mut documents = shop.documents("reviews", "w").await;
        documents.retain(|document| document["type"] == "summary" || document["type"] == "month");
        documents.sort_by_key(|document| document["id"].to_string());
        assert_eq!(documents.len(), 2);
        (documents.remove(1), documents.remove(0))
    };
    let before = books().await;
    shop.send("PUT", &format!("{REVIEWS}/ada/votes/bob"), &[], None).await;
    assert_eq!(books().await, before);
    let text = json!({"rating": 3, "title": "By ADA!", "text": "As it is."});
    shop.put(&format!("{REVIEWS}/ada"), &[], text).await;
    assert_eq!(books().await, before, "it mentions the same");
    let text = json!({"rating": 3, "title": "Still the same", "text": "In other words.\nAnd more."});
    shop.put(&format!("{REVIEWS}/ada"), &[], text).await;
    let (summary, month) = books().await;
    assert_eq!(summary, before.0);
    assert_eq!(month["terms"], json!({"same": 1, "still": 1, "words": 1}));
    shop.audit_reviews("w").await;
}

#[tokio::test]
async fn review_counts_in_the_month_in_which_it_was_written_whatever_becomes_of_it() {
    let shop = TestShop::open(&[("w", 1)]).await;
    let months = async || {
        let mut documents = shop.documents("reviews", "w").await;
        documents.retain(|document| document["type"] == "month");
        documents.sort_by_key(|document| document["id"].to_string());
        documents.iter().map(|one| format!("{} {}", one["id"], one["ratings"])).collect::<Vec<_>>()
    };
    let month = Duration::from_secs(31 * 24 * 60 * 60);
    shop.review("ada", 1).await;
    shop.advance(month);
    shop.review("bob", 2).await;
    shop.review("ada", 5).await;
    assert_eq!(months().await, [r#""_2026-03" [0,0,0,0,1]"#, r#""_2026-04" [0,1,0,0,0]"#]);
    shop.send("DELETE", &format!("{REVIEWS}/ada"), &[], None).await;
    shop.advance(month);
    shop.review("ada", 4).await;
    let expected = [r#""_2026-03" [0,0,0,0,0]"#, r#""_2026-04" [0,1,0,0,0]"#, r#""_2026-05" [0,0,0,1,0]"#];
    assert_eq!(months().await, expected, "taken back and written anew, it is a new one");
    assert_eq!(shop.audit_reviews("w").await, 2);
}

#[tokio::test]
async fn report_counts_once_per_person_and_its_reason_can_change() {
    let shop = TestShop::open(&[("w", 1)]).await;
    shop.review("ada", 3).await;
    let report = async |who: &'static str, reason: &'static str| {
        shop.put(&format!("{REVIEWS}/ada/reports/{who}"), &[], json!({ "reason": reason })).await
    };
    for reason in ["spam", "spam", "offTopic"] {
        assert_eq!(report("bob", reason).await.status, StatusCode::NO_CONTENT);
    }
    assert_eq!(code(&report("bob", "boring").await), (400, "invalid-body"));
    assert_eq!(code(&report("ada", "spam").await), (409, "own-review"));
    assert_eq!(shop.get(&format!("{REVIEWS}/ada")).await.body["reports"], 1);
    let listed = shop.get(REVIEWS).await.body["items"][0].clone();
    assert_eq!(listed.get("reports"), None, "what is reported is for staff");
    shop.audit_reviews("w").await;
}

#[tokio::test]
async fn what_was_reported_waits_for_staff_until_they_decide_or_it_is_taken_back() {
    let shop = TestShop::open(&[("v", 1), ("w", 1), ("x", 1)]).await;
    for product in ["v", "w", "x"] {
        for customer in ["ada", "bob"] {
            let path = format!("/api/products/{product}/reviews/{customer}");
            let body = json!({"rating": 1, "title": format!("{customer} of {product}")});
            assert_eq!(shop.put(&path, &[], body).await.status, StatusCode::CREATED);
        }
    }
    shop.add_customer("eve").await;
    let path = |review: &str| {
        let (product, customer) = review.split_once('/').unwrap();
        format!("/api/products/{product}/reviews/{customer}")
    };
    let report = async |review: &str, who: &str, reason: &str| {
        shop.advance(Duration::from_secs(1));
        let reported =
            shop.put(&format!("{}/reports/{who}", path(review)), &[], json!({ "reason": reason })).await;
        assert_eq!(reported.status, StatusCode::NO_CONTENT, "{}", reported.body);
    };
    let decide = async |review: &str, status: &str| {
        shop.advance(Duration::from_secs(1));
        let body = json!({"status": status, "reason": "looked at"});
        assert_eq!(shop.put(&format!("{}/moderation", path(review)), &[], body).await.status, StatusCode::OK);
    };
    assert_eq!(reported(&shop, "").await, Vec::<String>::new());
    report("w/ada", "bob", "spam").await;
    report("v/bob", "ada", "fake").await;
    report("x/ada", "bob", "spam").await;
    report("x/ada", "eve", "offensive").await;
    report("w/ada", "bob", "offTopic").await;
    // Two reports; then the one that was last reported, be it for another reason.
    assert_eq!(reported(&shop, "limit=1").await, ["x/ada", "w/ada", "v/bob"]);
    let first = shop.get("/api/reported-reviews").await.body["items"][0].clone();
    assert_eq!((&first["reports"], &first["status"]), (&json!(2), &json!("published")));
    let reasons = json!([{"reason": "spam", "count": 1}, {"reason": "offensive", "count": 1}]);
    assert_eq!((&first["reasons"], &first["reportedAt"]), (&reasons, &json!("2026-03-02T09:15:04.000Z")));

    decide("x/ada", "hidden").await;
    decide("v/bob", "published").await;
    shop.send("DELETE", &path("w/ada"), &[], None).await;
    assert_eq!(reported(&shop, "").await, Vec::<String>::new());
    assert_eq!(reported(&shop, "decided=true&limit=1").await, ["x/ada", "v/bob"]);
    report("v/bob", "eve", "personalData").await;
    assert_eq!(reported(&shop, "decided=false").await, ["v/bob"], "somebody else says something");
    assert_eq!(reported(&shop, "decided=true").await, ["x/ada"]);
    let page = shop.get("/api/reported-reviews?decided=maybe").await;
    assert_eq!(code(&page), (400, "invalid-query"));
}

#[tokio::test]
async fn review_that_nobody_has_reported_is_in_no_index_of_what_was_reported() {
    let shop = TestShop::open(&[("w", 1)]).await;
    shop.review("ada", 3).await;
    shop.put(&format!("{REVIEWS}/ada/reports/bob"), &[], json!({"reason": "spam"})).await;
    shop.review("bob", 3).await;
    let documents = shop.documents("reviews", "w").await;
    let is_ranked = |one: &&Value| one.get("waitingRank").is_some() || one.get("decidedRank").is_some();
    assert_eq!(documents.iter().filter(is_ranked).count(), 1);
}

#[tokio::test]
async fn hidden_review_leaves_lists_and_summary_until_it_is_published() {
    let shop = TestShop::open(&[("w", 1)]).await;
    shop.review("ada", 1).await;
    shop.review("bob", 5).await;
    let path = format!("{REVIEWS}/ada/moderation");
    let moderate = async |status: &'static str| {
        shop.put(&path, &[], json!({"status": status, "reason": "names a person"})).await
    };
    for _ in 0..2 {
        let hidden = moderate("hidden").await;
        assert_eq!((hidden.status, &hidden.body["status"]), (StatusCode::OK, &json!("hidden")));
        assert_eq!(hidden.body["moderation"]["reason"], "names a person");
        assert_eq!(summary(&shop).await, json!([1, 5.0, [0, 0, 0, 0, 1]]));
        assert_eq!(listed(&shop, "").await, ["bob"]);
    }
    let anew = shop.review("ada", 3).await;
    assert_eq!(anew.body["status"], "hidden", "its author cannot publish it by writing it anew");
    let vote = shop.send("PUT", &format!("{REVIEWS}/ada/votes/bob"), &[], None).await;
    assert_eq!(vote.status, StatusCode::NOT_FOUND, "nobody sees it");
    assert_eq!(shop.get(&format!("{REVIEWS}/ada")).await.status, StatusCode::OK, "but author and staff");
    assert_eq!(shop.audit_reviews("w").await, 1);
    assert_eq!(moderate("published").await.body["status"], "published");
    assert_eq!(summary(&shop).await, json!([2, 4.0, [0, 0, 1, 0, 1]]));
    assert_eq!(shop.audit_reviews("w").await, 2);
    shop.send("DELETE", &format!("{REVIEWS}/ada"), &[], None).await;
    assert_eq!(moderate("hidden").await.status, StatusCode::NOT_FOUND, "there is nothing to hide");
}

#[tokio::test]
async fn many_who_vote_at_once_are_all_counted() {
    let shop = TestShop::open(&[("w", 1)]).await;
    shop.review("ada", 3).await;
    let voters: Vec<_> = (0..20).map(|number| format!("v{number}")).collect();
    for voter in &voters {
        shop.add_customer(voter).await;
    }
    let paths: Vec<_> = voters.iter().map(|voter| format!("{REVIEWS}/ada/votes/{voter}")).collect();
    let votes = futures::future::join_all(paths.iter().map(|path| shop.send("PUT", path, &[], None))).await;
    assert!(votes.iter().all(|answer| answer.status == StatusCode::NO_CONTENT));
    assert_eq!(shop.get(&format!("{REVIEWS}/ada")).await.body["helpful"], 20);
    shop.audit_reviews("w").await;
}
