//! Tests the guard on each surface, with requests that a webhook or a web page could make, and with the host names that
//! an attack by DNS rebinding could use.

use axum::http::Request;

use super::*;
use crate::dialect::signalwire::media::SPACE_ID;
use crate::engine::WorldOptions;
use crate::model::account::{AccountMode, CallbackPolicy, DocumentPolicy, MediaUserAgent, PriceForm, Service};
use crate::model::time::Pace;

const SURFACES: [&str; 13] = [
    "/v1/Faxes",
    "/2010-04-01/Accounts",
    "/_fauxfax/v1/reset",
    "/mcp",
    "/console/faxes",
    "/fax/AC/FX/ME",
    "/5a11fa0c-0000-4000-8000-000000000000/01010101-0101-4101-8101-010101010101/faxes/a.pdf",
    "/metrics",
    "/ca.pem",
    "/llms.txt",
    "/docs/how-to/rules.md",
    "/_fauxfax/v1/faxes/FX/pages/1.png",
    "/_fauxfax/v1/faxes/FX/document.pdf",
];

fn settings(guard: GuardOptions) -> Settings {
    let options = WorldOptions {
        pace: Pace::Max,
        callbacks: CallbackPolicy::All,
        documents: DocumentPolicy::Lenient,
        accounts: AccountMode::Open,
        is_pedantic: false,
        media_budget_bytes: 1,
    };
    let public_url = Some("https://fax.example.org/sub".into());
    let (price, service, media_user_agent) = (PriceForm::Text.into(), Service::Full, MediaUserAgent::Warn);
    Settings { seed: 1, options, price, service, public_url, media_user_agent, guard }
}

/// Returns the status that the guard responds with; 0 if the request passes.
fn status(settings: &Settings, method: &str, path: &str, headers: &[(&str, &str)]) -> u16 {
    let request = Request::builder().method(method).uri(path);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    match judge(&request.body(()).unwrap().into_parts().0, settings) {
        Verdict::Pass | Verdict::PassTo(_) => 0,
        Verdict::Answer(response) | Verdict::Refuse(response, _) => response.status().as_u16(),
    }
}

fn open(method: &str, path: &str, headers: &[(&str, &str)]) -> u16 {
    status(&settings(GuardOptions::default()), method, path, headers)
}

#[test]
fn every_surface_answers_to_the_same_hosts_and_to_no_other() {
    for path in SURFACES {
        for host in [
            "127.0.0.1:8329",
            "[::1]:8329",
            "192.168.1.7",
            "LOCALHOST",
            "localhost.:8329",
            "fax.localhost:1",
            "host.docker.internal:8329",
            "fauxfax:8329",
            "fax.test",
            "fax.twilio.com",
            "fax.sydney.au1.twilio.com:443",
            "media.twiliocdn.com",
            "fax.example.org",
        ] {
            assert_eq!(open("GET", path, &[("host", host)]), 0, "{path} {host}");
        }
        for host in [
            "evil.example:8329",
            "127.0.0.1.nip.io",
            "www.twilio.com",
            "localhost.evil.example",
            "fax.example.org.evil.example",
        ] {
            assert_eq!(open("GET", path, &[("host", host)]), 421, "{path} {host}");
        }
    }
    let allowed = GuardOptions { allow_hosts: vec!["ci.example".to_owned()], ..GuardOptions::default() };
    assert_eq!(status(&settings(allowed), "GET", "/metrics", &[("host", "CI.example:8329")]), 0);
}

#[test]
fn the_host_of_an_absolute_target_takes_precedence_over_the_header() {
    assert_eq!(open("GET", "http://evil.example/v1/Faxes", &[("host", "localhost")]), 421);
    assert_eq!(open("GET", "https://fax.twilio.com/v1/Faxes", &[("host", "evil.example")]), 0);
}

#[test]
fn a_page_from_another_origin_is_refused_on_every_surface() {
    for path in SURFACES {
        for origin in
            ["http://evil.example", "http://localhost:3000", "null", "file://", "http://localhost:8329.evil.example"]
        {
            let headers = [("host", "localhost:8329"), ("origin", origin)];
            assert_eq!(open("POST", path, &headers), 403, "{path} {origin}");
        }
        for (host, origin) in [
            ("localhost:8329", "http://localhost:8329"),
            ("127.0.0.1", "http://127.0.0.1:80"),
            ("10.0.0.1:8329", "https://fax.example.org"),
        ] {
            assert_eq!(open("POST", path, &[("host", host), ("origin", origin)]), 0, "{path} {origin}");
        }
    }
}

