//! `Accept` (RFC 9110, section 12.5.1): which of the forms that an answer can have the caller likes best.
//!
//! It deliberately does not know any form; the function offers what it has, its own favourite first.

use axum::http::{HeaderMap, header};

use super::kind::NOT_ACCEPTABLE;
use super::problem::Problem;

/// How closely a range of media types names one: by itself, by its type, or as any.
const RANGES: [fn(&str, &str) -> bool; 3] = [
    |range, offer| range.eq_ignore_ascii_case(offer),
    |range, offer| {
        let kind = range.strip_suffix("/*").filter(|kind| *kind != "*");
        kind.zip(offer.split_once('/')).is_some_and(|(kind, (offer, _))| kind.eq_ignore_ascii_case(offer))
    },
    |range, _| range == "*/*",
];

/// What of the offers, each with its media type, the caller likes best; of those that it likes equally the one that it names
/// more closely, and then the one that is offered first, as without the header.
///
/// # Errors
///
/// 406 when it takes none of them. A retry does not help.
pub fn preferred<T: Copy>(headers: &HeaderMap, offers: &[(&'static str, T)]) -> Result<T, Problem> {
    let lines = headers.get_all(header::ACCEPT).iter().map(|line| line.to_str().unwrap_or_default());
    let accepted: Vec<_> =
        lines.flat_map(|line| line.split(',')).map(str::trim).filter(|item| !item.is_empty()).collect();
    let mut best: Option<(f32, usize, T)> = None;
    for (media_type, offer) in offers {
        let (quality, distance) = match accepted.is_empty() {
            true => (1.0, 0),
            false => liking(&accepted, media_type),
        };
        let is_better = best.is_none_or(|(best, nearest, _)| {
            quality > best || (quality.total_cmp(&best).is_eq() && distance < nearest)
        });
        if quality > 0.0 && is_better {
            best = Some((quality, distance, *offer));
        }
    }
    best.map(|(_, _, offer)| offer).ok_or_else(|| {
        let offered: Vec<_> = offers.iter().map(|(media_type, _)| *media_type).collect();
        Problem::new(&NOT_ACCEPTABLE).detail(format!("The answer can be {}.", offered.join(", ")))
    })
}

/// How much the caller likes the media type, from 0 to 1, and how far from it the range is that says so: the closest counts.
fn liking(accepted: &[&str], media_type: &str) -> (f32, usize) {
    let closest = RANGES.iter().enumerate().find_map(|(distance, names)| {
        let mut ranges = accepted.iter().map(|item| split(item));
        ranges.find(|(range, _)| names(range, media_type)).map(|(_, quality)| (quality, distance))
    });
    closest.unwrap_or((0.0, RANGES.len()))
}

/// A range of media types and its quality; 0 when that is none.
fn split(item: &str) -> (&str, f32) {
    let mut parts = item.split(';').map(str::trim);
    let range = parts.next().unwrap_or_default();
    let quality = parts.find_map(|part| part.strip_prefix(['q', 'Q'])?.trim_start().strip_prefix('='));
    let quality = quality.map_or(1.0, |text| text.trim().parse().unwrap_or(0.0));
    (range, if (0.0..=1.0).contains(&quality) { quality } else { 0.0 })
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    const OFFERS: [(&str, &str); 3] =
        [("application/json", "json"), ("application/x-ndjson", "ndjson"), ("text/csv", "csv")];

    fn choice(accept: &str) -> Result<&'static str, u16> {
        let headers = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_str(accept).unwrap())]);
        preferred(&headers, &OFFERS).map_err(|problem| problem.status().as_u16())
    }

    #[test]
    fn best_liked_form_is_taken_and_the_closer_name_among_equals() {
        for (accept, form) in [
            ("", "json"),
            ("*/*", "json"),
            ("application/*", "json"),
            ("text/*", "csv"),
            ("TEXT/CSV", "csv"),
            ("text/csv; header=present", "csv"),
            ("text/csv, */*", "csv"),
            ("*/*, text/csv", "csv"),
            ("text/csv;q=0.5, application/x-ndjson;q=0.7", "ndjson"),
            ("application/json;q=0, */*;q=0.1", "ndjson"),
            ("application/*;q=0.2, text/csv;q=0.1", "json"),
            ("application/json ; Q = 0.2 , application/x-ndjson", "ndjson"),
        ] {
            assert_eq!(choice(accept), Ok(form), "{accept}");
        }
        assert_eq!(preferred(&HeaderMap::new(), &OFFERS).unwrap(), "json");
    }

    #[test]
    fn what_is_not_offered_or_not_wanted_is_406() {
        for accept in
            ["text/html", "text/csv;q=0", "*/*;q=0", "text", "application/json;q=much", "text/csv;q=7"]
        {
            assert_eq!(choice(accept), Err(406), "{accept}");
        }
    }
}
