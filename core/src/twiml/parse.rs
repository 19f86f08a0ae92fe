//! Parses TwiML. The first known verb is used; unknown elements before it raise a warning and are ignored. Names are
//! case-sensitive. A DTD is refused, so the only entities are the five that XML predefines, and nothing is ever
//! fetched.

use roxmltree::{Document, Node, ParsingOptions};

use super::error::{HTML_HINT, TWIML_BYTES_MAX, TwimlError, excerpt};
use super::text;
use super::verb::{Reading, Receive, Verb, Warning};
use crate::model::fault::Fault;
use crate::model::fax::{MediaType, PageSize};
use crate::model::webhook::Method;

/// The maximum depth of nested elements; TwiML for fax needs two levels.
pub const DEPTH_MAX: usize = 64;
/// The maximum number of nodes per document; 64 KiB of XML can't contain so many.
const NODES_MAX: u32 = 32 * 1024;
/// The maximum number of warnings per document; further ones would hardly help a developer.
const WARNINGS_MAX: usize = 20;
/// Content types that are accepted for TwiML. Frameworks send `text/html` unless an app sets a type (docs/fidelity.md,
/// "Receiving, TwiML").
const CONTENT_TYPES: [&str; 3] = ["text/xml", "application/xml", "text/html"];

/// Parses an app's response. A body that parses as TwiML is accepted whatever the content type, with a warning if the
/// type is unusual.
#[must_use]
pub fn interpret(content_type: Option<&str>, body: &[u8]) -> Reading {
    let mut warnings = Vec::new();
    let verb = match odd_type(content_type) {
        // An empty body is reported as empty, whatever its content type.
        _ if body.trim_ascii().is_empty() => Err(TwimlError::Empty),
        None => verb(content_type, body, &mut warnings),
        Some(odd) => {
            let verb = verb(content_type, body, &mut warnings);
            match verb {
                // A `<Response>` without a verb is TwiML, too.
                Ok(_) | Err(TwimlError::NoVerb) => {
                    // This warning is inserted first, so that the limit on warnings never drops it.
                    warnings.insert(0, Warning { fault: Fault::ContentType, text: odd });
                    verb
                }
                Err(error) => {
                    // The error concerns the whole response, so warnings about its parts would only distract.
                    warnings.clear();
                    Err(TwimlError::ContentType(format!(
                        "{odd}, and its body is not TwiML: {}",
                        what_it_is(body, &error)
                    )))
                }
            }
        }
    };
    warnings.truncate(WARNINGS_MAX);
    Reading { verb, warnings }
}

/// Describes an unusual content type; `None` if the type is accepted for TwiML.
fn odd_type(content_type: Option<&str>) -> Option<String> {
    let Some(named) = content_type else { return Some("the response has no Content-Type".to_owned()) };
    // Parameters, such as the charset, don't make a type unusual.
    let essence = named.split(';').next().unwrap_or_default().trim();
    let is_known = CONTENT_TYPES.iter().any(|known| known.eq_ignore_ascii_case(essence));
    (!is_known).then(|| format!("the response's Content-Type is {}", excerpt(named)))
}

fn verb(content_type: Option<&str>, body: &[u8], warnings: &mut Vec<Warning>) -> Result<Verb, TwimlError> {
    if body.len() > TWIML_BYTES_MAX {
        return Err(TwimlError::TooLarge);
    }
    let text = text::decode(content_type, body, warnings).map_err(TwimlError::Malformed)?;
    let options = ParsingOptions { allow_dtd: false, nodes_limit: NODES_MAX, ..ParsingOptions::default() };
    let document = Document::parse_with_options(&text, options).map_err(|error| {
        if is_html(body) {
            TwimlError::HtmlPage { fault: Fault::TwimlMalformed }
        } else {
            TwimlError::Malformed(error.to_string())
        }
    })?;
    check_depth(document.root_element())?;
    first_verb(document.root_element(), warnings)
}

/// Returns whether the body begins like an HTML page.
fn is_html(body: &[u8]) -> bool {
    // A byte order mark may come before the page.
    let begin = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii_start();
    let begins = |with: &str| begin.get(..with.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(with.as_bytes()));
    begins("<!doctype html") || begins("<html")
}

/// Describes a body that is not TwiML.
fn what_it_is(body: &[u8], error: &TwimlError) -> String {
    if is_html(body) {
        return format!("it is an HTML page, {HTML_HINT}");
    }
    if body.trim_ascii_start().starts_with(b"{") {
        return "it is JSON".to_owned();
    }
    error.to_string()
}

