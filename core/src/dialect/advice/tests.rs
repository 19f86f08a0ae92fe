//! Tests that each fault has advice in both dialects, that each code of a list has it in at least one, and that the
//! advice fits the place where the fault occurred.

use std::sync::Arc;

use super::*;
use crate::engine::event::AlertLevel;
use crate::model::request_edits::RequestEdits;
use crate::model::sid::AlertSid;
use crate::model::webhook::{ActingRule, Delivery, Method, RuleMark};

const DIALECTS: [Dialect; 2] = [Dialect::Twilio, Dialect::SignalWire];
/// The codes for which the console once kept its own advice.
const CODES_OF_CONSOLE: &[u32] = &[
    11100, 11200, 11201, 11202, 11203, 11205, 11206, 11210, 11215, 11217, 11251, 11220, 11235, 11236, 11237, 11750,
    12100, 12102, 12200, 12300, 14107, 34001, 34002, 34003, 34004, 34005, 34106, 34108, 20003, 21201, 21210, 21211,
    21212, 21405,
];

fn alert(fault: Fault, message: &str, record: Option<ExchangeRecord>) -> Alert {
    let (sid, level) = (AlertSid::from_bytes([0; 16]), AlertLevel::Error);
    Alert { sid, place: 0, fault, level, message: message.into(), record: record.map(Arc::new) }
}

fn record(purpose: Purpose, failure: Option<ExchangeFailure>) -> ExchangeRecord {
    ExchangeRecord {
        purpose,
        method: Method::Post,
        url: "http://app/".to_owned(),
        params: Vec::new(),
        request_headers: Vec::new(),
        redirected_to: None,
        status: if let Some(ExchangeFailure::HttpStatus(status)) = failure { Some(status) } else { None },
        response_headers: Vec::new(),
        response_body: String::new(),
        duration_ms: 1,
        failure,
        delivery: Delivery::FIRST,
    }
}

fn refused(purpose: Purpose, status: u16, dialect: Dialect) -> Advice {
    let failure = ExchangeFailure::HttpStatus(status);
    let message = failure.to_string();
    of_alert(&alert(Fault::HttpStatus, &message, Some(record(purpose, Some(failure)))), dialect)
}

fn assert_proper(advice: &Advice, dialect: Dialect, about: &str) {
    for text in [&advice.cause, &advice.remedy] {
        assert!(text.ends_with('.') && text.starts_with(char::is_uppercase), "{about}: {text}");
        match dialect {
            Dialect::Twilio => assert!(!text.contains("SignalWire") && !text.contains("cXML"), "{about}: {text}"),
            Dialect::SignalWire => assert!(!text.contains("Twilio") && !text.contains("TwiML"), "{about}: {text}"),
        }
    }
}

#[test]
fn each_fault_has_a_cause_and_a_remedy_in_both_dialects_wherever_it_occurs() {
    for dialect in DIALECTS {
        for fault in Fault::ALL {
            let places = [None].into_iter().chain(Purpose::ALL.iter().map(|purpose| Some(record(*purpose, None))));
            for record in places {
                let about = format!("{fault} {:?}", record.as_ref().map(|record| record.purpose));
                assert_proper(&of_alert(&alert(*fault, "why", record), dialect), dialect, &about);
            }
            for failure in [Failure::of_call(*fault), Failure::with_detail(*fault, "MediaUrl: why")] {
                assert_proper(&of_failure(&failure, dialect), dialect, fault.as_str());
            }
        }
    }
}

#[test]
fn each_code_that_the_console_explained_is_still_explained() {
    for code in CODES_OF_CONSOLE {
        let told: Vec<_> = DIALECTS.iter().filter_map(|dialect| Some((*dialect, of_code(*code, *dialect)?))).collect();
        assert!(!told.is_empty(), "{code}");
        for (dialect, advice) in told {
            assert_proper(&advice, dialect, &code.to_string());
        }
    }
    assert_eq!(of_code(1, Dialect::Twilio), None);
}

