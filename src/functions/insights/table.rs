//! A report as CSV (RFC 4180): one table, whose rows say in `section` what they are about.
//!
//! Made to be opened in a spreadsheet, so no text of others begins a formula there.

use axum::http::{StatusCode, header};

use super::hundredths;
use crate::app::insights::{Extremes, NamedProduct, Report};
use crate::domain::insights::Scope;
use crate::domain::month::Period;
use crate::domain::review::summary::Ratings;
use crate::domain::review::{Content, RATINGS, Review};
use crate::domain::spreadsheet::{csv, guarded};
use crate::domain::time;
use crate::host::{Answer, Problem};

/// Its media type.
pub const MEDIA_TYPE: &str = "text/csv; charset=utf-8";

/// What is known of a rating, month, word, product or review; what a row has not is empty.
const HEADER: [&str; 6 + RATINGS] = [
    "section", "key", "name", "count", "mean", "rating1", "rating2", "rating3", "rating4", "rating5", "text",
];
/// One row, in the order of [`HEADER`].
#[derive(Default)]
struct Row {
    section: &'static str,
    key: String,
    name: String,
    count: String,
    mean: String,
    ratings: [String; RATINGS],
    text: String,
}

impl Row {
    fn cells(&self) -> impl Iterator<Item = &str> {
        let first = [self.section, &self.key, &self.name, &self.count, &self.mean];
        first.into_iter().chain(self.ratings.iter().map(String::as_str)).chain([self.text.as_str()])
    }
}

/// The table, to be kept as a file.
///
/// # Errors
/// 500 when it cannot be written, which is our mistake.
pub fn answer(report: &Report) -> Result<Answer, Problem> {
    let text = text(report).map_err(|error| {
        tracing::error!(%error, "a table could not be written");
        Problem::internal()
    })?;
    let about = match &report.scope {
        Scope::Shop => String::new(),
        Scope::Category(id) => format!("{id}-"),
        Scope::Product(id) => format!("{id}-"),
    };
    let period = report.insights.period;
    let file = format!("attachment; filename=\"review-insights-{about}{}-{}.csv\"", period.from, period.to);
    Ok(Answer::text(StatusCode::OK, MEDIA_TYPE, text).header(header::CONTENT_DISPOSITION, file))
}

fn text(report: &Report) -> Result<String, Box<dyn std::error::Error>> {
    let rows = rows(report);
    let cells = rows.iter().map(|row| row.cells().collect());
    let table = csv([HEADER.to_vec()].into_iter().chain(cells))?;
    Ok(String::from_utf8(table)?)
}

fn rows(report: &Report) -> Vec<Row> {
    let insights = &report.insights;
    let key = |period: Period| format!("{}/{}", period.from, period.to);
    let previous = insights.period.previous();
    let mut rows = vec![
        figures("total", key(insights.period), &report.name, insights.total),
        figures("previous", key(previous), &report.name, insights.previous),
    ];
    rows.extend(
        insights.months.iter().map(|(month, ratings)| figures("month", month.to_string(), "", *ratings)),
    );
    rows.extend(insights.terms.iter().map(|(term, count)| {
        let (key, count) = (term.clone(), count.to_string());
        Row { section: "term", key, count, ..Row::default() }
    }));
    match &report.extremes {
        Extremes::Products { worst, best } => {
            rows.extend(worst.iter().map(|product| ranked("worstProduct", product)));
            rows.extend(best.iter().map(|product| ranked("bestProduct", product)));
        }
        Extremes::Reviews { worst, best } => {
            rows.extend(worst.iter().filter_map(|review| quoted("worstReview", review)));
            rows.extend(best.iter().filter_map(|review| quoted("bestReview", review)));
        }
    }
    rows
}

fn figures(section: &'static str, key: String, name: &str, ratings: Ratings) -> Row {
    let mean = ratings.mean_hundredths().map(|mean| hundredths(mean.into())).unwrap_or_default();
    let (name, count) = (guarded(name), ratings.count().to_string());
    Row {
        section,
        key,
        name,
        count,
        mean,
        ratings: ratings.0.map(|count| count.to_string()),
        text: String::new(),
    }
}

fn ranked(section: &'static str, product: &NamedProduct) -> Row {
    figures(section, product.product_id.as_str().to_owned(), &product.name, product.ratings)
}

/// A review is a row of one.
fn quoted(section: &'static str, review: &Review) -> Option<Row> {
    let Content { rating, title, text } = review.content.as_ref()?;
    let ratings = Ratings::default().revised(None, Some(*rating)).ok()?;
    Some(Row { text: guarded(text), ..figures(section, time::text(review.created_at), title, ratings) })
}