fn check_depth(root: Node<'_, '_>) -> Result<(), TwimlError> {
    // Walks the tree without recursion, because the app chooses the depth and the stack is limited.
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

fn first_verb(root: Node<'_, '_>, warnings: &mut Vec<Warning>) -> Result<Verb, TwimlError> {
    // An HTML page that is well-formed XML gets this far, since the parser accepts it.
    if root.tag_name().name().eq_ignore_ascii_case("html") {
        return Err(TwimlError::HtmlPage { fault: Fault::TwimlRoot });
    }
    if root.tag_name().name() != "Response" {
        return Err(TwimlError::Root(excerpt(root.tag_name().name())));
    }
    for child in root.children() {
        if child.is_text() && child.text().is_some_and(|text| !text.trim().is_empty()) {
            let text = excerpt(child.text().unwrap_or_default().trim());
            warnings.push(Warning::of_schema(format!("text in <Response> is ignored: {text}")));
        }
        // Comments and processing instructions are ignored without a warning.
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

fn receive(element: Node<'_, '_>, warnings: &mut Vec<Warning>) -> Receive {
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
        // An invalid value is not an error: the default applies.
        if let Err(words) = taken {
            let (name, value) = (attribute.name(), excerpt(value));
            let text = format!("<Receive {name}=\"{value}\">: {name} must be one of {words}; the default is used");
            warnings.push(Warning::of_schema(text));
        }
    }
    receive
}

/// Stores the value that the word names, or returns the valid words for a message.
fn set<T: Copy>(place: &mut T, all: &[T], word: &str, text_of: impl Fn(T) -> &'static str) -> Result<(), String> {
    let known = all.iter().copied().find(|value| text_of(*value) == word);
    *place = known.ok_or_else(|| all.iter().map(|value| text_of(*value)).collect::<Vec<_>>().join(", "))?;
    Ok(())
}

fn unknown_verb(name: &str) -> Warning {
    let near = ["Receive", "Reject"].into_iter().find(|known| known.eq_ignore_ascii_case(name));
    let hint = near.map(|known| format!(" (names are case-sensitive: <{known}>)")).unwrap_or_default();
    Warning::of_schema(format!("<{}> is not a verb of fax TwiML and is ignored{hint}", excerpt(name)))
}

fn unknown_attribute(verb: &str, name: &str) -> Warning {
    Warning::of_schema(format!("<{verb}> has no attribute {}; it is ignored", excerpt(name)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::account::TwimlTypes;

    fn read(body: &str) -> Reading {
        interpret(Some("text/xml"), body.as_bytes())
    }

    fn fault(body: &str) -> Option<Fault> {
        read(body).verb.err().map(|error| error.fault())
    }

    fn received(body: &str) -> (Receive, usize) {
        let reading = read(body);
        match reading.verb {
            Ok(Verb::Receive(receive)) => (receive, reading.warnings.len()),
            other => panic!("{body}: {other:?}"),
        }
    }

    #[test]
    fn every_attribute_of_receive_is_parsed() {
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
    fn the_first_known_verb_decides_and_unknown_ones_raise_a_warning() {
        let reading = read("<Response><Say>Hi</Say>text<Reject reason=\"busy\"/><Receive/></Response>");
        assert_eq!(reading.verb, Ok(Verb::Reject));
        assert_eq!(reading.warnings.len(), 3, "{:?}", reading.warnings);
        assert_eq!(received("<Response><!-- c --><receive/><Receive/></Response>").1, 1);
    }

    #[test]
    fn an_invalid_value_raises_a_warning_and_the_default_applies() {
        let twiml = "<Response><Receive method=\"PUT\" mediaType=\"image/png\" pageSize=\"A4\" storeMedia=\"no\" x=\"1\"/></Response>";
        assert_eq!(received(twiml), (Receive::default(), 5));
    }

    #[test]
    fn each_kind_of_error_has_its_own_fault() {
        assert_eq!(fault("<Response/>"), Some(Fault::NoFaxVerb));
        assert_eq!(fault("<Response><receive/></Response>"), Some(Fault::NoFaxVerb));
        assert_eq!(fault("<response><Receive/></response>"), Some(Fault::TwimlRoot));
        assert_eq!(fault("<Response><Receive></Response>"), Some(Fault::TwimlMalformed));
        assert_eq!(fault(" \n"), Some(Fault::TwimlEmpty));
        assert_eq!(fault(&format!("<Response>{}</Response>", " ".repeat(TWIML_BYTES_MAX))), Some(Fault::TwimlTooLarge));
        assert_eq!(
            interpret(Some("text/xml"), b"<Response>\xff</Response>").verb.unwrap_err().fault(),
            Fault::TwimlMalformed
        );
    }

    #[test]
    fn content_types_of_real_apps_are_accepted_without_a_warning() {
        let twiml = b"<Response><Reject/></Response>";
        for good in ["text/xml", "application/xml; charset=utf-8", "Text/HTML;charset=UTF-8"] {
            for types in [TwimlTypes::Lenient, TwimlTypes::Strict] {
                let reading = interpret(Some(good), twiml).held_to(types);
                assert_eq!(reading, Reading { verb: Ok(Verb::Reject), warnings: Vec::new() }, "{good}");
            }
        }
    }

    #[test]
    fn twiml_with_an_unusual_or_missing_type_raises_a_warning_unless_types_are_strict() {
        for odd in [Some("text/plain; charset=utf-8"), Some("application/json"), Some(""), None] {
            for twiml in ["<Response><Reject/></Response>", "\n<?xml version='1.0'?>"] {
                let reading = interpret(odd, twiml.as_bytes());
                let strict = reading.clone().held_to(TwimlTypes::Strict);
                assert_eq!(strict.verb.map_err(|error| error.fault()), Err(Fault::ContentType), "{odd:?}");
                if twiml.starts_with('<') {
                    let faults: Vec<Fault> = reading.warnings.iter().map(|warning| warning.fault).collect();
                    assert_eq!((reading.verb, faults), (Ok(Verb::Reject), vec![Fault::ContentType]), "{odd:?}");
                } else {
                    assert_eq!(reading.verb.map_err(|error| error.fault()), Err(Fault::ContentType), "{odd:?}");
                }
            }
        }
        let silent = interpret(None, b"<Response/>");
        assert_eq!((silent.verb, silent.warnings.len()), (Err(TwimlError::NoVerb), 1));
    }

    #[test]
    fn an_unusual_type_without_twiml_is_an_error_that_describes_the_body() {
        for (content_type, body, part) in [
            (Some("text/plain"), "OK", "Content-Type is text/plain"),
            (None, "OK", "no Content-Type"),
            (Some("application/json"), "{\"twiml\": \"<Response/>\"}", "JSON"),
            (Some("text/plain"), "<!DOCTYPE html><html><body>502</body></html>", "HTML page"),
            (None, "<html><body/></html>", "HTML page"),
            (Some("text/plain"), "<Response><Receive></Response>", "can't be parsed"),
            (Some("text/plain"), "<Fax/>", "<Fax>"),
        ] {
            let error = interpret(content_type, body.as_bytes()).verb.expect_err(body);
            assert!(error.fault() == Fault::ContentType && error.to_string().contains(part), "{error}");
        }
    }

    #[test]
    fn an_html_page_is_reported_as_html() {
        for (page, fault) in [
            ("<!doctype HTML>\n<html><body><br></body></html>", Fault::TwimlMalformed),
            ("\n<HTML><p></HTML>", Fault::TwimlMalformed),
            ("<html><body/></html>", Fault::TwimlRoot),
        ] {
            let error = interpret(Some("text/html"), page.as_bytes()).verb.expect_err(page);
            assert!(error.fault() == fault && error.to_string().contains("an HTML page"), "{page}: {error}");
        }
    }

    #[test]
    fn a_compressed_response_is_reported_as_such() {
        let reading = interpret(Some("text/xml"), b"\x1f\x8b\x08\0\0\0").compressed("gzip");
        let error = reading.verb.expect_err("compressed data is not XML");
        assert!(
            error.fault() == Fault::TwimlMalformed && error.to_string().contains("Content-Encoding: gzip"),
            "{error}"
        );
        let plain = interpret(Some("text/xml"), b"<Response><Reject/></Response>").compressed("gzip");
        assert_eq!(plain.verb, Ok(Verb::Reject), "an incorrect Content-Encoding does no harm");
    }

    #[test]
    fn attributes_are_decoded_with_the_declared_encoding() {
        let twiml = b"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><Response><Receive action=\"/action?n=b\xfcro\"/></Response>";
        let Ok(Verb::Receive(receive)) = interpret(Some("text/xml"), twiml).verb else { panic!("unreadable") };
        assert_eq!(receive.action.as_deref(), Some("/action?n=b\u{fc}ro"));
    }

    #[test]
    fn white_space_may_precede_an_element_but_not_a_declaration() {
        assert_eq!(received("\u{feff}<?xml version=\"1.0\"?><Response><Receive/></Response>").1, 0);
        assert_eq!(received("\n  <Response><Receive/></Response>\n").1, 0);
        assert_eq!(fault("\n<?xml version=\"1.0\"?>\n<Response><Receive/></Response>"), Some(Fault::TwimlMalformed));
    }

    #[test]
    fn hostile_documents_are_refused_quickly() {
        let entities = "<!DOCTYPE r [<!ENTITY a \"x\"><!ENTITY b \"&a;&a;\">]><Response>&b;</Response>";
        assert_eq!(fault(entities), Some(Fault::TwimlMalformed));
        assert_eq!(
            fault("<!DOCTYPE r SYSTEM \"file:///etc/passwd\"><Response><Receive/></Response>"),
            Some(Fault::TwimlMalformed)
        );
        assert_eq!(fault("<Response>&nbsp;<Receive/></Response>"), Some(Fault::TwimlMalformed));
        let deep = format!("<Response>{}{}</Response>", "<a>".repeat(9_000), "</a>".repeat(9_000));
        assert_eq!(fault(&deep), Some(Fault::TwimlMalformed));
        let warned = read(&format!("<Response>{}<Receive/></Response>", "<a/>".repeat(1_000)));
        assert_eq!(warned.warnings.len(), WARNINGS_MAX);
    }
}
