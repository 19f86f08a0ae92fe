//! The facts that all exported forms of a conversation share: its account, its fax, its outcome, and how many events
//! may be missing.

use serde_json::Value;

use crate::dialect::mask::MASK;

/// The version of the emulator, which every exported form contains.
pub(super) const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The minimum length of a token that is masked, in bytes. A shorter one could be a part of ordinary words.
const SECRET_LEN_MIN: usize = 8;

/// A conversation without its events.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    /// The SID of the fax or call.
    pub(super) sid: String,
    pub(super) account_sid: String,
    /// The account's dialect, as a word.
    pub(super) service: &'static str,
    /// The fax as the control API shows it; `None` if the call never became a fax, or the fax was deleted.
    pub(super) fax: Option<Value>,
    /// The status that the fax ended with, or `not-answered`; `None` while the conversation is in progress, or if the
    /// journal no longer has the outcome.
    pub(super) outcome: Option<&'static str>,
    /// The number of events that the journal has dropped since the start.
    pub(super) evicted: u64,
    /// The maximum number of dropped events that may belong to the conversation.
    pub(super) missed: u64,
    /// Whether the account's clock is frozen.
    pub(super) is_frozen: bool,
    /// The scheme and host at which the REST API is called.
    pub(super) origin: String,
}

impl Facts {
    /// Returns a sentence about the events that the journal has dropped; `None` if the conversation is complete.
    pub(super) fn gap(&self) -> Option<String> {
        let Self { missed, evicted, .. } = self;
        (*missed > 0).then(|| {
            format!(
                "Incomplete: the journal has dropped its oldest {evicted} events, and up to {missed} of them may belong \
                 to this conversation."
            )
        })
    }

    /// Returns a sentence about the clock that the times were read from.
    pub(super) fn clock(&self) -> String {
        let state = if self.is_frozen { "which is frozen now" } else { "which is running" };
        format!("Times are in UTC by the account's virtual clock, {state}; durations are in real time.")
    }

    /// Returns a field of the fax, if it is a string that isn't empty.
    pub(super) fn word(&self, field: &str) -> Option<&str> {
        self.fax.as_ref()?[field].as_str().filter(|word| !word.is_empty())
    }
}

/// The secrets of an account, which an app's response may contain: an error page often lists the app's environment.
#[derive(Debug, Clone)]
pub(super) struct Secrets(Vec<String>);

impl Secrets {
    /// Creates the list. The built-in account's token, which is public and part of its SID, is not masked.
    pub(super) fn new<'a>(account_sid: &str, secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let is_masked = |secret: &&str| secret.len() >= SECRET_LEN_MIN && !account_sid.contains(secret);
        Self(secrets.into_iter().filter(is_masked).map(ToOwned::to_owned).collect())
    }

    /// Masks the secrets wherever they occur in a value.
    pub(super) fn masked(&self, value: Value) -> Value {
        match value {
            Value::String(text) if self.0.iter().any(|secret| text.contains(secret)) => {
                self.0.iter().fold(text, |text, secret| text.replace(secret, MASK)).into()
            }
            Value::Array(values) => values.into_iter().map(|value| self.masked(value)).collect(),
            Value::Object(fields) => fields.into_iter().map(|(name, value)| (name, self.masked(value))).collect(),
            other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_accounts_secrets_are_masked_wherever_they_occur() {
        let secrets = Secrets::new("AC07", ["0123456789abcdef", "PSK_0123456789"]);
        let page = json!({ "body": "TOKEN=0123456789abcdef KEY=PSK_0123456789", "list": ["0123456789abcdef"], "n": 1 });
        assert_eq!(secrets.masked(page), json!({ "body": "TOKEN=*** KEY=***", "list": ["***"], "n": 1 }));
    }

    #[test]
    fn the_built_in_token_and_short_words_stay() {
        let zeros = "0".repeat(32);
        let secrets = Secrets::new(&format!("AC{zeros}"), [zeros.as_str(), "secret"]);
        let text = json!(format!("FX{zeros} is no secretary"));
        assert_eq!(secrets.masked(text.clone()), text);
    }
}
