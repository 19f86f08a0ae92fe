//! One row in the table of calls: a route and its OpenAPI description. Both are built from the same value, so neither
//! can exist without the other.

use axum::Router;
use axum::handler::Handler;
use axum::http::StatusCode;
use axum::routing::{self, MethodRouter};
use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value, json};

use super::problem::ProblemBody;
use crate::emulator::Registry;
use crate::model::sid::{self, AccountSid};

/// The statuses that any call may be refused with: without the control token (401), or for a foreign Origin or Host
/// (403, 421).
const REFUSALS_OF_ALL: [u16; 3] = [401, 403, 421];
/// The statuses that a call about an account may be refused with: an invalid SID or query, an unknown account, too many
/// accounts, a broken world.
const REFUSALS_OF_AN_ACCOUNT: [u16; 4] = [400, 404, 429, 500];
/// The location of shared schemas in the OpenAPI document.
const DEFINITIONS: &str = "/components/schemas";

/// A function that generates the schema of a type.
type Describe = fn(&mut SchemaGenerator) -> Schema;

/// The content of a response.
#[derive(Clone, Copy)]
enum Content {
    /// JSON with a described type.
    Json(Describe),
    /// Content with this media type, without a schema.
    Other(&'static str),
    /// No body, as in a 204.
    Empty,
}

/// One call: its route and its description.
pub(super) struct Operation {
    method: &'static str,
    path: &'static str,
    summary: &'static str,
    /// The group that the call is listed in (an OpenAPI tag).
    about: &'static str,
    handler: MethodRouter<Registry>,
    of_account: bool,
    /// Whether `account` may also be `*`, for all accounts.
    may_be_of_all: bool,
    query: Option<Describe>,
    body: Option<(&'static [&'static str], Describe)>,
    answers: Vec<(u16, Content)>,
    refusals: Vec<u16>,
}

macro_rules! methods {
    ($($name:ident)+) => { $(
        /// Begins the declaration of a call with this method, path, one-line summary and handler.
        pub(super) fn $name<H, T>(path: &'static str, summary: &'static str, handler: H) -> Self
        where
            H: Handler<T, Registry>,
            T: 'static,
        {
            Self::new(stringify!($name), path, summary, routing::$name(handler))
        }
    )+ };
}

impl Operation {
    methods!(get post put delete);

    fn new(method: &'static str, path: &'static str, summary: &'static str, handler: MethodRouter<Registry>) -> Self {
        Self {
            method,
            path,
            summary,
            about: "Control",
            handler,
            of_account: true,
            may_be_of_all: false,
            query: None,
            body: None,
            answers: Vec::new(),
            refusals: Vec::new(),
        }
    }

    /// Assigns the call to a group.
    pub(super) fn about(mut self, group: &'static str) -> Self {
        self.about = group;
        self
    }

    /// Marks the call as one that has no `account` parameter.
    pub(super) fn of_no_account(mut self) -> Self {
        self.of_account = false;
        self
    }

    /// Marks the call as one that also takes `account=*`, for all accounts.
    pub(super) fn of_all_accounts(mut self) -> Self {
        self.may_be_of_all = true;
        self
    }

    /// Declares the query parameters; 400 becomes a possible refusal.
    pub(super) fn query<T: JsonSchema>(mut self) -> Self {
        self.query = Some(T::json_schema);
        self.refuses(&[400])
    }

    /// Declares a JSON body.
    pub(super) fn body<T: JsonSchema>(self) -> Self {
        self.body_as::<T>(&["application/json"])
    }

