//! The filters of the traffic: which requests to show, by their content and their outcome.

use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::extract::given;
use super::problem::Problem;
use super::traffic_view::{RequestKind, RequestView};
use crate::model::field_words;
use crate::model::sid::AccountSid;
use crate::world::feed::{Feed, News};

/// The maximum length of a text to search for, in bytes; a typical one is a number, a SID or a few words.
const TEXT_BYTES_MAX: usize = 1_000;
const DIRECTIONS: [&str; 2] = ["in", "out"];
/// The word for all error statuses, and for requests without a usable response.
const FAILED: &str = "failed";

/// Which requests to return. Every given condition must hold.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TrafficQuery {
    /// Only requests after this place.
    pub(super) since: Option<u64>,
    /// Maximum number of requests to return, the oldest first; 1,000 by default. A stream ignores this limit.
    pub(super) limit: Option<usize>,
    /// Only this many of the newest requests; not together with `limit`. A stream begins with them.
    pub(super) last: Option<usize>,
    /// `in` for requests of clients, `out` for requests to apps.
    direction: Option<String>,
    /// `rest`, `media`, `webhook`, `document` or `replay`.
    kind: Option<String>,
    /// An HTTP method, such as `POST`.
    method: Option<String>,
    /// Text in the path or URL, regardless of case; `*` stands for anything.
    path: Option<String>,
    /// A status such as `404`, a class such as `4xx`, or `failed` for all errors and requests without a usable
    /// response; several are separated by commas.
    status: Option<String>,
    /// An error code, such as 21211 or 11200.
    #[serde(default, deserialize_with = "unless_blank")]
    code: Option<u32>,
    /// Only requests about this fax or call, by its SID.
    fax: Option<String>,
    /// Text in the address, SIDs, purpose, parameters, headers, response, error or reason, regardless of case; or an
    /// error code.
    text: Option<String>,
}

/// The filters after they have been checked. Every given one must hold.
#[derive(Debug, Default)]
pub(super) struct TrafficFilter {
    account: Option<String>,
    direction: Option<String>,
    kind: Option<String>,
    method: Option<String>,
    path: Option<Vec<String>>,
    statuses: Option<Vec<StatusFilter>>,
    code: Option<u32>,
    fax: Option<String>,
    text: Option<String>,
}

/// Which statuses to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum StatusFilter {
    /// 4xx and 5xx, and requests without a usable response.
    Failed,
    /// A class of statuses by its first digit, such as `4xx`.
    Class(u16),
    /// One status.
    Exact(u16),
}

impl TrafficFilter {
    /// Checks the filters of a query.
    pub(super) fn parse(query: TrafficQuery, account: Option<AccountSid>) -> Result<Self, Problem> {
        let TrafficQuery { direction, kind, method, path, status, code, fax, text, .. } = query;
        let [direction, kind, method, status, fax] =
            [direction, kind, method, status, fax].map(|word| word.filter(|word| given(Some(word)).is_some()));
        let word = |name: &str, word: Option<String>, words: &[&str]| match word {
            Some(word) if !words.contains(&word.as_str()) => Err(bad(name, &word, words)),
            word => Ok(word),
        };
        let text_of = |name: &str, text: Option<String>| match text {
            Some(text) if text.len() > TEXT_BYTES_MAX => {
                Err(Problem::new(422, "bad-field", format!("{name}: must be at most {TEXT_BYTES_MAX} bytes")))
            }
            text => Ok(text.map(|text| text.trim().to_lowercase()).filter(|text| !text.is_empty())),
        };
        let path = text_of("path", path)?;
        let statuses = status.map(|statuses| statuses.split(',').map(StatusFilter::parse).collect::<Result<_, _>>());
        Ok(Self {
            account: account.map(|sid| sid.to_string()),
            direction: word("direction", direction, &DIRECTIONS)?,
            kind: word("kind", kind, &RequestKind::ALL.iter().map(|kind| kind.as_str()).collect::<Vec<_>>())?,
            method: method.map(|method| method.to_ascii_uppercase()),
            path: path.map(|path| path.split('*').map(str::to_owned).collect()),
            statuses: statuses.transpose()?,
            code,
            fax,
            text: text_of("text", text)?,
        })
    }

