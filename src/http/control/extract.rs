//! Extractors for the parts of a call: its world, query and JSON. A part that can't be read is refused with an
//! error that names the field.

use std::fmt::Display;

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{Method, Uri};
use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::problem::Problem;
use crate::dialect::form::Form;
use crate::dialect::json::{self, FieldError, ParseError};
use crate::dialect::query;
use crate::emulator::{Registry, SignInError, World};
use crate::http::{body, is_read};
use crate::model::account::Dialect;
use crate::model::refusal::Refusal;
use crate::model::sid::AccountSid;

/// The maximum size in bytes of the JSON body of a call that takes no state or document. Real bodies are far smaller.
const JSON_BYTES_MAX: usize = 1024 * 1024;
/// The query parameter that every call may have.
const ACCOUNT: &str = "account";
/// The value of `account` that stands for all accounts, in the calls that support it.
const ALL_ACCOUNTS: &str = "*";
/// The end of the path of a reset, which reaches a broken world.
const RESET: &str = "/reset";
/// The part of a path that identifies a call about one snapshot. A restore is a POST to such a path, and reaches a
/// broken world.
const SNAPSHOT: &str = "/snapshots/";

/// The world that a call addresses: that of `?account=`, or that of the default account. If the account has no world, a
/// call that may change something creates one; a GET or HEAD gets a fresh one that isn't kept.
pub struct Addressed(pub World);

/// The world that a call only reads, whatever its method.
pub(super) struct Observed(pub(super) World);

/// The world that a call waits in; if the account has no world yet, the call can wait until it has one.
pub(super) struct Awaited {
    pub(super) registry: Registry,
    pub(super) world: World,
    /// Whether the account has no world yet; in that case `world` was created for this call alone.
    pub(super) is_fresh: bool,
}

/// The worlds that are read by a call that may concern all accounts: with `account=*` the worlds of all accounts, and
/// otherwise the one that `?account=` names, as for [`Observed`].
pub(super) enum Accounts {
    /// The world of one account.
    One(World),
    /// All worlds that exist when the call arrives, in the order of their SIDs. Some may be broken.
    All(Vec<World>),
}

impl FromRequestParts<Registry> for Accounts {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, registry: &Registry) -> Result<Self, Problem> {
        match named_account(&parts.uri)?.as_deref() {
            Some(ALL_ACCOUNTS) => Ok(Self::All(registry.worlds())),
            Some(_) | None => {
                Observed::from_request_parts(parts, registry).await.map(|Observed(world)| Self::One(world))
            }
        }
    }
}

/// The account to which `?account=` limits a call about all accounts; `None` if there is no such limit.
pub(super) struct Named(pub(super) Option<AccountSid>);

impl FromRequestParts<Registry> for Named {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Registry) -> Result<Self, Problem> {
        let named = named_account(&parts.uri)?.filter(|named| named != ALL_ACCOUNTS);
        named.as_deref().map(parse_account).transpose().map(Self)
    }
}

impl FromRequestParts<Registry> for Addressed {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, registry: &Registry) -> Result<Self, Problem> {
        let account = account_of(parts, registry)?;
        // A read must not create anything, so it gets a fresh world that isn't kept.
        if is_read(&parts.method) {
            return sound(account, registry.look(account)).map(Self);
        }
        let world = registry.enter_unclaimed(account);
        // A reset or restore repairs a broken world, so it must be able to reach that world.
        let path = parts.uri.path();
        let repairs = path.ends_with(RESET) || (parts.method == Method::POST && path.contains(SNAPSHOT));
        if repairs { found(account, world) } else { sound(account, world) }.map(Self)
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
            // Waiting works without a world too: a test may start to wait before its app has done anything.
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
    match named_account(&parts.uri)?.as_deref() {
        None => Ok(registry.default_account()),
        Some(ALL_ACCOUNTS) => {
            let detail = "account=*: this call is about one account; name it, or leave account out for the default one";
            Err(Problem::new(400, "one-account-only", detail))
        }
        Some(text) => parse_account(text),
    }
}

/// Returns whether a call is about all accounts.
pub(super) fn is_of_all(uri: &Uri) -> Result<bool, Problem> {
    Ok(named_account(uri)?.as_deref() == Some(ALL_ACCOUNTS))
}

