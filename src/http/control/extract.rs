//! Extractors for what a call brings: its world, query and JSON. What can't be read is refused with the name of the
//! field.

use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::Uri;
use axum::http::request::Parts;
use bytes::Bytes;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::problem::Problem;
use crate::dialect::form::{self, Form};
use crate::emulator::{Registry, SignInError, World};
use crate::http::{body, is_read};
use crate::model::account::Dialect;
use crate::model::refusal::Refusal;
use crate::model::sid::AccountSid;

/// The longest JSON body of calls that take no state or document; the longest pattern or replay is far below.
const JSON_BYTES_MAX: usize = 1024 * 1024;
/// The query parameter that every call may have.
const ACCOUNT: &str = "account";
/// The only call that a broken world accepts.
const RESET: &str = "/reset";

/// The world that a call addresses: that of `?account=`, or of the default account. A call that may change something
/// creates the world if the account has none; a GET or HEAD gets a fresh one that isn't kept.
pub struct Addressed(pub World);

/// The world that a call only reads, whatever its method.
pub(super) struct Observed(pub(super) World);

/// The world that a call waits in, and the means to wait for its creation if the account has none yet.
pub(super) struct Awaited {
    pub(super) registry: Registry,
    pub(super) world: World,
    /// Whether the account has no world yet, and this one was made up for the call.
    pub(super) is_fresh: bool,
}

#[derive(Deserialize)]
struct AccountQuery {
    account: Option<String>,
}

impl FromRequestParts<Registry> for Addressed {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, registry: &Registry) -> Result<Self, Problem> {
        let account = account_of(parts, registry)?;
        // A read must create nothing, so it gets a fresh world that nobody keeps.
        if is_read(&parts.method) {
            return sound(account, registry.look(account)).map(Self);
        }
        let world = registry.enter_unclaimed(account);
        // A reset repairs a broken world, so it must reach one.
        if parts.uri.path().ends_with(RESET) { found(account, world) } else { sound(account, world) }.map(Self)
    }
}

impl FromRequestParts<Registry> for Observed {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, registry: &Registry) -> Result<Self, Problem> {
        let account = account_of(parts, registry)?;
        sound(account, registry.look(account)).map(Self)
    }
}

impl FromRequestParts<Registry> for Awaited {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, registry: &Registry) -> Result<Self, Problem> {
        let account = account_of(parts, registry)?;
        let (world, is_fresh) = match registry.world(account) {
            Some(world) => (Ok(world), false),
            // An account without a world is waited for as if it had one: a test may start to wait before its app does
            // anything.
            None => (registry.look(account), true),
        };
        Ok(Self { registry: registry.clone(), world: sound(account, world)?, is_fresh })
    }
}

impl Awaited {
    /// Waits until the account has a world, and returns it.
    pub(super) async fn created(&self) -> World {
        self.registry.created(self.world.sid()).await
    }
}

fn account_of(parts: &Parts, registry: &Registry) -> Result<AccountSid, Problem> {
    let query: AccountQuery = Query::try_from_uri(&parts.uri).map(|Query(query)| query).map_err(Problem::query)?;
    query.account.map_or_else(|| Ok(registry.default_account()), |text| parse_account(&text))
}

/// Returns the world; an error if it has broken.
fn sound(account: AccountSid, world: Result<World, SignInError>) -> Result<World, Problem> {
    let world = found(account, world)?;
    match world.broken() {
        None => Ok(world),
        Some(why) => Err(Problem::refused(&Refusal::WorldBroken(why))),
    }
}

fn found(account: AccountSid, world: Result<World, SignInError>) -> Result<World, Problem> {
    world.map_err(|error| match error {
        SignInError::UnknownAccount(_) | SignInError::WrongToken(_) | SignInError::WrongKey(_) => {
            Problem::no_account(account)
        }
        // A world may break between the look-up and this call.
        SignInError::Broken(why) => Problem::refused(&Refusal::WorldBroken(why)),
        SignInError::TooManyWorlds { .. } => Problem::new(429, "too-many-accounts", error.to_string()),
    })
}

/// The query, without `account`, which every call may have.
pub(super) struct Asked<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        read_query(&parts.uri).map(Self)
    }
}

