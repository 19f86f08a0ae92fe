//! Fetches a document for an outbound fax, or for an incoming fax that a tester sends. It is fetched with a GET
//! request, within limits on its size and on redirects. The request is signed if the account's dialect signs such
//! requests.

use std::sync::Arc;

use super::budget::Hold;
use super::client::{Client, Hop, Limits, Request};
use super::{Signer, record};
use crate::model::media::UnreadableDocument;
use crate::model::webhook::{ExchangeFailure, ExchangeRecord, Method, Purpose};

/// The maximum number of redirects that are followed when fetching a document.
pub const REDIRECTS_MAX: usize = 10;
/// The largest document that is fetched, in bytes. Twilio states no limit; known fax apps limit their own
/// uploads to 10 MB, so this leaves ample room.
pub const DOCUMENT_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Fetches a document. Returns the document with its charge to the memory budget, and a record of the exchange.
pub(super) async fn document(
    client: &Client,
    signer: &Signer,
    url: &str,
) -> (Box<ExchangeRecord>, Result<(Arc<[u8]>, Option<Hold>), ExchangeFailure>) {
    let headers = |hop: &Hop<'_>| signer.dialect.fetch_headers(&signer.key, hop.url);
    let mut outcome = client
        .exchange(Request {
            method: Method::Get,
            url,
            body: None,
            cookies: &[],
            limits: Limits::default(),
            redirects_max: REDIRECTS_MAX,
            body_max_bytes: DOCUMENT_BYTES_MAX,
            user_agent: signer.dialect.user_agent(),
            headers: &headers,
            edits: None,
            here: None,
        })
        .await;
    let mut kept = record(Purpose::MediaUrl, Method::Get, Vec::new(), &outcome);
    // The body of a successful response is the document itself; an excerpt of it would only fill the journal.
    if kept.failure.is_none() {
        kept.response_body = String::new();
    }
    let record = Box::new(kept);
    // Passed on with the document, which stays charged until it has been rendered.
    let room = outcome.room.take();
    let document = match (&record.failure, outcome.answer) {
        (Some(failure), _) => Err(failure.clone()),
        (None, Some(answer)) => Ok((answer.body, room)),
        (None, None) => Err(ExchangeFailure::ProtocolViolation("no response arrived".to_owned())),
    };
    (record, document)
}

/// Returns a better reason for an unreadable document if the response headers are more informative than its bytes.
pub(super) fn explained(unreadable: UnreadableDocument, record: &ExchangeRecord) -> UnreadableDocument {
    let header =
        |name: &str| record.response_headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.trim());
    let coding =
        header("content-encoding").filter(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case("identity"));
    let reason = match (coding, header("content-type")) {
        (Some(coding), _) => format!(
            "{} (Content-Encoding: {coding}), although the request has no Accept-Encoding header; make the server send \
             it uncompressed",
            UnreadableDocument::COMPRESSED
        ),
        (None, Some(content_type)) if content_type.to_ascii_lowercase().starts_with("text/html") => format!(
            "{}; {}, most likely an error page or a login page; open the MediaUrl in a browser \
             to see it",
            unreadable.reason,
            UnreadableDocument::HTML_PAGE
        ),
        (None, _) => return unreadable,
    };
    UnreadableDocument { reason }
}
