//! Tests which rules are accepted as JSON, and with which errors others are refused.

use serde_json::json;

use super::*;
use crate::engine::rule::check::MESSAGE_CHARS_MAX;

fn refused(value: &Value) -> String {
    parse(value, Dialect::Twilio).expect_err(&value.to_string()).to_string()
}

#[test]
fn every_effect_reads_back_as_written() {
    for rule in [
        json!({ "match": { "direction": "outbound", "to": "+1555*" }, "after": 2, "times": 1, "outcome": { "status": "busy" } }),
        json!({ "match": {}, "outcome": { "status": "failed", "code": 34108, "after_pages": 2 } }),
        json!({ "match": { "pages": 3 }, "chance": 0.25, "line": { "rate_bps": 4800, "noise": 0.05 } }),
        json!({ "match": { "pages": { "min": 2, "max": 5 } }, "outcome": { "status": "no-answer" } }),
        json!({ "match": { "pages": { "min": 2 } }, "outcome": { "status": "delivered" } }),
        json!({ "match": { "method": "POST", "path": "/v1/Faxes*" }, "api": { "status": 503, "code": 20503, "delay_ms": 5 } }),
        json!({ "match": {}, "api": { "reset": true } }),
        json!({ "match": { "purpose": "action", "url": "http://app/*" }, "webhook": { "delay_ms": 5000, "duplicate": true } }),
        json!({ "match": { "from": "sip:*" }, "webhook": { "signature": "stale", "reorder": true } }),
        json!({ "match": {}, "webhook": { "duplicate": true, "late": true } }),
        json!({ "match": { "direction": "inbound" }, "outcome": { "status": "received" } }),
        json!({ "match": {}, "webhook": { "signature": "other-token", "headers": { "lower_case": true } } }),
        json!({ "match": { "purpose": "fax-url" }, "webhook": { "signature": "tampered" } }),
        json!({ "match": {}, "webhook": { "params": {
            "remove": ["A"], "set": { "Z": "", "B": "ü &" }, "add": { "C": "1" }, "pad": ["D"], "order": ["E", "B"],
        } } }),
        json!({ "match": {}, "webhook": {
            "params": { "order": "reversed" },
            "headers": { "set": { "X-Forwarded-Proto": "https" }, "remove": ["User-Agent"] },
            "signed_url": "https://public.test/fax?tenant=1",
        } }),
        json!({
            "match": { "direction": "inbound", "pages": 2, "method": "GET", "path": "/fax/*" },
            "media": { "delay_ms": 5, "bytes_per_second": 100, "cut_after_bytes": 0, "redirects": 3 },
        }),
        json!({ "match": {}, "media": { "status": 503 } }),
    ] {
        assert_eq!(json(&parse(&rule, Dialect::Twilio).expect("a rule")), rule);
    }
}

#[test]
fn the_error_for_a_wrong_type_names_the_right_one() {
    for (rule, told) in [
        (json!({ "outcome": "busy" }), "outcome: must be an object, not \"busy\""),
        (json!({ "match": ["+1*"], "outcome": { "status": "busy" } }), "match: must be an object, not a list"),
        (json!({ "match": { "to": 5 }, "outcome": { "status": "busy" } }), "match.to: must be a string, not 5"),
        (json!({ "match": { "pages": "2" }, "line": { "noise": 1 } }), "or an object with min and max, not \"2\""),
        (
            json!({ "match": { "pages": { "min": 0 } }, "line": { "noise": 1 } }),
            "match.pages.min: must be a whole number from 1",
        ),
        (json!({ "webhook": { "drop": 1 } }), "webhook.drop: must be true or false, not 1"),
        (json!({ "line": { "noise": "loud" } }), "line.noise: must be a number, not \"loud\""),
    ] {
        let text = refused(&rule);
        assert!(text.contains(told), "{rule}: {text}");
    }
}

