//! Each mistake, with the value that Twilio's own validator computes when an app makes it (fixtures/signatures).

use serde_json::Value;

use super::*;

fn pairs(value: &Value) -> Vec<(String, String)> {
    let fields = value.as_object().into_iter().flatten();
    fields.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect()
}

#[test]
fn each_mistake_is_found_from_the_value_that_the_real_validator_computes() {
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
    let mut seen = std::collections::BTreeSet::new();
    for case in fixture["cases"].as_array().unwrap() {
        let params = case.get("params").unwrap_or(&fixture["params"]);
        let question = Question {
            url: case["url"].as_str().unwrap_or(text("url")),
            params: pairs(params),
            body: case["body"].as_str(),
            signature: case["signature"].as_str().unwrap(),
            auth_token: text("token"),
            others: &others,
        };
        let explanation = explain(&question);
        let mistake = explanation.mistakes.first().map(|mistake| mistake.as_str());
        assert_eq!(mistake, case["mistake"].as_str(), "{}: {explanation:?}", case["what"]);
        assert!(!explanation.detail.contains(text("token")), "{}", case["what"]);
        seen.extend(explanation.mistakes);
    }
    let missing: Vec<_> = Mistake::ALL.iter().filter(|mistake| !seen.contains(mistake)).collect();
    assert!(missing.is_empty(), "no case for {missing:?}");
}

#[test]
fn two_mistakes_at_once_are_both_named() {
    let params = vec![("A".to_owned(), "1".to_owned()), ("B".to_owned(), String::new())];
    let signature = signature::of_form("t", "http://app.test/fax", &params[..1]);
    let question = Question {
        url: "https://app.test/fax",
        params,
        body: None,
        signature: &signature,
        auth_token: "t",
        others: &[],
    };
    let explanation = explain(&question);
    assert_eq!(explanation.mistakes, [Mistake::Scheme, Mistake::BlankParams]);
    assert!(explanation.detail.contains("http://app.test/fax where https://app.test/fax"), "{}", explanation.detail);
}

#[test]
fn a_url_is_taken_as_it_is_configured() {
    let ask = |url: &str, signed: &str| {
        let signature = signature::of_url("t", signed);
        let question =
            Question { url, params: Vec::new(), body: None, signature: &signature, auth_token: "t", others: &[] };
        explain(&question)
    };
    let configured = "HTTP://u:p@App.test:80/a/../s?n=o'brien b#rc=2";
    let sent = "http://app.test:80/a/../s?n=o'brien%20b";
    let explanation = ask(configured, sent);
    assert_eq!((explanation.mistakes, explanation.signed.as_str()), (Vec::new(), sent));
    // The URL that JavaScript's `new URL(…).href` turns it into.
    let explanation = ask(configured, "http://app.test/s?n=o%27brien%20b");
    assert_eq!(explanation.mistakes, [Mistake::QueryEncoding], "{}", explanation.detail);
    assert!(check(configured, &[]).python.contains("app.test:80/a/../s"), "{:?}", check(configured, &[]));
}

#[test]
fn a_text_that_is_not_a_url_is_explained_too() {
    for url in ["", "http://", "no url", "http://[::1]:80/x?", "http://h:/?&&="] {
        let question = Question { url, params: Vec::new(), body: None, signature: "x", auth_token: "", others: &[] };
        assert_eq!(explain(&question).mistakes, [Mistake::Unknown], "{url}");
    }
}

#[test]
fn a_one_liner_survives_quotes_and_holds_no_token() {
    let params = [("Name".to_owned(), "it's \"so\"".to_owned())];
    let check = check("http://h/?a='b'", &params);
    assert!(check.python.starts_with("python3 -c '") && check.python.contains(r"it'\''s"), "{}", check.python);
    assert!(check.node.contains("TWILIO_AUTH_TOKEN") && check.rust.contains("TWILIO_AUTH_TOKEN"));
}
