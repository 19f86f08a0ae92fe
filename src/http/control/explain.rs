//! Explains why a signature doesn't match. `dialect::explain` recognises the mistakes; this module adds the emulator's
//! secrets, so that a signature made with a different account's token is recognised too.

use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::extract::{JsonBody, Observed};
use super::problem::Problem;
use crate::dialect::explain::{
    KeyKind, Mistake, OtherSecret, Question, changed_delivery, check, explain as find, signature_of, variants,
};
use crate::emulator::{Registry, World};
use crate::model::account::Dialect;
use crate::model::credential::ApiKey;

/// The maximum number of accounts, and of API keys, whose secrets are tried.
const OTHERS_MAX: usize = 1_000;

/// A signature that doesn't match, or that should be checked.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ExplainOrder {
    /// The URL that was called, as the journal shows it.
    url: String,
    /// The form parameters that were sent.
    params: Option<Map<String, Value>>,
    /// The raw body, instead of `params`.
    body: Option<String>,
    /// The signature that the app computed or received.
    signature: Option<String>,
    /// The URL that the app checked; may be given instead of `signature`, which is then computed from this URL.
    app_url: Option<String>,
    /// The key to check with: an AuthToken or a SignalWire signing key; by default, the account's own key.
    token: Option<String>,
}

/// The reason that the signature doesn't match, and the valid signature.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Explanation")]
pub(super) struct ExplanationView {
    valid: bool,
    /// The mistake that yields this signature. It is `by-rule` if a rule spoiled the signature or changed the request
    /// on purpose, `unknown` if no known mistake yields the signature, and null if the signature is valid.
    mistake: Option<&'static str>,
    /// The mistakes that together yield this signature: one or two, or none if the signature is valid.
    mistakes: Vec<&'static str>,
    /// The app's mistake, and how to correct it.
    detail: String,
    /// The signature in question: the given one, or the one that `app_url` yields.
    signature: String,
    /// The valid signature.
    expected: String,
    /// The text that the valid signature is computed from.
    signed: String,
    /// The header that holds the signature.
    header: &'static str,
    /// The kind of key that signs the webhook: the account's AuthToken, its signing key, or its API token.
    key: &'static str,
    /// Code that computes the valid signature.
    check: CheckView,
    /// The signatures that the usual mistakes yield.
    variants: Vec<VariantView>,
}

/// The signature that one mistake yields.
#[derive(Serialize, JsonSchema)]
struct VariantView {
    mistake: &'static str,
    /// How to correct the mistake.
    detail: String,
    /// The URL that is signed; null if it is the right one, with different parameters.
    url: Option<String>,
    signature: String,
    /// Whether this is the signature in question.
    matches: bool,
}

/// The computation in three languages, each as a one-liner that reads the key from TWILIO_AUTH_TOKEN,
/// SIGNALWIRE_SIGNING_KEY or SIGNALWIRE_API_TOKEN.
#[derive(Serialize, JsonSchema)]
struct CheckView {
    python: String,
    node: String,
    rust: String,
}

