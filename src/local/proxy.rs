//! What a proxied request looks like on its way to the handler and back.
//!
//! Header rules and a body that survives a refused connection; who sends it is another's business.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use axum::body::HttpBody;
use axum::http::header::{CONNECTION, CONTENT_LENGTH, HOST};
use axum::http::request::Parts;
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, Response, Uri};
use futures::StreamExt;
use futures::stream;

/// The version of the host that is imitated.
pub(super) const HOST_VERSION: &str = "4.1052.200";
pub(super) const INVOCATION_ID: HeaderName = HeaderName::from_static("x-azure-functions-invocationid");
pub(super) const HOST_VERSION_HEADER: HeaderName = HeaderName::from_static("x-azure-functions-hostversion");
const MS_INVOCATION_ID: HeaderName = HeaderName::from_static("x-ms-invocation-id");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Headers that are about one connection only.
const HOP_BY_HOP: [&str; 9] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// A request that can be built again as long as nothing of its body has been read.
#[derive(Debug)]
pub(super) struct ProxiedRequest {
    parts: Parts,
    /// `None` when there is no body at all.
    body: Option<Arc<Mutex<Option<Body>>>>,
}

impl ProxiedRequest {
    /// Turns the request of a client at `peer` into the one for the handler.
    pub(super) fn new(request: Request<Body>, peer: IpAddr, invocation_id: &str) -> Self {
        let (mut parts, body) = request.into_parts();
        let host = parts.headers.remove(HOST);
        drop_hop_by_hop(&mut parts.headers);
        let id = header_value(invocation_id);
        let replaced = [
            (INVOCATION_ID, Some(id.clone())),
            (MS_INVOCATION_ID, Some(id)),
            (HOST_VERSION_HEADER, Some(HeaderValue::from_static(HOST_VERSION))),
            (FORWARDED_FOR, Some(header_value(&peer.to_string()))),
            (FORWARDED_PROTO, Some(HeaderValue::from_static("http"))),
            (FORWARDED_HOST, host),
        ];
        for (name, value) in replaced {
            parts.headers.remove(&name);
            if let Some(value) = value {
                parts.headers.insert(name, value);
            }
        }
        let is_empty = body.is_end_stream() && !parts.headers.contains_key(CONTENT_LENGTH);
        Self { parts, body: (!is_empty).then(|| Arc::new(Mutex::new(Some(body)))) }
    }

    /// The request to a handler at `address`; path and query are those of the client, byte for byte.
    ///
    /// # Errors
    /// When the target is not one that HTTP can carry to a server; a retry does not help.
    pub(super) fn to(&self, address: SocketAddr) -> Result<Request<Body>, axum::http::Error> {
        let path = self.parts.uri.path_and_query().cloned();
        let uri = Uri::builder()
            .scheme("http")
            .authority(address.to_string())
            .path_and_query(path.unwrap_or_else(|| PathAndQuery::from_static("/")))
            .build()?;
        let mut request = Request::builder().method(self.parts.method.clone()).uri(uri).body(self.body())?;
        *request.headers_mut() = self.parts.headers.clone();
        Ok(request)
    }

    /// A body that is taken from its place only when the first byte is wanted.
    fn body(&self) -> Body {
        let Some(body) = self.body.clone() else {
            return Body::empty();
        };
        let taken = stream::once(async move {
            let mut place = body.lock().unwrap_or_else(PoisonError::into_inner);
            place.take().unwrap_or_else(Body::empty).into_data_stream()
        });
        Body::from_stream(taken.flatten())
    }
}

/// The handler's response as the client gets it; the body streams.
pub(super) fn response<B>(response: Response<B>) -> Response<Body>
where
    B: HttpBody<Data = axum::body::Bytes> + Send + 'static,
    B::Error: Into<axum::BoxError>,
{
    let (parts, body) = response.into_parts();
    let mut forwarded = Response::new(Body::new(body));
    *forwarded.status_mut() = parts.status;
    *forwarded.headers_mut() = parts.headers;
    drop_hop_by_hop(forwarded.headers_mut());
    forwarded
}

/// A text of ours as a header value; ours are always valid.
pub(super) fn header_value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""))
}

fn drop_hop_by_hop(headers: &mut HeaderMap) {
    let named = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|name| name.trim().to_owned())
        .collect::<Vec<_>>();
    for name in named.iter().map(String::as_str).chain(HOP_BY_HOP) {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxied(request: Request<Body>) -> Request<Body> {
        let peer = "127.0.0.1".parse().unwrap();
        ProxiedRequest::new(request, peer, "an-id").to("127.0.0.1:9".parse().unwrap()).unwrap()
    }

    #[test]
    fn path_and_query_are_unchanged() {
        let request = Request::get("/api/a%2Fb//c/../d?x=%20&x=1&flag").body(Body::empty()).unwrap();
        assert_eq!(proxied(request).uri().to_string(), "http://127.0.0.1:9/api/a%2Fb//c/../d?x=%20&x=1&flag");
    }

    #[test]
    fn headers_of_one_hop_are_dropped_and_ours_replace_the_clients() {
        let request = Request::get("/")
            .header("host", "shop.example:7071")
            .header("connection", "close, X-Private")
            .header("x-private", "1")
            .header("te", "trailers")
            .header("x-azure-functions-invocationid", "forged")
            .header("x-forwarded-for", "1.2.3.4")
            .header("user-agent", "me")
            .body(Body::empty())
            .unwrap();
        let request = proxied(request);
        let mut headers: Vec<_> = request
            .headers()
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        headers.sort();
        assert_eq!(
            headers,
            [
                "user-agent: me",
                "x-azure-functions-hostversion: 4.1052.200",
                "x-azure-functions-invocationid: an-id",
                "x-forwarded-for: 127.0.0.1",
                "x-forwarded-host: shop.example:7071",
                "x-forwarded-proto: http",
                "x-ms-invocation-id: an-id",
            ]
        );
    }

    #[tokio::test]
    async fn body_survives_an_attempt_that_read_nothing() {
        let request = Request::post("/").body(Body::from("content")).unwrap();
        let request = ProxiedRequest::new(request, "127.0.0.1".parse().unwrap(), "an-id");
        let address = "127.0.0.1:9".parse().unwrap();
        drop(request.to(address).unwrap());
        let body = request.to(address).unwrap().into_body();
        assert_eq!(axum::body::to_bytes(body, 100).await.unwrap(), "content");
    }

    #[test]
    fn request_without_a_body_is_sent_without_one() {
        let request = Request::get("/").body(Body::empty()).unwrap();
        assert!(proxied(request).into_body().is_end_stream());
    }
}
