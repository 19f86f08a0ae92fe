//! Reads a client's message, and says why one can't be read, so that no transport drops a message in silence.

use rmcp::RoleServer;
use rmcp::model::{ErrorData, RequestId};
use rmcp::service::{RxJsonRpcMessage, TxJsonRpcMessage};
use serde_json::Value;

/// The byte order mark, which some clients write at the beginning.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// The reason that a message can't be read, as an error of JSON-RPC.
#[derive(Debug)]
pub(super) struct Unreadable {
    /// The id of the request. If the message has none, the response has none either, as the protocol demands.
    id: Option<RequestId>,
    error: Box<ErrorData>,
}

impl Unreadable {
    /// Returns the reason for a message of more than `bytes_max` bytes.
    pub(super) fn too_long(bytes_max: usize) -> Self {
        Self::invalid(None, &format!("the message is too long: a message may have at most {bytes_max} bytes"))
    }

    fn invalid(id: Option<RequestId>, why: &str) -> Self {
        Self { id, error: Box::new(ErrorData::invalid_request(why.to_owned(), None)) }
    }

    /// Returns the response.
    pub(super) fn response(self) -> TxJsonRpcMessage<RoleServer> {
        TxJsonRpcMessage::<RoleServer>::error(*self.error, self.id)
    }
}

/// Reads a message. Returns `None` for a notification that the protocol doesn't have, because notifications get no response.
pub(super) fn read(text: &[u8]) -> Result<Option<RxJsonRpcMessage<RoleServer>>, Unreadable> {
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    if let Ok(message) = serde_json::from_slice(text) {
        return Ok(Some(message));
    }
    let value: Value = serde_json::from_slice(text).map_err(|error| Unreadable {
        id: None,
        error: Box::new(ErrorData::parse_error(format!("the message is not valid JSON: {error}"), None)),
    })?;
    if value.is_array() {
        return Err(Unreadable::invalid(None, "a batch of messages is not supported; send each message on its own"));
    }
    if value.get("id").is_none() && value["method"].is_string() {
        tracing::debug!(method = %value["method"], "ignored an unknown notification");
        return Ok(None);
    }
    let id = serde_json::from_value(value["id"].clone()).ok();
    let why = "this is not a message of JSON-RPC 2.0, which has \"jsonrpc\": \"2.0\", a method, its params and, for a request, an id";
    Err(Unreadable::invalid(id, why))
}