/// A JSON body; an empty one counts as `{}`.
pub(super) struct JsonBody<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Registry> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, registry: &Registry) -> Result<Self, Problem> {
        read_json(&RawJson::from_request(request, registry).await?.0).map(Self)
    }
}

/// A JSON body that has been received but not parsed.
pub(super) struct RawJson(pub(super) Bytes);

impl FromRequest<Registry> for RawJson {
    type Rejection = Problem;

    async fn from_request(request: Request, registry: &Registry) -> Result<Self, Problem> {
        let read = body::read(request.into_body(), JSON_BYTES_MAX, registry.budget()).await;
        let read = read.map_err(|fault| Problem::body(fault, format!("the JSON is over {JSON_BYTES_MAX} bytes")))?;
        Ok(Self(read.into_bytes()))
    }
}

/// Parses a JSON body; an empty one counts as `{}`.
pub(super) fn read_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let body = if body.trim_ascii().is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|error| {
        let (message, unknown) = (error.to_string(), error.is_data() && is_unknown_field(&error.to_string()));
        if unknown {
            return Problem::new(422, "unknown-field", near(&message));
        }
        let status = if error.is_data() { 422 } else { 400 };
        Problem::new(status, if error.is_data() { "bad-field" } else { "bad-json" }, message)
    })
}

fn read_query<T: DeserializeOwned>(uri: &Uri) -> Result<T, Problem> {
    let bad = |message: &str| Problem::new(400, "bad-query", near(message));
    let form = Form::parse(uri.query().unwrap_or_default().as_bytes()).map_err(|error| bad(&error.to_string()))?;
    let own: Vec<_> = form.iter().filter(|(name, _)| *name != ACCOUNT).collect();
    let uri: Uri = format!("/?{}", form::encode_query(&own)).parse().map_err(|_| bad("the query is too long"))?;
    let read = Query::try_from_uri(&uri).map(|Query(query)| query);
    read.map_err(|error| bad(error.body_text().trim_start_matches("Failed to deserialize query string: ")))
}

pub(super) fn parse_account(text: &str) -> Result<AccountSid, Problem> {
    text.parse().map_err(|_| {
        let [twilio, signalwire] = [Dialect::Twilio, Dialect::SignalWire].map(Dialect::account_sid_form);
        Problem::new(400, "bad-account", format!("account {text:?} is neither {twilio} nor {signalwire}"))
    })
}

fn is_unknown_field(message: &str) -> bool {
    message.contains("unknown field `")
}

/// Rewrites serde's message for an unknown field so that it suggests the nearest known one.
pub(super) fn near(message: &str) -> String {
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    match quoted.split_first() {
        Some((unknown, known)) if is_unknown_field(message) && !known.is_empty() => {
            let nearest = known.iter().min_by_key(|name| strsim::levenshtein(name, unknown)).unwrap_or(unknown);
            format!("there is no field {unknown:?}; did you mean {nearest:?}? (all: {})", known.join(", "))
        }
        _ => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Order {
        url: Option<String>,
        pages: Option<u32>,
    }

    #[test]
    fn the_error_for_a_misspelt_field_names_the_nearest() {
        let json = read_json::<Order>(br#"{"ulr":"x"}"#).expect_err("refused");
        assert!(format!("{json:?}").contains("did you mean \\\"url\\\""), "{json:?}");
        let query = read_query::<Order>(&"/x?page=1".parse().expect("a URI")).expect_err("refused");
        assert!(format!("{query:?}").contains("did you mean \\\"pages\\\""), "{query:?}");
    }

    #[test]
    fn the_account_belongs_to_every_query_and_nothing_means_an_empty_object() {
        let uri = "/x?account=AC1&pages=2&url=a%20b%26".parse().expect("a URI");
        assert_eq!(read_query(&uri), Ok(Order { url: Some("a b&".to_owned()), pages: Some(2) }));
        assert_eq!(read_json(b" "), Ok(Order { url: None, pages: None }));
    }

    #[test]
    fn no_json_is_400_and_a_wrong_field_422() {
        for (body, status) in [("{", 400), ("x", 400), (r#"{"pages":"2"}"#, 422), (r#"{"pages":-1}"#, 422), ("[]", 422)]
        {
            let problem = read_json::<Order>(body.as_bytes()).expect_err("refused");
            assert!(format!("{problem:?}").contains(&format!("status: {status}")), "{body}: {problem:?}");
        }
    }
}
