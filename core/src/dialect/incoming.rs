//! An incoming fax as a tester describes it through the control API or the library, with the defaults and checks that
//! the two have in common.

use std::sync::Arc;

use super::parameter::check_url;
use crate::engine::input::ReceiveFax;
use crate::engine::rule::check::check_message;
use crate::model::account::Dialect;
use crate::model::fax::Quality;
use crate::model::line::{Line, LineFault};
use crate::model::media::Document;
use crate::model::phone::{NotE164, Party, PhoneNumber};
use crate::model::sid::FaxSid;

/// The caller of an incoming fax whose `from` is not given.
const FROM_DEFAULT: &str = "+15558675310";
/// The maximum length of a station id, in characters (T.30 §5.3.6.2.4: CSI, CIG and TSI carry twenty).
const STATION_ID_CHARS_MAX: usize = 20;

/// An invalid field of an incoming fax.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {why}")]
pub struct IncomingFaxError {
    field: &'static str,
    why: String,
}

/// The fields of an incoming fax; `None` means the default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct IncomingFax<'a> {
    /// The called number; optional if the world has exactly one fax number.
    pub to: Option<&'a str>,
    /// The caller: a number, a SIP URI or a name.
    pub from: Option<&'a str>,
    /// The station id of the sending machine; the caller by default.
    pub station_id: Option<&'a str>,
    /// The vertical resolution; fine by default.
    pub quality: Option<Quality>,
    /// The SID of the fax; drawn from the seed by default.
    pub sid: Option<FaxSid>,
    /// The failure of the transmission; `None` if it succeeds.
    pub failure: Option<IncomingFailure<'a>>,
    /// The URL that is notified when the fax has ended. If there is one, the number's app isn't asked about the call.
    pub action: Option<&'a str>,
}

/// The failure of an incoming fax.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct IncomingFailure<'a> {
    /// The error code; by default, the dialect's usual code.
    pub code: Option<u32>,
    /// The number of pages that arrive before the transmission fails.
    pub after_pages: u32,
    /// The error message; by default, the dialect's usual message.
    pub message: Option<&'a str>,
}

/// An incoming fax whose fields are valid; only its document is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedIncomingFax {
    to: Option<PhoneNumber>,
    from: Party,
    station_id: Box<str>,
    quality: Quality,
    sid: Option<FaxSid>,
    line_fault: Option<LineFault>,
    action: Option<Box<str>>,
}

impl IncomingFax<'_> {
    /// Checks the fields, for a world of this dialect, and fills in the defaults.
    ///
    /// # Errors
    /// Returns an error about one of the invalid fields.
    pub fn checked(self, dialect: Dialect) -> Result<CheckedIncomingFax, IncomingFaxError> {
        let error = |field: &'static str, why: String| IncomingFaxError { field, why };
        let to = self.to.map(str::parse).transpose();
        let from = self.from.unwrap_or(FROM_DEFAULT);
        if self.station_id.is_some_and(|text| text.chars().count() > STATION_ID_CHARS_MAX) {
            return Err(error("station_id", format!("must have at most {STATION_ID_CHARS_MAX} characters (T.30)")));
        }
        if let Some(sid) = self.sid.filter(|sid| sid.form() != dialect.id_form()) {
            return Err(error("sid", format!("{sid} is not a {dialect} id, which is {}", of_form(dialect))));
        }
        if let Some(message) = self.failure.and_then(|failure| failure.message) {
            check_message(message).map_err(|why| error("outcome", format!("the message must {why}")))?;
        }
        if let Some(action) = self.action {
            check_url(action).map_err(|why| error("action", why))?;
        }
        let fault = self.failure.map(|IncomingFailure { code, after_pages, message }| {
            dialect.line_fault(code, after_pages, message.map(Into::into))
        });
        let fault = fault.transpose();
        Ok(CheckedIncomingFax {
            to: to.map_err(|why: NotE164| error("to", why.to_string()))?,
            from: Party::sip_caller(from)
                .ok_or_else(|| error("from", format!("{from:?} is not a number, a SIP URI or a name")))?,
            station_id: self.station_id.unwrap_or(from).into(),
            quality: self.quality.unwrap_or(Quality::Fine),
            sid: self.sid,
            action: self.action.map(Into::into),
            line_fault: fault.map_err(|why| error("outcome", format!("the code must be {why}")))?,
        })
    }
}

/// Describes the format of the dialect's fax SIDs.
const fn of_form(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Twilio => "FX and 32 hexadecimal digits",
        Dialect::SignalWire => "a UUID",
    }
}

