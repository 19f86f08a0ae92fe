//! What the rest of the program asks of a dialect: codes, and the requests that apps get. Each question has one method
//! here, and each dialect answers it in a folder of its own.
//!
//! The REST API of a dialect is not here: its routes stand in `http/`, one folder a dialect, with the area that each
//! belongs to; their parameters and resources stand in the dialect's folder.

use super::Params;
use super::signature::Signed;
use super::twilio::{codes, debugger, webhook};
use crate::engine::effect::{Notice, TwimlRequest};
use crate::engine::event::Event;
use crate::model::account::Dialect;
use crate::model::fault::Fault;
use crate::model::sid::{AccountSid, FaxSid};
use crate::model::webhook::Signature;

impl Dialect {
    /// The error code of a fault.
    #[must_use]
    pub const fn code(self, fault: Fault) -> u32 {
        match self {
            Self::Twilio => codes::code(fault),
        }
    }

    /// The page that explains an error code.
    #[must_use]
    pub fn more_info(self, code: u32) -> String {
        match self {
            Self::Twilio => codes::more_info(code),
        }
    }

    /// How requests to apps name their sender.
    #[must_use]
    pub const fn user_agent(self) -> &'static str {
        match self {
            Self::Twilio => webhook::USER_AGENT,
        }
    }

    /// The parameters with which an app is asked what to do with a call.
    #[must_use]
    pub fn twiml_params(self, account: AccountSid, fax: FaxSid, request: &TwimlRequest) -> Params {
        match self {
            Self::Twilio => webhook::twiml_params(account, fax, request),
        }
    }

    /// The parameters with which an app is notified of a status.
    #[must_use]
    pub fn notice_params(self, account: AccountSid, fax: FaxSid, notice: &Notice, media_url: Option<&str>) -> Params {
        match self {
            Self::Twilio => webhook::notice_params(account, fax, notice, media_url),
        }
    }

    /// The parameters with which an account is notified of an alert; `parent` is the owner of a subaccount.
    #[must_use]
    pub fn alert_params(self, account: AccountSid, parent: Option<AccountSid>, event: &Event) -> Params {
        match self {
            Self::Twilio => debugger::params(account, parent, event),
        }
    }

    /// The name of the part of a multipart body that holds the document.
    #[must_use]
    pub const fn document_part(self) -> &'static str {
        match self {
            Self::Twilio => webhook::DOCUMENT_PART,
        }
    }

    /// The headers that a webhook has beside those of every request: its signature, good or as a rule wants it, and what
    /// tells that two requests are the same event.
    #[must_use]
    pub fn webhook_headers(
        self,
        key: &str,
        signature: Signature,
        request: &Signed<'_>,
        idempotency_token: &str,
    ) -> Params {
        match self {
            Self::Twilio => webhook::headers(key, signature, request, idempotency_token),
        }
    }

    /// The headers that the fetch of a document has beside those of every request.
    #[must_use]
    pub fn fetch_headers(self, key: &str, url: &str) -> Params {
        match self {
            Self::Twilio => webhook::fetch_headers(key, url),
        }
    }
}
