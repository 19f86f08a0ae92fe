//! The journal live, as server-sent events. A client draws events out of the journal as fast as it reads; nothing is
//! queued for it, so one that stops reading holds up nobody, and is told what was dropped meanwhile.

use std::convert::Infallible;
use std::fmt::Write;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde_json::json;

use super::event;
use super::extract::Awaited;
use crate::engine::journal::EventFilter;

/// The media type that asks for a stream.
pub(super) const MEDIA_TYPE: &str = "text/event-stream";
/// How long nothing is said at the most: below the idle timeouts of common proxies.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Events drawn at once.
const EVENTS_A_DRAW_MAX: usize = 100;

/// One client's place in a world's journal.
struct Reader {
    awaited: Awaited,
    filter: EventFilter,
}

/// Answers with the events that fit, those that are there and those to come.
pub(super) fn answer(awaited: Awaited, filter: EventFilter) -> Response {
    let reader = Reader { awaited, filter };
    let opening = Bytes::from_static(b": fauxfax\n\n");
    let drawn = stream::unfold((Some(opening), reader), |(opening, mut reader)| async move {
        let text = match opening {
            Some(opening) => opening,
            None => reader.draw().await?,
        };
        Some((Ok::<_, Infallible>(text), (None, reader)))
    });
    let head = [(header::CONTENT_TYPE, MEDIA_TYPE), (header::CACHE_CONTROL, "no-store")];
    (head, [("x-accel-buffering", "no")], Body::from_stream(drawn)).into_response()
}

impl Reader {
    /// The next events, or a heartbeat; none when the emulator stops or the world is gone.
    async fn draw(&mut self) -> Option<Bytes> {
        let emulator = self.awaited.emulator.clone();
        if self.awaited.is_fresh {
            let created = tokio::select! {
                created = tokio::time::timeout(HEARTBEAT, self.awaited.created()) => created,
                () = emulator.stopping() => return None,
            };
            let Ok(world) = created else { return Some(Bytes::from_static(b": still here\n\n")) };
            (self.awaited.world, self.awaited.is_fresh) = (world, false);
        }
        let (world, filter) = (self.awaited.world.clone(), &mut self.filter);
        let news = world.until_open(|engine| {
            let (since, evicted) = (filter.since, engine.events_evicted());
            let events = engine.events(filter, EVENTS_A_DRAW_MAX);
            // What does not fit need not be looked at again.
            let full = events.len() == EVENTS_A_DRAW_MAX;
            filter.since = events.last().filter(|_| full).map_or(engine.last_seq(), |event| event.seq);
            let missed = (evicted > since).then_some((since, evicted));
            (missed.is_some() || !events.is_empty()).then_some((missed, events))
        });
        let news = tokio::select! {
            news = tokio::time::timeout(HEARTBEAT, news) => news,
            () = emulator.stopping() => return None,
        };
        let Ok(news) = news else { return Some(Bytes::from_static(b": still here\n\n")) };
        let (missed, events) = news?;
        let mut text = String::new();
        if let Some((since, evicted)) = missed {
            let data = json!({ "from_seq": since + 1, "to_seq": evicted, "count": evicted - since });
            let _ = write!(text, "event: evicted\nid: {evicted}\ndata: {data}\n\n");
        }
        for each in &events {
            let _ = write!(text, "id: {}\ndata: {}\n\n", each.seq, event::json(each));
        }
        Some(text.into())
    }
}
