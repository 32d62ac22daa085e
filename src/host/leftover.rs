//! What a function leaves unread of a request's body: it is read and thrown away, so that the connection stays whole.
//!
//! A server that answers and has not read everything closes the connection; whoever is still sending then learns of a broken
//! connection and not of the answer. It deliberately does not know what a body is.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes, HttpBody};
use axum::extract::Request;
use futures::stream::{Stream, poll_fn};
use futures::{StreamExt, TryStreamExt};
use tokio::time::timeout;

/// Most bytes that are thrown away; whoever sends more may see a broken connection.
const LEFTOVER_BYTES_MAX: usize = 1024 * 1024;
/// Longest that they are waited for.
const LEFTOVER_TIME_MAX: Duration = Duration::from_secs(2);

/// A body that can still be reached when the function has dropped it.
pub(super) struct Leftover(Arc<Mutex<BodyDataStream>>);

/// The request with a body that is shared with the leftover; `None` for one without a body.
pub(super) fn shared(request: Request) -> (Request, Option<Leftover>) {
    if request.body().is_end_stream() {
        return (request, None);
    }
    let (parts, body) = request.into_parts();
    let leftover = Leftover(Arc::new(Mutex::new(body.into_data_stream())));
    (Request::from_parts(parts, Body::from_stream(leftover.stream())), Some(leftover))
}

impl Leftover {
    fn stream(&self) -> impl Stream<Item = Result<Bytes, axum::Error>> + Send + use<> {
        let body = Arc::clone(&self.0);
        poll_fn(move |context| {
            let mut body = body.lock().unwrap_or_else(PoisonError::into_inner);
            Pin::new(&mut *body).poll_next(context)
        })
    }

    /// Reads what is left, within the limits.
    pub(super) async fn drain(self) {
        let read = async {
            let mut left = self.stream().boxed();
            let mut size_bytes = 0_usize;
            while let Ok(Some(part)) = left.try_next().await {
                size_bytes = size_bytes.saturating_add(part.len());
                if size_bytes > LEFTOVER_BYTES_MAX {
                    break;
                }
            }
        };
        // Whoever sends no further has to live with a broken connection.
        drop(timeout(LEFTOVER_TIME_MAX, read).await);
    }
}

#[cfg(test)]
mod tests {
    use futures::stream;

    use super::*;

    fn request(parts: impl Stream<Item = Result<String, axum::Error>> + Send + 'static) -> Request {
        Request::new(Body::from_stream(parts))
    }

    #[tokio::test]
    async fn what_is_unread_is_read_and_what_is_read_is_not_missed() {
        let parts = || stream::iter(["one ", "two ", "three"].map(|part| Ok(part.to_owned())));
        let (unread, leftover) = shared(request(parts()));
        let leftover = leftover.unwrap();
        let mut seen = leftover.stream().boxed();
        drop(unread);
        leftover.drain().await;
        assert!(seen.next().await.is_none());

        let (whole, leftover) = shared(request(parts()));
        let read = axum::body::to_bytes(whole.into_body(), 100).await.unwrap();
        assert_eq!(read, "one two three");
        leftover.unwrap().drain().await;
        assert!(shared(Request::new(Body::empty())).1.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn body_without_an_end_is_left_alone_at_last() {
        let (_, endless) = shared(request(stream::repeat_with(|| Ok("x".repeat(1024)))));
        endless.unwrap().drain().await;
        let (_, stuck) = shared(request(stream::pending()));
        stuck.unwrap().drain().await;
    }
}
