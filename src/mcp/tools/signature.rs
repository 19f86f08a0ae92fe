//! The tool that finds out why a webhook's signature doesn't match.

use std::fmt::Write;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::super::answer::Answer;
use super::super::error::ToolError;
use super::super::tool::{Call, Tool, schema_of};
use super::{brief, word};

pub(super) const TOOLS: &[Tool] = &[Tool {
    name: "explain_signature",
    title: "Explain a signature",
    description: "Finds the mistake behind a signature that doesn't match, by trying the usual ones: another scheme, port or slash in the \
                  URL, a decoded query, missing parameters, another token. Give the URL and parameters as show_fax shows them, and either the \
                  signature that the app computed or the URL that it checked (app_url).",
    schema: schema_of::<Explain>,
    run: |call| Box::pin(async { explain(call, call.read()?).await }),
    ..Tool::DEFAULT
}];

/// The maximum length of the signed text that is shown, in characters.
const SIGNED_CHARS: usize = 1_000;

/// The arguments of `explain_signature`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Explain {
    /// URL that was called, as the conversation shows it.
    url: String,
    /// Form parameters that were sent; give these or body.
    params: Option<Map<String, Value>>,
    /// Raw body that was sent.
    body: Option<String>,
    /// Signature that the app computed or received; give this or app_url.
    signature: Option<String>,
    /// URL that the app checked the signature for.
    app_url: Option<String>,
    /// AuthToken or signing key that the app uses; the account's by default.
    token: Option<String>,
}

async fn explain(call: &Call, arguments: Explain) -> Result<Answer, ToolError> {
    let order = json!({
        "url": arguments.url, "params": arguments.params, "body": arguments.body, "signature": arguments.signature,
        "app_url": arguments.app_url, "token": arguments.token,
    });
    let found = call.client.post("/explain-signature", &order).await?;
    let mut text = word(&found["detail"]);
    for (name, value) in [
        ("Signature in question", &found["signature"]),
        ("Valid signature", &found["expected"]),
        ("Header", &found["header"]),
    ] {
        // Writing to a string never fails.
        let _ = write!(text, "\n{name}: {}", word(value));
    }
    let _ = write!(text, "\nSigned text: {}", brief(&word(&found["signed"]), SIGNED_CHARS));
    for (language, code) in found["check"].as_object().into_iter().flatten() {
        let _ = write!(text, "\nIn {language}: {}", word(code));
    }
    let data = json!({
        "valid": found["valid"], "mistake": found["mistake"], "detail": found["detail"], "expected": found["expected"],
        "header": found["header"],
    });
    Ok(Answer::text(text).with(data))
}
