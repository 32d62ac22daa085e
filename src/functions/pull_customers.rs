//! `GET /api/partners/{id}/customers`: what a partner may have of the customers who agreed, all of it or what changed since a
//! cursor. A page as JSON, or everything in one stream of lines (NDJSON) or rows (CSV).

use std::io;
use std::num::NonZeroU32;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures::stream::try_unfold;
use serde_json::json;
use tokio::time::Instant;
use tracing::{Instrument, Span};

use crate::app::App;
use crate::app::pull::{Opened, Portion, Pull};
use crate::auth::caller::{By, Partner};
use crate::domain::id::{DisclosureId, PartnerId};
use crate::domain::partner::disclosure::Form;
use crate::functions::api::PARTNERS;
use crate::functions::error::{cut_off, no_such};
use crate::functions::example;
use crate::functions::keep::{Keep, with_keep};
use crate::functions::kind::NO_CONTRACT;
use crate::functions::page::invalid;
use crate::functions::partner::partner_id;
use crate::functions::pull::{CSV, Lines, NDJSON, PullPage};
use crate::host::{Answer, Operation, Problem, parse_query, preferred};

/// Customers of a page when the request does not say.
const LIMIT_DEFAULT: NonZeroU32 = NonZeroU32::MIN.saturating_add(99);
/// Most customers of a page.
const LIMIT_MAX: NonZeroU32 = NonZeroU32::MIN.saturating_add(999);
/// Most customers of a stream that are in memory at once.
const STREAM_PAGE_MAX: NonZeroU32 = NonZeroU32::MIN.saturating_add(999);
/// How long a stream goes on; then it ends with a cursor to go on from. Azure cuts off what takes longer than 230 s.
const STREAM_TIME_MAX: Duration = Duration::from_secs(150);
/// The forms, our favourite first.
const FORMS: [(&str, Form); 3] = [("application/json", Form::Json), (NDJSON, Form::Ndjson), (CSV, Form::Csv)];
const VARY: &str = "Accept, Accept-Encoding";

/// Where a pull begins and how much it takes at once.
struct Wanted {
    cursor: Option<DisclosureId>,
    page_max: NonZeroU32,
}

/// What is left of a stream.
struct Rest {
    pull: Box<Pull>,
    lines: Lines,
    /// A page that has been read already.
    ready: Option<Portion>,
    is_first: bool,
    until: Instant,
}

/// Answers 200, 400, 403 without a contract, 404 to another partner, or 406. Before anything leaves it is on
/// record.
///
/// # Errors
/// A [`Problem`].
pub async fn pull_customers(
    By(caller): By<Partner>,
    State(app): State<App>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let partner_id = partner_id(&id)?;
    if !caller.is(&partner_id) {
        return Err(no_such("partner", &id, None));
    }
    let form = preferred(&headers, &FORMS)?;
    let wanted = wanted(query.as_deref(), form)?;
    let opened = app.open_pull(&partner_id, wanted.cursor.as_ref(), form, wanted.page_max);
    let mut pull = match Box::pin(opened).await? {
        Opened::Pull(pull) => pull,
        Opened::NoContract => return Err(no_contract()),
        Opened::UnknownCursor => {
            return Err(invalid("cursor", "must come from this partner's nextLink, deltaLink or last line"));
        }
    };
    let portion = Box::pin(pull.next()).await?.ok_or_else(no_contract)?;
    let lines = match form {
        Form::Json => return Ok(page(&partner_id, wanted.page_max, &portion).into_response()),
        Form::Ndjson => Lines::Ndjson,
        Form::Csv => Lines::csv(pull.partner()),
    };
    let until = Instant::now() + STREAM_TIME_MAX;
    Ok(stream(form, Rest { pull, lines, ready: Some(portion), is_first: true, until }))
}

fn no_contract() -> Problem {
    Problem::new(&NO_CONTRACT)
}

