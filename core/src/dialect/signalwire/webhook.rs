//! The requests that apps receive, in SignalWire's form: parameters, headers and signature
//! (docs/fidelity.md, "SignalWire").

use super::codes;
use crate::dialect::signature::{self, Signed};
use crate::dialect::{Params, date, twilio};
use crate::engine::effect::{Notice, TwimlRequest};
use crate::model::account::SignatureHeaders;
use crate::model::fax::Status;
use crate::model::sid::{AccountSid, FaxSid};
use crate::model::time::Timestamp;
use crate::model::webhook::{Purpose, Signature};
use crate::twiml::Reading;

/// The `User-Agent` of SignalWire's requests (captured from the callback of a text message).
pub const USER_AGENT: &str = "SignalwireCallback/1.0";

/// The header with the signature of a request (source: the validators in SignalWire's libraries).
pub const SIGNATURE_HEADER: &str = "X-SignalWire-Signature";
/// The maximum number of redirects that a webhook follows (SignalWire docs: webhooks).
pub const REDIRECTS_MAX: usize = 3;

/// Returns the headers that a webhook has in addition to those of every request. SignalWire's validators also accept
/// the signature in Twilio's header.
#[must_use]
pub fn headers(signing_key: &str, signature: Signature, request: &Signed<'_>, names: SignatureHeaders) -> Params {
    let names: &[&str] = match names {
        SignatureHeaders::SignalWire => &[SIGNATURE_HEADER],
        SignatureHeaders::Both => &[SIGNATURE_HEADER, twilio::webhook::SIGNATURE_HEADER],
    };
    let Some(value) = signature::on_purpose(signing_key, signature, request) else { return Params::new() };
    names.iter().map(|name| ((*name).to_owned(), value.clone())).collect()
}

/// Interprets an app's response as SignalWire does: it must have a cXML content type, and `<Receive>` has no
/// `storeMedia` attribute, although SignalWire's libraries can write one.
#[must_use]
pub fn cxml(reading: Reading) -> Reading {
    let stored = "storeMedia is not an attribute of SignalWire's <Receive>: the fax is stored, but no file is sent to \
                  the action";
    reading.with_known_type().always_stored(stored)
}

/// Returns the parameters of a request for cXML, to a number's URL or fallback URL.
#[must_use]
pub fn twiml_params(account: AccountSid, fax: FaxSid, request: &TwimlRequest) -> Params {
    let mut params = common(account, fax, &request.from.to_string(), &request.to.to_string());
    add(&mut params, "ApiVersion", "v1");
    if let Some((fault, url)) = &request.failed {
        add(&mut params, "ErrorCode", &codes::code(*fault).to_string());
        add(&mut params, "ErrorUrl", url);
    }
    params
}

/// Returns the parameters of a request to an action or StatusCallback, in the order of the published capture.
#[must_use]
pub fn notice_params(
    account: AccountSid,
    fax: FaxSid,
    notice: &Notice,
    media_url: Option<&str>,
    now: Timestamp,
) -> Params {
    let mut params = common(account, fax, &notice.from.to_string(), &notice.to.to_string());
    add(&mut params, "RemoteStationId", notice.remote_station_id.as_deref().unwrap_or_default());
    add(&mut params, "FaxStatus", notice.status.as_str());
    add(&mut params, "ApiVersion", "v1");
    let got_through = || notice.failure.as_ref().and_then(|failure| failure.pages_over);
    let none = || matches!(notice.status, Status::Busy | Status::NoAnswer).then_some(0);
    if let Some(pages) = notice.pages.or_else(got_through).or_else(none) {
        add(&mut params, "NumPages", &pages.to_string());
    }
    if let (Some((media, _)), Some(url)) = (&notice.media, media_url) {
        add(&mut params, "MediaSid", &media.to_string());
        add(&mut params, "MediaUrl", url);
    }
    if notice.purpose == Purpose::StatusCallback {
        add(&mut params, "OriginalMediaUrl", notice.original_media_url.as_deref().unwrap_or_default());
    }
    if let Some(failure) = &notice.failure {
        let code = codes::failure_code(failure).map(|code| code.to_string());
        add(&mut params, "ErrorCode", &code.unwrap_or_default());
        add(&mut params, "ErrorMessage", codes::failure_text(failure).unwrap_or_default());
    }
    add(&mut params, "Timestamp", &date::iso(now));
    params
}

fn common(account: AccountSid, fax: FaxSid, from: &str, to: &str) -> Params {
    let mut params = Params::new();
    add(&mut params, "FaxSid", &fax.to_string());
    add(&mut params, "AccountSid", &account.to_string());
    add(&mut params, "From", from);
    add(&mut params, "To", to);
    params
}

fn add(params: &mut Params, name: &str, value: &str) {
    if !value.is_empty() {
        params.push((name.to_owned(), value.to_owned()));
    }
}
