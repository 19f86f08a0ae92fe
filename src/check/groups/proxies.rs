//! Whether signatures survive a reverse proxy. The service signs the public URL, while the app sees the proxy's
//! request: another scheme, host or port. An app that takes its public URL from its configuration is right to refuse
//! all of these requests, so these checks describe the app but can't fail it.

use serde_json::{Value, json};
use url::Url;

use super::judging::changed;
use crate::check::{Check, Finding, Group, Judged, Profile, Run, Severity, Stop, Turn};
use crate::model::webhook::Purpose;

/// The app's public host in these requests. Nobody connects to it.
const PUBLIC_HOST: &str = "fax.example.com";
/// The app's public port in the request about ports.
const PUBLIC_PORT: u16 = 8443;

const FIX: &str = "If the app runs behind a proxy, let it rebuild the URL from X-Forwarded-Proto, -Host and -Port of that proxy \
                   (its framework has a setting), or configure its public URL. If that is configured already, or there is no \
                   proxy, nothing has to change.";
const SOURCE: &str = "Twilio: Webhooks security; twilio-node issues about proxies; RFC 7239";

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "proxy-scheme",
        code: "P1",
        group: Group::Proxies,
        severity: Severity::Info,
        title: "The app verifies a signature over https behind a proxy that terminates TLS",
        why: "The service signs the https URL, but behind the proxy the app sees http, and refuses every request.",
        fix: FIX,
        source: SOURCE,
        profiles: &[Profile::Inbound],
        turn: Turn::Beside,
        run: |run| Box::pin(proxied(run, "https behind a proxy that terminates TLS", &scheme)),
    },
    Check {
        id: "proxy-host",
        code: "P2",
        group: Group::Proxies,
        severity: Severity::Info,
        title: "The app verifies a signature for the public host behind a proxy that changes the Host header",
        why: "The service signs the public host, but behind the proxy the app sees another one, and refuses every request.",
        fix: FIX,
        source: SOURCE,
        profiles: &[Profile::Inbound],
        turn: Turn::Beside,
        run: |run| Box::pin(proxied(run, "a public host behind a proxy", &host)),
    },
    Check {
        id: "proxy-port",
        code: "P3",
        group: Group::Proxies,
        severity: Severity::Info,
        title: "The app verifies a signature for the public port behind a proxy",
        why: "The service signs the port of the public URL, but behind the proxy the app sees another one, and refuses every request.",
        fix: FIX,
        source: SOURCE,
        profiles: &[Profile::Inbound],
        turn: Turn::Beside,
        run: |run| Box::pin(proxied(run, "a public port behind a proxy", &port)),
    },
];

/// A proxy: returns the public URL that stands for a URL of the app, and the headers that the proxy adds.
type Proxy = dyn Fn(Url) -> Option<(Url, Value)> + Sync;

async fn proxied(run: &Run, what: &str, proxy: &Proxy) -> Judged {
    // The emulator adds the parameters of a GET to the URL that is signed.
    let url = run.accepted(Purpose::FaxUrl)?.url_without_params();
    let url = Url::parse(&url).map_err(|error| Stop::not_judged(error.to_string()))?;
    let why = "the app is called over https, so this emulator does what a proxy would";
    let (public, headers) = proxy(url).ok_or_else(|| Stop::not_judged(why))?;
    let effect = json!({ "signed_url": public.as_str(), "headers": { "set": headers } });
    let (_, exchange) = changed(run, Purpose::FaxUrl, &effect).await?;
    Ok(if exchange.is_accepted() {
        Finding::pass(format!("the app accepted a request signed for {what}, {public}"))
    } else {
        let seen = format!("the app {} to a request signed for {what}, {public}", exchange.responded());
        Finding::warn(seen, &exchange)
    })
}

fn scheme(url: Url) -> Option<(Url, Value)> {
    let authority = authority(&url);
    let public = with_scheme(url)?;
    Some((public, json!({ "X-Forwarded-Proto": "https", "X-Forwarded-Host": authority })))
}

fn host(url: Url) -> Option<(Url, Value)> {
    let mut public = with_scheme(url)?;
    public.set_host(Some(PUBLIC_HOST)).ok()?;
    public.set_port(None).ok()?;
    Some((public, json!({ "X-Forwarded-Proto": "https", "X-Forwarded-Host": PUBLIC_HOST })))
}

fn port(url: Url) -> Option<(Url, Value)> {
    let mut public = with_scheme(url)?;
    public.set_port(Some(PUBLIC_PORT)).ok()?;
    let headers = json!({
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": authority(&public),
        "X-Forwarded-Port": PUBLIC_PORT.to_string(),
    });
    Some((public, headers))
}

/// Returns the URL with https; `None` if it is https already.
fn with_scheme(mut url: Url) -> Option<Url> {
    if url.scheme() == "https" {
        return None;
    }
    // The URL crate allows this change, because both schemes have hosts.
    url.set_scheme("https").ok()?;
    Some(url)
}

fn authority(url: &Url) -> String {
    url[url::Position::BeforeHost..url::Position::AfterPort].to_owned()
}
