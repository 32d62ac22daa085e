//! `GET /api/review-insights`: what reviews say over a period, for marketing: as JSON, as CSV, or as a page with charts.

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};

use crate::app::App;
use crate::app::insights::NoReport;
use crate::auth::caller::{By, Staff};
use crate::domain::id::{CollectionId, ProductId};
use crate::domain::insights::{DOCUMENTS_MAX, MONTHS_DEFAULT, MONTHS_MAX, PRODUCTS_MAX, Scope};
use crate::domain::month::{Month, Period};
use crate::functions::api::REVIEWS;
use crate::functions::example;
use crate::functions::insights::{FORMS, InsightsResource, TEXT_FORMS, answer};
use crate::functions::kind::UNPROCESSABLE_INSIGHTS;
use crate::functions::page::invalid;
use crate::host::{Answer, Operation, Problem, parse_query, preferred};

/// Answers 200, 304, 406, or 422 for a product or category that does not exist and for more than can be added up.
///
/// # Errors
/// A [`Problem`]; 400 lists what the query may hold.
pub async fn get_review_insights(
    _: By<Staff>,
    State(app): State<App>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Answer, Problem> {
    let (scope, period) = asked(query.as_deref(), Month::of(app.clock.now()))?;
    let form = preferred(&headers, &FORMS)?;
    match Box::pin(app.review_insights(scope, period)).await? {
        Ok(report) => answer(&headers, form, &report),
        Err(why) => Err(refused(why)),
    }
}

/// What is asked about, and of which time.
fn asked(query: Option<&str>, now: Month) -> Result<(Scope, Period), Problem> {
    let parameters = parse_query(query, &["product", "category", "from", "to"])?;
    let get = |name: &str| parameters.get(name).map(String::as_str);
    let product = get("product")
        .map(|text| ProductId::parse(text).map_err(|error| invalid("product", &error.to_string())));
    let category = get("category")
        .map(|text| CollectionId::parse(text).map_err(|error| invalid("category", &error.to_string())));
    let month = |name: &'static str| {
        let parsed = get(name)
            .map(|text| Month::parse(text).ok_or_else(|| invalid(name, "must be a month such as 2026-11")));
        parsed.transpose()
    };
    let to = month("to")?.unwrap_or(now);
    let from = month("from")?.unwrap_or(to.minus(MONTHS_DEFAULT - 1));
    let scope = match (product.transpose()?, category.transpose()?) {
        (None, None) => Scope::Shop,
        (Some(product_id), None) => Scope::Product(product_id),
        (None, Some(category_id)) => Scope::Category(category_id),
        (Some(_), Some(_)) => return Err(refusal("category", "cannot be named beside a product")),
    };
    match (Period { from, to }).months_len() {
        0 => Err(refusal("to", "must not be before from")),
        1..=MONTHS_MAX => Ok((scope, Period { from, to })),
        _ => Err(refusal("from", &format!("must be at most {MONTHS_MAX} months before the end of to"))),
    }
}

fn refusal(parameter: &'static str, detail: &str) -> Problem {
    Problem::new(&UNPROCESSABLE_INSIGHTS).parameter(parameter, detail)
}

fn refused(why: NoReport) -> Problem {
    match why {
        NoReport::NoProduct => refusal("product", "there is no product with this id"),
        NoReport::NoCategory => refusal("category", "there is no category with this id"),
        NoReport::TooManyProducts => {
            let detail = format!("has more than {PRODUCTS_MAX} products: name a category below it");
            refusal("category", &detail)
        }
        NoReport::TooManyMonths => {
            let detail = format!(
                "more than {DOCUMENTS_MAX} months of products were reviewed since then and in as many months before: ask for \
                 a shorter period, or for a category"
            );
            refusal("from", &detail)
        }
    }
}

/// What the API's document says of it.
pub fn operation() -> Operation {
    let description = "Of listed reviews, by the month in which they were written: how many, how they rate, what they mention, and \
                       what does worst and best. It is of this moment: it changes together with the reviews. A product's report \
                       shows reviews, any other names products with at least three. Prefer `text/csv` for a table, or `text/html` \
                       for a page with charts, by `Accept`.";
    Operation::new(REVIEWS, "Read what reviews say over a period", description)
        .query::<ProductId>("product", "Of this product; without it and `category`, of the whole shop.")
        .query::<CollectionId>("category", "Of the products that are now in this category or below it.")
        .query::<Month>("from", "The first month; eleven before `to` if nothing is said.")
        .query::<Month>(
            "to",
            "The last month; the current one if nothing is said. At most 36 with the first.",
        )
        .reads::<InsightsResource<'_>>("The report.", example::review_insights())
        .also_as(StatusCode::OK, &TEXT_FORMS)
        .problems(&[&UNPROCESSABLE_INSIGHTS])
}
