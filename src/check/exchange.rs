//! One request to the app with its response, read from the journal or made directly.

use std::fmt::Write;
use std::time::Duration;

use serde_json::{Value, json};

use crate::dialect::{form, unseen};

/// The maximum number of characters of a response's body that the results quote.
const BODY_CHARS_MAX: usize = 1_000;
/// The maximum number of lines of a response's body that the results quote.
const BODY_LINES_MAX: usize = 12;
/// The headers that curl adds itself.
const OWN_HEADERS: [&str; 4] = ["host", "connection", "content-length", "accept"];

/// One request to the app with its response.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exchange {
    /// The purpose, such as `fax-url`; `direct` for a request that the emulator did not make.
    pub purpose: String,
    /// The HTTP method.
    pub method: String,
    /// The URL that was requested.
    pub url: String,
    /// The headers of the request.
    pub headers: Vec<(String, String)>,
    /// The parameters, in the order in which they were sent.
    pub params: Vec<(String, String)>,
    /// The body of a request that is not a form.
    pub body: Option<String>,
    /// The URL that redirects led to.
    pub redirected_to: Option<String>,
    /// The status of the response, if one came.
    pub status: Option<u16>,
    /// The headers of the response, with names in lower case.
    pub response_headers: Vec<(String, String)>,
    /// The beginning of the response's body.
    pub answer: String,
    /// The real time from the request to the end of the response.
    pub duration: Duration,
    /// Why there is no response, or no usable one.
    pub error: Option<String>,
}

impl Exchange {
    /// Reads an exchange from the data of a journal's event.
    pub(crate) fn of_event(data: &Value) -> Self {
        let text = |name: &str| data[name].as_str().map(ToOwned::to_owned);
        Self {
            purpose: text("purpose").unwrap_or_default(),
            method: text("method").unwrap_or_default(),
            url: text("url").unwrap_or_default(),
            headers: pairs(&data["request_headers"]),
            params: pairs(&data["params"]),
            body: None,
            redirected_to: text("redirected_to"),
            status: data["status"].as_u64().and_then(|status| u16::try_from(status).ok()),
            response_headers: pairs(&data["response_headers"]),
            answer: text("body").unwrap_or_default(),
            duration: Duration::from_millis(data["duration_ms"].as_u64().unwrap_or_default()),
            error: data["error"]["message"].as_str().map(ToOwned::to_owned),
        }
    }

    /// Returns the value of the response's first header with this name, given in lower case.
    #[must_use]
    pub fn response_header(&self, name: &str) -> Option<&str> {
        self.response_headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Returns the value of the request's first parameter with this name.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// Returns the URL that the response came from, after any redirects.
    #[must_use]
    pub fn final_url(&self) -> &str {
        self.redirected_to.as_deref().unwrap_or(&self.url)
    }

    /// Returns the URL that the response came from, without the parameters that a GET carries in its query.
    #[must_use]
    pub fn url_without_params(&self) -> String {
        self.without_params(self.final_url())
    }

    /// Returns the URL that was requested first as it was configured, without the parameters, which a GET carries in its
    /// query.
    #[must_use]
    pub fn url_as_configured(&self) -> String {
        self.without_params(&self.url)
    }

    fn without_params(&self, url: &str) -> String {
        let (address, fragment) = url.split_at(url.find('#').unwrap_or(url.len()));
        // A redirect may have led to a URL without the parameters.
        let added = form::added_query(&self.params);
        match address.strip_suffix(&added) {
            Some(start) if self.method == "GET" && !added.is_empty() => {
                format!("{}{fragment}", start.strip_suffix(['?', '&']).unwrap_or(start))
            }
            _ => url.to_owned(),
        }
    }

    /// Returns whether the response is complete and its status 2xx.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        self.error.is_none() && self.status.is_some_and(|status| (200..300).contains(&status))
    }

