//! A report as a page for people: figures, charts made here, and the same figures as a table. No script, and nothing from
//! elsewhere.
//!
//! Whatever customers and staff wrote is escaped. Does not know how a chart is drawn.

use std::sync::LazyLock;

use axum::http::{StatusCode, header};
use data_encoding::BASE64;
use sha2::{Digest, Sha256};

use super::chart::{Bar, Point, bars, course, escaped};
use super::hundredths;
use crate::app::insights::{Extremes, NamedProduct, Report};
use crate::domain::insights::{Insights, RANKED_REVIEWS_MIN, Scope};
use crate::domain::review::summary::Ratings;
use crate::domain::review::{Rating, Review};
use crate::host::Answer;

/// Its media type.
pub const MEDIA_TYPE: &str = "text/html; charset=utf-8";

const STYLE: &str = include_str!("page.css");
/// The style in the page, by its hash, and an empty icon, so that no browser asks for one; nothing else.
static CONTENT_SECURITY_POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = BASE64.encode(&Sha256::digest(STYLE));
    format!(
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; img-src data:; \
         style-src 'sha256-{hash}'"
    )
});

/// The page.
pub fn answer(report: &Report) -> Answer {
    Answer::text(StatusCode::OK, MEDIA_TYPE, html(report))
        .header(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY.as_str())
        .header(header::REFERRER_POLICY, "no-referrer")
}

fn html(report: &Report) -> String {
    let insights = &report.insights;
    let about = match report.scope {
        Scope::Shop => "all products".to_owned(),
        Scope::Category(_) | Scope::Product(_) => report.name.clone(),
    };
    let title = escaped(&format!("Reviews of {about}"));
    let (period, previous) = (insights.period, insights.period.previous());
    let body = [
        format!(
            "<header><h1>{title}</h1><p>{} to {}, beside {} to {}</p></header>",
            period.from, period.to, previous.from, previous.to
        ),
        tiles(insights),
        section("By month", &months_chart(insights)),
        section("By rating", &ratings_chart(insights.total)),
        terms(insights),
        extremes(&report.extremes),
        section("Figures", &table(insights)),
    ]
    .concat();
    format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\"><link rel=\"icon\" href=\"data:,\"><title>{title}</title>\
         <style>{STYLE}</style></head><body><main>{body}</main></body></html>"
    )
}

fn section(title: &str, content: &str) -> String {
    format!("<section><h2>{title}</h2>{content}</section>")
}

fn tiles(insights: &Insights) -> String {
    let tile = |name: &str, value: &str, change: Option<(i64, String)>| {
        let change = change.map(|(number, text)| {
            let (class, sign) = match number {
                ..0 => ("down", "\u{2212}"),
                0 => ("same", "\u{b1}"),
                1.. => ("up", "+"),
            };
            format!("<small class=\"{class}\">{sign}{}</small>", text.trim_start_matches('-'))
        });
        format!("<div><dt>{name}</dt><dd>{value} {}</dd></div>", change.unwrap_or_default())
    };
    let count = insights.count_change();
    let mean = insights.mean_change_hundredths().map(i64::from);
    [
        "<dl>".to_owned(),
        tile("Reviews", &insights.total.count().to_string(), Some((count, count.to_string()))),
        tile("Mean rating", &mean_text(insights.total), mean.map(|mean| (mean, hundredths(mean)))),
        tile("Reviews before", &insights.previous.count().to_string(), None),
        tile("Mean before", &mean_text(insights.previous), None),
        "</dl>".to_owned(),
    ]
    .concat()
}

fn months_chart(insights: &Insights) -> String {
    let points: Vec<_> = insights
        .months
        .iter()
        .map(|(month, ratings)| Point {
            label: month.to_string(),
            count: ratings.count(),
            mean_hundredths: ratings.mean_hundredths(),
        })
        .collect();
    let description = "Above the mean rating of each month, from 1 to 5, as a line; below how many reviews were written, as \
                       columns. The table has the figures.";
    course("course", "Mean rating and number of reviews by month", description, &points)
}