#[test]
fn a_damaged_document_must_be_mended_but_a_broken_call_is_nobodys_fault() {
    for dialect in DIALECTS {
        let damaged = Failure::with_detail(Fault::Document, "MediaUrl: the PDF is damaged");
        let advice = of_failure(&damaged, dialect);
        let told = "The document at the MediaUrl can't be turned into fax pages: the PDF is damaged.";
        assert_eq!(advice.cause, told);
        assert!(advice.remedy.starts_with("Mend the document"), "{advice:?}");
        let fetched = record(Purpose::MediaUrl, None);
        let as_alert = of_alert(&alert(Fault::Document, "MediaUrl: the PDF is damaged", Some(fetched)), dialect);
        assert_eq!(as_alert, advice);
        let broken = of_failure(&Failure { pages_over: Some(2), ..Failure::of_call(Fault::Transmission) }, dialect);
        assert_eq!(broken.cause, "The transmission broke after 2 pages.");
        assert!(broken.remedy.contains("not at fault"), "{broken:?}");
    }
}

#[test]
fn a_refusal_names_its_status_and_the_request() {
    let document = refused(Purpose::MediaUrl, 404, Dialect::Twilio);
    assert_eq!(document.cause, "The server at the MediaUrl responded with 404 to the request for the document.");
    assert!(document.remedy.contains("path of the MediaUrl") && !document.remedy.contains("TwiML"), "{document:?}");
    let question = refused(Purpose::FaxUrl, 500, Dialect::SignalWire);
    assert_eq!(question.cause, "The app responded with 500 to the request for cXML.");
    assert!(question.remedy.contains("log"), "{question:?}");
    let notice = refused(Purpose::Action, 403, Dialect::Twilio);
    assert_eq!(notice.cause, "The app responded with 403 to the webhook.");
    assert!(notice.remedy.contains("explain-signature"), "{notice:?}");
}

#[test]
fn a_failed_fax_has_the_advice_of_its_alert_though_it_keeps_no_exchange() {
    for status in [401, 404, 405, 500] {
        let failure = ExchangeFailure::HttpStatus(status);
        let message = format!("MediaUrl: {failure}");
        let kept = of_failure(&Failure::with_detail(Fault::HttpStatus, message.as_str()), Dialect::Twilio);
        let record = record(Purpose::MediaUrl, Some(failure));
        let hinted = format!("{message}; a hint");
        assert_eq!(of_alert(&alert(Fault::HttpStatus, &hinted, Some(record)), Dialect::Twilio), kept);
        let hinted = Failure::with_detail(Fault::HttpStatus, hinted.as_str());
        assert_eq!(of_failure(&hinted, Dialect::Twilio), kept);
    }
}

#[test]
fn rules_that_caused_the_alert_are_named() {
    let mut spoiled = record(Purpose::StatusCallback, Some(ExchangeFailure::HttpStatus(403)));
    spoiled.delivery = Delivery {
        signature: Signature::Bad,
        by_rule: Some(RuleMark::of(Some(ActingRule::Tester(1)))),
        ..Delivery::FIRST
    };
    let advice = of_alert(&alert(Fault::HttpStatus, "status-callback", Some(spoiled)), Dialect::Twilio);
    assert!(advice.cause.contains("a rule had spoiled its signature on purpose"), "{advice:?}");
    let mut edited = record(Purpose::StatusCallback, Some(ExchangeFailure::HttpStatus(400)));
    let edits = Some(Arc::new(RequestEdits::default().set_param("NumPages", "0")));
    edited.delivery =
        Delivery { by_rule: Some(RuleMark { edits, ..RuleMark::of(Some(ActingRule::Tester(1))) }), ..Delivery::FIRST };
    let advice = of_alert(&alert(Fault::HttpStatus, "status-callback", Some(edited)), Dialect::Twilio);
    assert!(advice.cause.contains("a rule had changed it on purpose"), "{advice:?}");
    let dropped = ExchangeFailure::ConnectionFailure(ExchangeFailure::DROPPED_BY_RULE.to_owned());
    let advice = of_alert(&alert(dropped.fault(), &format!("fax-url: {dropped}"), None), Dialect::Twilio);
    assert_eq!(advice.cause, "A rule dropped the request, so the app never received it.");
}

