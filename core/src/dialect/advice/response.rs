//! Recognises the kind of a response that isn't usable TwiML: a login page, JSON and a missing `<Response>` need
//! different remedies, though some of them have the same code.

use super::{Advice, Case};
use crate::model::fault::Fault;
use crate::model::webhook::ExchangeRecord;

/// The verbs of fax TwiML, which an app may have forgotten to put into `<Response>`.
const VERBS: [&str; 2] = ["Receive", "Reject"];
/// The maximum number of characters of an element's name that are quoted.
const NAME_CHARS_MAX: usize = 80;
const UNCOMPRESSED: &str = "Send it uncompressed, without a Content-Encoding header.";
const SIMPLEST: &str = "the simplest is <Response><Receive/></Response>.";

/// The kind of a response, judged by its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Content<'a> {
    /// The body is compressed, which only a rule's Accept-Encoding header can have allowed.
    Compressed,
    WebPage,
    Json,
    /// Something that doesn't begin like XML.
    Text,
    /// XML with a document type declaration.
    Doctype,
    /// XML whose declaration isn't at the very beginning.
    LateDeclaration,
    /// Any other XML, with the name of its root element.
    Xml(&'a str),
}

impl<'a> Content<'a> {
    /// Returns the content of a response; `None` if it can't be recognised.
    fn of(record: &'a ExchangeRecord) -> Option<Self> {
        let header = |name: &str| {
            let found = record.response_headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name));
            found.map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
        };
        if header("content-encoding").is_some_and(|coding| !coding.eq_ignore_ascii_case("identity")) {
            return Some(Self::Compressed);
        }
        // The excerpt has been decoded as UTF-8, so text in UTF-16 can't be recognised.
        if record.response_body.contains('\0') {
            return None;
        }
        // A byte order mark may come first.
        let body = record.response_body.trim_start_matches('\u{feff}');
        let text = body.trim_start();
        let content = without_prologue(text);
        Some(if begins(content, "<!doctype html") || begins(content, "<html") {
            Self::WebPage
        } else if text.starts_with(['{', '[']) {
            Self::Json
        } else if !text.starts_with('<') {
            Self::Text
        } else if begins(content, "<!doctype") {
            Self::Doctype
        } else if text.starts_with("<?xml") && !body.starts_with('<') {
            Self::LateDeclaration
        } else {
            let mut names =
                content.trim_start_matches('<').split(|sign: char| sign.is_whitespace() || ">/".contains(sign));
            Self::Xml(names.next().unwrap_or_default())
        })
    }
}

/// Returns the text without the XML declaration, other processing instructions, comments and white space at its
/// beginning.
fn without_prologue(mut text: &str) -> &str {
    loop {
        let end = if text.starts_with("<?") {
            "?>"
        } else if text.starts_with("<!--") {
            "-->"
        } else {
            return text;
        };
        let Some((_, rest)) = text.split_once(end) else { return text };
        text = rest.trim_start();
    }
}

fn begins(text: &str, with: &str) -> bool {
    text.get(..with.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(with))
}

impl Case<'_> {
    /// Returns the advice about a response that isn't usable TwiML; `None` if the kind of the response is unknown or
    /// explains no more than the fault does.
    pub(super) fn of_response(&self) -> Option<Advice> {
        let record = self.record?;
        let content = Content::of(record)?;
        let is_about_form = matches!(content, Content::Doctype | Content::LateDeclaration | Content::Xml(_));
        if self.fault == Fault::TwimlTooLarge && is_about_form {
            return None;
        }
        let (cause, remedy) = match content {
            Content::Compressed => compressed(record),
            Content::WebPage => (
                web_page(record),
                format!(
                    "It is usually a login page or an error page: open the URL to see it, check its path, and allow \
                     the route to be called without a login or a CSRF token. Respond with TwiML; {SIMPLEST}"
                ),
            ),
            Content::Json => ("The response is JSON, not TwiML.".to_owned(), with_twiml()),
            Content::Text => ("The response is plain text, not TwiML.".to_owned(), with_twiml()),
            Content::Doctype => (
                "The response has a DOCTYPE, which TwiML must not have.".to_owned(),
                "Remove the DOCTYPE and the entities that it declares.".to_owned(),
            ),
            Content::LateDeclaration => (
                "Something precedes the XML declaration, which must come first.".to_owned(),
                "Remove the declaration, or the blank lines and spaces before it.".to_owned(),
            ),
            Content::Xml(_) if self.fault == Fault::TwimlMalformed => return None,
            Content::Xml(root) => return of_root(root),
        };
        Some(Advice { cause, remedy })
    }
}

/// Returns the cause and the remedy of a compressed response. The emulator sends no Accept-Encoding header of its own,
/// but a rule may add one.
fn compressed(record: &ExchangeRecord) -> (String, String) {
    let mut headers = record.request_headers.iter();
    let allowed = headers.find(|(name, _)| name.eq_ignore_ascii_case("accept-encoding")).map(|(_, value)| value.trim());
    let (cause, remedy) = match allowed {
        Some(codings) if !codings.is_empty() && !codings.eq_ignore_ascii_case("identity") => (
            "The response is compressed, as the Accept-Encoding header that a rule gave the request allows, but the emulator \
             reads no compressed response.",
            "Take the header out of the rule, or send the response uncompressed.",
        ),
        Some(_) => ("The response is compressed, although the request doesn't allow it.", UNCOMPRESSED),
        None => ("The response is compressed, although the request has no Accept-Encoding header.", UNCOMPRESSED),
    };
    (cause.to_owned(), remedy.to_owned())
}

fn with_twiml() -> String {
    format!("Respond with TwiML, which is XML, as text/xml; {SIMPLEST}")
}

/// Returns the advice about XML with this root; `None` if the root is `<Response>` or one of its verbs.
fn of_root(root: &str) -> Option<Advice> {
    if root == "Response" || VERBS.contains(&root) {
        return None;
    }
    let remedy = if root.eq_ignore_ascii_case("response") {
        "Write <Response>: names are case-sensitive."
    } else {
        "Check the URL, and read the response in the conversation: XML that isn't TwiML often comes from a storage service \
         or a gateway that refused the request."
    };
    let root: String = root.chars().take(NAME_CHARS_MAX).collect();
    let cause = format!("The root of the response is <{root}>, not <Response>.");
    Some(Advice { cause, remedy: remedy.to_owned() })
}

/// Says that the response is a web page. If the request was redirected, the page's URL is given, but without its query,
/// which may contain secrets.
fn web_page(record: &ExchangeRecord) -> String {
    match record.redirected_to.as_deref().and_then(|to| to.split(['?', '#']).next()) {
        Some(to) => format!("The app redirected the request to {to}, which is a web page (HTML), not TwiML."),
        None => "The app responded with a web page (HTML), not with TwiML.".to_owned(),
    }
}
