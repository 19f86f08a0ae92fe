//! The requests that apps receive, in Twilio's form: parameters, headers and signature
//! (docs/fidelity.md, "Webhooks").
//!
//! No parameter occurs twice and none is empty, since validators differ in how they treat such parameters.

use super::codes;
use crate::dialect::Params;
use crate::dialect::signature::{self, Signed};
use crate::engine::effect::{Notice, TwimlRequest};
use crate::model::fax::{Direction, Status};
use crate::model::sid::{AccountSid, FaxSid};
use crate::model::webhook::Signature;

/// The `User-Agent` of Twilio's requests (captured).
pub const USER_AGENT: &str = "TwilioProxy/1.1";
/// The name of the part that contains the document in a multipart request.
pub const DOCUMENT_PART: &str = "Media";

/// The maximum number of redirects that a webhook follows.
pub const REDIRECTS_MAX: usize = 10;
/// The header with the signature of a request (Twilio docs: security).
pub const SIGNATURE_HEADER: &str = "X-Twilio-Signature";
/// The header with a token that is the same in all attempts of one webhook.
const IDEMPOTENCY_HEADER: &str = "I-Twilio-Idempotency-Token";

/// Returns the headers that a webhook has in addition to those of every request.
#[must_use]
pub fn headers(auth_token: &str, signature: Signature, request: &Signed<'_>, idempotency_token: &str) -> Params {
    let signed =
        signature::on_purpose(auth_token, signature, request).map(|value| (SIGNATURE_HEADER.to_owned(), value));
    signed.into_iter().chain([(IDEMPOTENCY_HEADER.to_owned(), idempotency_token.to_owned())]).collect()
}

/// Returns the headers that a document fetch has in addition to those of every request.
#[must_use]
pub fn fetch_headers(auth_token: &str, url: &str) -> Params {
    vec![(SIGNATURE_HEADER.to_owned(), signature::of_url(auth_token, url))]
}

/// Returns the parameters of a request for TwiML, to a FaxUrl or fallback URL.
#[must_use]
pub fn twiml_params(account: AccountSid, fax: FaxSid, request: &TwimlRequest) -> Params {
    let mut params = common(account, fax, &request.from.to_string(), &request.to.to_string());
    if let Some((fault, url)) = &request.failed {
        add(&mut params, "ErrorCode", &codes::code(*fault).to_string());
        add(&mut params, "ErrorUrl", url);
    }
    params
}

/// Returns the parameters of a request to an action or StatusCallback.
#[must_use]
pub fn notice_params(account: AccountSid, fax: FaxSid, notice: &Notice, media_url: Option<&str>) -> Params {
    let mut params = common(account, fax, &notice.from.to_string(), &notice.to.to_string());
    add(&mut params, "RemoteStationId", notice.remote_station_id.as_deref().unwrap_or_default());
    add(&mut params, "FaxStatus", notice.status.as_str());
    add(&mut params, "Status", notice.status.as_str());
    add(&mut params, "OriginalMediaUrl", notice.original_media_url.as_deref().unwrap_or_default());
    if let Some(pages) = notice.pages {
        add(&mut params, "NumPages", &pages.to_string());
    }
    if let Some(rate_bps) = notice.rate_bps {
        add(&mut params, "BitRate", &rate_bps.to_string());
    }
    // The pages of an inbound fax that arrived before the call dropped are kept, but a callback mentions the document
    // only if the fax was received.
    let is_lost = notice.direction == Direction::Inbound && notice.status != Status::Received;
    if let Some(url) = media_url.filter(|_| !is_lost) {
        add(&mut params, "MediaUrl", url);
    }
    if let Some(failure) = &notice.failure {
        add(&mut params, "ErrorCode", &codes::code(failure.fault).to_string());
        add(&mut params, "ErrorMessage", codes::failure_text(failure));
    }
    params
}

fn common(account: AccountSid, fax: FaxSid, from: &str, to: &str) -> Params {
    let mut params = Params::new();
    add(&mut params, "FaxSid", &fax.to_string());
    add(&mut params, "AccountSid", &account.to_string());
    add(&mut params, "From", from);
    add(&mut params, "To", to);
    add(&mut params, "ApiVersion", "v1");
    params
}

fn add(params: &mut Params, name: &str, value: &str) {
    if !value.is_empty() {
        params.push((name.to_owned(), value.to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fault::Fault;
    use crate::model::phone::{Party, PhoneNumber};
    use crate::model::webhook::{Attempt, Method, Purpose};

    #[test]
    fn empty_values_are_omitted_and_the_fallback_gets_the_error() {
        let request = TwimlRequest {
            purpose: Purpose::FallbackUrl,
            url: "http://app/fallback".into(),
            method: Method::Post,
            from: Party::Name("".into()),
            to: PhoneNumber::from_digits(15_005_550_006),
            failed: Some((Fault::HttpStatus, "http://app/fax".into())),
            cookies: Vec::new(),
            attempt: Attempt::FIRST,
            by_rule: None,
            signature: Signature::Good,
            idempotency_token: "t".into(),
        };
        let params = twiml_params(AccountSid::from_bytes([0; 16]), FaxSid::from_bytes([1; 16]), &request);
        let names: Vec<_> = params.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["FaxSid", "AccountSid", "To", "ApiVersion", "ErrorCode", "ErrorUrl"]);
        assert_eq!(params[5].1, "http://app/fax");
    }
}
