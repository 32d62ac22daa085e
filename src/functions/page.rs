//! Pages of a list: `limit` and an opaque `cursor` in, `{items, nextLink}` out. No totals: counting costs more than it
//! tells.

use std::collections::BTreeMap;

use data_encoding::BASE64URL_NOPAD;
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::host::kind::INVALID_QUERY;
use crate::host::{Problem, parse_query};

/// Items of a page when the request does not say.
pub const LIMIT_DEFAULT: usize = 20;
/// Most items of a page.
pub const LIMIT_MAX: usize = 100;

/// Which page is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest<C> {
    /// At most so many items, 1 to [`LIMIT_MAX`].
    pub limit: usize,
    /// Where the page begins; at the beginning of the list without one.
    pub cursor: Option<C>,
}

/// The other parameters of a list, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filters(BTreeMap<String, String>);

impl Filters {
    /// The parameter's value as a `T`; `None` without it.
    ///
    /// # Errors
    /// 400 naming the parameter and what it must be.
    pub fn get<T>(
        &self,
        name: &'static str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        let Some(text) = self.0.get(name) else { return Ok(None) };
        parse(text).map(Some).ok_or_else(|| invalid(name, &format!("must be {expected}")))
    }
}

/// One page of a list.
#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "{T}Page")]
pub struct Page<T> {
    /// The items, in a stable order.
    #[schemars(length(max = LIMIT_MAX))]
    pub items: Vec<T>,
    /// Path and query of the next page; absent on the last.
    #[schemars(length(max = 4000), example = &"/api/products?limit=20&cursor=eyJrIjoxfQ")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_link: Option<String>,
}

impl<C: DeserializeOwned + Serialize> PageRequest<C> {
    /// Reads `limit` and `cursor`.
    ///
    /// # Errors
    /// 400 naming the parameter, also for one that is not known.
    pub fn parse(query: Option<&str>) -> Result<Self, Problem> {
        Self::parse_with(query, &[]).map(|(request, _)| request)
    }

    /// Reads `limit` and `cursor`, and gives back the values of these other parameters.
    ///
    /// # Errors
    /// 400 naming the parameter, also for one that is not known.
    pub fn parse_with(query: Option<&str>, others: &[&str]) -> Result<(Self, Filters), Problem> {
        let mut parameters = parse_query(query, &[others, &["limit", "cursor"]].concat())?;
        let limit = match parameters.remove("limit") {
            None => LIMIT_DEFAULT,
            Some(text) => match text.parse::<usize>() {
                Ok(limit) if (1..=LIMIT_MAX).contains(&limit) => limit,
                _ => return Err(invalid("limit", &format!("must be a number from 1 to {LIMIT_MAX}"))),
            },
        };
        let cursor = match parameters.remove("cursor") {
            None => None,
            Some(text) => Some(decode(&text).ok_or_else(|| invalid("cursor", "must come from a nextLink"))?),
        };
        Ok((Self { limit, cursor }, Filters(parameters)))
    }

    /// How many items to read: one more than the page has, to know whether there is a next one.
    pub fn read_max(&self) -> usize {
        self.limit + 1
    }

    /// The page of these items, whose next has the same filters and begins after what `cursor_of` makes of its last item.
    pub fn page<T>(
        &self,
        path: &str,
        filters: &Filters,
        mut items: Vec<T>,
        cursor_of: impl Fn(&T) -> C,
    ) -> Page<T> {
        let more = items.len() > self.limit;
        items.truncate(self.limit);
        let last = items.last().filter(|_| more);
        let next_link = last.map(|last| self.next_link(path, filters, &cursor_of(last)));
        Page { items, next_link }
    }

    /// Path and query of the page that begins here, with the same filters.
    pub fn next_link(&self, path: &str, filters: &Filters, cursor: &C) -> String {
        let start = format!("{path}?");
        let length = start.len();
        let mut query = form_urlencoded::Serializer::for_suffix(start, length);
        query.extend_pairs(&filters.0);
        query.append_pair("limit", &self.limit.to_string()).append_pair("cursor", &encode(cursor));
        query.finish()
    }
}

/// 400: a parameter of the query is not what it must be.
pub fn invalid(name: &'static str, detail: &str) -> Problem {
    Problem::new(&INVALID_QUERY).parameter(name, detail)
}

fn encode<C: Serialize>(cursor: &C) -> String {
    BASE64URL_NOPAD.encode(serde_json::json!(cursor).to_string().as_bytes())
}

fn decode<C: DeserializeOwned>(text: &str) -> Option<C> {
    serde_json::from_slice(&BASE64URL_NOPAD.decode(text.as_bytes()).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn next_link_leads_to_the_item_after_the_last() {
        let request: PageRequest<u32> = PageRequest::parse(Some("limit=2")).unwrap();
        let page = request.page("/api/x", &Filters::default(), vec![1, 2, 3], |item| *item);
        assert_eq!(page.items, [1, 2]);
        let link = page.next_link.unwrap();
        let next: PageRequest<u32> =
            PageRequest::parse(link.split_once('?').map(|(_, query)| query)).unwrap();
        assert_eq!(next, PageRequest { limit: 2, cursor: Some(2) });
        assert_eq!(next.page("/api/x", &Filters::default(), vec![3], |item| *item).next_link, None);
    }

    #[test]
    fn wrong_parameters_are_named() {
        for query in ["limit=0", "limit=101", "limit=x", "cursor=!", "cursor=YQ", "page=2", "limit=1&limit=2"]
        {
            let problem = PageRequest::<u32>::parse(Some(query)).unwrap_err();
            assert_eq!((problem.status().as_u16(), problem.code()), (400, "invalid-query"), "{query}");
        }
    }
}
