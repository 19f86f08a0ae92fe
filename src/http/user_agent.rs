//! Downloads of media that name no User-Agent: Twilio's guide asks for one, real programs send none
//! (docs/fidelity.md, "Fax API"). It serves and refuses nothing.

use axum::http::{HeaderMap, header};

use crate::engine::event::EventKind;
use crate::model::media::MediaFault;

/// The rule as the client of a refused download is told it.
pub(super) const REFUSED: &str = "the request has no User-Agent header; Twilio's guide: \"If you request Fax Media from a \
                                  web application you must specify an HTTP User-Agent header\"";
const SERVED: &str = "the download names no User-Agent and is served all the same; Twilio's guide: \"If you request Fax Media \
                      from a web application you must specify an HTTP User-Agent header\". --media-user-agent required \
                      refuses it";

/// Whether the request says who asks.
pub(super) fn is_named(headers: &HeaderMap) -> bool {
    headers.get(header::USER_AGENT).is_some_and(|value| !value.is_empty())
}

/// What the journal has of a download that is served without.
pub(super) fn warning() -> EventKind {
    EventKind::MediaWarning { fault: MediaFault::UserAgent, detail: SERVED.into() }
}

/// What the journal has of one that is refused.
pub(super) fn refused(status: u16) -> EventKind {
    EventKind::MediaRefused { status, fault: MediaFault::UserAgent, detail: REFUSED.into() }
}
