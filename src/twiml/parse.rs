//! Reads TwiML: the first verb that is known decides; what is unknown is warned of and passed over.
//! Names are case-sensitive. No DTD and no entities but XML's own five; nothing is fetched.

use roxmltree::{Document, Node, ParsingOptions};

use super::verb::{Reading, Receive, Verb};
use crate::model::fax::{MediaType, PageSize};
use crate::model::webhook::Method;

/// The longest TwiML (error 11750).
pub const TWIML_BYTES_MAX: usize = 64 * 1024;
/// How deep elements may be nested; fax TwiML has two levels.
pub const DEPTH_MAX: usize = 64;
/// Nodes of a document; 64 kB can't hold more that mean anything.
const NODES_MAX: u32 = 32 * 1024;
/// Warnings of one document; the rest would say the same.
const WARNINGS_MAX: usize = 20;
/// Content types that are read as TwiML; frameworks answer `text/html` where an app says nothing (docs/fidelity.md, "Receiving, TwiML").
const CONTENT_TYPES: [&str; 3] = ["text/xml", "application/xml", "text/html"];
/// So much of a wrong value is repeated in a warning.
const EXCERPT_CHARS_MAX: usize = 80;

/// Why an answer says nothing usable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TwimlError {
    /// Another content type, or none.
    #[error("the answer's Content-Type is {0}; TwiML is text/xml or application/xml")]
    ContentType(String),
    /// Over `TWIML_BYTES_MAX`.
    #[error("the TwiML is over {TWIML_BYTES_MAX} bytes")]
    TooLarge,
    /// Nothing at all.
    #[error("the answer is empty; the simplest TwiML is <Response><Receive/></Response>")]
    Empty,
    /// No well-formed XML.
    #[error("the TwiML can't be parsed: {0}")]
    Malformed(String),
    /// Another root element.
    #[error("the root element is <{0}>; it must be <Response>")]
    Root(String),
    /// Neither `<Receive>` nor `<Reject>`.
    #[error("the TwiML has neither <Receive> nor <Reject>; the simplest implementation is <Receive/>")]
    NoVerb,
}

impl TwimlError {
    /// Twilio's error code.
    #[must_use]
    pub const fn code(&self) -> u32 {
        match self {
            Self::TooLarge => 11750,
            Self::Empty => 11770,
            Self::Malformed(_) => 12100,
            Self::Root(_) => 12102,
            Self::ContentType(_) => 12300,
            Self::NoVerb => 34106,
        }
    }
}

/// Reads what an app has answered.
#[must_use]
pub fn interpret(content_type: Option<&str>, body: &[u8]) -> Reading {
    let mut warnings = Vec::new();
    let verb = document(content_type, body).and_then(|text| {
        let options = ParsingOptions { allow_dtd: false, nodes_limit: NODES_MAX, ..ParsingOptions::default() };
        let document = Document::parse_with_options(text, options);
        let document = document.map_err(|error| TwimlError::Malformed(error.to_string()))?;
        check_depth(document.root_element())?;
        first_verb(document.root_element(), &mut warnings)
    });
    warnings.truncate(WARNINGS_MAX);
    Reading { verb, warnings }
}

/// The text of the document, once its outside is in order.
fn document<'a>(content_type: Option<&str>, body: &'a [u8]) -> Result<&'a str, TwimlError> {
    if body.trim_ascii().is_empty() {
        return Err(TwimlError::Empty);
    }
    let named = content_type.unwrap_or("missing");
    let essence = named.split(';').next().unwrap_or_default().trim();
    if !CONTENT_TYPES.iter().any(|known| known.eq_ignore_ascii_case(essence)) {
        return Err(TwimlError::ContentType(excerpt(named)));
    }
    if body.len() > TWIML_BYTES_MAX {
        return Err(TwimlError::TooLarge);
    }
    let text = std::str::from_utf8(body);
    let text =
        text.map_err(|error| TwimlError::Malformed(format!("it is not UTF-8 from byte {}", error.valid_up_to())))?;
    // Templates often begin with an empty line, which XML forbids before its declaration.
    Ok(text.trim_start_matches('\u{feff}').trim_start())
}