#[test]
fn the_advice_fits_the_url_that_cannot_be_used() {
    for dialect in DIALECTS {
        let action = of_alert(&alert(Fault::InvalidUrl, "<Receive action=\"x:y\"> doesn't resolve", None), dialect);
        assert!(action.cause.starts_with("The action of <Receive>"), "{action:?}");
        for purpose in Purpose::ALL {
            let failure = ExchangeFailure::InvalidUrl(format!("/_fauxfax/: {}", ExchangeFailure::OWN_CONTROL_API));
            let message = format!("{purpose}: {failure}");
            let own = of_alert(&alert(Fault::InvalidUrl, &message, Some(record(*purpose, Some(failure)))), dialect);
            assert!(own.cause.contains("control API") && own.remedy.starts_with("Use "), "{own:?}");
            assert_proper(&own, dialect, "control API");
        }
        let invalid = of_alert(&alert(Fault::InvalidUrl, "x", Some(record(Purpose::Action, None))), dialect);
        assert_eq!(invalid.cause, "The URL isn't an absolute http or https URL.");
    }
}

#[test]
fn a_web_page_in_place_of_a_document_cannot_be_mended() {
    let page = format!("MediaUrl: unknown format; {}, most likely", crate::model::media::UnreadableDocument::HTML_PAGE);
    let advice = of_failure(&Failure::with_detail(Fault::Document, page.as_str()), Dialect::Twilio);
    assert!(advice.remedy.contains("without a session") && !advice.remedy.contains("convert"), "{advice:?}");
}

#[test]
fn a_response_that_is_not_twiml_is_named_in_the_words_of_the_service() {
    let bodies = ["<html>", "{}", "OK", "<!DOCTYPE a>", " <?xml?><Response/>", "<!-- a --><Error/>", "<response/>"];
    for dialect in DIALECTS {
        for body in bodies {
            let response = ExchangeRecord { response_body: body.to_owned(), ..record(Purpose::FaxUrl, None) };
            let advice = of_alert(&alert(Fault::TwimlRoot, "why", Some(response)), dialect);
            assert_proper(&advice, dialect, body);
            assert_ne!(advice.remedy, "Wrap the verb in <Response>…</Response>.", "{body}");
        }
        let moved = Some("http://app/login?token=a".to_owned());
        let page = ExchangeRecord {
            response_body: "<html>".to_owned(),
            redirected_to: moved,
            ..record(Purpose::FaxUrl, None)
        };
        let cause = of_alert(&alert(Fault::TwimlMalformed, "why", Some(page)), dialect).cause;
        assert!(cause.starts_with("The app redirected the request to http://app/login, which"), "{cause}");
    }
}

#[test]
fn a_compressed_response_is_explained_by_what_the_request_asked_for() {
    for dialect in DIALECTS {
        let advice = |asked: Option<&str>| {
            let header = |value: &str| ("accept-encoding".to_owned(), value.to_owned());
            let response = ExchangeRecord {
                request_headers: asked.map(header).into_iter().collect(),
                response_headers: vec![("content-encoding".to_owned(), "gzip".to_owned())],
                ..record(Purpose::FaxUrl, None)
            };
            let advice = of_alert(&alert(Fault::TwimlMalformed, "why", Some(response)), dialect);
            assert_proper(&advice, dialect, "compressed");
            advice
        };
        let unasked = advice(None);
        assert_eq!(unasked.cause, "The response is compressed, although the request has no Accept-Encoding header.");
        let by_rule = advice(Some("gzip"));
        let expected = "The response is compressed, as the Accept-Encoding header that a rule gave the request allows, but \
                        the emulator reads no compressed response.";
        assert_eq!(by_rule.cause, expected);
        assert!(by_rule.remedy.starts_with("Take the header out of the rule"), "{by_rule:?}");
        // A header that allows no compression is not the reason.
        assert_eq!(
            advice(Some("identity")).cause,
            "The response is compressed, although the request doesn't allow it."
        );
    }
}
