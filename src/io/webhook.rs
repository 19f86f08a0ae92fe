//! Sends webhooks in the account's dialect: asks apps for TwiML, notifies them of statuses and alerts, and sends a
//! webhook again for a tester. One effect is one exchange with its redirects; the engine decides about retries.

use std::borrow::Cow;
use std::time::Duration;

use bytes::Bytes;

use super::client::{Client, Exchange, Hop, Limits, Request, Response};
use super::multipart::Multipart;
use super::{Signer, record};
use crate::dialect::media_url::{MediaName, StoredMedia};
use crate::dialect::signature::{Signed, tampered};
use crate::dialect::{Params, form, mask, traceparent};
use crate::engine::effect::{MessageNotice, Notice, Report, TwimlRequest};
use crate::engine::input::EffectResult;
use crate::model::account::Dialect;
use crate::model::media::Document;
use crate::model::overrides::Overrides;
use crate::model::request_edits::RequestEdits;
use crate::model::sid::FaxSid;
use crate::model::webhook::{Attempt, Cookie, ExchangeFailure, ExchangeRecord, Method, Purpose, RuleMark, Signature};
use crate::twiml;

/// The maximum number of bytes of a response body that are read. This exceeds the limit for TwiML, so that overlong
/// TwiML is recognised as such.
const ANSWER_BYTES_MAX: u64 = 256 * 1024;

/// One webhook, ready to be sent.
struct Webhook<'a> {
    /// The fax or call that the webhook is about, if any.
    fax: Option<FaxSid>,
    purpose: Purpose,
    url: &'a str,
    /// The method with which the request is sent and recorded.
    method: Method,
    params: Params,
    /// The parameters that the signature covers, if a rule changes one of them after signing.
    signed_params: Option<Params>,
    /// The changes that a rule makes to the request, if any. Those to the parameters have already been made.
    edits: Option<&'a RequestEdits>,
    /// The file to send for an action with `storeMedia="false"`, and its name.
    attachment: Option<(&'a Document, String)>,
    cookies: &'a [Cookie],
    attempt: Attempt,
    signature: Signature,
    idempotency_token: &'a str,
    /// The response, if the emulator itself provides it.
    here: Option<Response>,
}

/// Asks an app for TwiML, which says how to handle a call. `here` is the response of a bin, if the URL leads to one.
pub(super) async fn ask(
    client: &Client,
    signer: &Signer,
    fax: FaxSid,
    request: &TwimlRequest,
    here: Option<Response>,
) -> EffectResult {
    let params = signer.dialect.twiml_params(signer.account, fax, request);
    let edits = edits_of(request.by_rule.as_ref());
    let (params, signed_params) = changed(params, edits, request.signature);
    let webhook = Webhook {
        fax: Some(fax),
        purpose: request.purpose,
        url: &request.url,
        method: request.method,
        params,
        signed_params,
        edits,
        attachment: None,
        cookies: &request.cookies,
        attempt: request.attempt,
        signature: request.signature,
        idempotency_token: &request.idempotency_token,
        here,
    };
    let outcome = webhook.send(client, signer).await;
    let mut record = Box::new(record(request.purpose, request.method, webhook.params, &outcome));
    // TwiML that is too long is not a failed exchange: the TwiML interpreter reports it with a separate error.
    if let Some(ExchangeFailure::TooLarge { .. }) = record.failure {
        record.failure = None;
    }
    let reading = match (&record.failure, &outcome.answer) {
        (Some(failure), _) => Err(failure.clone()),
        (None, Some(answer)) => {
            let reading = twiml::interpret(answer.header("content-type"), &answer.body);
            let reading = signer.dialect.held_to(reading, client.twiml_types());
            Ok(match answer.coding() {
                Some(coding) => reading.compressed(coding),
                None => reading,
            })
        }
        (None, None) => Err(ExchangeFailure::ProtocolViolation("no response arrived".to_owned())),
    };
    EffectResult::Twiml { record, cookies: outcome.cookies, base_url: outcome.base_url.into(), reading }
}

