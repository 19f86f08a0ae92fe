//! What a tool is: its name and description, the schema of its arguments, its effect, and the function that runs it.

use futures_util::future::{BoxFuture, Shared};
use rmcp::model::{JsonObject, ProgressNotificationParam, ProgressToken, Tool as Listed, ToolAnnotations};
use rmcp::{Peer, RoleServer};
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, json_schema};
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::Answer;
use super::client::Client;
use super::error::ToolError;
use super::home::Home;
use crate::dialect::json;

/// The argument with which a tool's account is named.
const ACCOUNT: &str = "account";
/// The description of that argument.
const ACCOUNT_HELP: &str =
    "AccountSid (AC…) or SignalWire project id (UUID) to act in; the emulator's default account if left out";

/// What a tool does to the emulator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// It changes nothing.
    Reads,
    /// It adds something, so each call has an effect.
    Adds,
    /// It sets something, so repeating the same call has no further effect.
    Sets,
    /// It removes something.
    Removes,
}

/// A tool.
pub(super) struct Tool {
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    /// When and how to use the tool.
    pub(super) description: &'static str,
    pub(super) effect: Effect,
    /// Whether the app under test is called.
    pub(super) calls_app: bool,
    /// Whether the tool acts in an account, and therefore has the argument `account`.
    pub(super) of_account: bool,
    /// Whether the tool must be left to end by itself when the call is canceled, because it has something to put back.
    /// The future of any other tool is dropped.
    pub(super) ends_itself: bool,
    pub(super) schema: fn() -> Value,
    pub(super) run: for<'a> fn(&'a Call) -> BoxFuture<'a, Result<Answer, ToolError>>,
}

impl Tool {
    /// A tool that acts in an account and changes nothing; a declaration states only how it differs from this.
    pub(super) const DEFAULT: Self = Self {
        name: "",
        title: "",
        description: "",
        effect: Effect::Reads,
        calls_app: false,
        of_account: true,
        ends_itself: false,
        schema: schema_of::<NoArguments>,
        run: |_| Box::pin(async { Err(ToolError::canceled()) }),
    };

    /// Returns the tool in the protocol's form. `is_local` says whether the client runs on this machine, so that files can be
    /// named.
    pub(super) fn listed(&self, is_local: bool) -> Listed {
        let mut schema = (self.schema)();
        if let Some(properties) = schema["properties"].as_object_mut() {
            properties.retain(|name, _| is_local || name != FILE);
            if self.of_account {
                properties.insert(ACCOUNT.to_owned(), json!({ "type": "string", "description": ACCOUNT_HELP }));
            }
        }
        let schema: JsonObject = schema.as_object().cloned().unwrap_or_default();
        let annotations = ToolAnnotations::with_title(self.title)
            .read_only(self.effect == Effect::Reads)
            .destructive(self.effect == Effect::Removes)
            .idempotent(self.effect != Effect::Adds)
            .open_world(self.calls_app);
        Listed::new(self.name, self.description, schema).with_title(self.title).with_annotations(annotations)
    }
}

/// The argument that names a file on this machine.
pub(super) const FILE: &str = "file";

/// The arguments of a tool that has none.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NoArguments {}

/// A call of a tool.
pub(super) struct Call {
    pub(super) client: Client,
    pub(super) home: Home,
    arguments: Value,
    canceled: Shared<BoxFuture<'static, ()>>,
    progress: Option<(Peer<RoleServer>, ProgressToken)>,
}

impl Call {
    /// Creates a call. The account in `arguments`, if there is one, takes precedence over `account`.
    pub(super) fn new(
        tool: &Tool,
        home: &Home,
        (links, account): (Option<&str>, Option<String>),
        mut arguments: JsonObject,
        canceled: Shared<BoxFuture<'static, ()>>,
        progress: Option<(Peer<RoleServer>, ProgressToken)>,
    ) -> Result<Self, ToolError> {
        let named = if tool.of_account { arguments.shift_remove(ACCOUNT) } else { None };
        let named = match named {
            None | Some(Value::Null) => None,
            Some(Value::String(account)) => Some(account),
            Some(other) => return Err(ToolError(format!("account: must be a string, not {other}"))),
        };
        let client = Client::new(home.endpoint(), links, named.or(account));
        Ok(Self { client, home: home.clone(), arguments: Value::Object(arguments), canceled, progress })
    }

