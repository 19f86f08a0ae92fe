//! Keeps web pages of other origins away from the control API: DNS rebinding and cross-site posts. It knows no accounts.

use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::problem::Problem;
use crate::emulator::Emulator;

/// Lets a request pass whose Host is a local name and whose Origin, if any, is the same.
pub(in crate::http) async fn check(State(emulator): State<Emulator>, request: Request, next: Next) -> Response {
    let host = request.uri().authority().map(ToString::to_string).or_else(|| text(request.headers(), header::HOST));
    match judge(host.as_deref(), text(request.headers(), header::ORIGIN).as_deref(), &emulator.settings().allow_hosts) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

fn judge(host: Option<&str>, origin: Option<&str>, allowed: &[String]) -> Result<(), Problem> {
    // HTTP/1.0 clients may leave Host out; browsers never do.
    let Some(host) = host else { return Ok(()) };
    let name = name_of(host);
    if !is_local(name) && !allowed.iter().any(|allowed| allowed.eq_ignore_ascii_case(name)) {
        let detail = format!("the control API isn't served as {name}; if that is you, start with --allow-host {name}");
        return Err(Problem::new(421, "host-not-allowed", detail));
    }
    match origin {
        Some(origin) if authority_of(origin).is_none_or(|authority| !authority.eq_ignore_ascii_case(host)) => {
            let detail = format!("a page of {origin} may not use the control API of {host}");
            Err(Problem::new(403, "origin-not-allowed", detail))
        }
        _ => Ok(()),
    }
}

/// IP literals, `localhost`, `*.localhost`, `*.internal` and single labels such as a Compose service.
fn is_local(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.parse::<IpAddr>().is_ok()
        || name == "localhost"
        || name.ends_with(".localhost")
        || name.ends_with(".internal")
        || !name.contains('.')
}

/// The host without its port or the brackets of an IPv6 literal.
fn name_of(host: &str) -> &str {
    if let Some(rest) = host.strip_prefix('[') {
        return rest.split(']').next().unwrap_or_default();
    }
    host.rsplit_once(':').map_or(host, |(name, _)| name)
}

fn authority_of(origin: &str) -> Option<&str> {
    origin.split_once("://").map(|(_, authority)| authority)
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<String> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_names_pass_and_public_ones_need_leave() {
        for host in [
            "127.0.0.1:8329",
            "[::1]:8329",
            "localhost",
            "fax.localhost:1",
            "host.docker.internal:8329",
            "fauxfax:8329",
        ] {
            assert_eq!(judge(Some(host), None, &[]), Ok(()), "{host}");
        }
        let refused = judge(Some("evil.example:8329"), None, &[]);
        assert!(refused.is_err_and(|problem| format!("{problem:?}").contains("--allow-host evil.example")));
        assert_eq!(judge(Some("ci.example"), None, &["ci.example".to_owned()]), Ok(()));
    }

    #[test]
    fn a_page_of_another_origin_is_refused() {
        assert_eq!(judge(Some("localhost:8329"), Some("http://localhost:8329"), &[]), Ok(()));
        for origin in ["http://evil.example", "http://localhost:3000", "null"] {
            assert!(judge(Some("localhost:8329"), Some(origin), &[]).is_err(), "{origin}");
        }
    }
}