fn ratings_chart(ratings: Ratings) -> String {
    let all = ratings.count();
    let rows = Rating::ALL.into_iter().rev().map(|rating| {
        let value = u64::from(ratings.of(rating));
        let share = (value * 100 + all / 2).checked_div(all).unwrap_or_default();
        Bar { name: stars(rating), value, note: format!("{value} ({share} %)") }
    });
    let description = "How many reviews gave each rating, from 5 to 1. The table has the figures.";
    bars("ratings", "Reviews by rating", description, &rows.collect::<Vec<_>>())
}

fn terms(insights: &Insights) -> String {
    let rows: Vec<_> = insights
        .terms
        .iter()
        .map(|(term, count)| Bar { name: term.clone(), value: *count, note: count.to_string() })
        .collect();
    if rows.is_empty() {
        return section("Words", "<p>No word is mentioned by two reviews.</p>");
    }
    let told: Vec<_> = insights.terms.iter().map(|(term, count)| format!("{term} {count}")).collect();
    let description = format!("How many reviews mention each word: {}.", told.join(", "));
    section("Words", &bars("words", "Words that most reviews mention", &description, &rows))
}

fn extremes(extremes: &Extremes) -> String {
    let list = |title: &str, items: Vec<String>, none: &str| match items.is_empty() {
        true => section(title, &format!("<p>{none}</p>")),
        false => section(title, &format!("<ol>{}</ol>", items.concat())),
    };
    match extremes {
        Extremes::Products { worst, best } => {
            let none = format!("No product has {RANKED_REVIEWS_MIN} reviews.");
            let few = "There are too few products with enough reviews.";
            let items = |products: &[NamedProduct]| products.iter().map(ranked).collect();
            [list("Best products", items(best), &none), list("Worst products", items(worst), few)].concat()
        }
        Extremes::Reviews { worst, best } => {
            let items = |reviews: &[Review]| reviews.iter().filter_map(quoted).collect();
            [
                list("Best reviews", items(best), "No review gave 4 or 5."),
                list("Worst reviews", items(worst), "No review gave 1 or 2."),
            ]
            .concat()
        }
    }
}

fn ranked(product: &NamedProduct) -> String {
    let (mean, count) = (mean_text(product.ratings), product.ratings.count());
    format!("<li><b>{}</b> <span>{mean} from {count} reviews</span></li>", escaped(&product.name))
}

fn quoted(review: &Review) -> Option<String> {
    let content = review.content.as_ref()?;
    let (title, text) = (escaped(&content.title), escaped(&content.text));
    let (stars, day) = (stars(content.rating), review.created_at.date_naive());
    let bought = if review.verified_purchase { ", bought here" } else { "" };
    let helpful = review.helpful;
    Some(format!(
        "<li><b>{title}</b> <span>{stars}, {day}, helpful to {helpful}{bought}</span><blockquote>{text}</blockquote></li>"
    ))
}

fn table(insights: &Insights) -> String {
    let row = |name: &str, ratings: Ratings| {
        let counts = ratings.0.iter().map(|count| format!("<td>{count}</td>"));
        let (count, mean) = (ratings.count(), mean_text(ratings));
        let counts: String = counts.collect();
        format!("<tr><th scope=\"row\">{name}</th><td>{count}</td><td>{mean}</td>{counts}</tr>")
    };
    let months = insights.months.iter().map(|(month, ratings)| row(&month.to_string(), *ratings));
    let ratings = Rating::ALL.map(|rating| format!("<th scope=\"col\">{}</th>", stars(rating)));
    format!(
        "<div class=\"wide\"><table><thead><tr><th scope=\"col\">Month</th><th scope=\"col\">Reviews</th><th scope=\"col\">\
         Mean</th>{}</tr></thead><tbody>{}</tbody><tfoot>{}{}</tfoot></table></div>",
        ratings.concat(),
        months.collect::<String>(),
        row("All", insights.total),
        row("Before", insights.previous),
    )
}

fn mean_text(ratings: Ratings) -> String {
    ratings.mean_hundredths().map_or_else(|| "\u{2013}".to_owned(), |mean| hundredths(mean.into()))
}

fn stars(rating: Rating) -> String {
    format!("{} \u{2605}", rating.number())
}