/// Checks some of the limits and words in the schema, at least one for each kind of type.
#[cfg(feature = "schema")]
#[test]
fn the_schema_contains_the_limits_and_the_allowed_words() {
    let schema = serde_json::to_value(schemars::schema_for!(RuleDocument)).expect("JSON");
    let part = |name: &str| schema["$defs"][name]["properties"].clone();
    assert_eq!(part("RuleLine")["rate_bps"]["minimum"], 2_400);
    assert_eq!(part("RuleOutcome")["code"]["enum"], json!([34004, 34108]));
    assert_eq!(part("RuleMedia")["redirects"]["maximum"], 10);
    assert_eq!(part("RuleHeaders")["set"]["additionalProperties"], json!({ "type": "string" }));
    assert_eq!(part("RuleParams")["order"]["anyOf"][0]["anyOf"][0], json!({ "const": "reversed" }));
    assert_eq!(part("RuleMatch")["purpose"]["enum"], json!(["fax-url", "fallback-url", "action", "status-callback"]));
    assert_eq!(schema["$defs"]["RuleOutcome"]["required"], json!(["status"]));
    assert_eq!((&schema["additionalProperties"], &schema["required"]), (&json!(false), &Value::Null));
    assert_eq!(schema["$defs"]["RuleMatch"]["required"], Value::Null);
}

#[test]
fn a_refusal_has_twilios_code_by_default() {
    let api = |status: u16| {
        let rule = parse(&json!({ "api": { "status": status } }), Dialect::Twilio).expect("a rule");
        if let RuleEffect::Api(fault) = rule.effect { fault.refusal } else { None }
    };
    assert_eq!(api(429), Some((429, Some(20429))));
    assert_eq!(api(503), Some((503, Some(20503))));
}

#[test]
fn the_error_for_an_unknown_field_suggests_the_nearest_one() {
    for (rule, near) in [
        (json!({ "mach": {}, "outcome": { "status": "busy" } }), "match"),
        (json!({ "match": { "too": "+1*" }, "outcome": { "status": "busy" } }), "to"),
        (json!({ "outcome": { "state": "busy" } }), "status"),
        (json!({ "webhook": { "delay": 5 } }), "delay_ms"),
        (json!({ "line": { "rate": 2400 } }), "rate_bps"),
    ] {
        let text = refused(&rule);
        assert!(text.contains(&format!("did you mean {near}?")), "{text}");
    }
    assert!(refused(&json!({ "zzz": 1, "outcome": {} })).contains("match, after, times"));
}

#[test]
fn a_rule_that_can_never_act_is_refused_with_the_reason() {
    for (rule, part) in [
        (json!({ "match": { "to": "1555*" }, "outcome": { "status": "busy" } }), "begin with a plus"),
        (json!({ "match": { "to": "+1555x*" }, "outcome": { "status": "busy" } }), "only digits may follow"),
        (json!({ "match": { "to": "+1234567890123456" }, "outcome": { "status": "busy" } }), "15 digits"),
        (json!({ "match": { "to": "Jack" }, "outcome": { "status": "busy" } }), "SIP URI"),
        (json!({ "match": { "direction": "inbound" }, "outcome": { "status": "busy" } }), "up to the app's TwiML"),
        (
            json!({ "match": { "direction": "outbound" }, "outcome": { "status": "received" } }),
            "only inbound faxes can have that outcome",
        ),
        (json!({ "match": { "direction": "outbound" }, "outcome": { "status": "received" } }), "inbound faxes"),
        (json!({ "match": { "path": "/v1*" }, "outcome": { "status": "busy" } }), "match.path: can never match"),
        (json!({ "match": { "to": "+1*" }, "api": { "status": 500 } }), "match.to: can never match"),
        (json!({ "match": { "path": "v1/Faxes" }, "api": { "status": 500 } }), "begin with a slash"),
        (json!({ "match": { "url": "app/*" }, "webhook": { "drop": true } }), "begin with http"),
        (json!({ "match": { "purpose": "action", "direction": "outbound" }, "webhook": { "drop": true } }), "inbound"),
        (json!({ "match": { "purpose": "fax-url" }, "webhook": { "signature": "stale" } }), "stale can never act"),
        (
            json!({ "match": { "purpose": "fallback-url" }, "webhook": { "signature": "stale", "delay_ms": 5 } }),
            "a fallback-url",
        ),
        (json!({ "match": { "purpose": "media-url" }, "webhook": { "drop": true } }), "must be one of fax-url"),
        (json!({ "match": { "pages": { "min": 5, "max": 2 } }, "line": { "noise": 1 } }), "min must be at most max"),
        (json!({ "times": 0, "outcome": { "status": "busy" } }), "from 1 to 1000000"),
        (json!({ "chance": 0, "outcome": { "status": "busy" } }), "greater than 0"),
        (json!({ "line": {} }), "does nothing"),
        (json!({ "api": {} }), "does nothing"),
        (json!({ "webhook": {} }), "does nothing"),
        (json!({ "media": {} }), "media: does nothing: give delay_ms"),
        (json!({ "match": { "purpose": "action" }, "media": { "status": 404 } }), "match.purpose: can never match"),
        (json!({ "match": { "url": "http*" }, "media": { "status": 404 } }), "match.url: can never match"),
        (json!({ "match": { "method": "POST" }, "media": { "status": 404 } }), "a download is a GET or a HEAD"),
        (
            json!({ "webhook": { "signature": "missing", "signed_url": "http://a/" } }),
            "does nothing without a signature",
        ),
        (json!({ "webhook": { "drop": true, "params": { "remove": ["A"] } } }), "can't have any other effect"),
    ] {
        let text = refused(&rule);
        assert!(text.contains(part), "{rule}: {text}");
    }
}