#[test]
fn a_request_from_another_site_is_refused_unless_the_browser_only_displays_the_response() {
    let from = |site, dest, mode| [("sec-fetch-site", site), ("sec-fetch-dest", dest), ("sec-fetch-mode", mode)];
    for path in SURFACES {
        let is_closed = !is_shown(Area::of(path), path);
        for site in ["cross-site", "same-site"] {
            for (dest, mode) in
                [("empty", "no-cors"), ("script", "no-cors"), ("iframe", "navigate"), ("document", "cors")]
            {
                assert_eq!(open("GET", path, &from(site, dest, mode)), 403, "{path} {site} {dest} {mode}");
            }
            for (dest, mode) in [("image", "no-cors"), ("document", "navigate")] {
                let expected = if is_closed { 403 } else { 0 };
                assert_eq!(open("GET", path, &from(site, dest, mode)), expected, "{path} {site} {dest} {mode}");
                assert_eq!(open("POST", path, &from(site, dest, mode)), 403, "{path} {site} {dest} {mode}");
            }
        }
        for site in ["same-origin", "none"] {
            assert_eq!(open("POST", path, &from(site, "document", "navigate")), 0, "{path} {site}");
        }
    }
}

#[test]
fn another_site_may_link_to_the_media_of_both_services_and_show_them() {
    let signalwire = format!("/{SPACE_ID}/01010101-0101-4101-8101-010101010101/faxes/a.pdf");
    for path in ["/fax/AC/FX/ME", &signalwire] {
        for (dest, mode) in [("image", "no-cors"), ("document", "navigate")] {
            let headers = [("sec-fetch-site", "cross-site"), ("sec-fetch-dest", dest), ("sec-fetch-mode", mode)];
            assert_eq!(open("GET", path, &headers), 0, "{path} {dest}");
        }
    }
    assert_eq!(Area::of(&format!("/{SPACE_ID}0/x")), Area::Rest);
}

#[test]
fn an_allowed_origin_may_call_and_its_preflight_succeeds() {
    let options = GuardOptions { allow_origins: vec!["http://localhost:3000".to_owned()], ..GuardOptions::default() };
    let settings = settings(options);
    let headers = [("host", "localhost:8329"), ("origin", "http://localhost:3000"), ("sec-fetch-site", "same-site")];
    assert_eq!(status(&settings, "POST", "/v1/Faxes", &headers), 0);
    assert_eq!(status(&settings, "POST", "/v1/Faxes", &[("origin", "http://localhost:3001")]), 403);
    let request = Request::options("/_fauxfax/v1/reset")
        .header("origin", "http://localhost:3000")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization");
    let Verdict::Answer(response) = judge(&request.body(()).unwrap().into_parts().0, &settings) else {
        panic!("the preflight is not answered");
    };
    assert_eq!(response.status(), 204);
    for (name, value) in [
        ("access-control-allow-origin", "http://localhost:3000"),
        ("access-control-allow-methods", "POST"),
        ("access-control-allow-headers", "authorization"),
        ("vary", "origin"),
    ] {
        assert_eq!(response.headers()[name], value, "{name}");
    }
}

#[test]
fn no_webhook_may_use_the_control_api() {
    for mark in WEBHOOK_MARKS {
        let headers = [(mark.as_str(), "x")];
        assert_eq!(open("POST", "/_fauxfax/v1/reset", &headers), 403, "{mark}");
        assert_eq!(open("POST", "/mcp", &headers), 403, "{mark}");
        assert_eq!(open("POST", "/v1/Faxes", &headers), 0, "{mark}");
        assert_eq!(open("GET", "/_fauxfax/v1/samples/letter.pdf", &headers), 0, "a sample may be fetched for a fax");
    }
}

#[test]
fn a_control_token_guards_only_the_control_api() {
    let options = GuardOptions { control_token: Some("s3cret".into()), ..GuardOptions::default() };
    let cookie = cookie(&options).unwrap();
    let (pair, _) = cookie.split_once(';').unwrap();
    assert!(!cookie.contains("s3cret") && cookie.contains("HttpOnly; SameSite=Strict"), "{cookie}");
    let settings = settings(options);
    let health = |headers: &[(&str, &str)]| status(&settings, "GET", "/_fauxfax/v1/health", headers);
    assert_eq!(health(&[]), 401);
    for bad in ["Bearer wrong", "Basic s3cret", "Bearer", "s3cret", "Bearer s3cret2"] {
        assert_eq!(health(&[("authorization", bad)]), 401, "{bad}");
    }
    assert_eq!(health(&[("authorization", "Bearer s3cret")]), 0);
    assert_eq!(health(&[("authorization", "bearer  s3cret")]), 0);
    assert_eq!(health(&[("cookie", &format!("a=b; {pair}"))]), 0);
    assert_eq!(health(&[("cookie", "fauxfax_control=s3cret")]), 401);
    assert_eq!(status(&settings, "POST", "/mcp", &[]), 401);
    for path in SURFACES.iter().filter(|path| Area::of(path) != Area::Control) {
        assert_eq!(status(&settings, "GET", path, &[]), 0, "{path}");
    }
}