fn check_depth(root: Node<'_, '_>) -> Result<(), TwimlError> {
    let (mut node, mut depth) = (root, 1);
    loop {
        if depth > DEPTH_MAX {
            return Err(TwimlError::Malformed(format!("elements are nested deeper than {DEPTH_MAX}")));
        }
        if let Some(child) = node.first_child() {
            (node, depth) = (child, depth + 1);
            continue;
        }
        while node.next_sibling().is_none() {
            if node == root {
                return Ok(());
            }
            let Some(parent) = node.parent() else { return Ok(()) };
            (node, depth) = (parent, depth - 1);
        }
        let Some(next) = node.next_sibling().filter(|_| node != root) else { return Ok(()) };
        node = next;
    }
}

fn first_verb(root: Node<'_, '_>, warnings: &mut Vec<String>) -> Result<Verb, TwimlError> {
    if root.tag_name().name() != "Response" {
        return Err(TwimlError::Root(excerpt(root.tag_name().name())));
    }
    for child in root.children() {
        if child.is_text() && child.text().is_some_and(|text| !text.trim().is_empty()) {
            warnings.push(format!(
                "text in <Response> is passed over: {}",
                excerpt(child.text().unwrap_or_default().trim())
            ));
        }
        if !child.is_element() {
            continue;
        }
        match child.tag_name().name() {
            "Receive" => return Ok(Verb::Receive(receive(child, warnings))),
            "Reject" => {
                warnings.extend(child.attributes().map(|attribute| unknown_attribute("Reject", attribute.name())));
                return Ok(Verb::Reject);
            }
            other => warnings.push(unknown_verb(other)),
        }
    }
    Err(TwimlError::NoVerb)
}

fn receive(element: Node<'_, '_>, warnings: &mut Vec<String>) -> Receive {
    let mut receive = Receive::default();
    for attribute in element.attributes() {
        let value = attribute.value();
        let taken = match attribute.name() {
            "action" => {
                receive.action = Some(value.trim().to_owned()).filter(|action| !action.is_empty());
                Ok(())
            }
            "method" => set(&mut receive.method, &[Method::Get, Method::Post], value, Method::as_str),
            "mediaType" => set(&mut receive.media_type, MediaType::ALL, value, MediaType::as_str),
            "pageSize" => set(&mut receive.page_size, PageSize::ALL, value, PageSize::as_str),
            "storeMedia" => {
                set(&mut receive.store_media, &[true, false], value, |truth| if truth { "true" } else { "false" })
            }
            other => {
                warnings.push(unknown_attribute("Receive", other));
                continue;
            }
        };
        if let Err(words) = taken {
            let (name, value) = (attribute.name(), excerpt(value));
            warnings.push(format!("<Receive {name}=\"{value}\"> is none of {words}; the default is taken"));
        }
    }
    receive
}

/// Sets what the word means; else tells the words there are.
fn set<T: Copy>(place: &mut T, all: &[T], word: &str, text_of: impl Fn(T) -> &'static str) -> Result<(), String> {
    let known = all.iter().copied().find(|value| text_of(*value) == word);
    *place = known.ok_or_else(|| all.iter().map(|value| text_of(*value)).collect::<Vec<_>>().join(", "))?;
    Ok(())
}

fn unknown_verb(name: &str) -> String {
    let near = ["Receive", "Reject"].into_iter().find(|known| known.eq_ignore_ascii_case(name));
    let hint = near.map(|known| format!(" (names are case-sensitive: <{known}>)")).unwrap_or_default();
    format!("<{}> is no verb of fax TwiML and is passed over{hint}", excerpt(name))
}

fn unknown_attribute(verb: &str, name: &str) -> String {
    format!("<{verb}> has no attribute {}; it is passed over", excerpt(name))
}

