//! The requests that apps receive, in SignalWire's form: parameters, headers and signature
//! (docs/fidelity.md, "SignalWire").

use super::codes;
use crate::dialect::signature::{self, Signed};
use crate::dialect::{Params, date};
use crate::engine::effect::{Notice, TwimlRequest};
use crate::model::sid::{AccountSid, FaxSid};
use crate::model::time::Timestamp;
use crate::model::webhook::{Purpose, Signature};

/// The `User-Agent` of SignalWire's requests (captured from a message's callback).
pub const USER_AGENT: &str = "SignalwireCallback/1.0";

/// Header with the signature of a request (SignalWire's libraries: validators).
const SIGNATURE_HEADER: &str = "X-SignalWire-Signature";

/// Returns the headers of a webhook besides those of every request.
#[must_use]
pub fn headers(signing_key: &str, signature: Signature, request: &Signed<'_>) -> Params {
    let signed = signature::on_purpose(signing_key, signature, request);
    signed.into_iter().map(|value| (SIGNATURE_HEADER.to_owned(), value)).collect()
}

/// Returns the parameters of the request that asks a number's URL or its fallback for cXML.
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

/// Returns the parameters of the request to an action or StatusCallback, in the order of the published capture.
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
    if let Some(pages) = notice.pages {
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
