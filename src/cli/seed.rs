//! `seed`: products, stock, partners, customers and reviews from a JSON file into the store. What exists is left alone.

use std::path::Path;

use chrono::TimeDelta;
use serde::Deserialize;

use crate::app::App;
use crate::app::customers::Enrolment;
use crate::config::Config;
use crate::domain::catalogue::ProductDraft;
use crate::domain::customer::Customer;
use crate::domain::customer::draft::{ConsentsDraft, CustomerDraft};
use crate::domain::draft::Invalid;
use crate::domain::id::{CustomerId, Fingerprint, PartnerId, ProductId};
use crate::domain::partner::draft::ContractDraft;
use crate::domain::product::Product;
use crate::domain::review::{Review, ReviewDraft};
use crate::domain::stock::Adjustment;
use crate::store::Written;
use crate::store::reviews::{Change, Place, Sight};
use crate::store::stock::Counted;

use super::{Failure, say};

/// The demo data of the repository, in the program, so that it runs alone.
const DEMO: &str = include_str!("../../data/demo.json");

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Data {
    products: Vec<StockedProduct>,
    #[serde(default)]
    partners: Vec<ContractedPartner>,
    customers: Vec<CustomerDraft>,
    /// What customers of the file agree to.
    #[serde(default)]
    consents: Vec<CustomerConsents>,
    #[serde(default)]
    reviews: Vec<PastReview>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ContractedPartner {
    id: PartnerId,
    contract: ContractDraft,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CustomerConsents {
    customer_id: CustomerId,
    consents: ConsentsDraft,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StockedProduct {
    #[serde(flatten)]
    product: ProductDraft,
    on_hand: u32,
}

/// What a customer said of a product some time ago.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PastReview {
    product_id: ProductId,
    customer_id: CustomerId,
    days_ago: u32,
    review: ReviewDraft,
}

/// Fills the store that the settings name.
pub(super) async fn seed(config: &Config, file: Option<&Path>) -> Result<(), Failure> {
    #[cfg(feature = "emulator")]
    if config.cosmos.endpoint == crate::config::Endpoint::Embedded {
        return Err("COSMOS_ENDPOINT=emulator is a store inside one process, so there is nothing to fill; start `widgetco emulator` and name its address".into());
    }
    let app = App::connect(config);
    #[cfg(feature = "emulator")]
    if let crate::config::Endpoint::Loopback(_) = config.cosmos.endpoint {
        app.store.create_containers().await?;
    }
    let data = match file {
        Some(file) => {
            parse(&std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?)?
        }
        None => parse(DEMO)?,
    };
    let added = fill(&app, &data).await?;
    let (products, customers, reviews) = (data.products.len(), data.customers.len(), data.reviews.len());
    say(&format!(
        "{added} documents added; the store has these {products} products, {customers} customers and {reviews} reviews now"
    ));
    Ok(())
}

/// Makes the containers in an empty emulator and puts the demo data into them.
#[cfg(feature = "emulator")]
pub(super) async fn fill_emulator(app: &App) -> Result<(), Failure> {
    app.store.create_containers().await?;
    fill(app, &parse(DEMO)?).await?;
    Ok(())
}

fn parse(text: &str) -> Result<Data, Failure> {
    serde_json::from_str(text).map_err(|error| format!("the data to seed is not valid: {error}").into())
}

/// Adds what is missing, and says how many documents that was.
async fn fill(app: &App, data: &Data) -> Result<usize, Failure> {
    let mut added = 0;
    for StockedProduct { product, on_hand } in &data.products {
        let now = app.clock.now();
        let checked = product.clone().check();
        let (sku, details) =
            checked.map_err(|invalid| not_valid(&format!("product {}", product.sku), &invalid))?;
        let product = Product::new(sku, details, now);
        added += usize::from(app.store.products.create(&product).await? != Written::Overtaken);
        let delivery = Adjustment {
            id: Adjustment::id_from_chance(app.ids.bytes16()),
            product_id: product.id.clone(),
            delta: 0,
            reason: "first delivery".to_owned(),
            on_hand_after: *on_hand,
            created_at: now,
            fingerprint: Fingerprint::of([product.id.as_str()]),
        };
        let counted =
            app.store.stock.count(|current| current.is_none(), delivery, (*on_hand, None), now).await?;
        added += usize::from(matches!(counted, Counted::Done(_)));
    }
    Ok(added + fill_partners(app, data).await? + fill_customers(app, data).await?)
}

async fn fill_partners(app: &App, data: &Data) -> Result<usize, Failure> {
    let mut added = 0;
    for ContractedPartner { id, contract } in &data.partners {
        let checked = contract.clone().check();
        let terms = checked.map_err(|invalid| not_valid(&format!("partner {id}"), &invalid))?;
        added += usize::from(app.agree(id, &terms, |current| current.is_none()).await?.is_some());
    }
    Ok(added)
}

async fn fill_customers(app: &App, data: &Data) -> Result<usize, Failure> {
    let mut added = 0;
    for customer in &data.customers {
        let checked = customer.clone().check();
        let (id, details) =
            checked.map_err(|invalid| not_valid(&format!("customer {}", customer.id), &invalid))?;
        let enrolled = app.enrol(&Customer::new(id.clone(), details, app.clock.now())).await?;
        if !matches!(enrolled, Enrolment::Done(_)) {
            continue;
        }
        added += 1;
        for said in data.consents.iter().filter(|said| said.customer_id == id) {
            let checked = said.consents.clone().check();
            let consents = checked.map_err(|invalid| not_valid(&format!("consents of {id}"), &invalid))?;
            app.set_consents(&id, &consents, |_| true).await?;
        }
    }
    for past in &data.reviews {
        added += usize::from(add_review(app, past).await?);
    }
    Ok(added)
}

/// Whether it was missing.
async fn add_review(app: &App, past: &PastReview) -> Result<bool, Failure> {
    let PastReview { product_id, customer_id, days_ago, review } = past;
    let what = format!("review of {product_id} by {customer_id}");
    let content = review.clone().check().map_err(|invalid| not_valid(&what, &invalid))?;
    let written_at = app.clock.now() - TimeDelta::days(i64::from(*days_ago));
    let review = Review::written(None, (product_id, customer_id), content, false, written_at);
    let decide = |sight: &Sight| match sight.review {
        Some(_) => Err(()),
        None => Ok(Change { review: review.clone(), is_new: true, mark: None }),
    };
    let place = Place { product_id, customer_id };
    // Boxed: the client's futures are large.
    let revised = Box::pin(app.store.reviews.revise(place, None, decide)).await?;
    Ok(revised.is_ok())
}

fn not_valid(what: &str, invalid: &[Invalid]) -> String {
    let list: Vec<_> = invalid.iter().map(|one| format!("{} {}", one.pointer, one.detail)).collect();
    format!("the {what} is not valid: {}", list.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn demo_data_is_valid() {
        let data = parse(DEMO).unwrap();
        assert_eq!((data.products.len(), data.customers.len(), data.reviews.len()), (20, 3, 23));
        for StockedProduct { product, .. } in data.products {
            product.check().unwrap();
        }
        for customer in data.customers {
            customer.check().unwrap();
        }
        for partner in data.partners {
            partner.contract.check().unwrap();
        }
        for said in data.consents {
            said.consents.check().unwrap();
        }
        for past in data.reviews {
            past.review.check().unwrap();
        }
    }
}