    /// Returns the view of an entry, if it is a request that meets every filter.
    pub(super) fn view(&self, news: &News, feed: &Feed) -> Option<RequestView> {
        RequestView::of(news, feed).filter(|view| self.fits(view))
    }

    fn fits(&self, view: &RequestView) -> bool {
        let is = |wanted: &Option<String>, own: &str| wanted.as_deref().is_none_or(|wanted| wanted == own);
        self.account.as_deref().is_none_or(|account| view.account_sid.as_deref() == Some(account))
            && is(&self.direction, view.direction)
            && is(&self.kind, view.kind)
            && is(&self.method, &view.method)
            && self.fax.as_deref().is_none_or(|fax| view.fax_sid.as_deref() == Some(fax))
            && self.code.is_none_or(|code| view.code == Some(code))
            && self.statuses.as_ref().is_none_or(|statuses| statuses.iter().any(|status| status.fits(view)))
            && self.path.as_ref().is_none_or(|parts| has_parts(view.address(), parts))
            && self.text.as_deref().is_none_or(|text| says(view, text))
    }
}

impl StatusFilter {
    fn parse(word: &str) -> Result<Self, Problem> {
        let word = word.trim();
        if word == FAILED {
            return Ok(Self::Failed);
        }
        let class = word.strip_suffix("xx").and_then(|digit| digit.parse().ok());
        if let Some(class) = class.filter(|class| (1..=5).contains(class)) {
            return Ok(Self::Class(class));
        }
        let exact = word.parse().ok().filter(|status| (100..=599).contains(status));
        exact.map(Self::Exact).ok_or_else(|| {
            let detail =
                format!("status: {word:?} is neither a status such as 404, nor a class such as 4xx, nor {FAILED}");
            Problem::new(422, "bad-field", detail)
        })
    }

    fn fits(self, view: &RequestView) -> bool {
        match self {
            Self::Failed => view.has_failed(),
            Self::Class(class) => view.status.is_some_and(|status| status / 100 == class),
            Self::Exact(exact) => view.status == Some(exact),
        }
    }
}

/// Returns whether a text contains these parts in this order, regardless of case.
fn has_parts(text: &str, parts: &[String]) -> bool {
    let text = text.to_lowercase();
    let mut rest = text.as_str();
    parts.iter().all(|part| {
        let Some(at) = rest.find(part.as_str()) else { return false };
        rest = &rest[at + part.len()..];
        true
    })
}

/// Returns whether a text, given in lower case, occurs in any part of a request's view.
fn says(view: &RequestView, text: &str) -> bool {
    view.words().any(|word| word.to_lowercase().contains(text))
        || view.code.is_some_and(|code| code.to_string() == text)
        || view.objects().any(|object| contains(object, text))
}

/// Returns whether a text occurs anywhere in a value or its field names, regardless of case.
fn contains(value: &Value, text: &str) -> bool {
    match value {
        Value::String(own) => own.to_lowercase().contains(text),
        Value::Array(values) => values.iter().any(|value| contains(value, text)),
        Value::Object(fields) => {
            fields.iter().any(|(name, value)| name.to_lowercase().contains(text) || contains(value, text))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string().contains(text),
    }
}

/// Reads a number; an empty one counts as absent.
fn unless_blank<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let text = text.trim();
    let error = || D::Error::custom(format!("must be an error code such as 21211, not {text:?}"));
    if text.is_empty() { Ok(None) } else { text.parse().map(Some).map_err(|_| error()) }
}

fn bad(name: &str, word: &str, words: &[&str]) -> Problem {
    let near = field_words::nearest(word, words).map(|near| format!("; did you mean {near}?"));
    let detail = format!("{name}: {word:?} is not one of {}{}", words.join(", "), near.unwrap_or_default());
    Problem::new(422, "bad-field", detail)
}