fn excerpt(text: &str) -> String {
    text.chars().take(EXCERPT_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Reading {
        interpret(Some("text/xml"), body.as_bytes())
    }

    fn code(body: &str) -> Option<u32> {
        read(body).verb.err().map(|error| error.code())
    }

    fn received(body: &str) -> (Receive, usize) {
        let reading = read(body);
        match reading.verb {
            Ok(Verb::Receive(receive)) => (receive, reading.warnings.len()),
            other => panic!("{body}: {other:?}"),
        }
    }

    #[test]
    fn every_attribute_of_receive_is_read() {
        let twiml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Receive action=\"/a?b=1&amp;c=2\" \
                     mediaType=\"image/tiff\" method=\"GET\" pageSize=\"a4\" storeMedia=\"false\" /></Response>";
        let expected = Receive {
            action: Some("/a?b=1&c=2".to_owned()),
            method: Method::Get,
            media_type: MediaType::Tiff,
            page_size: PageSize::A4,
            store_media: false,
        };
        assert_eq!(received(twiml), (expected, 0));
        assert_eq!(received("<Response><Receive/></Response>"), (Receive::default(), 0));
    }

    #[test]
    fn the_first_known_verb_decides_and_unknown_ones_are_warned_of() {
        let reading = read("<Response><Say>Hi</Say>text<Reject reason=\"busy\"/><Receive/></Response>");
        assert_eq!(reading.verb, Ok(Verb::Reject));
        assert_eq!(reading.warnings.len(), 3, "{:?}", reading.warnings);
        assert_eq!(received("<Response><!-- c --><receive/><Receive/></Response>").1, 1);
    }

    #[test]
    fn a_wrong_value_is_warned_of_and_the_default_taken() {
        let twiml = "<Response><Receive method=\"PUT\" mediaType=\"image/png\" pageSize=\"A4\" storeMedia=\"no\" x=\"1\"/></Response>";
        assert_eq!(received(twiml), (Receive::default(), 5));
    }

    #[test]
    fn each_error_has_its_code() {
        assert_eq!(code("<Response/>"), Some(34106));
        assert_eq!(code("<Response><receive/></Response>"), Some(34106));
        assert_eq!(code("<response><Receive/></response>"), Some(12102));
        assert_eq!(code("<Response><Receive></Response>"), Some(12100));
        assert_eq!(code(" \n"), Some(11770));
        assert_eq!(code(&format!("<Response>{}</Response>", " ".repeat(TWIML_BYTES_MAX))), Some(11750));
        assert_eq!(interpret(Some("text/xml"), b"<Response>\xff</Response>").verb.unwrap_err().code(), 12100);
    }

    #[test]
    fn content_types_of_real_apps_are_taken_and_others_refused() {
        let twiml = b"<Response><Reject/></Response>";
        for good in ["text/xml", "application/xml; charset=utf-8", "Text/HTML;charset=UTF-8"] {
            assert_eq!(interpret(Some(good), twiml).verb, Ok(Verb::Reject), "{good}");
        }
        for bad in [Some("application/json"), Some("text/plain"), Some(""), None] {
            assert_eq!(interpret(bad, twiml).verb.unwrap_err().code(), 12300, "{bad:?}");
        }
    }

    #[test]
    fn a_byte_order_mark_and_an_empty_line_before_the_declaration_do_no_harm() {
        assert_eq!(received("\u{feff}\n<?xml version=\"1.0\"?><Response><Receive/></Response>").1, 0);
    }

    #[test]
    fn hostile_documents_are_refused_quickly() {
        let entities = "<!DOCTYPE r [<!ENTITY a \"x\"><!ENTITY b \"&a;&a;\">]><Response>&b;</Response>";
        assert_eq!(code(entities), Some(12100));
        assert_eq!(code("<!DOCTYPE r SYSTEM \"file:///etc/passwd\"><Response><Receive/></Response>"), Some(12100));
        assert_eq!(code("<Response>&nbsp;<Receive/></Response>"), Some(12100));
        let deep = format!("<Response>{}{}</Response>", "<a>".repeat(9_000), "</a>".repeat(9_000));
        assert_eq!(code(&deep), Some(12100));
        let warned = read(&format!("<Response>{}<Receive/></Response>", "<a/>".repeat(1_000)));
        assert_eq!(warned.warnings.len(), WARNINGS_MAX);
    }
}
