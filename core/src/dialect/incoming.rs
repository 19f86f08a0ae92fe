//! An incoming fax as a tester describes it through the control API or the library, with the same defaults and checks
//! for both.

use std::sync::Arc;

use super::twilio::codes;
use crate::engine::input::ReceiveFax;
use crate::model::fax::Quality;
use crate::model::line::{Line, LineFault};
use crate::model::media::Document;
use crate::model::phone::{NotE164, Party, PhoneNumber};
use crate::model::sid::FaxSid;

/// The caller if none is named.
const FROM_DEFAULT: &str = "+15558675310";
/// The most characters of a station id (T.30 §5.3.6.2.4: CSI, CIG and TSI carry twenty).
const STATION_ID_CHARS_MAX: usize = 20;

/// An invalid field of an incoming fax.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {why}")]
pub struct IncomingFaxError {
    field: &'static str,
    why: String,
}

/// The fields of an incoming fax; a field that is `None` has a default.
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
    /// The code that the transmission fails with, and how many pages get through before it does; `None` if it succeeds.
    pub failure: Option<(u32, u32)>,
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
}

impl IncomingFax<'_> {
    /// Checks the fields and fills in the defaults.
    ///
    /// # Errors
    /// Returns the first invalid field.
    pub fn checked(self) -> Result<CheckedIncomingFax, IncomingFaxError> {
        let error = |field: &'static str, why: String| IncomingFaxError { field, why };
        let to = self.to.map(str::parse).transpose();
        let from = self.from.unwrap_or(FROM_DEFAULT);
        if self.station_id.is_some_and(|text| text.chars().count() > STATION_ID_CHARS_MAX) {
            return Err(error("station_id", format!("must have at most {STATION_ID_CHARS_MAX} characters (T.30)")));
        }
        let fault = self.failure.map(|(code, after_pages)| codes::line_fault(code, after_pages)).transpose();
        Ok(CheckedIncomingFax {
            to: to.map_err(|why: NotE164| error("to", why.to_string()))?,
            from: Party::sip_caller(from)
                .ok_or_else(|| error("from", format!("{from:?} is not a number, a SIP URI or a name")))?,
            station_id: self.station_id.unwrap_or(from).into(),
            quality: self.quality.unwrap_or(Quality::Fine),
            sid: self.sid,
            line_fault: fault.map_err(|why| error("outcome", format!("the code must be {why}")))?,
        })
    }
}

impl CheckedIncomingFax {
    /// Returns the command to receive this document. Links to media are built on `origin`, a scheme and a host.
    #[must_use]
    pub fn with_document(self, document: Document, origin: Arc<str>) -> ReceiveFax {
        let Self { to, from, station_id, quality, sid, line_fault } = self;
        ReceiveFax { to, from, station_id, document, quality, sid, line_fault, line: Line::default(), origin }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(fax: IncomingFax<'_>) -> String {
        fax.checked().expect_err("refused").to_string()
    }

    #[test]
    fn fields_left_out_have_defaults() {
        let fax = IncomingFax::default().checked().expect("good");
        assert_eq!((fax.from.to_string().as_str(), &*fax.station_id), (FROM_DEFAULT, FROM_DEFAULT));
        assert_eq!((fax.to, fax.quality, fax.line_fault), (None, Quality::Fine, None));
        let named = IncomingFax { from: Some("+15552223333"), ..IncomingFax::default() }.checked().expect("good");
        assert_eq!(&*named.station_id, "+15552223333");
    }

    #[test]
    fn the_error_names_the_invalid_field() {
        let none = IncomingFax::default();
        assert!(refused(IncomingFax { to: Some("911"), ..none }).starts_with("to: "));
        assert!(refused(IncomingFax { from: Some("no body"), ..none }).starts_with("from: \"no body\""));
        let long = "x".repeat(STATION_ID_CHARS_MAX + 1);
        assert!(refused(IncomingFax { station_id: Some(&long), ..none }).contains("at most 20 characters"));
        assert!(IncomingFax { station_id: Some(&long[1..]), ..none }.checked().is_ok());
        let why = refused(IncomingFax { failure: Some((34999, 0)), ..none });
        assert_eq!(why, "outcome: the code must be 34004 or 34108, not 34999");
    }
}
