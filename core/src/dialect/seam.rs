//! The seam between the dialects and the rest of the program: error codes, media URLs, requests to apps, and the
//! reading of their responses. Most methods here return a word or number that is fixed for the dialect, or call the
//! code in the dialect's own folder.
//!
//! A dialect's REST API is elsewhere: its routes are in `http/`, in one folder per dialect, and its parameters and
//! resources are in the dialect's folder.

use super::error::Reason;
use super::media_url::{self, StoredMedia};
use super::signature::Signed;
use super::twilio::{codes, debugger, messages, webhook};
use super::{Params, signalwire};
use crate::engine::effect::{MessageNotice, Notice, TwimlRequest};
use crate::engine::event::Event;
use crate::model::account::{Dialect, SignatureHeaders, TwimlTypes};
use crate::model::fault::{Failure, Fault};
use crate::model::line::LineFault;
use crate::model::sid::{AccountSid, FaxSid};
use crate::model::time::Timestamp;
use crate::model::webhook::Signature;
use crate::twiml::Reading;

impl Dialect {
    /// Returns the error code of a fault.
    #[must_use]
    pub const fn code(self, fault: Fault) -> u32 {
        match self {
            Self::Twilio => codes::code(fault),
            Self::SignalWire => signalwire::codes::code(fault),
        }
    }

    /// Returns the error code of a failed fax; `None` if its status alone explains the failure.
    #[must_use]
    pub fn failure_code(self, failure: &Failure) -> Option<u32> {
        match self {
            Self::Twilio => Some(codes::code(failure.fault)),
            Self::SignalWire => signalwire::codes::failure_code(failure),
        }
    }

    /// Returns the error message of a failed fax; `None` if its status alone explains the failure.
    #[must_use]
    pub fn failure_text(self, failure: &Failure) -> Option<&str> {
        match self {
            Self::Twilio => Some(codes::failure_text(failure)),
            Self::SignalWire => signalwire::codes::failure_text(failure),
        }
    }

    /// Returns the line fault that breaks a call after `after_pages` pages. If `code` or `text` is missing, the fax has
    /// the dialect's usual code or text.
    ///
    /// # Errors
    /// Returns the accepted codes, worded as part of an error message, if `code` is not one of them.
    pub fn line_fault(self, code: Option<u32>, after_pages: u32, text: Option<Box<str>>) -> Result<LineFault, String> {
        let fault = match (self, code) {
            (_, None) => Fault::Transmission,
            (Self::Twilio, Some(code)) => codes::fault_of_line(code).map_err(|why| why.to_string())?,
            (Self::SignalWire, Some(code)) => signalwire::codes::fault_of_line(code)?,
        };
        Ok(LineFault { fault, after_pages, text })
    }

    /// Returns the default error code for a rule that refuses REST requests with this HTTP status.
    #[must_use]
    pub const fn usual_code(self, status: u16) -> u32 {
        match self {
            Self::Twilio => codes::usual_code(status),
            Self::SignalWire => signalwire::codes::usual_code(status),
        }
    }

    /// Returns the URL of a stored document. Twilio's is signed and valid for two hours from `now`; SignalWire's never
    /// changes.
    #[must_use]
    pub fn media_url(self, origin: &str, media: &StoredMedia, key: &[u8], now: Timestamp) -> String {
        match self {
            Self::Twilio => media_url::signed(origin, &media.name, key, now),
            Self::SignalWire => signalwire::media::url(origin, media),
        }
    }

    /// Returns the HTTP status and the error code of a refused REST call.
    #[must_use]
    pub const fn status_and_code(self, reason: Reason) -> (u16, u32) {
        match self {
            Self::Twilio => codes::status_and_code(reason),
            Self::SignalWire => signalwire::codes::status_and_code(reason),
        }
    }