#[test]
fn a_stale_signature_is_accepted_for_a_fallback_url_that_also_receives_notices() {
    let rule = |purpose: &str| json!({ "match": { "purpose": purpose }, "webhook": { "signature": "stale" } });
    let why = |purpose: &str, dialect| parse(&rule(purpose), dialect).map_err(|error| error.to_string());
    assert!(why("fallback-url", Dialect::SignalWire).is_ok());
    for (purpose, dialect) in
        [("fallback-url", Dialect::Twilio), ("fax-url", Dialect::Twilio), ("fax-url", Dialect::SignalWire)]
    {
        let why = why(purpose, dialect).expect_err(purpose);
        assert!(why.contains("stale can never act"), "{purpose} {dialect}: {why}");
    }
}

#[test]
fn numbers_out_of_range_are_refused_with_their_limit() {
    for (rule, limit) in [
        (json!({ "after": 10_u64.pow(9), "outcome": { "status": "busy" } }), "1000000"),
        (json!({ "after": -1, "outcome": { "status": "busy" } }), "from 0"),
        (json!({ "after": 1.5, "outcome": { "status": "busy" } }), "whole number"),
        (json!({ "match": { "pages": 10_u64.pow(9) }, "outcome": { "status": "busy" } }), "10000"),
        (json!({ "chance": 1.5, "outcome": { "status": "busy" } }), "at most 1"),
        (json!({ "line": { "rate_bps": 1 } }), "2400 to 33600"),
        (json!({ "line": { "noise": 2 } }), "from 0 to 1"),
        (json!({ "api": { "delay_ms": 10_u64.pow(12) } }), "600000"),
        (json!({ "api": { "status": 200 } }), "400 to 599"),
        (json!({ "webhook": { "delay_ms": 10_u64.pow(12) } }), "86400000"),
        (json!({ "match": { "to": "*1".repeat(17) }, "outcome": { "status": "busy" } }), "16 asterisks"),
        (json!({ "outcome": { "status": "failed", "code": 34001 } }), "34004 or 34108"),
        (json!({ "outcome": { "status": "sent" } }), "delivered, received"),
        (json!({ "media": { "delay_ms": 600_001 } }), "media.delay_ms: must be a whole number from 0 to 600000"),
        (json!({ "media": { "bytes_per_second": 9 } }), "from 10 to 10000000"),
        (json!({ "media": { "cut_after_bytes": -1 } }), "from 0 to 1000000000"),
        (json!({ "media": { "redirects": 11 } }), "from 0 to 10"),
        (json!({ "media": { "status": 302 } }), "from 400 to 599"),
    ] {
        let text = refused(&rule);
        assert!(text.contains(limit), "{rule}: {text}");
    }
}

