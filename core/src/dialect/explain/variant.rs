//! The strings that an app may sign by mistake. Each differs from the right one in one way or, for a pair of mistakes,
//! in two.

use percent_encoding::percent_decode_str;
use url::Url;

use super::{Attempt, Mistake, Question, is_json};
use crate::dialect::form::{self, Form};

/// Ports that apps commonly listen on behind a proxy, and the defaults that frameworks add or drop.
const PORTS: [u16; 9] = [80, 443, 3000, 4567, 5000, 8000, 8080, 8329, 8443];

/// The parts of a URL, each exactly as written.
#[derive(Clone, Copy)]
struct Parts<'a> {
    scheme: &'a str,
    host: &'a str,
    port: Option<&'a str>,
    path: &'a str,
    query: Option<&'a str>,
}

impl<'a> Parts<'a> {
    fn of(url: &'a str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at(end);
        let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
        // The colons within the brackets of an IPv6 literal don't begin a port.
        let bracket = authority.rfind(']').unwrap_or(0);
        let colon = authority[bracket..].rfind(':').map(|at| bracket + at);
        let (host, port) = colon.map_or((authority, None), |at| (&authority[..at], Some(&authority[at + 1..])));
        Some(Self { scheme, host, port, path, query })
    }

    fn url(&self) -> String {
        let port = self.port.map(|port| format!(":{port}")).unwrap_or_default();
        let query = self.query.map(|query| format!("?{query}")).unwrap_or_default();
        format!("{}://{}{port}{}{query}", self.scheme, self.host, self.path)
    }
}

/// Returns attempts with a variant of the URL and the same parameters.
pub(super) fn of_url(question: &Question<'_>) -> Vec<Attempt> {
    let Some(parts) = Parts::of(question.url) else { return Vec::new() };
    let attempt = |mistake, url: String, hint: &str| Attempt {
        mistake,
        detail: hint.to_owned(),
        url,
        params: question.params.clone(),
    };
    let mut attempts = schemes(&parts)
        .into_iter()
        .map(|url| {
            let hint = "a proxy that terminates TLS hides the scheme; let the framework trust X-Forwarded-Proto \
                        (Express: trust proxy; Flask: ProxyFix; Django: SECURE_PROXY_SSL_HEADER; Rails: assume_ssl)";
            attempt(Mistake::Scheme, url, hint)
        })
        .collect::<Vec<_>>();
    let port_hint = "the port is part of the signed URL; take it from the Host header, or fix the public URL in the \
                     app's settings";
    attempts.extend(ports(&parts).into_iter().map(|url| attempt(Mistake::Port, url, port_hint)));
    let host_hint = "the host is signed as the URL has it, not another name or address of the machine";
    attempts.extend(hosts(&parts).into_iter().map(|url| attempt(Mistake::Host, url, host_hint)));
    let slashed = match parts.path.strip_suffix('/') {
        Some(path) => path.to_owned(),
        None => format!("{}/", parts.path),
    };
    let slash_hint = "a router or a redirect that adds or drops the slash changes the signed text";
    attempts.push(attempt(Mistake::TrailingSlash, Parts { path: &slashed, ..parts }.url(), slash_hint));
    if let Ok(parsed) = Url::parse(question.url) {
        let hint = "a URL parser rewrote parts of the URL, as JavaScript's new URL(…) does; sign the URL as it is \
                    configured, or as it was sent";
        attempts.push(attempt(Mistake::QueryEncoding, parsed.into(), hint));
    }
    if let Some(query) = parts.query {
        attempts.extend(queries(query).into_iter().map(|(mistake, query, hint)| {
            let query = query.as_deref().filter(|query| !query.is_empty());
            attempt(mistake, Parts { query, ..parts }.url(), hint)
        }));
    }
    // A variant that equals the URL is no mistake.
    attempts.retain(|attempt| attempt.url != question.url);
    attempts
}

/// Returns attempts with a variant of the parameters and the same URL. Those with another order have the parameters
/// appended to the URL.
pub(super) fn of_params(question: &Question<'_>) -> Vec<Attempt> {
    let params = &question.params;
    let attempt = |mistake, params, detail: &str| Attempt {
        mistake,
        detail: detail.to_owned(),
        url: question.url.to_owned(),
        params,
    };
    let values = |change: &dyn Fn(&str) -> String| -> Vec<(String, String)> {
        params.iter().map(|(name, value)| (name.clone(), change(value))).collect()
    };
    let decoded = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    let kept = params.iter().filter(|(_, value)| !value.is_empty()).cloned().collect();
    let twice = params.iter().map(|(name, value)| (name.clone(), format!("{value}{value}"))).collect();
    let mut attempts = vec![
        attempt(
            Mistake::PlusForSpace,
            values(&|value| value.replace('+', " ")),
            "`+` in values was turned into a space (so +1501… became ` 1501…`): the body was decoded once too often",
        ),
        attempt(
            Mistake::PlusForSpace,
            values(&|value| value.replace(' ', "+")),
            "spaces in values stayed `+`: decode the body as application/x-www-form-urlencoded, where + is a space",
        ),
        attempt(
            Mistake::BodyParsedTwice,
            values(&decoded),
            "the values were decoded twice: use the form parser's values unchanged",
        ),
        attempt(
            Mistake::BodyParsedTwice,
            twice,
            "each parameter was included twice, because two parsers read the same body; sign the result of only one",
        ),
        attempt(
            Mistake::BlankParams,
            kept,
            "parameters without a value were left out; they are part of the signed text (Python: parse_qs(…, \
             keep_blank_values=True))",
        ),
        attempt(
            Mistake::TrimmedParams,
            values(&|value| value.trim().to_owned()),
            "the values lost the spaces around them (Laravel: TrimStrings); check the signature before such middleware",
        ),
        attempt(
            Mistake::JsonBody,
            Vec::new(),
            "the parameters are missing from the signed text: the body was read as JSON, or had already been consumed. \
             It is a form (Express: express.urlencoded(), before the validator)",
        ),
    ];
    attempts.extend(orders(question));
    if let Some(body) = question.body.filter(|body| is_json(body)) {
        attempts.push(attempt(
            Mistake::JsonBody,
            json_params(body),
            "the JSON's fields were signed as parameters; a JSON body is not part of the signed text, but its hash is in \
             the URL (bodySHA256)",
        ));
    }
    attempts.retain(|attempt| attempt.url != question.url || attempt.params != *params);
    attempts
}