fn wanted(query: Option<&str>, form: Form) -> Result<Wanted, Problem> {
    let allowed: &[&str] = match form {
        Form::Json => &["cursor", "limit"],
        Form::Ndjson | Form::Csv => &["cursor"],
    };
    let mut parameters = parse_query(query, allowed)?;
    let cursor = parameters.remove("cursor").map(|text| {
        DisclosureId::parse(&text)
            .map_err(|_| invalid("cursor", "must come from a nextLink, a deltaLink or a last line"))
    });
    let page_max = match (form, parameters.remove("limit")) {
        (Form::Ndjson | Form::Csv, _) => STREAM_PAGE_MAX,
        (Form::Json, None) => LIMIT_DEFAULT,
        (Form::Json, Some(text)) => match text.parse() {
            Ok(limit) if limit <= LIMIT_MAX => limit,
            _ => return Err(invalid("limit", &format!("must be a number from 1 to {LIMIT_MAX}"))),
        },
    };
    Ok(Wanted { cursor: cursor.transpose()?, page_max })
}

fn page(partner_id: &PartnerId, limit: NonZeroU32, portion: &Portion) -> Answer {
    let link = format!("/api/partners/{partner_id}/customers?limit={limit}&cursor={}", portion.cursor);
    let (next_link, delta_link) = if portion.is_end { (None, Some(link)) } else { (Some(link), None) };
    let items = portion.changes.iter().map(Into::into).collect();
    let answer = Answer::json(StatusCode::OK, &PullPage { items, next_link, delta_link });
    with_keep(answer, Keep::Private).header(header::VARY, VARY)
}

/// Sends page after page, each read when the one before has gone. What goes wrong breaks the connection before the last line.
fn stream(form: Form, rest: Rest) -> Response {
    let span = Span::current();
    let pieces = try_unfold(Some(Box::new(rest)), move |rest| {
        let step = async {
            match rest {
                Some(rest) => rest.piece().await.map(Some),
                None => Ok(None),
            }
        };
        step.instrument(span.clone())
    });
    let media_type = FORMS.iter().find(|(_, one)| *one == form).map_or(NDJSON, |(media_type, _)| *media_type);
    let mut response = Body::from_stream(pieces).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    headers.insert(header::VARY, HeaderValue::from_static(VARY));
    response
}

impl Rest {
    /// The next piece, and what is left after it.
    async fn piece(mut self: Box<Self>) -> io::Result<(Vec<u8>, Option<Box<Self>>)> {
        let portion = match self.ready.take() {
            Some(portion) => portion,
            None => {
                let next = Box::pin(self.pull.next()).await.map_err(cut_off)?;
                next.ok_or_else(|| io::Error::other("the contract has ended meanwhile"))?
            }
        };
        let mut piece = if self.is_first { self.lines.head()? } else { Vec::new() };
        self.is_first = false;
        piece.extend(self.lines.changes(&portion.changes)?);
        if !portion.is_end && Instant::now() < self.until {
            return Ok((piece, Some(self)));
        }
        Box::pin(self.pull.close()).await.map_err(cut_off)?;
        piece.extend(self.lines.last(&portion.cursor, portion.is_end)?);
        Ok((piece, None))
    }
}

/// What the API's document says of it.
pub fn operation() -> Operation {
    let description = "For the partner itself: customers who agreed to it, with the fields of its contract and no others. Without a \
        cursor everybody, which is the truth: delete whom that does not name. With one only those who changed since, and those \
        to delete, because they withdrew their consent or were erased; a customer may come twice, the later one counts. Keep \
        the `deltaLink` of the last page, or the cursor of the last line, for the next pull. Each pull is on record.\n\n\
        NDJSON and CSV have everything in one answer, and are whole only with their last line: `change` is `customer`, \
        `removed`, or at the end `cursor`, or `more` when it has taken too long: go on at once.";
    let rows = "A row for each (RFC 4180) with the columns `change`, `id` and those of the contract, such as `addresses.0.city`. \
                A cell that begins with `=`, `+`, `-`, `@`, a tab or a line end has an apostrophe before it, phone numbers, too.";
    let limit = json!({"type": "integer", "minimum": 1, "maximum": LIMIT_MAX, "default": LIMIT_DEFAULT});
    Operation::new(PARTNERS, "Pull customers", description)
        .path::<PartnerId>("id", "The partner.")
        .query_as("limit", "Most items of a page; for JSON only.", limit)
        .query_as(
            "cursor",
            "Where to begin: from the pull before, and only from there.",
            json!({"type": "string"}),
        )
        .answers::<PullPage>(StatusCode::OK, "A page, or everything.", &[], example::pull_page())
        .also_as(StatusCode::OK, &[(NDJSON, "A JSON object a line, each with `change`."), (CSV, rows)])
        .problems(&[&NO_CONTRACT])
}
