//! Why a signature doesn't match. The mistakes are `dialect::explain`'s; this adds the secrets that the emulator knows.

use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::extract::{JsonBody, Observed};
use super::problem::Problem;
use crate::dialect::explain::{Mistake, OtherSecret, Question, check, explain as find};
use crate::emulator::{Emulator, World};
use crate::model::credential::ApiKey;

/// Tokens of other accounts, and secrets of keys, that are tried.
const OTHERS_MAX: usize = 1_000;

/// A signature that doesn't match, or one to be checked.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ExplainOrder {
    /// The URL that was called, as the journal has it.
    url: String,
    /// The parameters that were sent.
    params: Option<Map<String, Value>>,
    /// Or the body as it was sent.
    body: Option<String>,
    /// The value that the app computed, or received.
    signature: String,
    /// The token; the account's own where it is left out.
    token: Option<String>,
}

/// What is wrong with it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Explanation")]
pub(super) struct ExplanationView {
    valid: bool,
    /// Null where it is valid.
    mistake: Option<&'static str>,
    /// All mistakes, where it takes two.
    mistakes: Vec<&'static str>,
    /// What was done and how to mend it.
    detail: String,
    /// The valid signature.
    expected: String,
    /// The text that is signed.
    signed: String,
    /// One-liners that compute it.
    check: CheckView,
}

/// The same computation in three languages; the token is read from TWILIO_AUTH_TOKEN.
#[derive(Serialize, JsonSchema)]
struct CheckView {
    python: String,
    node: String,
    rust: String,
}

pub(super) async fn explain(
    State(emulator): State<Emulator>,
    Observed(world): Observed,
    JsonBody(order): JsonBody<ExplainOrder>,
) -> Result<Json<ExplanationView>, Problem> {
    let own = world.read(|engine| engine.account().auth_token.clone());
    let token = order.token.as_deref().map(Into::into).or(own).ok_or_else(|| {
        let detail = "nobody has claimed this account, so it has no token: give one as token";
        Problem::new(409, "account-unclaimed", detail)
    })?;
    let params = match (&order.params, &order.body) {
        (Some(params), None) => params.iter().map(text).collect::<Result<_, _>>()?,
        (None, body) => body.as_deref().map(Question::params_of).unwrap_or_default(),
        (Some(_), Some(_)) => return Err(Problem::new(422, "bad-field", "give either params or body")),
    };
    let others = others(&emulator, &world);
    let explanation = find(&Question {
        url: &order.url,
        params: params.clone(),
        body: order.body.as_deref(),
        signature: &order.signature,
        auth_token: &token,
        others: &others,
    });
    let check = check(&order.url, &params);
    Ok(Json(ExplanationView {
        valid: explanation.mistakes.is_empty(),
        mistake: explanation.mistakes.first().map(|mistake| mistake.as_str()),
        mistakes: explanation.mistakes.iter().map(|mistake| mistake.as_str()).collect(),
        detail: explanation.detail,
        expected: explanation.expected,
        signed: explanation.signed,
        check: CheckView { python: check.python, node: check.node, rust: check.rust },
    }))
}

/// A parameter; numbers and booleans are taken as they are written.
fn text((name, value): (&String, &Value)) -> Result<(String, String), Problem> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(_) | Value::Bool(_) => value.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => {
            return Err(Problem::new(422, "bad-field", format!("params: {name} must be a text")));
        }
    };
    Ok((name.clone(), text))
}

/// The tokens of the other accounts, the secrets of the account's own keys, and what else is at hand.
fn others(emulator: &Emulator, world: &World) -> Vec<OtherSecret> {
    let sid = world.sid();
    let owner_of = |world: &World| world.read(|engine| engine.account().owner);
    let owner = owner_of(world);
    let token_of = |other: &World| {
        let secret = other.read(|engine| engine.account().auth_token.clone())?;
        let (mistake, owner) = match other.sid() {
            own if own == sid => {
                (Mistake::WrongToken, format!("the own token of account {sid}, not the one that was given"))
            }
            main if Some(main) == owner => {
                (Mistake::SubaccountToken, format!("the token of {main}, which owns subaccount {sid}"))
            }
            other_sid if owner_of(other) == Some(sid) => {
                (Mistake::SubaccountToken, format!("the token of {other_sid}, a subaccount of {sid}"))
            }
            other_sid => (Mistake::WrongToken, format!("the token of another account, {other_sid}")),
        };
        Some(OtherSecret { mistake, owner, secret })
    };
    let worlds = std::iter::once(world.clone()).chain(emulator.worlds()).take(OTHERS_MAX);
    let mut others: Vec<OtherSecret> = worlds.filter_map(|world| token_of(&world)).collect();
    others.extend(world.read(|engine| {
        let secret_of = |key: &ApiKey| OtherSecret {
            mistake: Mistake::ApiSecret,
            owner: format!("the secret of API key {}", key.sid),
            secret: key.secret.clone(),
        };
        engine.keys().take(OTHERS_MAX).map(secret_of).collect::<Vec<_>>()
    }));
    let owner = "the AccountSid in place of the token".to_owned();
    others.push(OtherSecret { mistake: Mistake::WrongToken, owner, secret: sid.to_string().into() });
    others
}