    /// Returns the additional text in the error for a refused REST call, if there is one.
    #[must_use]
    pub fn error_detail(self, reason: Reason) -> Option<&'static str> {
        match self {
            Self::Twilio => codes::error_detail(reason),
            Self::SignalWire => None,
        }
    }

    /// Returns whether `origin`, a scheme and a host, belongs to the company itself. If it does, media URLs are on the
    /// company's media host. The result is always false for Twilio, whose media URLs are on `origin`.
    #[must_use]
    pub fn is_own_origin(self, origin: &str) -> bool {
        match self {
            Self::Twilio => false,
            Self::SignalWire => signalwire::media::is_at_signalwire(origin),
        }
    }

    /// Returns the name of the company whose API this is.
    #[must_use]
    pub const fn service(self) -> &'static str {
        match self {
            Self::Twilio => "Twilio",
            Self::SignalWire => "SignalWire",
        }
    }

    /// Returns the `WWW-Authenticate` challenge of a 401 response.
    #[must_use]
    pub const fn challenge(self) -> &'static str {
        match self {
            Self::Twilio => "Basic realm=\"Twilio API\"",
            Self::SignalWire => "Basic realm=\"SignalWire\"",
        }
    }

    /// Returns the URL of an error code's documentation.
    #[must_use]
    pub fn more_info(self, code: u32) -> String {
        match self {
            Self::Twilio => codes::more_info(code),
            Self::SignalWire => signalwire::codes::more_info(code),
        }
    }

    /// Returns the `User-Agent` of requests to apps.
    #[must_use]
    pub const fn user_agent(self) -> &'static str {
        match self {
            Self::Twilio => webhook::USER_AGENT,
            Self::SignalWire => signalwire::webhook::USER_AGENT,
        }
    }

    /// Returns the parameters of a request for TwiML.
    #[must_use]
    pub fn twiml_params(self, account: AccountSid, fax: FaxSid, request: &TwimlRequest) -> Params {
        match self {
            Self::Twilio => webhook::twiml_params(account, fax, request),
            Self::SignalWire => signalwire::webhook::twiml_params(account, fax, request),
        }
    }

    /// Returns the parameters of a notice about a fax; `now` is the world's time.
    #[must_use]
    pub fn notice_params(
        self,
        account: AccountSid,
        fax: FaxSid,
        notice: &Notice,
        media_url: Option<&str>,
        now: Timestamp,
    ) -> Params {
        match self {
            Self::Twilio => webhook::notice_params(account, fax, notice, media_url),
            Self::SignalWire => signalwire::webhook::notice_params(account, fax, notice, media_url, now),
        }
    }

    /// Returns the parameters of a notice about a text message.
    #[must_use]
    pub fn message_params(self, account: AccountSid, notice: &MessageNotice) -> Params {
        match self {
            // In the emulator, SignalWire accounts have no text messages.
            Self::Twilio | Self::SignalWire => messages::notice_params(account, notice),
        }
    }

    /// Returns the parameters that notify an account of an alert; `parent` is the owner if the account is a subaccount.
    #[must_use]
    pub fn alert_params(self, account: AccountSid, parent: Option<AccountSid>, event: &Event) -> Params {
        match self {
            // SignalWire has no Debugger. An account that sets one up anyway gets Twilio's parameters.
            Self::Twilio | Self::SignalWire => debugger::params(account, parent, event),
        }
    }

    /// Returns the name of the part that holds the document in a multipart request to an app.
    #[must_use]
    pub const fn document_part(self) -> &'static str {
        match self {
            Self::Twilio | Self::SignalWire => webhook::DOCUMENT_PART,
        }
    }

    /// Returns the headers that a webhook has in addition to those of every request: the signature, which a rule may
    /// invalidate, and for Twilio the idempotency token.
    #[must_use]
    pub fn webhook_headers(
        self,
        key: &str,
        signature: Signature,
        request: &Signed<'_>,
        idempotency_token: &str,
        names: SignatureHeaders,
    ) -> Params {
        match self {
            Self::Twilio => webhook::headers(key, signature, request, idempotency_token),
            Self::SignalWire => signalwire::webhook::headers(key, signature, request, names),
        }
    }

    /// Returns the name of the header that holds a webhook's signature.
    #[must_use]
    pub const fn signature_header(self) -> &'static str {
        match self {
            Self::Twilio => webhook::SIGNATURE_HEADER,
            Self::SignalWire => signalwire::webhook::SIGNATURE_HEADER,
        }
    }

    /// Returns the maximum number of redirects that a webhook follows.
    #[must_use]
    pub const fn redirects_max(self) -> usize {
        match self {
            Self::Twilio => webhook::REDIRECTS_MAX,
            Self::SignalWire => signalwire::webhook::REDIRECTS_MAX,
        }
    }

    /// Interprets an app's response in this dialect. `types` says whether Twilio's accounts accept TwiML with an
    /// unusual content type; SignalWire's never do.
    #[must_use]
    pub fn held_to(self, reading: Reading, types: TwimlTypes) -> Reading {
        match self {
            Self::Twilio => reading.held_to(types),
            Self::SignalWire => signalwire::webhook::cxml(reading),
        }
    }

    /// Returns the headers that a document fetch has in addition to those of every request.
    #[must_use]
    pub fn fetch_headers(self, key: &str, url: &str) -> Params {
        match self {
            Self::Twilio => webhook::fetch_headers(key, url),
            // No document fetch by SignalWire has been captured, and no source says that such a request is signed.
            Self::SignalWire => Params::new(),
        }
    }
}