    /// Reads the arguments.
    pub(super) fn read<A: for<'de> Deserialize<'de>>(&self) -> Result<A, ToolError> {
        Ok(json::read(&self.arguments)?)
    }

    /// Completes when the client cancels the call, or the server stops.
    pub(super) fn canceled(&self) -> Shared<BoxFuture<'static, ()>> {
        self.canceled.clone()
    }

    /// Tells the client how far the call has come, if it wants to know.
    pub(super) async fn report(&self, done: usize, total: usize, message: String) {
        let Some((peer, token)) = &self.progress else { return };
        #[expect(
            clippy::cast_precision_loss,
            reason = "the protocol has only floating-point numbers, and counts are small"
        )]
        let (done, total) = (done as f64, total as f64);
        let progress = ProgressNotificationParam::new(token.clone(), done).with_total(total).with_message(message);
        // A client that has gone needs no report.
        let _ = peer.notify_progress(progress).await;
    }
}

/// Returns the schema of a tool's arguments, in the plain form that all clients understand: without references, and with one
/// type for each argument.
pub(super) fn schema_of<A: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    let mut schema = settings.into_generator().into_root_schema_for::<A>().to_value();
    simplify(&mut schema);
    if let Some(schema) = schema.as_object_mut() {
        schema.shift_remove("title");
        schema.shift_remove("description");
        schema.entry("properties").or_insert_with(|| json!({}));
    }
    schema
}

/// Returns the schema of an argument that is one of a few words.
pub(super) fn one_of<T: Copy>(all: &[T], word: fn(T) -> &'static str) -> Schema {
    let words: Vec<&str> = all.iter().map(|each| word(*each)).collect();
    json_schema!({ "type": "string", "enum": words })
}

/// Reads an argument that is one of a few words.
pub(super) fn chosen<T: Copy>(name: &str, text: &str, all: &[T], word: fn(T) -> &'static str) -> Result<T, ToolError> {
    let words: Vec<&str> = all.iter().map(|each| word(*each)).collect();
    let found = all.iter().find(|each| word(**each) == text);
    found.copied().ok_or_else(|| ToolError(format!("{name}: must be one of {}, not {text:?}", words.join(", "))))
}

/// Removes null from the types of optional arguments, the formats of numbers, and line breaks from descriptions.
fn simplify(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            if let Some(Value::Array(types)) = fields.get("type") {
                let types: Vec<Value> = types.iter().filter(|kind| *kind != "null").cloned().collect();
                let only = if let [only] = &types[..] { only.clone() } else { Value::Array(types) };
                fields.insert("type".to_owned(), only);
            }
            if let Some(Value::Array(choices)) = fields.get("anyOf")
                && let [choice, null] = &choices[..]
                && null["type"] == "null"
            {
                let mut choice = choice.as_object().cloned().unwrap_or_default();
                fields.shift_remove("anyOf");
                for (name, value) in std::mem::take(fields) {
                    choice.insert(name, value);
                }
                *fields = choice;
            }
            if fields.get("format").is_some_and(|format| format.as_str().is_some_and(is_number)) {
                fields.shift_remove("format");
            }
            if let Some(Value::String(text)) = fields.get_mut("description") {
                *text = text.replace('\n', " ");
            }
            fields.values_mut().for_each(simplify);
        }
        Value::Array(items) => items.iter_mut().for_each(simplify),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Returns whether a format is that of a Rust number, which clients don't know.
fn is_number(format: &str) -> bool {
    ["uint", "int", "double", "float"].iter().any(|kind| format.starts_with(kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize, JsonSchema)]
    #[expect(dead_code, reason = "only the schema is used")]
    struct Example {
        /// How many
        /// there are.
        count: Option<u32>,
        name: String,
        inner: Option<Inner>,
    }

    #[derive(Deserialize, JsonSchema)]
    #[expect(dead_code, reason = "only the schema is used")]
    struct Inner {
        flag: Option<bool>,
    }

    #[test]
    fn a_schema_has_one_type_for_each_argument_and_no_references() {
        let schema = schema_of::<Example>();
        let count = json!({ "type": "integer", "minimum": 0, "description": "How many there are." });
        assert_eq!(schema["properties"]["count"], count);
        assert_eq!(schema["properties"]["inner"]["properties"]["flag"]["type"], "boolean");
        assert_eq!(schema["required"], json!(["name"]));
        let text = schema.to_string();
        assert!(!text.contains("$ref") && !text.contains("null") && !text.contains("$schema"), "{text}");
    }
}