pub(super) async fn explain(
    State(registry): State<Registry>,
    Observed(world): Observed,
    JsonBody(order): JsonBody<ExplainOrder>,
) -> Result<Json<ExplanationView>, Problem> {
    let (own, key_kind) = world.read(|engine| {
        let account = engine.account();
        // A key that the tester gives counts as a signing key, not as an API token.
        let has_signing_key = account.signing_key.is_some() || order.token.is_some();
        (account.webhook_key().map(Box::from), KeyKind::of(account.dialect, has_signing_key))
    });
    let key: Box<str> = order.token.as_deref().map(Into::into).or(own).ok_or_else(|| {
        let detail = "no client has claimed this account yet, so it has no token: give one in `token`";
        Problem::new(409, "account-unclaimed", detail)
    })?;
    let params = match (&order.params, &order.body) {
        (Some(params), None) => params.iter().map(text).collect::<Result<_, _>>()?,
        (None, body) => body.as_deref().map(Question::params_of).unwrap_or_default(),
        (Some(_), Some(_)) => {
            return Err(Problem::new(422, "bad-field", "give either params or body, whichever was sent"));
        }
    };
    let others = others(&registry, &world);
    let mut question = Question {
        url: &order.url,
        params: params.clone(),
        body: order.body.as_deref(),
        signature: "",
        key: &key,
        key_kind,
        others: &others,
    };
    let signature = match (order.signature, &order.app_url) {
        (Some(signature), None) => signature,
        (None, Some(url)) => signature_of(url, &question),
        _ => return Err(Problem::new(422, "bad-field", "give either signature or app_url")),
    };
    question.signature = &signature;
    let explanation = find(&question);
    let explanation = match &order.app_url {
        Some(url) => explanation.of_checked_url(url, &order.url),
        None => explanation,
    };
    let variants = variants(&question);
    let changed = world.read(|engine| changed_delivery(engine, &order.url, &signature));
    let explanation = match &changed {
        Some(delivery) => explanation.changed_by_rule(delivery),
        None => explanation,
    };
    let check = check(&order.url, &params, key_kind);
    Ok(Json(ExplanationView {
        valid: explanation.mistakes.is_empty(),
        mistake: explanation.mistakes.first().map(|mistake| mistake.as_str()),
        mistakes: explanation.mistakes.iter().map(|mistake| mistake.as_str()).collect(),
        detail: explanation.detail,
        expected: explanation.expected,
        signed: explanation.signed,
        header: key_kind.header(),
        key: key_kind.name(),
        check: CheckView { python: check.python, node: check.node, rust: check.rust },
        variants: variants
            .into_iter()
            .map(|variant| VariantView {
                mistake: variant.mistake.as_str(),
                detail: variant.detail,
                url: variant.url,
                matches: variant.signature == signature,
                signature: variant.signature,
            })
            .collect(),
        signature,
    }))
}

/// Returns a parameter as a string; numbers and booleans are kept as written in the JSON.
fn text((name, value): (&String, &Value)) -> Result<(String, String), Problem> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(_) | Value::Bool(_) => value.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => {
            return Err(Problem::new(422, "bad-field", format!("params: {name} must be a string")));
        }
    };
    Ok((name.clone(), text))
}

/// Returns secrets that an app may have used by mistake: other accounts' keys, the account's own API token, the secrets
/// of its API keys, and the AccountSid.
fn others(registry: &Registry, world: &World) -> Vec<OtherSecret> {
    let sid = world.sid();
    let owner_of = |world: &World| world.read(|engine| engine.account().owner);
    let owner = owner_of(world);
    let key_of = |other: &World| {
        let secret: Box<str> = other.read(|engine| engine.account().webhook_key().map(Into::into))?;
        let (mistake, owner) = match other.sid() {
            own if own == sid => {
                (Mistake::WrongToken, format!("the key of account {sid} itself, not the one that was given"))
            }
            main if Some(main) == owner => {
                (Mistake::SubaccountToken, format!("the token of {main}, which owns subaccount {sid}"))
            }
            other_sid if owner_of(other) == Some(sid) => {
                (Mistake::SubaccountToken, format!("the token of {other_sid}, a subaccount of {sid}"))
            }
            other_sid => (Mistake::WrongToken, format!("the key of another account, {other_sid}")),
        };
        Some(OtherSecret { mistake, owner, secret })
    };
    // The account's own secrets come first: the tester may have given a token other than the account's, and another
    // account may have the same token as this one.
    let mut others: Vec<OtherSecret> = key_of(world).into_iter().collect();
    // The token of a Twilio account is its key, which the list already contains.
    let api_token = world.read(|engine| {
        let account = engine.account();
        account.auth_token.clone().filter(|_| account.dialect == Dialect::SignalWire)
    });
    others.extend(api_token.map(|secret| OtherSecret {
        mistake: Mistake::WrongToken,
        owner: "the API token".to_owned(),
        secret,
    }));
    others.extend(registry.worlds().iter().take(OTHERS_MAX).filter_map(key_of));
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
