//! Access control for every surface: decides which host names the emulator answers to and which web pages may call it,
//! and checks the control API's callers. Accounts and their credentials are checked elsewhere.
//!
//! A web page in the user's browser can send requests to this machine, but can't choose `Host`, `Origin` and
//! `Sec-Fetch-*`, so these headers distinguish a page from a program. A webhook is recognised by its signature
//! or its idempotency token.

use std::borrow::Cow;
use std::net::IpAddr;

use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::AskedHost;
use super::control::{BASE, Problem};
use super::dialects::dialect_of;
use super::reply::ErrorForm;
use crate::dialect::error::{ApiError, Reason};
use crate::dialect::signalwire::media::SPACE_ID;
use crate::emulator::{GuardOptions, Settings};
use crate::io::own::{CONTROL_ROOT, MCP_PATH, is_below, is_own_name, is_sample};
use crate::model::hex;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");
/// Headers of requests to apps and document servers; a control API client has no reason to send them.
const WEBHOOK_MARKS: [HeaderName; 3] = [
    HeaderName::from_static("i-twilio-idempotency-token"),
    HeaderName::from_static("x-twilio-signature"),
    HeaderName::from_static("x-signalwire-signature"),
];
/// The cookie that a browser sends in place of the control token, since a page can't set headers for images and event
/// streams.
const COOKIE: &str = "fauxfax_control";
/// Paths of pages and files that any site may link to or show as an image, in addition to SignalWire's media.
const PAGES: [&str; 11] = [
    "/",
    "/console",
    "/fax",
    "/favicon.ico",
    "/livez",
    "/readyz",
    "/metrics",
    "/ca.pem",
    "/llms.txt",
    "/llms-full.txt",
    "/docs",
];
/// How long a browser may cache the response to a preflight, in seconds.
const PREFLIGHT_S: HeaderValue = HeaderValue::from_static("600");

/// The guard's decision about a request.
pub(super) enum Verdict {
    /// The request goes on to its route.
    Pass,
    /// The request goes on to its route, and a page of this origin may read the response.
    PassTo(HeaderValue),
    /// The request is a CORS preflight; this is the response to it.
    Answer(Response),
    /// The request is refused with this response. The error is set for REST paths, whose refusals are recorded.
    Refuse(Response, Option<ApiError>),
}

/// The part of the emulator that a path belongs to. Each part treats web pages differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Area {
    /// The REST APIs and all paths of no other part. They are meant for programs and not for web pages.
    Rest,
    /// The control API, under `/_fauxfax`, and the tools of the Model Context Protocol, at `/mcp`, which do the same.
    Control,
    /// The console, the stored media, the documentation and the files at the root.
    Pages,
}

impl Area {
    fn of(path: &str) -> Self {
        if is_below(path, CONTROL_ROOT) || is_below(path, MCP_PATH) {
            Self::Control
        } else if PAGES.iter().any(|root| path == *root || (*root != "/" && is_below(path, root)))
            || path.strip_prefix('/').is_some_and(|path| is_below(path, SPACE_ID))
        {
            Self::Pages
        } else {
            Self::Rest
        }
    }
}

/// Decides what to do with a request, based only on its head.
pub(super) fn judge(parts: &Parts, settings: &Settings) -> Verdict {
    let area = Area::of(parts.uri.path());
    match check(parts, area, settings) {
        Err(refusal) => {
            let form = ErrorForm::at(parts, dialect_of(parts));
            // REST API clients expect errors in the form of their API.
            if area == Area::Rest {
                let error = ApiError::new(refusal.reason(), refusal.detail());
                return Verdict::Refuse(form.response(&error), Some(error));
            }
            Verdict::Refuse(refusal.into_response(), None)
        }
        Ok(None) => Verdict::Pass,
        Ok(Some(origin)) if is_preflight(parts) => Verdict::Answer(preflight(parts, &origin)),
        Ok(Some(origin)) => Verdict::PassTo(origin),
    }
}

/// Adds the CORS headers that let a page of this origin read the response.
pub(super) fn readable_by(mut response: Response, origin: &HeaderValue) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("*"));
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    response
}

/// Returns the `Set-Cookie` value that lets a browser use the control API; `None` if no token is required.
pub(super) fn cookie(options: &GuardOptions) -> Option<String> {
    let token = options.control_token.as_deref()?;
    Some(format!("{COOKIE}={}; Path={CONTROL_ROOT}; HttpOnly; SameSite=Strict", cookie_value(token)))
}

/// The reason a request is refused; [`Self::detail`] gives the remedy.
#[derive(Debug, PartialEq, Eq)]
enum Refusal {
    Host(String),
    Origin(String),
    Page,
    /// The request is a webhook, recognised by this header; the string is the path that it asks for.
    Webhook(HeaderName, String),
    NoToken,
    WrongToken,
}

