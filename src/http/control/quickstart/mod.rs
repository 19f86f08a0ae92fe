//! `GET /quickstart`: how to use this very instance, for a person or a coding assistant, as plain text or as JSON. The
//! console's page Connect shows the same recipes.

mod text;

use axum::Json;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::BASE;
use super::extract::{Addressed, Asked};
use super::problem::Problem;
use crate::dialect::form;
use crate::dialect::recipe::{self, Place, Recipe};
use crate::emulator::{Registry, World};
use crate::http::origin;
use crate::model::account::Dialect;

/// The media type of the quickstart unless JSON is asked for.
pub(super) const MEDIA_TYPE: &str = "text/plain; charset=utf-8";
/// The number that the recipes send from if the account has none: the built-in account's.
const NUMBER_DEFAULT: &str = "+15005550006";
/// The sample document that the recipes send.
const SAMPLE: &str = "one-page.pdf";

/// The part of the quickstart to show.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct QuickstartQuery {
    /// Only the recipe of this language, such as `python`, `node`, `csharp` or `curl`; all by default.
    language: Option<String>,
}

/// How to use this instance.
#[derive(Serialize, JsonSchema)]
pub(super) struct Quickstart {
    /// The URL to use in place of Twilio's or SignalWire's.
    url: String,
    /// The root of the control API.
    control_url: String,
    /// The address of the console, for this account.
    console_url: String,
    /// Whether calls of the control API need the token that the emulator was started with.
    needs_control_token: bool,
    /// `twilio` or `signalwire`.
    dialect: &'static str,
    account_sid: String,
    /// The AuthToken; null until a client claims the account, which it may do with any token.
    auth_token: Option<String>,
    /// The key that signs the account's webhooks; null until the account has one.
    signing_key: Option<String>,
    /// The account's first number; null if it has none.
    number: Option<NumberView>,
    /// The environment variables as the lines of a file that a shell can read.
    env: String,
    /// Code that sends a fax, in each language.
    recipes: Vec<RecipeView>,
    /// Commands that point the number at the user's app, receive a fax, wait, and verify.
    commands: Vec<CommandView>,
}

/// A number of the account, and the app that is asked what to do with its calls.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "QuickstartNumber")]
struct NumberView {
    sid: String,
    phone_number: String,
    /// The URL of the app; empty if the number has none.
    app_url: String,
}

/// The way in which one language or tool reaches this instance.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Recipe")]
struct RecipeView {
    /// The word for `?language=`.
    language: &'static str,
    name: &'static str,
    code: String,
    /// What to know about the code, such as the library's newest version that can send faxes.
    remark: &'static str,
}

/// A command for a shell.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "QuickstartCommand")]
struct CommandView {
    /// What the command does.
    what: &'static str,
    command: String,
}

pub(super) async fn show(State(registry): State<Registry>, request: Request) -> Result<Response, Problem> {
    let (mut parts, _) = request.into_parts();
    let Addressed(world) = Addressed::from_request_parts(&mut parts, &registry).await?;
    let Asked(query): Asked<QuickstartQuery> = Asked::from_request_parts(&mut parts, &registry).await?;
    let origin = origin(&parts, registry.settings().public_url.as_ref());
    let needs_control_token = registry.settings().guard.control_token.is_some();
    let mut shown = Quickstart::of(&world, &origin, needs_control_token);
    if let Some(language) = query.language.filter(|language| !language.is_empty()) {
        shown.keep_only(&language)?;
    }
    if accepts_json(&parts.headers) {
        return Ok(Json(shown).into_response());
    }
    let head = [(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE))];
    Ok((head, text::of(&shown)).into_response())
}

impl Quickstart {
    fn of(world: &World, origin: &str, needs_control_token: bool) -> Self {
        let sid = world.sid();
        let dialect = Dialect::of(sid);
        let (auth_token, signing_key, number) = world.read(|engine| {
            let account = engine.account();
            // The engine lists numbers newest first.
            let number = engine.numbers().last().map(|own| NumberView {
                sid: own.sid.to_string(),
                phone_number: own.number.to_string(),
                app_url: own.attributes.voice_url.to_string(),
            });
            (account.auth_token.as_deref().map(str::to_owned), account.webhook_key().map(str::to_owned), number)
        });
        let account_sid = sid.to_string();
        let control_url = format!("{origin}{BASE}");
        let document = format!("{control_url}/samples/{SAMPLE}");
        let from = number.as_ref().map_or(NUMBER_DEFAULT, |number| number.phone_number.as_str());
        let place = Place { origin, account: &account_sid, number: from, document: &document };
        let secrets = (auth_token.as_deref(), signing_key.as_deref());
        let env = text::env_file(&recipe::environment(dialect, &place, secrets));
        let view = |Recipe { language, name, code, remark }| RecipeView { language, name, code, remark };
        let recipes = recipe::recipes(dialect, &place).into_iter().map(view).collect();
        let console_url = form::with_query(&format!("{origin}/console/connect"), &[("account", account_sid.as_str())]);
        let mut shown = Self {
            url: origin.to_owned(),
            control_url,
            console_url,
            needs_control_token,
            dialect: dialect.as_str(),
            account_sid,
            auth_token,
            signing_key,
            number,
            env,
            recipes,
            commands: Vec::new(),
        };
        shown.commands = text::commands(&shown, dialect);
        shown
    }

    /// Leaves out the recipes of all languages but one.
    fn keep_only(&mut self, language: &str) -> Result<(), Problem> {
        let words: Vec<&str> = self.recipes.iter().map(|recipe| recipe.language).collect();
        if !words.contains(&language) {
            let detail = format!("language: must be one of {}, not {language:?}", words.join(", "));
            return Err(Problem::new(422, "bad-field", detail));
        }
        self.recipes.retain(|recipe| recipe.language == language);
        Ok(())
    }
}

/// Returns whether the client names JSON among what it accepts. Clients that accept anything, such as curl, get text.
fn accepts_json(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut named = accepted.flat_map(|value| value.split(',')).filter_map(|each| each.split(';').next());
    named.any(|each| each.trim().eq_ignore_ascii_case("application/json"))
}