/// Returns combinations of two mistakes, one in the URL and one in the parameters or both in the URL.
pub(super) fn pairs<'a>(
    question: &'a Question<'_>,
    urls: &'a [Attempt],
) -> impl Iterator<Item = (&'a Attempt, Attempt)> {
    let with = |first: &'a Attempt| Question { url: &first.url, params: question.params.clone(), ..*question };
    let mixed =
        urls.iter().flat_map(move |first| of_params(&with(first)).into_iter().map(move |second| (first, second)));
    let both = urls.iter().flat_map(move |first| {
        let seconds = of_url(&with(first)).into_iter();
        // Two changes of the same kind count as one mistake, and two that cancel each other out count as none.
        let is_new = move |second: &Attempt| second.mistake != first.mistake && second.url != question.url;
        seconds.filter(is_new).map(move |second| (first, second))
    });
    mixed.chain(both)
}

fn schemes(parts: &Parts<'_>) -> Vec<String> {
    let scheme = if parts.scheme == "https" { "http" } else { "https" };
    let other = Parts { scheme, ..*parts };
    // An app that loses the scheme often loses the port too.
    let mut urls = vec![other.url()];
    if parts.port.is_some() {
        urls.push(Parts { port: None, ..other }.url());
    }
    urls
}

fn ports(parts: &Parts<'_>) -> Vec<String> {
    let added = PORTS.iter().map(|port| Parts { port: Some(&port.to_string()), ..*parts }.url());
    std::iter::once(Parts { port: None, ..*parts }.url()).chain(added).collect()
}

fn hosts(parts: &Parts<'_>) -> Vec<String> {
    let others: &[&str] = match parts.host {
        "localhost" => &["127.0.0.1", "[::1]"],
        "127.0.0.1" => &["localhost", "0.0.0.0"],
        _ => &[],
    };
    others.iter().map(|host| Parts { host, ..*parts }.url()).collect()
}

fn queries(query: &str) -> Vec<(Mistake, Option<String>, &'static str)> {
    let encoding_hint = "sign the query as it was sent, not decoded and not encoded again";
    let decoded = percent_decode_str(query).decode_utf8_lossy();
    let pairs = Form::parse(query.as_bytes()).unwrap_or_default();
    let pairs: Vec<(&str, &str)> = pairs.iter().collect();
    let mut sorted = pairs.clone();
    sorted.sort_unstable();
    let blanks_dropped: Vec<_> = pairs.iter().filter(|(_, value)| !value.is_empty()).copied().collect();
    vec![
        (Mistake::QueryDropped, None, "the query is part of the signed URL; use the whole URL, not the route's path"),
        (Mistake::QueryEncoding, Some(decoded.replace('+', " ")), encoding_hint),
        (Mistake::QueryEncoding, Some(decoded.into_owned()), encoding_hint),
        (Mistake::QueryEncoding, Some(form::encode(&pairs)), encoding_hint),
        (Mistake::QueryEncoding, Some(form::encode_query(&pairs)), encoding_hint),
        (Mistake::QueryEncoding, Some(form::encode(&blanks_dropped)), encoding_hint),
        (Mistake::QueryEncoding, Some(query.replace('+', "%20")), encoding_hint),
        (Mistake::QueryEncoding, Some(query.replace("%20", "+")), encoding_hint),
        (
            Mistake::QueryOrder,
            Some(form::encode_query(&sorted)),
            "the query's parameters must stay in the order in which they were sent",
        ),
    ]
}

/// Returns the parameters in other orders: as they were sent, or sorted without regard to case.
fn orders(question: &Question<'_>) -> Vec<Attempt> {
    let mut folded = question.params.clone();
    folded.sort_by_key(|(name, _)| name.to_lowercase());
    let hint = "the parameters were not sorted by the bytes of their names (A before a, no locale)";
    let attempt = |params: &[(String, String)]| Attempt {
        mistake: Mistake::ParamsOrder,
        detail: hint.to_owned(),
        // The parameters are part of the URL here, so nothing sorts them.
        url: concatenated(question.url, params),
        params: Vec::new(),
    };
    vec![attempt(&question.params), attempt(&folded)]
}

fn concatenated(url: &str, params: &[(String, String)]) -> String {
    let pairs = params.iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]);
    std::iter::once(url).chain(pairs).collect()
}

/// Returns the top-level fields of a JSON object, as a framework would pass them to an app.
fn json_params(body: &str) -> Vec<(String, String)> {
    let value: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    let fields = value.as_object().into_iter().flatten();
    fields
        .map(|(name, value)| (name.clone(), value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
        .collect()
}
