//! Fetching the document of an outbound fax: a signed GET, once, with a size limit. It converts nothing.

use std::sync::Arc;

use super::client::{Client, Limits, Request};
use super::{Signer, record};
use crate::dialect::signature;
use crate::document;
use crate::engine::input::DocumentFault;
use crate::model::media::{Document, UnreadableDocument};
use crate::model::webhook::{ExchangeRecord, Method, Purpose};

/// The largest document that is taken; Twilio states none, apps cap uploads at 10 MB (contract §7).
pub const DOCUMENT_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Fetches a document and counts its pages.
pub(super) async fn document(
    client: &Client,
    signer: &Signer,
    url: &str,
) -> (Box<ExchangeRecord>, Result<Document, DocumentFault>) {
    let headers = |hop: &super::client::Hop<'_>| {
        vec![("X-Twilio-Signature".to_owned(), signature::of_url(&signer.auth_token, hop.url))]
    };
    let outcome = client
        .exchange(Request {
            method: Method::Get,
            url,
            body: None,
            cookies: &[],
            limits: Limits::default(),
            body_max_bytes: DOCUMENT_BYTES_MAX,
            headers: &headers,
        })
        .await;
    let mut kept = record(Purpose::MediaUrl, Method::Get, Vec::new(), &outcome);
    if kept.failure.is_none() {
        kept.response_body = String::new();
    }
    let record = Box::new(kept);
    let document = match (&record.failure, outcome.answer) {
        (Some(failure), _) => Err(DocumentFault::Fetch(failure.clone())),
        (None, Some(answer)) => read(answer.body.as_ref().into()).await,
        (None, None) => Err(unreadable("no answer came")),
    };
    (record, document)
}

/// Counts the pages of a document, on a thread that may take its time.
pub async fn read(bytes: Arc<[u8]>) -> Result<Document, DocumentFault> {
    let counted = Arc::clone(&bytes);
    match tokio::task::spawn_blocking(move || document::probe(&counted)).await {
        Ok(Ok(probe)) => Ok(Document { media_type: probe.media_type, pages: probe.pages, bytes }),
        Ok(Err(fault)) => Err(DocumentFault::Unreadable(fault)),
        Err(_) => Err(unreadable("reading the document failed; please report it")),
    }
}

fn unreadable(reason: &str) -> DocumentFault {
    DocumentFault::Unreadable(UnreadableDocument { reason: reason.to_owned() })
}
