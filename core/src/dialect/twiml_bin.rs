//! TwiML bins: checks their contents, and builds and parses the URLs at which they are served, `/twiml/EH…` for
//! Twilio's TwiML Bins and `/laml-bins/{uuid}` for SignalWire's LaML Bins. A URL names no account, since anyone may
//! read a bin.

use crate::model::sid::{IdForm, TwimlBinSid};
use crate::twiml::{self, TwimlError};

/// The path under which Twilio's TwiML Bins are served.
pub const TWIML_BINS: &str = "/twiml";
/// The path under which SignalWire's LaML Bins are served.
pub const LAML_BINS: &str = "/laml-bins";
/// The content type of served bins.
pub const CONTENT_TYPE: &str = "application/xml; charset=utf-8";

/// Checks that a bin's contents are TwiML that can be executed.
///
/// # Errors
/// Returns the reason that they contain no usable TwiML.
pub fn check(contents: &str) -> Result<(), TwimlError> {
    twiml::interpret(Some(CONTENT_TYPE), contents.as_bytes()).verb.map(drop)
}

/// Returns the URL of a bin on this origin, a scheme and a host.
#[must_use]
pub fn bin_url(origin: &str, sid: TwimlBinSid) -> String {
    format!("{origin}{}/{sid}", root(sid.form()))
}

/// Returns the id of the bin at a path, if the path names one.
#[must_use]
pub fn bin_at(path: &str) -> Option<TwimlBinSid> {
    [IdForm::Prefixed, IdForm::Uuid].into_iter().find_map(|form| {
        let sid: TwimlBinSid = path.strip_prefix(root(form))?.strip_prefix('/')?.parse().ok()?;
        (sid.form() == form).then_some(sid)
    })
}

/// Returns the id of the bin with which a path ends; the path of a reverse proxy may come before it.
#[must_use]
pub fn bin_at_end(path: &str) -> Option<TwimlBinSid> {
    let start = [TWIML_BINS, LAML_BINS].into_iter().find_map(|root| path.rfind(&format!("{root}/")))?;
    bin_at(&path[start..])
}

const fn root(form: IdForm) -> &'static str {
    match form {
        IdForm::Prefixed => TWIML_BINS,
        IdForm::Uuid => LAML_BINS,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::sid::Id;

    #[test]
    fn each_dialects_bins_have_their_own_path() {
        for (form, start) in
            [(IdForm::Prefixed, "http://localhost/twiml/EH"), (IdForm::Uuid, "http://localhost/laml-bins/")]
        {
            let sid = TwimlBinSid::minted([7; 16], form);
            let url = bin_url("http://localhost", sid);
            assert!(url.starts_with(start), "{url}");
            assert_eq!(bin_at(url.trim_start_matches("http://localhost")), Some(sid));
        }
    }

    #[test]
    fn a_path_of_the_other_form_names_no_bin() {
        let (uuid, prefixed) = ("831455c6-574e-4d8b-b6ee-2418140bf4cd", "EH00000000000000000000000000000001");
        assert!(bin_at(&format!("/laml-bins/{uuid}")).is_some() && bin_at(&format!("/twiml/{prefixed}")).is_some());
        assert_eq!(bin_at_end(&format!("/base/twiml/{prefixed}")), prefixed.parse().ok());
        for bad in [
            format!("/laml-bins/{uuid}/x"),
            format!("/bins/{uuid}"),
            format!("/twiml/{uuid}"),
            format!("/laml-bins/{prefixed}"),
            "/laml-bins/".to_owned(),
            "/twiml".to_owned(),
            uuid.to_owned(),
        ] {
            assert_eq!(bin_at(&bad), None, "{bad}");
            assert_eq!(bin_at_end(&bad), None, "{bad}");
        }
    }
}