/// Checks a request's head. Returns the foreign origin of the request, if there is one and it is allowed.
fn check(parts: &Parts, area: Area, settings: &Settings) -> Result<Option<HeaderValue>, Refusal> {
    let options = &settings.guard;
    let host = host(parts);
    // Only HTTP/1.0 requests may name no host, and browsers don't send those.
    if let Some(host) = &host
        && !answers_to(host, settings)
    {
        return Err(Refusal::Host(name_of(host).to_owned()));
    }
    let foreign = foreign_origin(&parts.headers, host.as_deref(), settings);
    let allowed = foreign.filter(|origin| options.allow_origins.iter().any(|allowed| allowed.as_bytes() == *origin));
    if let Some(origin) = foreign
        && allowed.is_none()
    {
        return Err(Refusal::Origin(String::from_utf8_lossy(origin.as_bytes()).into_owned()));
    }
    let site = parts.headers.get(SEC_FETCH_SITE).map(HeaderValue::as_bytes);
    // A page on another port of the same host is `same-site`, and just as foreign.
    let is_cross_site = matches!(site, Some(b"cross-site" | b"same-site"));
    // Browsers may omit `Origin` from a GET, so `Sec-Fetch-Site` is checked separately.
    if is_cross_site && allowed.is_none() && !(is_shown(area, parts.uri.path()) && only_shows(parts)) {
        return Err(Refusal::Page);
    }
    // Anyone may fetch samples, since the URL of one may be the MediaUrl of a fax.
    if area == Area::Control && !is_sample(parts.uri.path()) {
        check_caller(parts, options.control_token.as_deref())?;
    }
    Ok(allowed.cloned())
}

/// Checks the control API's requirements for every caller: it isn't a webhook, and it knows the control token.
fn check_caller(parts: &Parts, control_token: Option<&str>) -> Result<(), Refusal> {
    if let Some(mark) = WEBHOOK_MARKS.into_iter().find(|mark| parts.headers.contains_key(mark)) {
        return Err(Refusal::Webhook(mark, parts.uri.path().to_owned()));
    }
    // Browsers send preflights without credentials (Fetch standard), so requiring a token would break every allowed
    // page.
    let Some(token) = control_token.filter(|_| !is_preflight(parts)) else { return Ok(()) };
    let bearer = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.split_once(' '));
    let bearer = bearer.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token.trim());
    let cookie = cookie_of(&parts.headers);
    let is_good = bearer.is_some_and(|given| is_same(given, token))
        || cookie.is_some_and(|given| is_same(given, &cookie_value(token)));
    match (is_good, bearer.or(cookie)) {
        (true, _) => Ok(()),
        (false, None) => Err(Refusal::NoToken),
        (false, Some(_)) => Err(Refusal::WrongToken),
    }
}

/// Returns whether a path shows a page, a picture or a document, which other sites may link to and embed.
fn is_shown(area: Area, path: &str) -> bool {
    let is_of_a_fax = |path: &str| {
        let fax = path.strip_prefix(BASE).and_then(|path| path.strip_prefix("/faxes/"));
        fax.and_then(|fax| fax.split_once('/'))
            .is_some_and(|(_, file)| file.starts_with("pages/") || file.starts_with("document."))
    };
    match area {
        Area::Rest => false,
        Area::Pages => true,
        Area::Control => is_of_a_fax(path) || is_sample(path),
    }
}

/// Returns whether a browser only navigates to the URL or embeds it as an image. Neither lets the page of the other
/// site read the response.
fn only_shows(parts: &Parts) -> bool {
    let is = |name: &HeaderName, value: &str| parts.headers.get(name).is_some_and(|header| header == value);
    let is_shown = is(&SEC_FETCH_DEST, "image") || (is(&SEC_FETCH_DEST, "document") && is(&SEC_FETCH_MODE, "navigate"));
    is_shown && matches!(parts.method, Method::GET | Method::HEAD)
}

/// Returns the host that the request names. An absolute target takes precedence over the header (RFC 9112 §3.2.2).
fn host(parts: &Parts) -> Option<Cow<'_, str>> {
    let named = parts.uri.authority().map(|authority| Cow::Borrowed(authority.as_str()));
    let named = named.or_else(|| Some(String::from_utf8_lossy(parts.headers.get(header::HOST)?.as_bytes())));
    named.or_else(|| parts.extensions.get().map(|AskedHost(host)| Cow::Borrowed(&**host)))
}

fn answers_to(host: &str, settings: &Settings) -> bool {
    // A fully qualified host name may end with a dot.
    let name = name_of(host).trim_end_matches('.');
    // DNS rebinding needs a host name, so any IP address is safe. Most requests name an address, and so need no copy of
    // the name in lower case.
    if name.parse::<IpAddr>().is_ok() {
        return true;
    }
    let name = name.to_ascii_lowercase();
    is_own_name(&name)
        || settings.guard.allow_hosts.iter().any(|allowed| allowed.eq_ignore_ascii_case(&name))
        || public_authority(settings)
            .is_some_and(|public| name_of(public).trim_end_matches('.').eq_ignore_ascii_case(&name))
}