/// Returns the value of `?account=`, if the query has one.
fn named_account(uri: &Uri) -> Result<Option<String>, Problem> {
    let query = form_of(uri)?;
    let mut named = query.iter().filter(|(name, _)| *name == ACCOUNT).map(|(_, text)| text);
    // Two accounts are refused, since one of them would be ignored.
    match (named.next(), named.next()) {
        (named, None) => Ok(named.map(str::to_owned)),
        (_, Some(_)) => Err(bad_query(&FieldError::twice(ACCOUNT))),
    }
}

/// Returns the world, or an error if there is none or it is broken.
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

/// The parameters in the query except `account`, which every call accepts.
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
    json::read(&parse_json(body)?).map_err(|error| bad_field(&error))
}

/// Parses a JSON body into a value; an empty one counts as `{}`.
pub(super) fn parse_json(body: &[u8]) -> Result<Value, Problem> {
    let body = if body.trim_ascii().is_empty() { b"{}" } else { body };
    json::parse(body).map_err(|error| match error {
        ParseError::NoJson(_) => Problem::new(400, "bad-json", error.to_string()),
        ParseError::Twice(error) => bad_field(&error),
    })
}

/// Returns the error for an invalid field of a JSON body.
pub(super) fn bad_field(error: &FieldError) -> Problem {
    let name = if error.is_unknown { "unknown-field" } else { "bad-field" };
    Problem::new(422, name, error.to_string())
}

fn read_query<T: DeserializeOwned>(uri: &Uri) -> Result<T, Problem> {
    let whole = form_of(uri)?;
    let own = Form::of(whole.iter().filter(|(name, _)| *name != ACCOUNT));
    query::read(&own).map_err(|error| bad_query(&error))
}

fn form_of(uri: &Uri) -> Result<Form, Problem> {
    Form::parse(uri.query().unwrap_or_default().as_bytes()).map_err(|error| bad_query(&error))
}

/// Returns the value of a filter. An empty one counts as absent, since forms send their empty fields, too.
pub(super) fn given(value: Option<&str>) -> Option<&str> {
    value.filter(|value| !value.trim().is_empty())
}

/// Returns the error for an invalid parameter in the query.
pub(super) fn bad_query(error: &impl Display) -> Problem {
    Problem::new(400, "bad-query", error.to_string())
}

pub(super) fn parse_account(text: &str) -> Result<AccountSid, Problem> {
    text.parse().map_err(|_| {
        let [twilio, signalwire] = [Dialect::Twilio, Dialect::SignalWire].map(Dialect::account_sid_form);
        Problem::new(400, "bad-account", format!("account {text:?} is neither {twilio} nor {signalwire}"))
    })
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Order {
        url: Option<String>,
        pages: Option<u32>,
    }

    #[test]
    fn the_error_for_a_misspelt_field_suggests_the_nearest_one() {
        let json = read_json::<Order>(br#"{"ulr":"x"}"#).expect_err("refused");
        assert!(format!("{json:?}").contains("did you mean url?"), "{json:?}");
        assert!(format!("{json:?}").contains("unknown-field"), "{json:?}");
        let query = read_query::<Order>(&"/x?page=1".parse().expect("a URI")).expect_err("refused");
        assert!(format!("{query:?}").contains("did you mean pages?"), "{query:?}");
    }

    #[test]
    fn every_query_may_name_the_account_and_an_empty_body_means_an_empty_object() {
        let uri = "/x?account=AC1&pages=2&url=a%20b%26".parse().expect("a URI");
        assert_eq!(read_query(&uri), Ok(Order { url: Some("a b&".to_owned()), pages: Some(2) }));
        assert_eq!(read_json(b" "), Ok(Order { url: None, pages: None }));
    }

    #[test]
    fn invalid_json_is_400_and_a_wrong_field_is_422() {
        for (body, status) in [
            ("{", 400),
            ("x", 400),
            (r#"{"pages":"2"}"#, 422),
            (r#"{"pages":-1}"#, 422),
            ("[]", 422),
            (r#"{"pages":1,"pages":2}"#, 422),
        ] {
            let problem = read_json::<Order>(body.as_bytes()).expect_err("refused");
            assert!(format!("{problem:?}").contains(&format!("status: {status}")), "{body}: {problem:?}");
        }
    }
}
