//! Reads server-sent events: the journal's events, or requests, one by one as they happen.

use std::collections::VecDeque;

use serde_json::Value;

use super::client::{Client, Stream};

/// A stream of server-sent events.
pub(super) struct Messages {
    stream: Stream,
    blocks: Blocks,
    read: VecDeque<Message>,
}

/// One message of a stream.
#[derive(Debug, PartialEq)]
pub(super) enum Message {
    /// An event or a request.
    Item(Value),
    /// A note that this many items were dropped before they could be read.
    Evicted(u64),
}

impl Messages {
    /// Opens a stream of the control API.
    pub(super) async fn open(client: &Client, path: &str, query: &[(&str, Option<String>)]) -> anyhow::Result<Self> {
        let stream = client.stream(path, query).await?;
        Ok(Self { stream, blocks: Blocks::default(), read: VecDeque::new() })
    }

    /// Returns the next message, or `None` once the emulator has closed the stream. If the caller drops the future,
    /// nothing is lost.
    pub(super) async fn next(&mut self) -> anyhow::Result<Option<Message>> {
        loop {
            if let Some(message) = self.read.pop_front() {
                return Ok(Some(message));
            }
            let Some(chunk) = self.stream.next().await? else { return Ok(None) };
            for block in self.blocks.completed_by(&chunk) {
                self.read.extend(message(&block)?);
            }
        }
    }
}

/// The blocks of an event stream, whose chunks may end anywhere, even within a character.
#[derive(Default)]
struct Blocks {
    /// The beginning of a block that has not arrived completely yet.
    begun: Vec<u8>,
}

impl Blocks {
    /// Adds a chunk, and returns the blocks that it completes.
    fn completed_by(&mut self, chunk: &[u8]) -> Vec<String> {
        self.begun.extend_from_slice(chunk);
        // An empty line ends a block.
        let Some(end) = self.begun.windows(2).rposition(|pair| pair == b"\n\n") else { return Vec::new() };
        let complete: Vec<u8> = self.begun.drain(..end + 2).collect();
        let complete = String::from_utf8_lossy(&complete);
        complete.split("\n\n").filter(|block| !block.is_empty()).map(ToOwned::to_owned).collect()
    }
}

/// Parses one block; `None` for a heartbeat, which is a comment without data.
fn message(block: &str) -> anyhow::Result<Option<Message>> {
    let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    let Some(data) = field("data:") else { return Ok(None) };
    let data: Value = serde_json::from_str(data)?;
    Ok(Some(match field("event:") {
        Some("evicted") => Message::Evicted(data["count"].as_u64().unwrap_or(0)),
        _ => Message::Item(data),
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_stream_is_read_in_the_same_way_wherever_its_chunks_end() {
        let expected = [": fauxfax", "id: 1\ndata: {\"what\":\"Zoë\"}", "event: evicted\nid: 2\ndata: {}"];
        let whole = expected.map(|block| format!("{block}\n\n")).concat();
        for at in 0..=whole.len() {
            let (first, second) = whole.as_bytes().split_at(at);
            let mut blocks = Blocks::default();
            let read = [blocks.completed_by(first), blocks.completed_by(second)].concat();
            assert_eq!(read, expected, "split at {at}");
        }
        let mut blocks = Blocks::default();
        let read: Vec<String> = whole.as_bytes().iter().flat_map(|byte| blocks.completed_by(&[*byte])).collect();
        assert_eq!(read, expected, "byte by byte");
    }

    #[test]
    fn a_heartbeat_is_not_a_message() {
        assert_eq!(message(": still here").expect("valid"), None);
        assert_eq!(message("id: 1\ndata: {\"a\":1}").expect("valid"), Some(Message::Item(json!({ "a": 1 }))));
        let evicted = "event: evicted\nid: 4\ndata: {\"from_seq\":1,\"to_seq\":4,\"count\":4}";
        assert_eq!(message(evicted).expect("valid"), Some(Message::Evicted(4)));
    }
}