#[test]
fn a_rule_has_one_effect_whose_parts_fit_together() {
    assert!(refused(&json!({})).contains("exactly one effect"));
    assert!(refused(&json!([])).contains("an object"));
    let two = json!({ "outcome": { "status": "busy" }, "line": { "noise": 1 } });
    assert!(refused(&two).contains("exactly one effect"));
    let refusing = json!({ "media": { "status": 500, "redirects": 1 } });
    assert!(refused(&refusing).contains("besides status, only delay_ms has an effect"));
    assert!(refused(&json!({ "api": { "status": 500, "reset": true } })).contains("either status or reset"));
    assert!(refused(&json!({ "api": { "code": 20429, "delay_ms": 1 } })).contains("needs a status"));
    assert!(refused(&json!({ "webhook": { "drop": true, "duplicate": true } })).contains("dropped"));
    assert!(refused(&json!({ "outcome": { "status": "busy", "code": 34004 } })).contains("failed"));
}

#[test]
fn a_change_to_a_webhook_that_is_invalid_is_refused_with_the_reason() {
    let long = |bytes: usize| "x".repeat(bytes);
    let many = |count: usize| (0..count).map(|n| n.to_string()).collect::<Vec<_>>();
    for (webhook, reason) in [
        (json!({ "params": {} }), "webhook.params: changes nothing: give set, add, remove, pad or order"),
        (json!({ "params": { "set": {} } }), "webhook.params: changes nothing"),
        (json!({ "delay_ms": 5, "headers": { "lower_case": false } }), "webhook.headers: changes nothing"),
        (
            json!({ "params": { "set": ["A"] } }),
            "webhook.params.set: must be an object of names and values, not a list",
        ),
        (json!({ "params": { "set": { "A": 1 } } }), "webhook.params.set.A: must be a string, not 1"),
        (json!({ "params": { "order": "random" } }), "\"reversed\" or a list of names, not \"random\""),
        (json!({ "params": { "order": [] } }), "webhook.params.order: the list is empty"),
        (json!({ "params": { "order": ["A", "B", "A"] } }), "webhook.params.order: \"A\" is given twice; give it once"),
        (json!({ "params": { "remove": ["A"], "pad": ["A"] } }), "webhook.params.remove: \"A\" is also in pad"),
        (json!({ "params": { "remove": ["A"], "add": { "A": "1" } } }), "\"A\" is also in add: name it in one of them"),
        (json!({ "params": { "set": { "": "1" } } }), "must be names of 1 to 256 bytes"),
        (json!({ "params": { "remove": ["a\"b"] } }), "without quotation marks and control characters, not \"a\\\"b\""),
        (json!({ "params": { "pad": [long(257)] } }), "must be names of 1 to 256 bytes"),
        (json!({ "params": { "remove": many(51) } }), "webhook.params.remove: must have at most 50 names, not 51"),
        (json!({ "params": { "set": { "A": long(16_385) } } }), "set.A: must have at most 16384 bytes, not 16385"),
        (
            json!({ "params": { "set": { "A": long(16_384), "B": long(16_384) }, "add": { "C": long(16_384), "D": long(16_384) } } }),
            "webhook: params, headers and signed_url must have at most 65536 bytes together, not 65540",
        ),
        (json!({ "headers": { "set": { "Host": "a" } } }), "webhook.headers.set: Host frames the request"),
        (json!({ "headers": { "remove": ["content-length"] } }), "webhook.headers.remove: content-length frames"),
        (
            json!({ "headers": { "set": { "Transfer-Encoding": "chunked" } } }),
            "so the emulator determines it; leave it out",
        ),
        (json!({ "headers": { "set": { "Connection": "close" } } }), "each request already has Connection: close"),
        (json!({ "headers": { "set": { "X-Twilio-Signature": "x" } } }), "is determined by webhook.signature"),
        (json!({ "headers": { "remove": ["x-signalwire-signature"] } }), "is determined by webhook.signature"),
        (json!({ "headers": { "set": { "X Y": "1" } } }), "must be names of 1 to 256 letters, digits and hyphens"),
        (
            json!({ "headers": { "set": { "X-A": "1\r\nX-B: 2" } } }),
            "webhook.headers.set.X-A: must not contain a line break",
        ),
        (json!({ "headers": { "set": { "X-A": long(4_097) } } }), "at most 4096 bytes, not 4097"),
        (json!({ "headers": { "set": { "X-A": "1", "x-a": "2" } } }), "\"x-a\" is given twice"),
        (json!({ "headers": { "set": { "X-A": "1" }, "remove": ["x-a"] } }), "is also in set: name it in one of them"),
        (json!({ "headers": { "remove": many(21) } }), "webhook.headers.remove: must have at most 20 names, not 21"),
        (json!({ "signed_url": "/fax" }), "webhook.signed_url: must be an absolute http or https URL"),
        (json!({ "signed_url": "ftp://a/" }), "an absolute http or https URL"),
        (json!({ "signed_url": "http://a b/" }), "an absolute http or https URL"),
        (json!({ "signed_url": "http://a/#b" }), "must not have a fragment, which is never sent or signed"),
        (json!({ "signed_url": format!("http://a/{}", long(8_192)) }), "at most 8192 bytes"),
        (json!({ "signature": "forged" }), "one of good, bad, missing, stale, other-token, tampered, not \"forged\""),
    ] {
        let text = refused(&json!({ "webhook": webhook }));
        assert!(text.contains(reason), "{text} is not {reason}");
    }
}

