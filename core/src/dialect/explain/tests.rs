//! Tests each mistake with the signature that Twilio's own validator computes for an app that makes it
//! (fixtures/signatures).

use serde_json::Value;

use super::*;
use crate::model::request_edits::RequestEdits;
use crate::model::webhook::{ActingRule, Attempt, Delivery, RuleMark, Signature};

fn pairs(value: &Value) -> Vec<(String, String)> {
    let fields = value.as_object().into_iter().flatten();
    fields.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect()
}

#[test]
fn each_mistake_is_recognised_from_the_real_validators_signature() {
    let fixture: Value = serde_json::from_str(include_str!("../../../../fixtures/signatures/mistakes.json"))
        .expect("the fixture is JSON");
    let text = |key: &str| fixture[key].as_str().unwrap();
    let others = [
        OtherSecret {
            mistake: Mistake::SubaccountToken,
            owner: "a subaccount's token".to_owned(),
            secret: text("subaccount_token").into(),
        },
        OtherSecret {
            mistake: Mistake::ApiSecret,
            owner: "a key's secret".to_owned(),
            secret: text("api_secret").into(),
        },
    ];
    let mut seen = BTreeSet::new();
    for case in fixture["cases"].as_array().unwrap() {
        let params = case.get("params").unwrap_or(&fixture["params"]);
        let question = Question {
            url: case["url"].as_str().unwrap_or(text("url")),
            params: pairs(params),
            body: case["body"].as_str(),
            signature: case["signature"].as_str().unwrap(),
            key: text("token"),
            key_kind: KeyKind::AuthToken,
            others: &others,
        };
        let explanation = explain(&question);
        let mistake = explanation.mistakes.first().map(|mistake| mistake.as_str());
        assert_eq!(mistake, case["mistake"].as_str(), "{}: {explanation:?}", case["what"]);
        assert!(!explanation.detail.contains(text("token")), "{}", case["what"]);
        seen.extend(explanation.mistakes);
    }
    // Only SignalWire has this scheme; another test in this file covers it.
    seen.insert(Mistake::RelayScheme);
    // No signature by itself shows that a rule spoiled it; the tests about rules in this file cover that.
    seen.insert(Mistake::ByRule);
    let missing: Vec<_> = Mistake::ALL.iter().filter(|mistake| !seen.contains(mistake)).collect();
    assert!(missing.is_empty(), "no case for {missing:?}");
}

#[test]
fn two_combined_mistakes_are_both_named() {
    let params = vec![("A".to_owned(), "1".to_owned()), ("B".to_owned(), String::new())];
    let signature = signature::of_form("t", "http://app.test/fax", &params[..1]);
    let question = Question {
        url: "https://app.test/fax",
        params,
        body: None,
        signature: &signature,
        key: "t",
        key_kind: KeyKind::AuthToken,
        others: &[],
    };
    let explanation = explain(&question);
    assert_eq!(explanation.mistakes, [Mistake::Scheme, Mistake::BlankParams]);
    assert!(explanation.detail.contains("http://app.test/fax, but https://app.test/fax"), "{}", explanation.detail);
}

#[test]
fn a_url_is_used_as_configured() {
    let ask = |url: &str, signed: &str| {
        let signature = signature::of_url("t", signed);
        let question = Question {
            url,
            params: Vec::new(),
            body: None,
            signature: &signature,
            key: "t",
            key_kind: KeyKind::AuthToken,
            others: &[],
        };
        explain(&question)
    };
    let configured = "HTTP://u:p@App.test:80/a/../s?n=o'brien b#rc=2";
    let sent = "http://app.test:80/a/../s?n=o'brien%20b";
    let explanation = ask(configured, sent);
    assert_eq!((explanation.mistakes, explanation.signed.as_str()), (Vec::new(), sent));
    // The URL as JavaScript's `new URL(…).href` returns it.
    let explanation = ask(configured, "http://app.test/s?n=o%27brien%20b");
    assert_eq!(explanation.mistakes, [Mistake::QueryEncoding], "{}", explanation.detail);
    assert!(
        check(configured, &[], KeyKind::AuthToken).python.contains("app.test:80/a/../s"),
        "{:?}",
        check(configured, &[], KeyKind::AuthToken)
    );
}

#[test]
fn malformed_and_unusual_urls_are_explained_too() {
    for url in ["", "http://", "no url", "http://[::1]:80/x?", "http://h:/?&&="] {
        let question = Question {
            url,
            params: Vec::new(),
            body: None,
            signature: "x",
            key: "",
            key_kind: KeyKind::AuthToken,
            others: &[],
        };
        assert_eq!(explain(&question).mistakes, [Mistake::Unknown], "{url}");
    }
}