/// Returns the `Origin` of a page that is not the emulator's own.
fn foreign_origin<'a>(headers: &'a HeaderMap, host: Option<&str>, settings: &Settings) -> Option<&'a HeaderValue> {
    let mut origins = headers.get_all(header::ORIGIN).into_iter();
    let origin = origins.next()?;
    // No browser sends two origins, so this is an attempt to bypass the check; the first is reported as foreign.
    if origins.next().is_some() {
        return Some(origin);
    }
    let authority = origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(|(_, authority)| authority);
    let own = [host, public_authority(settings)];
    let is_own = authority.is_some_and(|authority| {
        own.into_iter().flatten().any(|own| without_default_port(own) == without_default_port(authority))
    });
    (!is_own).then_some(origin)
}

/// Lower-cases an authority and drops the default port, which browsers leave out of `Origin`.
fn without_default_port(authority: &str) -> String {
    let authority = authority.to_ascii_lowercase();
    let bare = authority.strip_suffix(":80").or_else(|| authority.strip_suffix(":443"));
    bare.map_or(authority.clone(), ToOwned::to_owned)
}

/// Returns the host and port of `--public-url`.
fn public_authority(settings: &Settings) -> Option<&str> {
    let (_, rest) = settings.public_url.as_deref()?.split_once("://")?;
    rest.split('/').next()
}

/// Returns the host without its port, and without the brackets of an IPv6 literal.
fn name_of(host: &str) -> &str {
    if let Some(rest) = host.strip_prefix('[') {
        return rest.split(']').next().unwrap_or_default();
    }
    host.rsplit_once(':').map_or(host, |(name, _)| name)
}

fn is_preflight(parts: &Parts) -> bool {
    parts.method == Method::OPTIONS && parts.headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// Answers a preflight: pages of this allowed origin may make the request in question.
fn preflight(parts: &Parts, origin: &HeaderValue) -> Response {
    let mut response = readable_by(StatusCode::NO_CONTENT.into_response(), origin);
    let headers = response.headers_mut();
    // An allowed origin may use any method and any header.
    for (asked, answer) in [
        (header::ACCESS_CONTROL_REQUEST_METHOD, header::ACCESS_CONTROL_ALLOW_METHODS),
        (header::ACCESS_CONTROL_REQUEST_HEADERS, header::ACCESS_CONTROL_ALLOW_HEADERS),
    ] {
        if let Some(value) = parts.headers.get(asked) {
            headers.insert(answer, value.clone());
        }
    }
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, PREFLIGHT_S);
    response
}

fn cookie_of(headers: &HeaderMap) -> Option<&str> {
    let pairs = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut pairs = pairs.flat_map(|pairs| pairs.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE).map(|(_, value)| value)
}

/// Derives the cookie's value from the token, so that the token can't be recovered from a browser's cookie store.
fn cookie_value(token: &str) -> String {
    let digest = Sha256::new().chain_update("fauxfax control cookie\n").chain_update(token).finalize();
    hex::encode(digest)
}

fn is_same(given: &str, expected: &str) -> bool {
    // Compared in constant time, so that the time taken reveals nothing about the token.
    given.as_bytes().ct_eq(expected.as_bytes()).into()
}

impl Refusal {
    /// Returns the reason for the REST error.
    const fn reason(&self) -> Reason {
        match self {
            Self::Host(_) => Reason::Misdirected,
            Self::Origin(_) | Self::Page | Self::Webhook(..) | Self::NoToken | Self::WrongToken => Reason::AccessDenied,
        }
    }

    fn into_response(self) -> Response {
        let (status, name) = match self {
            Self::Host(_) => (StatusCode::MISDIRECTED_REQUEST, "host-not-allowed"),
            Self::Origin(_) | Self::Page => (StatusCode::FORBIDDEN, "origin-not-allowed"),
            Self::Webhook(..) => (StatusCode::FORBIDDEN, "webhook-not-allowed"),
            Self::NoToken | Self::WrongToken => (StatusCode::UNAUTHORIZED, "control-token-needed"),
        };
        let detail = self.detail();
        let mut response = Problem::new(status.as_u16(), name, detail).into_response();
        if status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Bearer realm=\"fauxfax control\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }

    fn detail(&self) -> String {
        match self {
            Self::Host(name) => format!(
                "this emulator doesn't answer to the host name {name}; if that name is yours, start it with --allow-host {name}"
            ),
            Self::Origin(origin) => format!(
                "a web page of {origin} may not call this emulator; if that page is yours, start it with --allow-origin {origin}"
            ),
            Self::Page => {
                "a web page of another site may not call this emulator; if that page is yours, start it with \
                           --allow-origin and the page's origin"
                    .to_owned()
            }
            Self::Webhook(mark, path) => {
                format!("this request carries {mark}, as a webhook does, and no webhook may use {path}")
            }
            Self::NoToken => "the control API is protected by --control-token; send the token as Authorization: \
                              Bearer TOKEN \
                              (the command line takes --control-token or FAUXFAX_CONTROL_TOKEN)"
                .to_owned(),
            Self::WrongToken => "this is not the control token: send the one that the emulator was started with (--control-token or FAUXFAX_CONTROL_TOKEN)".to_owned(),
        }
    }
}

#[cfg(test)]
#[path = "guard_tests.rs"]
mod tests;