/// Notifies an app of a status. `here` is the response of a bin, if the URL leads to one.
pub(super) async fn deliver(
    client: &Client,
    signer: &Signer,
    fax: FaxSid,
    notice: &Notice,
    here: Option<Response>,
) -> EffectResult {
    // A notice with the file attached has no MediaUrl.
    let media = notice.media.filter(|_| notice.attachment.is_none());
    let media_url = media.map(|(media, media_type)| {
        let name = MediaName { account: signer.account, fax, media };
        // A notice saved by an earlier version lacks this time. Any time will do then: only SignalWire's URLs contain
        // it, and such versions had no SignalWire notices.
        let stored = notice.media_stored.unwrap_or(signer.now);
        let media = StoredMedia { name, media_type, stored };
        signer.dialect.media_url(&notice.origin, &media, &signer.media_key, signer.now)
    });
    let file_name = |document: &Document| format!("{fax}.{}", document.media_type.extension());
    let params = signer.dialect.notice_params(signer.account, fax, notice, media_url.as_deref(), signer.now);
    let edits = edits_of(notice.by_rule.as_ref());
    let (params, signed_params) = changed(params, edits, notice.signature);
    // Only a POST has a body for the file, whatever method the TwiML names.
    let method = if notice.attachment.is_some() { Method::Post } else { notice.method };
    let webhook = Webhook {
        fax: Some(fax),
        purpose: notice.purpose,
        url: &notice.url,
        method,
        params,
        signed_params,
        edits,
        attachment: notice.attachment.as_ref().map(|document| (document, file_name(document))),
        cookies: &notice.cookies,
        attempt: notice.attempt,
        signature: notice.signature,
        idempotency_token: &notice.idempotency_token,
        here,
    };
    let outcome = webhook.send(client, signer).await;
    let record = Box::new(record(notice.purpose, method, webhook.params, &outcome));
    EffectResult::Delivered { record, cookies: outcome.cookies }
}

/// Notifies an app of a text message's status.
pub(super) async fn notify_of_message(client: &Client, signer: &Signer, notice: &MessageNotice) -> EffectResult {
    let webhook = Webhook {
        fax: None,
        purpose: Purpose::StatusCallback,
        url: &notice.url,
        method: Method::Post,
        params: signer.dialect.message_params(signer.account, notice),
        signed_params: None,
        edits: None,
        attachment: None,
        cookies: &[],
        attempt: Attempt::FIRST,
        signature: Signature::Good,
        idempotency_token: &notice.idempotency_token,
        here: None,
    };
    let outcome = webhook.send(client, signer).await;
    let record = Box::new(record(Purpose::StatusCallback, Method::Post, webhook.params, &outcome));
    EffectResult::Delivered { record, cookies: Vec::new() }
}

/// Notifies a Debugger webhook of an alert.
pub(super) async fn report(client: &Client, signer: &Signer, report: &Report) -> EffectResult {
    let webhook = Webhook {
        fax: report.alert.fax,
        purpose: Purpose::Debugger,
        url: &report.url,
        method: Method::Post,
        params: signer.dialect.alert_params(signer.account, report.parent, &report.alert),
        signed_params: None,
        edits: None,
        attachment: None,
        cookies: &[],
        attempt: Attempt::FIRST,
        signature: Signature::Good,
        idempotency_token: &report.idempotency_token,
        here: None,
    };
    let outcome = webhook.send(client, signer).await;
    let record = Box::new(record(Purpose::Debugger, Method::Post, webhook.params, &outcome));
    EffectResult::Delivered { record, cookies: Vec::new() }
}

/// A webhook to send again, possibly with edits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    /// The purpose of the original webhook.
    pub purpose: Purpose,
    /// The URL, without the parameters that a GET appends to it.
    pub url: String,
    /// The HTTP method: the original webhook's, unless the tester has chosen another one.
    pub method: Method,
    /// The parameters, in the order in which they are sent.
    pub params: Vec<(String, String)>,
    /// The original's idempotency token, since the replay is about the same event.
    pub idempotency_token: String,
}

/// Sends a webhook again, with a new signature. What was particular to the original attempt is left out: its cookies, a
/// rule's changes to the headers, and an attached file, which was not kept.
pub(super) async fn replay(client: &Client, signer: &Signer, fax: Option<FaxSid>, replay: Replay) -> ExchangeRecord {
    let webhook = Webhook {
        fax,
        purpose: replay.purpose,
        url: &replay.url,
        method: replay.method,
        params: replay.params,
        signed_params: None,
        edits: None,
        attachment: None,
        cookies: &[],
        attempt: Attempt::FIRST,
        signature: Signature::Good,
        idempotency_token: &replay.idempotency_token,
        here: None,
    };
    let outcome = webhook.send(client, signer).await;
    record(replay.purpose, replay.method, webhook.params, &outcome)
}

