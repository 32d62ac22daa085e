//! `GET /api/products`: the catalogue by page, filtered and sorted, with the pieces that can be ordered now.

use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use serde_json::json;

use crate::app::App;
use crate::auth::caller::{Anyone, By};
use crate::domain::catalogue::PRICE_MINOR_MAX;
use crate::domain::id::CollectionId;
use crate::domain::listing::{Cursor, Listing, Sort};
use crate::domain::money::Currency;
use crate::domain::product::ProductStatus;
use crate::functions::api::{PRODUCTS, paged};
use crate::functions::example;
use crate::functions::keep::{Keep, read};
use crate::functions::page::{Filters, Page, PageRequest, invalid};
use crate::functions::resource::ProductResource;
use crate::host::{Answer, Operation, Problem};

const PATH: &str = "/api/products";
/// What the list can be filtered and sorted by.
const FILTERS: [&str; 9] =
    ["q", "category", "collection", "currency", "minPrice", "maxPrice", "inStock", "status", "sort"];
/// Longest text that is searched for, in characters.
const TEXT_CHARS_MAX: usize = 100;

/// Answers 200 or 304. One query, one more for the tree of categories when one is named, and one point read of the counts
/// for each product that is looked at, at once.
///
/// # Errors
/// A [`Problem`]; 400 lists what the query may hold.
pub async fn list_products(
    _: By<Anyone>,
    State(app): State<App>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Answer, Problem> {
    let (request, filters) = PageRequest::<Cursor>::parse_with(query.as_deref(), &FILTERS)?;
    let (listing, in_stock) = listing(&app, &filters).await?;
    if request.cursor.as_ref().is_some_and(|cursor| !listing.sort.fits(cursor)) {
        return Err(invalid("cursor", "must come from a nextLink of a list with the same sort"));
    }
    let page = app.list_products(&listing, in_stock, request.cursor.clone(), request.limit).await?;
    let items: Vec<_> =
        page.items.iter().map(|(product, stock)| ProductResource::new(product, stock.as_ref())).collect();
    let next_link = page.next.map(|cursor| request.next_link(PATH, &filters, &cursor));
    read(&headers, &Page { items, next_link }, Keep::Public, None)
}

/// What the API's document says of it.
pub fn operation() -> Operation {
    let description = "By page, with the pieces that can be ordered now. A page is filtered by what is in stock when it is made, so \
                       that it may hold fewer items than `limit` and still have a next one.";
    let amount = json!({"type": "integer", "minimum": 0, "maximum": PRICE_MINOR_MAX});
    let text = json!({"type": "string", "minLength": 1, "maxLength": TEXT_CHARS_MAX, "pattern": "\\S"});
    let sorts = json!({"type": "string", "enum": ["name", "price", "-price", "newest"], "default": "name"});
    let operation = Operation::new(PRODUCTS, "List products", description)
        .query_as("q", "Part of the name, in any case.", text)
        .query::<CollectionId>("category", "Products of this category and those below it.")
        .query::<CollectionId>("collection", "Products of this collection.")
        .query::<Currency>("currency", "Products with a price in this currency.")
        .query_as("minPrice", "Lowest price, in minor units.", amount.clone())
        .query_as("maxPrice", "Highest price, in minor units.", amount)
        .query_as(
            "inStock",
            "`true`: only what can be ordered now.",
            json!({"type": "boolean", "default": false}),
        )
        .query::<ProductStatus>("status", "Products of this status; the active ones if nothing is said.")
        .query_as("sort", "By name, by price (`-price`: the dearest first), or the newest first.", sorts)
        .reads::<Page<ProductResource<'_>>>("One page.", example::page(example::product()));
    paged(operation)
}

/// What the parameters ask for, with the categories below the one that is named.
async fn listing(app: &App, filters: &Filters) -> Result<(Listing, bool), Problem> {
    let id = |text: &str| CollectionId::parse(text).ok();
    let amount = |text: &str| text.parse::<u64>().ok().filter(|amount| *amount <= PRICE_MINOR_MAX);
    let category = filters.get("category", "the id of a category", id)?;
    let category_ids = match category {
        None => Vec::new(),
        Some(category) => app.store.collections.tree().await?.with_descendants(&category),
    };
    let text = |text: &str| {
        let fits = !text.trim().is_empty() && text.chars().count() <= TEXT_CHARS_MAX;
        fits.then(|| text.trim().to_owned())
    };
    let status = filters.get("status", "draft, active or archived", ProductStatus::parse)?;
    let sort = filters.get("sort", "name, price, -price or newest", Sort::parse)?;
    let minor = "a whole number of minor units, such as cents, up to 100000000";
    let listing = Listing {
        status: status.unwrap_or(ProductStatus::Active),
        text: filters.get("q", "1 to 100 characters", text)?,
        category_ids,
        collection_id: filters.get("collection", "the id of a collection", id)?,
        currency: filters.get("currency", "an ISO 4217 currency code", |text| Currency::parse(text).ok())?,
        price_min_minor: filters.get("minPrice", minor, amount)?,
        price_max_minor: filters.get("maxPrice", minor, amount)?,
        sort: sort.unwrap_or_default(),
    };
    let in_stock = filters.get("inStock", "true or false", |text| text.parse::<bool>().ok())?;
    Ok((listing, in_stock.unwrap_or(false)))
}
