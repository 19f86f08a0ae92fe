//! Handles media downloads without a User-Agent: Twilio's guide requires the header, but some real programs don't send
//! it (docs/fidelity.md, "Fax API").

use axum::http::{HeaderMap, header};

use crate::engine::event::EventKind;
use crate::model::media::MediaFault;

/// The response text for a refused download, which quotes Twilio's guide.
pub(super) const REFUSED: &str = "the request has no User-Agent header; Twilio's guide: \"If you request Fax Media from a \
                                  web application you must specify an HTTP User-Agent header\"";
const SERVED: &str = "the download has no User-Agent header; it is served anyway; Twilio's guide: \"If you request Fax \
                      Media from a web application you must specify an HTTP User-Agent header\". Use \
                      --media-user-agent required to refuse such downloads";

/// Returns whether the request has a User-Agent that is not empty.
pub(super) fn is_named(headers: &HeaderMap) -> bool {
    headers.get(header::USER_AGENT).is_some_and(|value| !value.is_empty())
}

/// Returns the event for a download that is served despite the missing header.
pub(super) fn warning() -> EventKind {
    EventKind::MediaWarning { fault: MediaFault::UserAgent, detail: SERVED.into() }
}

/// Returns the event for a download that is refused with this status.
pub(super) fn refused(status: u16) -> EventKind {
    EventKind::MediaRefused { status, fault: MediaFault::UserAgent, detail: REFUSED.into() }
}