    /// Declares a body that may have any of these media types; 400, 413 and 422 become possible refusals.
    pub(super) fn body_as<T: JsonSchema>(mut self, media_types: &'static [&'static str]) -> Self {
        self.body = Some((media_types, |generator| generator.subschema_for::<T>()));
        self.refuses(&[400, 413, 422])
    }

    /// Declares a JSON response of this type.
    pub(super) fn answers<T: JsonSchema>(mut self, status: u16) -> Self {
        self.answers.push((status, Content::Json(|generator| generator.subschema_for::<T>())));
        self
    }

    /// Declares a response with this media type, without a schema.
    pub(super) fn answers_as(mut self, status: u16, media_type: &'static str) -> Self {
        self.answers.push((status, Content::Other(media_type)));
        self
    }

    /// Declares a response without a body.
    pub(super) fn answers_empty(mut self, status: u16) -> Self {
        self.answers.push((status, Content::Empty));
        self
    }

    /// Declares further refusal statuses, in addition to those implied by the other declarations.
    pub(super) fn refuses(mut self, statuses: &[u16]) -> Self {
        self.refusals.extend(statuses);
        self
    }

    fn statuses_refused(&self) -> Vec<u16> {
        let of_account = REFUSALS_OF_AN_ACCOUNT.iter().filter(|_| self.of_account);
        let mut statuses: Vec<u16> = REFUSALS_OF_ALL.iter().chain(of_account).chain(&self.refusals).copied().collect();
        statuses.sort_unstable();
        statuses.dedup();
        statuses
    }

    fn describe(&self, generator: &mut SchemaGenerator) -> Value {
        let mut operation = json!({ "operationId": self.id(), "summary": self.summary, "tags": [self.about] });
        let parameters = self.parameters(generator);
        if !parameters.is_empty() {
            operation["parameters"] = parameters.into();
        }
        if let Some((media_types, describe)) = self.body {
            let schema = describe(generator);
            let content: Map<String, Value> =
                media_types.iter().map(|media_type| ((*media_type).to_owned(), json!({ "schema": schema }))).collect();
            // An empty body counts as an empty object, so no body is required.
            operation["requestBody"] = json!({ "required": false, "content": content });
        }
        let mut responses = Map::new();
        // A call may respond with the same status in several media types.
        for (status, content) in &self.answers {
            let response =
                responses.entry(status.to_string()).or_insert_with(|| json!({ "description": reason(*status) }));
            match content {
                Content::Json(describe) => {
                    response["content"]["application/json"] = json!({ "schema": describe(generator) });
                }
                Content::Other(media_type) => response["content"][*media_type] = json!({}),
                Content::Empty => {}
            }
        }
        let problem = generator.subschema_for::<ProblemBody>();
        for status in self.statuses_refused() {
            let content = json!({ "application/problem+json": { "schema": problem } });
            responses.insert(status.to_string(), json!({ "description": reason(status), "content": content }));
        }
        operation["responses"] = responses.into();
        operation
    }

    fn parameters(&self, generator: &mut SchemaGenerator) -> Vec<Value> {
        // Splitting at the braces leaves the names of the parameters in every second piece.
        let in_path = self.path.split(['{', '}']).skip(1).step_by(2);
        let mut parameters: Vec<Value> = in_path
            .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
            .collect();
        if self.of_account {
            let sid = sid::pattern(AccountSid::PREFIX);
            let (description, pattern) = if self.may_be_of_all {
                ("SID of the account, or * for all accounts; the default account if left out", format!(r"^({sid}|\*)$"))
            } else {
                ("SID of the account; the default account if left out", format!("^{sid}$"))
            };
            let schema = json!({ "type": "string", "pattern": pattern });
            parameters.push(json!({ "name": "account", "in": "query", "description": description, "schema": schema }));
        }
        let query = self.query.map(|describe| describe(generator).to_value()).unwrap_or_default();
        let required =
            |name: &str| query["required"].as_array().is_some_and(|names| names.iter().any(|own| own == name));
        for (name, schema) in query["properties"].as_object().into_iter().flatten() {
            let mut parameter = json!({ "name": name, "in": "query", "required": required(name), "schema": schema });
            if let Some(description) = schema.get("description") {
                parameter["description"] = description.clone();
            }
            parameters.push(parameter);
        }
        parameters
    }

    fn id(&self) -> String {
        let words = self.path.split(['/', '{', '}', '-', '.']).filter(|word| !word.is_empty());
        std::iter::once(self.method).chain(words).collect::<Vec<_>>().join("_")
    }
}

/// Returns the HTTP reason phrase for a status.
fn reason(status: u16) -> &'static str {
    StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or("Answered")
}

/// Builds a table's routes.
pub(super) fn routes(operations: Vec<Operation>) -> Router<Registry> {
    operations.into_iter().fold(Router::new(), |router, operation| router.route(operation.path, operation.handler))
}

/// Builds a table's OpenAPI document.
pub(super) fn document(operations: &[Operation], base: &str) -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.definitions_path = DEFINITIONS.into());
    let mut generator = settings.into_generator();
    let mut paths = Map::new();
    for operation in operations {
        let path = paths.entry(format!("{base}{}", operation.path)).or_insert_with(|| json!({}));
        path[operation.method] = operation.describe(&mut generator);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "fauxfax control API",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The calls that tests make: incoming faxes, the journal, waiting, verifying, rules, the clock, snapshots.",
            "license": { "name": "Apache-2.0 OR MIT", "identifier": "Apache-2.0 OR MIT" },
        },
        "servers": [{ "url": "/" }],
        "paths": paths,
        "components": { "schemas": generator.take_definitions(true) },
    })
}