    /// Returns whether the status of the response is 4xx.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.status.is_some_and(|status| (400..500).contains(&status))
    }

    /// Describes the response in a few words: its status, or why there is none.
    #[must_use]
    pub fn outcome(&self) -> String {
        match (self.status, &self.error) {
            (Some(status), _) => status.to_string(),
            (None, Some(error)) => format!("no response ({})", unseen::replaced(error)),
            (None, None) => "no response".to_owned(),
        }
    }

    /// Says how the app responded, as the rest of a sentence that begins with "the app".
    #[must_use]
    pub fn responded(&self) -> String {
        match (self.status, &self.error) {
            (Some(status), _) => format!("responded {status}"),
            (None, Some(error)) => format!("did not respond ({})", unseen::replaced(error)),
            (None, None) => "did not respond".to_owned(),
        }
    }

    /// Returns a curl command that makes the same request.
    #[must_use]
    pub fn curl(&self) -> String {
        let mut command = format!("curl -X {} {}", self.method, quoted(&self.url));
        let sends_params = self.method != "GET" && !self.params.is_empty();
        // curl sets the same type for --data-urlencode.
        let is_shown = |name: &str| {
            let name = name.to_ascii_lowercase();
            let is_added = OWN_HEADERS.contains(&name.as_str()) || (sends_params && name == "content-type");
            !is_added
        };
        // Writing to a string never fails.
        for (name, value) in self.headers.iter().filter(|(name, _)| is_shown(name)) {
            let _ = write!(command, " \\\n  -H {}", quoted(&format!("{name}: {value}")));
        }
        if sends_params {
            for (name, value) in &self.params {
                let _ = write!(command, " \\\n  --data-urlencode {}", quoted(&format!("{name}={value}")));
            }
        }
        if let Some(body) = &self.body {
            let _ = write!(command, " \\\n  --data-binary {}", quoted(body));
        }
        command
    }

    /// Returns the beginning of the response's body, without characters that could control a terminal.
    #[must_use]
    pub fn excerpt(&self) -> String {
        let kept: String = self.answer.chars().take(BODY_CHARS_MAX).collect();
        let lines: Vec<String> = kept.lines().take(BODY_LINES_MAX).map(unseen::replaced).collect();
        let shown = lines.join("\n");
        let is_whole = kept.len() == self.answer.len() && kept.lines().count() <= BODY_LINES_MAX;
        if is_whole { shown } else { format!("{shown}…") }
    }

    /// Returns the request as JSON.
    pub(crate) fn request_json(&self) -> Value {
        json!({
            "purpose": self.purpose, "method": self.method, "url": self.url, "headers": object(&self.headers),
            "params": object(&self.params), "body": self.body, "curl": self.curl(),
        })
    }

    /// Returns the response as JSON.
    pub(crate) fn response_json(&self) -> Value {
        json!({
            "status": self.status, "headers": object(&self.response_headers), "body": self.excerpt(),
            "error": self.error, "redirected_to": self.redirected_to,
            "duration_ms": u64::try_from(self.duration.as_millis()).unwrap_or(u64::MAX),
        })
    }

    /// Replaces a secret wherever it occurs, such as in an error page of the app.
    pub(crate) fn mask(&mut self, secret: &str, by: &str) {
        let mask = |text: &mut String| {
            if text.contains(secret) {
                *text = text.replace(secret, by);
            }
        };
        mask(&mut self.answer);
        self.response_headers.iter_mut().for_each(|(_, value)| mask(value));
    }
}

/// Reads names and values from an object; a name that occurs several times has a list of its values.
fn pairs(object: &Value) -> Vec<(String, String)> {
    let each = |(name, value): (&String, &Value)| -> Vec<(String, String)> {
        let values = value.as_array().map_or_else(|| vec![value.clone()], Clone::clone);
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
        values.iter().map(|value| (name.clone(), text(value))).collect()
    };
    object.as_object().into_iter().flatten().flat_map(each).collect()
}

fn object(pairs: &[(String, String)]) -> Value {
    let mut object = serde_json::Map::new();
    for (name, value) in pairs {
        match object.get_mut(name) {
            None => drop(object.insert(name.clone(), json!(value))),
            Some(Value::Array(values)) => values.push(json!(value)),
            Some(first) => *first = json!([first.take(), value]),
        }
    }
    object.into()
}