impl CheckedIncomingFax {
    /// Returns TwiML that receives the fax and notifies its action; `None` if the fax has no action.
    #[must_use]
    pub fn twiml(&self) -> Option<String> {
        let action = self.action.as_deref()?.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
        Some(format!("<Response><Receive action=\"{action}\"/></Response>"))
    }

    /// Returns the command that receives the fax with this document. Links to media are built on `origin`, a scheme and
    /// a host.
    #[must_use]
    pub fn with_document(self, document: Document, origin: Arc<str>) -> ReceiveFax {
        let Self { to, from, station_id, quality, sid, line_fault, action: _ } = self;
        ReceiveFax {
            to,
            from,
            station_id,
            document,
            quality,
            sid,
            line_fault,
            line: Line::default(),
            origin,
            twiml_url: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::sid::Id;
    use crate::twiml::{self, Verb};

    fn refused(fax: IncomingFax<'_>) -> String {
        fax.checked(Dialect::Twilio).expect_err("refused").to_string()
    }

    #[test]
    fn omitted_fields_have_defaults() {
        let fax = IncomingFax::default().checked(Dialect::Twilio).expect("valid");
        assert_eq!((fax.from.to_string().as_str(), &*fax.station_id), (FROM_DEFAULT, FROM_DEFAULT));
        assert_eq!((fax.to, fax.quality, fax.line_fault), (None, Quality::Fine, None));
        let named = IncomingFax { from: Some("+15552223333"), ..IncomingFax::default() }
            .checked(Dialect::Twilio)
            .expect("valid");
        assert_eq!(&*named.station_id, "+15552223333");
    }

    #[test]
    fn an_error_names_the_invalid_field() {
        let none = IncomingFax::default();
        assert!(refused(IncomingFax { to: Some("911"), ..none }).starts_with("to: "));
        assert!(refused(IncomingFax { from: Some("no body"), ..none }).starts_with("from: \"no body\""));
        let long = "x".repeat(STATION_ID_CHARS_MAX + 1);
        assert!(refused(IncomingFax { station_id: Some(&long), ..none }).contains("at most 20 characters"));
        assert!(IncomingFax { station_id: Some(&long[1..]), ..none }.checked(Dialect::Twilio).is_ok());
        let failure = IncomingFailure { code: Some(34999), ..IncomingFailure::default() };
        let why = refused(IncomingFax { failure: Some(failure), ..none });
        assert_eq!(why, "outcome: the code must be 34004 or 34108, not 34999");
    }

    #[test]
    fn an_action_becomes_twiml_that_receives_the_fax() {
        let action = "http://localhost:3000/received?a=\"1\"&b=<2>";
        let fax = IncomingFax { action: Some(action), ..IncomingFax::default() };
        let twiml = fax.checked(Dialect::Twilio).expect("valid").twiml().expect("it has an action");
        let Ok(Verb::Receive(receive)) = twiml::interpret(Some("text/xml"), twiml.as_bytes()).verb else {
            panic!("{twiml}")
        };
        assert_eq!(receive.action.as_deref(), Some(action));
        let none = IncomingFax::default();
        assert_eq!(none.checked(Dialect::Twilio).expect("valid").twiml(), None);
        assert!(
            refused(IncomingFax { action: Some("/received"), ..none }).starts_with("action: it must begin with http")
        );
    }

    #[test]
    fn the_sid_and_the_code_follow_the_dialect() {
        let uuid = FaxSid::minted([1; 16], Dialect::SignalWire.id_form());
        let fax = IncomingFax { sid: Some(uuid), ..IncomingFax::default() };
        assert!(fax.checked(Dialect::SignalWire).is_ok());
        assert!(refused(fax).contains("is not a twilio id, which is FX and 32 hexadecimal digits"));
        let failing = |code, message| {
            let failure = IncomingFailure { code, message, ..IncomingFailure::default() };
            let fax = IncomingFax { failure: Some(failure), ..IncomingFax::default() };
            fax.checked(Dialect::SignalWire).map(|fax| fax.line_fault.and_then(|fault| fault.text))
        };
        assert_eq!(failing(None, Some("Connection failed")), Ok(Some("Connection failed".into())));
        let why = failing(Some(34108), None).expect_err("only Twilio has this code").to_string();
        assert!(why.starts_with("outcome: the code must be 34004, not 34108"), "{why}");
        assert!(failing(None, Some("")).is_err() && failing(None, Some(&"x".repeat(201))).is_err());
    }
}
