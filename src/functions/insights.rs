//! A report of what reviews say, in the forms in which it is answered: JSON here, a [`table`] and a [`page`].
//!
//! Shows reviews without who wrote them. Does not know what is read for it.

pub mod chart;
pub mod page;
pub mod table;

use axum::http::{HeaderMap, StatusCode, header};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

use crate::app::insights::{Extremes, NamedProduct, Report};
use crate::domain::id::{NAME_CHARS_MAX, ProductId};
use crate::domain::insights::{MONTHS_MAX, RANKED_MAX, REVIEWS_MAX, Scope, TERMS_MAX};
use crate::domain::month::Month;
use crate::domain::review::terms::TERM_CHARS_MAX;
use crate::domain::review::{Rating, Review, TEXT_CHARS_MAX, TITLE_CHARS_MAX};
use crate::functions::keep::{Keep, unless_known};
use crate::functions::review::FiguresResource;
use crate::host::{Answer, Problem};

/// The forms beside JSON, each with what it is.
pub const TEXT_FORMS: [(&str, &str); 2] = [
    (table::MEDIA_TYPE, "One table (RFC 4180), whose rows say in `section` what they are about."),
    (page::MEDIA_TYPE, "A page with charts, for people."),
];

/// The forms of a report.
#[derive(Debug, Clone, Copy)]
pub enum Form {
    /// For programs.
    Json,
    /// For spreadsheets.
    Table,
    /// For people.
    Page,
}

/// By their media types, our favourite first.
pub const FORMS: [(&str, Form); 3] =
    [("application/json", Form::Json), ("text/csv", Form::Table), ("text/html", Form::Page)];

/// What reviews say over a period.
#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ReviewInsights")]
pub struct InsightsResource<'a> {
    /// What it is about.
    scope: ScopeKind,
    /// The id of the product or category.
    #[schemars(length(max = NAME_CHARS_MAX), example = &"widgets")]
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    /// What that is called.
    #[schemars(length(max = 1000), example = &"Widgets")]
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    /// The first month.
    from: Month,
    /// The last month.
    to: Month,
    /// All reviews of the period.
    total: FiguresResource,
    /// The previous period of equal length.
    previous: PreviousResource,
    /// What is other than in that.
    change: ChangeResource,
    /// Each month of the period.
    #[schemars(length(max = MONTHS_MAX))]
    months: Vec<MonthResource>,
    /// The words that most reviews mention, and at least two. Of what a product is told in one month 200 words are kept, so that
    /// rare ones may count too little.
    #[schemars(length(max = TERMS_MAX))]
    terms: Vec<TermResource<'a>>,
    /// Of the products with at least three reviews those that do worst and best; absent for a product.
    #[serde(skip_serializing_if = "Option::is_none")]
    products: Option<ProductExtremes<'a>>,
    /// The worst and best reviews, of equal ratings those that most find helpful; present for a product.
    #[serde(skip_serializing_if = "Option::is_none")]
    reviews: Option<ReviewExtremes<'a>>,
}

/// What a report is about.
#[derive(Debug, Clone, Copy, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ReviewInsightsScope")]
enum ScopeKind {
    /// The whole shop.
    Shop,
    /// A category with those below it.
    Category,
    /// One product.
    Product,
}

/// The previous period of equal length.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "PreviousFigures")]
struct PreviousResource {
    /// Its first month.
    from: Month,
    /// Its last month.
    to: Month,
    #[serde(flatten)]
    figures: FiguresResource,
}

/// What is other than in the previous period.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "FiguresChange")]
struct ChangeResource {
    /// How many reviews there are more; negative if fewer.
    count: i64,
    /// By how much the mean is higher; negative if lower; absent when either period has no reviews.
    #[schemars(range(min = -4, max = 4))]
    #[serde(skip_serializing_if = "Option::is_none")]
    mean: Option<f64>,
}

/// One month.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "MonthFigures")]
struct MonthResource {
    /// Which one.
    month: Month,
    #[serde(flatten)]
    figures: FiguresResource,
}

/// A word that reviews mention.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "Term")]
struct TermResource<'a> {
    /// The word, in small letters.
    #[schemars(length(max = TERM_CHARS_MAX), example = &"quiet")]
    term: &'a str,
    /// How many reviews mention it.
    count: u64,
}

/// Products that do worst and best.
#[derive(Debug, JsonSchema, Serialize)]
struct ProductExtremes<'a> {
    /// Of the worse half those with the lowest means, the worst first.
    #[schemars(length(max = RANKED_MAX))]
    worst: Vec<ProductFigures<'a>>,
    /// Of the better half those with the highest means, the best first.
    #[schemars(length(max = RANKED_MAX))]
    best: Vec<ProductFigures<'a>>,
}