#[test]
fn reordering_the_only_request_of_its_kind_raises_a_warning() {
    let rule = |purpose: &str| {
        parse(&json!({ "match": { "purpose": purpose }, "webhook": { "reorder": true } }), Dialect::Twilio)
    };
    assert!(warning(&rule("action").expect("a rule")).is_some());
    assert!(warning(&rule("status-callback").expect("a rule")).is_none());
}

#[test]
fn a_failure_may_have_its_own_text() {
    let text = "The HDLC carrier did not stop in a timely manner";
    let rule =
        json!({ "match": {}, "outcome": { "status": "failed", "code": 34004, "after_pages": 1, "message": text } });
    for dialect in [Dialect::Twilio, Dialect::SignalWire] {
        let read = parse(&rule, dialect).expect("a rule");
        assert_eq!(json(&read), rule);
        let RuleEffect::Outcome(Outcome::Failed(fault)) = read.effect else { panic!("not a failure") };
        assert_eq!(fault.text.as_deref(), Some(text));
    }
    let with = |message: &str| json!({ "outcome": { "status": "failed", "message": message } });
    assert!(parse(&with(&"x".repeat(MESSAGE_CHARS_MAX)), Dialect::Twilio).is_ok());
    for bad in ["", "a\nb", &"x".repeat(MESSAGE_CHARS_MAX + 1)] {
        let why = "outcome.message: must have 1 to 200 characters, none of them a control character";
        assert_eq!(refused(&with(bad)), why);
    }
    let busy = json!({ "outcome": { "status": "busy", "message": "no" } });
    assert_eq!(
        refused(&busy),
        "outcome: code, after_pages and message are only valid with the status failed, not with busy"
    );
}

#[test]
fn codes_depend_on_the_dialect() {
    let failing = |code: u32| json!({ "outcome": { "status": "failed", "code": code } });
    assert!(parse(&failing(34108), Dialect::Twilio).is_ok() && parse(&failing(34004), Dialect::SignalWire).is_ok());
    let refused = parse(&failing(34108), Dialect::SignalWire).expect_err("only Twilio has this code").to_string();
    assert!(refused.starts_with("outcome.code: must be 34004, not 34108: SignalWire has no other"), "{refused}");
    for (status, code) in [(401, 20003), (404, 20404), (409, 20009), (422, 10000), (429, 20429), (503, 20500)] {
        let rule = parse(&json!({ "api": { "status": status } }), Dialect::SignalWire).expect("a rule");
        assert_eq!(json(&rule)["api"], json!({ "status": status, "code": code }));
    }
}
