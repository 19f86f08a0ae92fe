//! Streams long lists as JSON. The text is generated while it is sent, so the text of an unread response takes only the
//! memory of one chunk, not that of the whole list.

use std::convert::Infallible;

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::Serialize;

/// How many bytes of text are generated at a time.
const CHUNK_BYTES: usize = 32 * 1024;

/// Returns a response `{"name":[items],rest}`; `rest` is an object whose fields follow the list.
pub(super) fn list<T: Serialize>(
    name: &str,
    items: impl Iterator<Item = T> + Send + 'static,
    rest: &impl Serialize,
) -> Response {
    let end = serde_json::to_string(rest).unwrap_or_default();
    // If `rest` has no fields, no comma may follow the list.
    let end = end.strip_prefix('{').filter(|rest| rest.len() > 1).map_or("]}".to_owned(), |rest| format!("],{rest}"));
    within(format!("{{\"{name}\":["), items, &end)
}

/// Returns a response that consists of `begin`, a list of items and `end`, which together are a JSON document.
pub(super) fn within<T: Serialize>(
    begin: String,
    items: impl Iterator<Item = T> + Send + 'static,
    end: &str,
) -> Response {
    let mut list = List { begin: Some(begin), items, is_first: true, end: Some(end.to_owned()) };
    let first = list.next();
    // A list that fits in one chunk is sent as a whole, with a Content-Length.
    let body = if list.end.is_some() {
        let chunks = first.into_iter().chain(list).map(Ok::<_, Infallible>);
        Body::from_stream(stream::iter(chunks))
    } else {
        Body::from(first.unwrap_or_default())
    };
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

struct List<I> {
    begin: Option<String>,
    items: I,
    is_first: bool,
    /// The closing text; `None` once it has been sent.
    end: Option<String>,
}

impl<T: Serialize, I: Iterator<Item = T>> Iterator for List<I> {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        // Nothing follows the closing text.
        self.end.as_ref()?;
        let mut chunk = self.begin.take().unwrap_or_default().into_bytes();
        while chunk.len() < CHUNK_BYTES {
            let Some(item) = self.items.next() else {
                chunk.extend(self.end.take()?.into_bytes());
                break;
            };
            if !std::mem::take(&mut self.is_first) {
                chunk.push(b',');
            }
            serde_json::to_writer(&mut chunk, &item).expect("views have text keys only");
        }
        Some(chunk.into())
    }
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use serde_json::{Value, json};

    use super::*;

    async fn read(items: usize, length: usize) -> (Option<u64>, Value) {
        let text = "x".repeat(length);
        let answer = list("list", (0..items).map(move |_| text.clone()), &json!({ "last": 7 }));
        let size = axum::body::HttpBody::size_hint(answer.body()).exact();
        let body = to_bytes(answer.into_body(), usize::MAX).await.expect("read");
        (size, serde_json::from_slice(&body).expect("JSON"))
    }

    #[tokio::test]
    async fn a_list_is_complete_however_long_it_is() {
        for (items, length) in [(0, 0), (1, 1), (3, CHUNK_BYTES), (10_000, 10)] {
            let (_, value) = read(items, length).await;
            assert_eq!(value, json!({ "list": vec!["x".repeat(length); items], "last": 7 }));
        }
    }

    #[tokio::test]
    async fn a_short_list_has_a_content_length_and_a_long_one_is_streamed() {
        assert!(read(3, 10).await.0.is_some());
        assert_eq!(read(10_000, 10).await.0, None);
    }
}
