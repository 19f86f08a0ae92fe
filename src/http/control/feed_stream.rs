//! The feed of all accounts as server-sent events. As with a single account's journal (`stream.rs`), entries are read
//! only as fast as a client takes them, and a client is notified of entries that were dropped in the meantime.

use std::fmt::Write;
use std::time::Duration;

use axum::body::Bytes;
use axum::response::Response;
use serde_json::{Value, json};

use super::stream::{self, DRAW_BYTES_MAX, EVENTS_PER_DRAW_MAX, HEARTBEAT, Reader, STILL_HERE};
use crate::emulator::Registry;
use crate::world::feed::News;

/// A client's position in the feed.
struct FeedReader<F> {
    registry: Registry,
    since: u64,
    heartbeat: Duration,
    view: F,
}

/// Returns a stream of the entries after `since` for which `view` returns JSON: first those that exist, then new ones.
pub(super) fn answer<F>(registry: Registry, since: u64, view: F) -> Response
where
    F: Fn(&News) -> Option<Value> + Send + 'static,
{
    stream::of(FeedReader { registry, since, heartbeat: HEARTBEAT, view })
}

impl<F: Fn(&News) -> Option<Value> + Send + 'static> Reader for FeedReader<F> {
    /// Returns the next entries, or a heartbeat; `None` when the emulator stops.
    async fn draw(&mut self) -> Option<Bytes> {
        let registry = self.registry.clone();
        tokio::select! {
            news = tokio::time::timeout(self.heartbeat, self.news(&registry)) => {
                Some(news.unwrap_or(STILL_HERE))
            }
            () = registry.stopping() => None,
        }
    }
}

impl<F: Fn(&News) -> Option<Value>> FeedReader<F> {
    /// Waits for entries that `view` accepts, and returns them as events. Dropping the future loses no entry.
    async fn news(&mut self, registry: &Registry) -> Bytes {
        let mut text = String::new();
        while text.is_empty() {
            registry.feed().grown(self.since).await;
            let page = registry.feed().read(self.since, EVENTS_PER_DRAW_MAX);
            if page.evicted > self.since {
                let count = page.evicted - self.since;
                let data = json!({ "from_seq": self.since + 1, "to_seq": page.evicted, "count": count });
                // Writing to a string never fails.
                let _ = write!(text, "event: evicted\nid: {}\ndata: {data}\n\n", page.evicted);
            }
            for news in &page.entries {
                self.since = news.seq;
                let Some(item) = (self.view)(news) else { continue };
                let _ = write!(text, "id: {}\ndata: {item}\n\n", news.seq);
                if text.len() >= DRAW_BYTES_MAX {
                    // The remaining entries are read once the client has taken these.
                    break;
                }
            }
        }
        text.into()
    }
}