#[test]
fn one_liners_escape_quotes_and_contain_no_token() {
    let params = [("Name".to_owned(), "it's \"so\"".to_owned())];
    let check = check("http://h/?a='b'", &params, KeyKind::AuthToken);
    assert!(check.python.starts_with("python3 -c '") && check.python.contains(r"it'\''s"), "{}", check.python);
    assert!(check.node.contains("TWILIO_AUTH_TOKEN") && check.rust.contains("TWILIO_AUTH_TOKEN"));
}

/// The vector that SignalWire's own npm and PyPI validators accept, and its digests in the SWML and RELAY scheme.
#[test]
fn signalwires_relay_scheme_and_api_token_are_recognised() {
    let body = "FaxSid=831455c6-574e-4d8b-b6ee-2418140bf4cd&AccountSid=b3877c40-da60-4998-90ad-b792e98472ac\
                &From=%2B15556677888&To=%2B15556677999&RemoteStationId=%2B15556677999&FaxStatus=delivered&ApiVersion=v1\
                &NumPages=1&MediaSid=aff0684c-3445-49bc-802b-3a0a488139f5\
                &MediaUrl=http%3A%2F%2F127.0.0.1%3A4010%2Ffiles%2Fa.pdf&OriginalMediaUrl=https%3A%2F%2Fe.com%2Fa.pdf\
                &Timestamp=2026-01-13T21%3A54%3A46Z";
    let url = "https://example.com/fax/status?job=7";
    let params = Question::params_of(body);
    assert_eq!(KeyKind::of_params(&params), KeyKind::SigningKey);
    let others =
        [OtherSecret { mistake: Mistake::WrongToken, owner: "the API token".to_owned(), secret: "PT0001".into() }];
    let by_token = signature::of_form("PT0001", url, &params);
    for (signature, mistake, told) in [
        ("1QiDXpX4kmy+WWegeix4MU3Kju8=", None, "this key"),
        (
            "6d7a1ba0d9d21174d5a3a66085d017e17becdbf5",
            Some(Mistake::RelayScheme),
            "X-SignalWire-Signature holds the Base64",
        ),
        (
            "db7c3629f1b9692e189e3e777e46bd8c65aabd16bf1d53f3524901b31941fc24",
            Some(Mistake::RelayScheme),
            "SWML and RELAY",
        ),
        (
            &by_token,
            Some(Mistake::WrongToken),
            "made with the API token; webhooks are signed with the account's own signing key",
        ),
    ] {
        for body in [Some(body), None] {
            let key = "PSK_localtestsigningkey0001";
            let params = params.clone();
            let key_kind = KeyKind::SigningKey;
            let explanation = explain(&Question { url, params, body, signature, key, key_kind, others: &others });
            assert_eq!(explanation.mistakes.first().copied(), mistake, "{signature}: {explanation:?}");
            assert!(explanation.detail.contains(told), "{}", explanation.detail);
            assert!(!explanation.detail.contains(key) && !explanation.detail.contains("PT0001"));
        }
    }
    assert!(check(url, &params, KeyKind::SigningKey).node.contains("process.env.SIGNALWIRE_SIGNING_KEY"));
}

#[test]
fn a_rule_is_named_only_if_the_signature_is_invalid() {
    let ask = |signature: &str| {
        let url = "http://app.test/fax";
        let params = Vec::new();
        explain(&Question { url, params, body: None, signature, key: "t", key_kind: KeyKind::AuthToken, others: &[] })
    };
    let by = |rule: Option<u64>| Some(RuleMark::of(rule.map(ActingRule::Tester)));
    for (signature, rule, begins) in [
        (Signature::Bad, Some(1), "rule 1 spoiled this signature on purpose: it was made with a different secret"),
        (Signature::Missing, Some(1), "rule 1 left out the signature on purpose"),
        (Signature::OtherToken, Some(1), "rule 1 spoiled this signature on purpose: it was made with a token that"),
        (Signature::Tampered, Some(1), "rule 1 changed a parameter on purpose after the request was signed"),
        (Signature::Stale, None, "a rule spoiled this signature on purpose: it is that of an earlier status"),
    ] {
        let delivery = Delivery::of(Attempt::FIRST, signature, by(rule));
        let explanation = ask("x").changed_by_rule(&delivery);
        assert_eq!(explanation.mistakes, [Mistake::ByRule]);
        assert!(explanation.detail.starts_with(begins), "{}", explanation.detail);
        let valid = ask(&explanation.expected);
        assert_eq!(valid.clone().changed_by_rule(&delivery), valid);
    }
    let usual = ask("x");
    assert_eq!(usual.clone().changed_by_rule(&Delivery::FIRST), usual);
}

