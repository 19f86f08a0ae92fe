//! Tests searches as people type them. The tests search calls without a fax, because the properties of such a call can
//! be chosen freely.

use super::term::Test;
use super::*;
use crate::engine::{Cause, Entry, UnansweredCall};
use crate::model::account::Dialect;
use crate::model::fault::Fault;
use crate::model::fax::Quality;
use crate::model::phone::Party;
use crate::model::sid::FaxSid;

/// 2026-11-30T12:00:00Z.
const NOON: Timestamp = Timestamp::from_const_seconds(1_796_040_000);

fn call(from: &str, to: &str, fault: Option<Fault>, message: &str) -> UnansweredCall {
    UnansweredCall {
        sid: FaxSid::from_bytes([0xab; 16]),
        ordinal: 1,
        from: Party::sip_caller(from).expect("a party"),
        to: Party::sip_caller(to).expect("a party"),
        quality: Quality::Fine,
        pages: 3,
        rang: NOON,
        ended: NOON,
        cause: Cause { fault, message: message.into(), record: None },
    }
}

fn parsed(text: &str) -> Search {
    Search::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn is_found(text: &str, call: &UnansweredCall, now: Timestamp) -> bool {
    parsed(text).fits(&Subject::of(Entry::Unanswered(call), Dialect::Twilio), now)
}

#[test]
fn terms_find_calls_by_each_of_their_properties() {
    let call = call("+15550000001", "+15017122661", Some(Fault::HttpStatus), "FaxUrl: the server responded with 500");
    for (text, is_there) in [
        ("", true),
        ("   ", true),
        // Numbers, however they are written.
        ("+15550000001", true),
        ("5550000001", true),
        ("+1 555 000 0001", true),
        ("(555) 000-0001", true),
        ("555.000.0001", true),
        ("555 000 0001", true),
        ("\"+1 555 000 0001\"", true),
        ("+1 555 000 0002", false),
        ("555 000 0002", false),
        ("number:5550000001", true),
        ("number:\"(555) 000-0001\"", true),
        ("from:5550000001", true),
        ("to:5550000001", false),
        ("to:+1501*", true),
        ("to:1501*", true),
        ("to:501*", false),
        ("to:*2661", true),
        ("to:+1*712*61", true),
        ("to:*", true),
        ("+1501*", true),
        ("from:+1501*", false),
        ("number:+1555*0001", true),
        ("number:+1555*1000", false),
        // Codes and texts.
        ("11200", true),
        ("1120", false),
        ("code:11200", true),
        ("code:34002,11200", true),
        ("code:34002", false),
        ("500", true),
        ("responded", true),
        ("RESPONDED with", true),
        ("\"with 500\"", true),
        ("\"with 501\"", false),
        ("error:responded", true),
        ("error:\"responded with 500\"", true),
        ("error:5550000001", false),
        ("text:\"responded with\"", true),
        ("fxabab", true),
        ("sid:ABAB", true),
        ("sid:cd", false),
        ("11200 5550000001", true),
        ("34002 5550000001", false),
        // The other keys.
        ("direction:inbound", true),
        ("direction:outbound", false),
        ("Direction:Inbound,outbound", true),
        ("status:not-answered", true),
        ("status:failed,not-answered", true),
        ("status:failed", false),
        ("quality:fine", true),
        ("quality:superfine", false),
        // No page was sent, however many were offered.
        ("pages:3", false),
        ("-pages:3", true),
        // Negation and conjunction.
        ("-from:Jack", true),
        ("-from:+1555*", false),
        ("-11200", false),
        ("-\"with 501\"", true),
        ("-direction:outbound -status:failed", true),
        ("code:11200 to:+1555*", false),
        ("code:11200 to:+1501* from:+1555* responded", true),
        // A lone hyphen is a word, which occurs in no property of this call.
        ("-", false),
    ] {
        assert_eq!(is_found(text, &call, NOON), is_there, "{text}");
    }
}

#[test]
fn parts_of_a_complete_number_do_not_find_other_numbers() {
    // 1, 555, 000 and 0001 all occur in each of these numbers.
    let call = call("+15550000010", "+15550001000", None, "");
    for text in ["+1 555 000 0001", "(555) 000-0001", "1 555 000 0001", "555 000 0001"] {
        assert!(!is_found(text, &call, NOON), "{text}");
    }
    assert!(is_found("555 1000", &call, NOON), "the two words don't form a complete number");
}

#[test]
fn a_number_with_spaces_may_follow_a_key_or_a_hyphen() {
    // Of the words 1, 555, 111 and 2222, all but the last also occur in the receiver's number.
    let call = call("+15551112222", "+15551110002", Some(Fault::HttpStatus), "");
    for (text, is_there) in [
        ("from:+1 555 111 2222", true),
        ("from:(555) 111-2222", true),
        ("from:555 111 2222", true),
        ("FROM:+1 555 111 2222", true),
        ("number:+1 555 111 2222", true),
        ("text:+1 555 111 2222", true),
        ("to:+1 555 111 2222", false),
        ("to:(555) 111-2222", false),
        ("to:555 111 2222", false),
        ("-to:+1 555 111 2222", true),
        ("-from:+1 555 111 2222", false),
        ("-(555) 111-2222", false),
        ("-+1 555 111 9999", true),
        // What follows a complete number, or a part of one, is another term.
        ("from:+1 555 111 2222 11200", true),
        ("from:+1 555 111 2222 34002", false),
        ("from:+15551112222 11200", true),
        ("from:+1 555 111 2222 code:11200", true),
        ("from:5551112222 to:(555) 111-0002", true),
        ("from:5551 11200", true),
        ("to:0002 2222", true),
        ("+1 555 111 2222 11200", true),
        ("+15551112222 +15551110002", true),
        // Quotation marks end the number.
        ("to:555 \"111\" 2222", true),
    ] {
        assert_eq!(is_found(text, &call, NOON), is_there, "{text}");
    }
}

#[test]
fn sip_addresses_and_names_are_searched_as_text() {
    let call = call("Jack", "sip:kate@example.com", None, "");
    for (text, is_there) in [
        ("from:jack", true),
        ("from:J*k", true),
        ("from:J*x", false),
        ("to:\"sip:kate*\"", true),
        ("\"sip:kate@example.com\"", true),
        ("kate", true),
        ("number:KATE@", true),
    ] {
        assert_eq!(is_found(text, &call, NOON), is_there, "{text}");
    }
}

#[test]
fn times_are_absolute_or_relative_to_the_worlds_clock() {
    let call = call("Jack", "+15017122661", None, "");
    let later = NOON.after(std::time::Duration::from_secs(5 * 60));
    for (text, now, is_there) in [
        ("after:5m", later, true),
        ("after:4m59s", later, false),
        ("before:4m59s", later, true),
        ("before:5m", later, false),
        ("after:1h30m", later, true),
        ("after:7d", later, true),
        ("after:2026-11-30", later, true),
        ("after:2026-12-01", later, false),
        ("before:2026-12-01", later, true),
        ("after:2026-11-30T12:00:00Z", later, true),
        ("before:2026-11-30T12:00:00Z", later, false),
        ("after:2026-11-30T13:30:00+01:00", later, false),
        ("after:2026-11-30T11:59:00Z before:2026-11-30T12:01:00Z", later, true),
    ] {
        assert_eq!(is_found(text, &call, now), is_there, "{text}");
    }
}

#[test]
fn page_counts_are_ranges() {
    for (value, range) in [
        ("3", 3..=3),
        (">10", 11..=u32::MAX),
        (">=10", 10..=u32::MAX),
        ("<5", 0..=4),
        ("<=5", 0..=5),
        ("1..5", 1..=5),
        ("3..", 3..=u32::MAX),
        ("..5", 0..=5),
    ] {
        assert_eq!(Test::parse("pages", value), Ok(Test::Pages(range)), "{value}");
    }
    for value in ["x", "-1", ">", "<0", "5..1", "..", "1-5", "1..5..9", "1.5", "4294967296", ">4294967295"] {
        assert!(Test::parse("pages", value).is_err(), "{value}");
    }
}

#[test]
fn calls_are_searched_only_if_every_status_term_allows_them() {
    for (text, entries) in [
        ("", Entries::Faxes),
        ("status:failed", Entries::Faxes),
        ("-status:failed", Entries::Faxes),
        ("-status:not-answered", Entries::Faxes),
        ("status:not-answered", Entries::Unanswered),
        ("status:not-answered,failed", Entries::Both),
        ("status:not-answered,failed status:failed", Entries::Faxes),
        ("status:not-answered,failed status:not-answered,busy", Entries::Unanswered),
    ] {
        assert_eq!(parsed(text).entries(), entries, "{text}");
    }
}

#[test]
fn errors_name_the_key_the_mistake_and_the_possible_words() {
    let keys = "The keys are status, direction, from, to, number, code, pages, callbacks, after, before, quality, \
        sid, error, text";
    for (text, told) in [
        ("stauts:failed", format!("unknown key \"stauts\". Did you mean status? {keys}")),
        ("zzz:1", format!("unknown key \"zzz\". {keys}. To search for zzz:1 as text, put it in quotation marks")),
        ("status:faild", "status: \"faild\" is not one of queued, ".to_owned()),
        ("status:faild", "not-answered, any; did you mean failed?".to_owned()),
        ("status:", "status: needs a value right after the colon; in a URL, write + as %2B".to_owned()),
        ("status:failed,", "status: \"\" is not one of queued".to_owned()),
        ("direction:in", "direction: \"in\" is not one of inbound, outbound".to_owned()),
        ("quality:best", "quality: \"best\" is not one of standard, fine, superfine".to_owned()),
        ("code:3400x", "code: must be an error code such as 34004, not \"3400x\"".to_owned()),
        ("pages:>x", "pages: must be a number of pages such as 3, >10, >=10, <5, <=5 or 1..5, not \">x\"".to_owned()),
        ("after:5x", "after: must be a time ago by the world's clock, such as 5m".to_owned()),
        ("before:2026-13-01", "a date such as 2026-11-30 or 2026-11-30T12:00:00Z, not \"2026-13-01\"".to_owned()),
        ("from:+", "from: must be a number, a part of one, or other text, with * as a wildcard, not \"+\"".to_owned()),
        ("\"no answer", "a quotation mark is not closed".to_owned()),
    ] {
        let error = Search::parse(text).expect_err(text).to_string();
        assert!(error.contains(&told), "{text}: {error}");
    }
}

#[test]
fn a_search_has_a_limited_length_and_number_of_terms() {
    let long = "x".repeat(SEARCH_BYTES_MAX + 1);
    assert!(
        Search::parse(&long).expect_err("refused").to_string().contains("at most 1000 bytes, but this one has 1001")
    );
    let many = "x ".repeat(TERMS_MAX + 1);
    assert!(Search::parse(&many).expect_err("refused").to_string().contains("at most 30 terms, but this one has 31"));
    assert!(Search::parse(&"x ".repeat(TERMS_MAX)).is_ok());
}

#[test]
fn an_error_is_found_by_the_code_of_the_accounts_dialect() {
    let call = call("Jack", "+15017122661", Some(Fault::HttpStatus), "x");
    let found = |dialect: Dialect| {
        let code = dialect.code(Fault::HttpStatus);
        parsed(&format!("code:{code}")).fits(&Subject::of(Entry::Unanswered(&call), dialect), NOON)
    };
    assert!(found(Dialect::Twilio) && found(Dialect::SignalWire));
}