fn edits_of(by_rule: Option<&RuleMark>) -> Option<&RequestEdits> {
    by_rule.and_then(|mark| mark.edits.as_deref())
}

/// Returns the parameters to send, with a rule's changes. The second list has the parameters that the signature covers,
/// if a parameter is to be changed after signing.
fn changed(params: Params, edits: Option<&RequestEdits>, signature: Signature) -> (Params, Option<Params>) {
    let params = match edits {
        Some(edits) => edits.params.applied(params),
        None => params,
    };
    if signature == Signature::Tampered { (tampered(&params), Some(params)) } else { (params, None) }
}

impl Webhook<'_> {
    async fn send(&self, client: &Client, signer: &Signer) -> Exchange {
        let (url, body) = match self.method {
            Method::Get => (form::with_query(self.url, &self.params), None),
            Method::Post => (self.url.to_owned(), Some(self.body(signer.dialect.document_part()))),
        };
        let trace = client.has_traceparent().then(|| traceparent::of(self.fax, self.idempotency_token, self.attempt));
        let headers = |hop: &Hop<'_>| {
            let signed_params = self.signed_params.as_ref().unwrap_or(&self.params);
            let signed = Signed { url: &self.signed_url(hop), params: signed_params, in_body: hop.with_body };
            let names = client.signature_headers();
            let own =
                signer.dialect.webhook_headers(&signer.key, self.signature, &signed, self.idempotency_token, names);
            let trace = trace.clone().map(|value| ("traceparent".to_owned(), value));
            own.into_iter().chain(trace).collect()
        };
        let outcome = client
            .exchange(Request {
                method: self.method,
                url: &url,
                body: body.as_ref().map(|(content_type, bytes)| (content_type.as_str(), bytes.clone())),
                cookies: self.cookies,
                limits: self.limits(signer.dialect),
                redirects_max: signer.dialect.redirects_max(),
                body_max_bytes: ANSWER_BYTES_MAX,
                user_agent: signer.dialect.user_agent(),
                headers: &headers,
                edits: self.edits.map(|edits| &edits.headers),
                here: self.here.clone(),
            })
            .await;
        let status = outcome.answer.as_ref().map(|answer| answer.status);
        tracing::debug!(purpose = self.purpose.as_str(), url = %mask::passwords(&outcome.url), status, "webhook");
        outcome
    }

    /// Returns the URL that a hop's signature covers.
    fn signed_url<'a>(&'a self, hop: &Hop<'a>) -> Cow<'a, str> {
        let signed_params = self.signed_params.as_ref().unwrap_or(&self.params);
        match self.edits.and_then(|edits| edits.signed_url.as_deref()) {
            // A GET carries the parameters in its URL.
            Some(url) if self.method == Method::Get => form::with_query(url, signed_params).into(),
            Some(url) => url.into(),
            None if self.signed_params.is_none() || hop.with_body => hop.url.into(),
            None => match hop.url.strip_suffix(&form::added_query(&self.params)) {
                Some(start) => format!("{start}{}", form::added_query(signed_params)).into(),
                // A redirect has led to a URL without the parameters.
                None => hop.url.into(),
            },
        }
    }

    fn body(&self, document_part: &str) -> (String, Bytes) {
        match &self.attachment {
            None => ("application/x-www-form-urlencoded".to_owned(), form::encode(&self.params).into()),
            Some((document, file_name)) => {
                // Derived rather than random, so that runs with the same seed send the same bytes.
                let boundary = format!("fauxfax-{}", self.idempotency_token);
                // Text fields come first: apps read them before the file (docs/fidelity.md, "Receiving, TwiML").
                let fields = Multipart::new(&boundary, document.bytes.len());
                let fields = self.params.iter().fold(fields, |fields, (name, value)| fields.text(name, value));
                let media_type = document.media_type.to_string();
                let whole = fields.file(document_part, file_name, Some(&media_type), &document.bytes).finish();
                let (content_type, body) = whole;
                (content_type, body.into())
            }
        }
    }

    /// Returns the time limits of this attempt: the dialect's, unless the URL overrides them.
    fn limits(&self, dialect: Dialect) -> Limits {
        let overrides = Overrides::of(dialect, self.purpose, self.url).0;
        Limits {
            connect: Duration::from_millis(overrides.connect_ms),
            read: Duration::from_millis(overrides.read_ms),
            total: Duration::from_millis(overrides.remaining_ms(self.attempt.spent_ms)),
        }
    }
}