#[test]
fn a_rule_that_changed_a_properly_signed_request_is_named() {
    let ask = |url: &'static str, signature: &str, params: &[(&str, &str)]| {
        let params = params.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        explain(&Question { url, params, body: None, signature, key: "t", key_kind: KeyKind::AuthToken, others: &[] })
    };
    let by = |edits: RequestEdits| {
        let mark = RuleMark { edits: Some(edits.into()), ..RuleMark::of(Some(ActingRule::Tester(1))) };
        Delivery::of(Attempt::FIRST, Signature::Good, Some(mark))
    };
    let url = "http://app.test/fax";
    let public = by(RequestEdits::default().signed_for("https://public.test/fax"));
    let explanation = ask(url, "x", &[]).changed_by_rule(&public);
    assert_eq!(explanation.mistakes, [Mistake::ByRule]);
    assert!(explanation.detail.starts_with("rule 1 had this request signed for https://public.test/fax on purpose"));
    let padded = by(RequestEdits::default().pad_param("From"));
    let explanation = ask(url, "x", &[]).changed_by_rule(&padded);
    assert_eq!(explanation.mistakes, [Mistake::ByRule]);
    assert!(explanation.detail.contains("(puts spaces around the parameter From)"), "{}", explanation.detail);
    // An app that checks another URL makes a mistake of its own, which is still named.
    let secure = ask("https://app.test/fax", "x", &[("From", " 1 ")]).expected;
    let explanation = ask(url, &secure, &[("From", " 1 ")]).changed_by_rule(&padded);
    assert_eq!(explanation.mistakes, [Mistake::Scheme]);
    assert!(explanation.detail.contains("Besides, rule 1 changed this request"), "{}", explanation.detail);
    let headers = by(RequestEdits::default().set_header("X-A", "1"));
    let usual = ask(url, "x", &[]);
    assert_eq!(usual.clone().changed_by_rule(&headers), usual, "headers are not signed");
}

#[test]
fn variants_are_the_signatures_of_single_mistakes_each_once() {
    let url = "https://app.test/fax/";
    let params = vec![("From".to_owned(), "+15005550006".to_owned()), ("To".to_owned(), String::new())];
    let ask = |signature: &str| {
        let (params, key_kind) = (params.clone(), KeyKind::AuthToken);
        explain(&Question { url, params, body: None, signature, key: "t", key_kind, others: &[] })
    };
    let question = Question {
        url,
        params: params.clone(),
        body: None,
        signature: "",
        key: "t",
        key_kind: KeyKind::AuthToken,
        others: &[],
    };
    let variants = variants(&question);
    for variant in &variants {
        assert_eq!(ask(&variant.signature).mistakes, [variant.mistake], "{variant:?}");
    }
    let signatures: BTreeSet<_> = variants.iter().map(|variant| &variant.signature).collect();
    assert_eq!(signatures.len(), variants.len());
    let urls: Vec<_> = variants.iter().filter_map(|variant| variant.url.as_deref()).collect();
    assert!(
        ["http://app.test/fax/", "https://app.test/fax", "https://app.test:443/fax/"]
            .iter()
            .all(|url| urls.contains(url))
    );
    assert!(variants.iter().any(|variant| (variant.mistake, &variant.url) == (Mistake::BlankParams, &None)));
}

#[test]
fn a_checked_url_that_no_usual_mistake_explains_is_compared_with_the_called_one() {
    let question = Question {
        url: "https://app.test/fax",
        params: Vec::new(),
        body: None,
        signature: "",
        key: "t",
        key_kind: KeyKind::AuthToken,
        others: &[],
    };
    let checked = |url: &str| {
        let signature = signature_of(url, &question);
        let asked = Question { signature: &signature, params: Vec::new(), ..question };
        explain(&asked).of_checked_url(url, question.url)
    };
    assert_eq!(checked("https://app.test/fax").mistakes, []);
    let scheme = checked("http://app.test/fax");
    assert!(scheme.mistakes == [Mistake::Scheme] && scheme.detail.contains("X-Forwarded-Proto"), "{scheme:?}");
    let path = checked("https://app.test/face");
    assert!(path.mistakes == [Mistake::Unknown] && path.detail.contains("from character 20 on"), "{path:?}");
}