/// How a product's reviews of the period rate.
#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
struct ProductFigures<'a> {
    /// The product.
    product_id: &'a ProductId,
    /// What it is called.
    #[schemars(length(max = 1000), example = &"Classic widget")]
    name: &'a str,
    #[serde(flatten)]
    figures: FiguresResource,
}

/// Reviews that rate lowest and highest.
#[derive(Debug, JsonSchema, Serialize)]
struct ReviewExtremes<'a> {
    /// Those rated 1 and 2, lowest first.
    #[schemars(length(max = REVIEWS_MAX))]
    worst: Vec<Quote<'a>>,
    /// Those rated 5 and 4, highest first.
    #[schemars(length(max = REVIEWS_MAX))]
    best: Vec<Quote<'a>>,
}

/// A review without who wrote it.
#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "QuotedReview")]
struct Quote<'a> {
    /// How good it is found: 1 is the worst, 5 the best.
    rating: Rating,
    /// The review in a few words.
    #[schemars(length(max = TITLE_CHARS_MAX), example = &"Does what it should")]
    title: &'a str,
    /// The review at length; may be empty.
    #[schemars(length(max = TEXT_CHARS_MAX), example = &"In use every day.")]
    text: &'a str,
    /// Whether an order of the customer with the product had shipped when this was written.
    verified_purchase: bool,
    /// How many others found it helpful.
    helpful: u32,
    /// When it was written.
    #[schemars(with = "DateTime<Utc>")]
    #[serde(with = "crate::domain::time")]
    created_at: DateTime<Utc>,
}

impl<'a> From<&'a Report> for InsightsResource<'a> {
    fn from(report: &'a Report) -> Self {
        let Report { insights, extremes, .. } = report;
        let previous = insights.period.previous();
        let (scope, id) = match &report.scope {
            Scope::Shop => (ScopeKind::Shop, None),
            Scope::Category(id) => (ScopeKind::Category, Some(id.as_str())),
            Scope::Product(id) => (ScopeKind::Product, Some(id.as_str())),
        };
        let (products, reviews) = match extremes {
            Extremes::Products { worst, best } => {
                (Some(ProductExtremes { worst: figures(worst), best: figures(best) }), None)
            }
            Extremes::Reviews { worst, best } => {
                (None, Some(ReviewExtremes { worst: quotes(worst), best: quotes(best) }))
            }
        };
        Self {
            scope,
            id,
            name: id.map(|_| report.name.as_str()),
            from: insights.period.from,
            to: insights.period.to,
            total: insights.total.into(),
            previous: PreviousResource {
                from: previous.from,
                to: previous.to,
                figures: insights.previous.into(),
            },
            change: ChangeResource {
                count: insights.count_change(),
                mean: insights.mean_change_hundredths().map(|change| f64::from(change) / 100.0),
            },
            months: insights
                .months
                .iter()
                .map(|(month, ratings)| MonthResource { month: *month, figures: (*ratings).into() })
                .collect(),
            terms: insights.terms.iter().map(|(term, count)| TermResource { term, count: *count }).collect(),
            products,
            reviews,
        }
    }
}

fn figures(products: &[NamedProduct]) -> Vec<ProductFigures<'_>> {
    let figures = products.iter().map(|NamedProduct { product_id, name, ratings }| ProductFigures {
        product_id,
        name,
        figures: (*ratings).into(),
    });
    figures.collect()
}

fn quotes(reviews: &[Review]) -> Vec<Quote<'_>> {
    let quotes = reviews.iter().filter_map(|review| {
        let content = review.content.as_ref()?;
        Some(Quote {
            rating: content.rating,
            title: &content.title,
            text: &content.text,
            verified_purchase: review.verified_purchase,
            helpful: review.helpful,
            created_at: review.created_at,
        })
    });
    quotes.collect()
}

/// The report in this form, or 304.
///
/// # Errors
/// 400 when `If-None-Match` is malformed.
pub fn answer(headers: &HeaderMap, form: Form, report: &Report) -> Result<Answer, Problem> {
    let answer = match form {
        Form::Json => Answer::json(StatusCode::OK, &InsightsResource::from(report)),
        Form::Table => table::answer(report)?,
        Form::Page => page::answer(report),
    };
    let answer = unless_known(headers, answer, Keep::Private)?;
    Ok(answer.header(header::VARY, "Accept, Accept-Encoding"))
}

/// A mean or a difference of means as people read it: two places behind the point.
pub fn hundredths(number: i64) -> String {
    let sign = if number < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", number.unsigned_abs() / 100, number.unsigned_abs() % 100)
}