/// Quotes a word for a POSIX shell. Control characters are written as `$'\x1b'`, so that none can control a terminal.
fn quoted(text: &str) -> String {
    if !text.chars().any(char::is_control) {
        return format!("'{}'", text.replace('\'', r"'\''"));
    }
    let mut word = "$'".to_owned();
    for character in text.chars() {
        let _ = match character {
            '\'' | '\\' => write!(word, "\\{character}"),
            _ if character.is_control() => {
                character.to_string().bytes().try_for_each(|byte| write!(word, "\\x{byte:02x}"))
            }
            _ => write!(word, "{character}"),
        };
    }
    word + "'"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exchange() -> Exchange {
        let event = json!({
            "purpose": "action", "method": "POST", "url": "http://a/it's", "status": 500, "duration_ms": 7,
            "params": { "To": "+1", "X": ["1", "2"] },
            "request_headers": { "host": "a", "x-twilio-signature": "s=", "content-type": "application/x-www-form-urlencoded" },
            "response_headers": { "content-type": "text/plain" }, "body": "a\u{1b}[2J\nsecret", "error": { "message": "m" },
        });
        Exchange::of_event(&event)
    }

    #[test]
    fn a_request_becomes_a_curl_command_that_a_shell_reads_back() {
        let expected = "curl -X POST 'http://a/it'\\''s' \\\n  -H 'x-twilio-signature: s=' \\\n  --data-urlencode 'To=+1' \\\n  \
                        --data-urlencode 'X=1' \\\n  --data-urlencode 'X=2'";
        assert_eq!(exchange().curl(), expected);
        let raw = Exchange {
            method: "PUT".to_owned(),
            url: "u".to_owned(),
            body: Some("\x1b'é".to_owned()),
            ..Exchange::default()
        };
        assert_eq!(raw.curl(), "curl -X PUT 'u' \\\n  --data-binary $'\\x1b\\'é'");
    }

    #[test]
    fn the_parameters_of_a_get_are_not_part_of_its_url() {
        let params = vec![("MediaUrl".to_owned(), "http://m/x?y".to_owned()), ("To".to_owned(), "+1".to_owned())];
        for url in ["http://a/fax", "http://a/fax?tenant=1&x=", "http://a/fax#part", "http://a/fax?To=%2B1"] {
            let get = Exchange {
                method: "GET".to_owned(),
                url: form::with_query(url, &params),
                params: params.clone(),
                ..Exchange::default()
            };
            assert_eq!(get.url_without_params(), url);
            let redirected = Exchange { redirected_to: Some("http://b/other?z=1".to_owned()), ..get.clone() };
            assert_eq!(redirected.url_without_params(), "http://b/other?z=1");
            let with_params = Exchange { redirected_to: Some(form::with_query("http://b/", &params)), ..get };
            assert_eq!(with_params.url_without_params(), "http://b/");
        }
        let post =
            Exchange { method: "POST".to_owned(), url: form::with_query("http://a/", &params), params, ..exchange() };
        assert_eq!(post.url_without_params(), post.url);
    }

    #[test]
    fn a_sentence_about_an_app_that_did_not_respond_says_why() {
        let reset = Exchange { status: None, error: Some("reset".to_owned()), ..exchange() };
        assert_eq!(reset.responded(), "did not respond (reset)");
        assert_eq!(reset.outcome(), "no response (reset)");
        assert_eq!(exchange().responded(), "responded 500");
    }

    #[test]
    fn no_character_of_a_response_acts_on_a_terminal_and_secrets_are_masked() {
        let mut exchange = exchange();
        exchange.mask("secret", "***");
        assert_eq!(exchange.excerpt(), "a\u{fffd}[2J\n***");
        assert_eq!(exchange.response_json()["status"], 500);
        assert_eq!(exchange.request_json()["params"]["X"], json!(["1", "2"]));
        let long = Exchange { answer: "x\n".repeat(100), ..exchange };
        assert_eq!(long.excerpt().lines().count(), BODY_LINES_MAX);
    }
}
