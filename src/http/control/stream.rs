//! The journal as server-sent events. Events are taken from the journal only as fast as a client reads them, and
//! nothing is queued, so a client that stops reading blocks nobody. The client is notified of events that were dropped
//! in the meantime.

use std::convert::Infallible;
use std::fmt::Write;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde_json::json;

use super::event;
use super::extract::Awaited;
use crate::engine::journal::EventFilter;

/// The media type with which a client asks for a stream.
pub(super) const MEDIA_TYPE: &str = "text/event-stream";
/// The longest silence on a stream, less than the idle timeouts of common proxies.
pub(super) const HEARTBEAT: Duration = Duration::from_secs(15);
/// The maximum number of events that are read from the journal at a time.
pub(super) const EVENTS_PER_DRAW_MAX: usize = 100;
/// Once a read from the journal has reached this many bytes, no further event is added to it. For a client that has
/// stopped reading, little more than this is kept in memory, apart from the connection's buffers.
pub(super) const DRAW_BYTES_MAX: usize = 32 * 1024;

/// The beginning of every stream. It is sent immediately, so that a client sees the stream open before the first event.
const OPENING: &[u8] = b": fauxfax\n\n";

/// A heartbeat: a comment, which clients ignore.
pub(super) const STILL_HERE: Bytes = Bytes::from_static(b": still here\n\n");

/// A client's position in a world's journal.
struct JournalReader {
    awaited: Awaited,
    filter: EventFilter,
    heartbeat: Duration,
}

/// Returns a stream of the events that match: first those that exist, then new ones.
pub(super) fn answer(awaited: Awaited, filter: EventFilter) -> Response {
    of(JournalReader { awaited, filter, heartbeat: HEARTBEAT })
}

/// A client's position in a sequence of events.
pub(super) trait Reader: Send + 'static {
    /// Returns the next events, or a heartbeat; `None` when the sequence ends.
    fn draw(&mut self) -> impl Future<Output = Option<Bytes>> + Send;
}

/// Returns a response that sends what a reader draws, as fast as the client takes it.
pub(super) fn of(reader: impl Reader) -> Response {
    let opening = Bytes::from_static(OPENING);
    let drawn = stream::unfold((Some(opening), reader), |(opening, mut reader)| async move {
        let text = match opening {
            Some(opening) => opening,
            None => reader.draw().await?,
        };
        Some((Ok::<_, Infallible>(text), (None, reader)))
    });
    head(Body::from_stream(drawn))
}

/// Returns a response whose body is a stream of events.
fn head(stream: Body) -> Response {
    let head = [(header::CONTENT_TYPE, MEDIA_TYPE), (header::CACHE_CONTROL, "no-store")];
    // The additional header keeps nginx from buffering the stream.
    (head, [("x-accel-buffering", "no")], stream).into_response()
}

/// Returns whether a client asks for a stream.
pub(super) fn is_wanted(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| accept.contains(MEDIA_TYPE))
}

impl Reader for JournalReader {
    /// Returns the next events, or a heartbeat; `None` when the emulator stops or the world is gone.
    async fn draw(&mut self) -> Option<Bytes> {
        let registry = self.awaited.registry.clone();
        if self.awaited.is_fresh {
            let created = tokio::select! {
                created = tokio::time::timeout(self.heartbeat, self.awaited.created()) => created,
                () = registry.stopping() => return None,
            };
            // The stream has been silent for too long: send a heartbeat, then continue waiting.
            let Ok(world) = created else { return Some(STILL_HERE) };
            (self.awaited.world, self.awaited.is_fresh) = (world, false);
        }
        let (world, filter) = (self.awaited.world.clone(), &mut self.filter);
        let news = world.until_journaled(|journal| {
            let (since, evicted) = (filter.since, journal.evicted());
            let events = journal.events(filter, EVENTS_PER_DRAW_MAX);
            // Events up to this position were read or don't match, so they need not be read again.
            let full = events.len() == EVENTS_PER_DRAW_MAX;
            filter.since = events.last().filter(|_| full).map_or(journal.last_seq(), |event| event.seq);
            // Compared with the client's position before the read, since only events after that position are missed.
            let missed = (evicted > since).then_some((since, evicted));
            (missed.is_some() || !events.is_empty()).then_some((missed, events))
        });
        let news = tokio::select! {
            news = tokio::time::timeout(self.heartbeat, news) => news,
            () = registry.stopping() => return None,
        };
        let Ok(news) = news else { return Some(STILL_HERE) };
        let (missed, events) = news?;
        let mut text = String::new();
        if let Some((since, evicted)) = missed {
            let data = json!({ "from_seq": since + 1, "to_seq": evicted, "count": evicted - since });
            // Writing to a string never fails.
            let _ = write!(text, "event: evicted\nid: {evicted}\ndata: {data}\n\n");
        }
        for each in &events {
            let _ = write!(text, "id: {}\ndata: {}\n\n", each.seq, event::json(each));
            if text.len() >= DRAW_BYTES_MAX {
                // The remaining events are read once the client has taken these.
                self.filter.since = each.seq;
                break;
            }
        }
        Some(text.into())
    }
}

#[cfg(test)]
mod tests {
    use tokio::runtime::Handle;

    use super::*;
    use crate::config::Config;
    use crate::emulator::{AccountSetup, GuardOptions, Registry, Settings};
    use crate::engine::WorldOptions;
    use crate::io::client::{Client, ClientOptions};

    fn registry() -> Registry {
        let Config { pace, callbacks, documents, accounts, media_budget_bytes, price, service, .. } = Config::default();
        let settings = Settings {
            seed: 8,
            options: WorldOptions { pace, callbacks, documents, accounts, is_pedantic: false, media_budget_bytes },
            price: price.into(),
            service,
            public_url: None,
            guard: GuardOptions::default(),
            media_user_agent: Config::default().media_user_agent,
        };
        let client = Client::new(&ClientOptions::default()).unwrap();
        Registry::new(settings, client, AccountSetup::default(), Vec::new(), Handle::current()).unwrap()
    }

    #[tokio::test]
    async fn a_silent_stream_has_a_heartbeat() {
        let registry = registry();
        let world = registry.worlds().into_iter().next().unwrap();
        let filter = EventFilter { since: world.read_journal(|journal| journal.last_seq()), ..EventFilter::default() };
        let heartbeat = Duration::from_millis(20);
        let mut reader = JournalReader { awaited: Awaited { registry, world, is_fresh: false }, filter, heartbeat };
        for _ in 0..2 {
            let drawn = tokio::time::timeout(50 * heartbeat, reader.draw()).await.expect("a heartbeat in time");
            assert_eq!(drawn.unwrap(), ": still here\n\n");
        }
    }
}
