//! The types of a scenario file. The fields have the names that they have in the control API and in `fauxfax.toml`.

use std::collections::BTreeMap;
use std::fmt;

use schemars::{JsonSchema, SchemaGenerator};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::wanted::{Count, Wanted};
use crate::dialect::rule::RuleDocument;

/// A test without code: steps that are performed in order, with the account's clock frozen.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
#[schemars(rename = "Scenario")]
pub(super) struct Document {
    /// What the scenario shows, in one line.
    pub(super) title: String,
    /// More about it: what is expected and why, or how a bug shows.
    pub(super) description: Option<String>,
    /// Settings of the emulator, as in `fauxfax.toml`, except those of the process, such as its port.
    #[serde(rename = "settings")]
    pub(super) _settings: Option<Map<String, Value>>,
    /// Variables with their defaults, for `${NAME}`; `--var NAME=VALUE` changes them.
    #[serde(default, rename = "vars")]
    pub(super) _vars: BTreeMap<String, String>,
    /// The app under test.
    pub(super) app: Option<App>,
    /// The steps, in the order in which they are performed.
    pub(super) steps: Vec<Step>,
}

/// The app under test, whose address is the variable `${app}`. If the address is given with `--var app=URL`, nothing is
/// started.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub struct App {
    /// Use the sample app that fauxfax has: it accepts faxes at `/fax`, is notified at `/fax/received` and `/fax/status`,
    /// refuses requests whose signature is wrong, sends a fax when it gets `POST /send` with `To`, and never responds at
    /// `/slow`.
    #[serde(default)]
    pub sample: bool,
    /// Address of the app, such as `http://localhost:3000`, if it isn't the sample app.
    pub url: Option<String>,
    /// Shell command that starts the app. It gets the variables that `fauxfax exec` sets, and is ended after the last step.
    pub command: Option<String>,
    /// URL to wait for before the first step; the app's URL by default. Any response counts.
    pub ready: Option<String>,
    /// How long to wait for it, in seconds; 30 by default.
    pub timeout: Option<f64>,
}

/// One step: a name, and one thing to do.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct Step {
    /// What the step is called in the results. No other step may have this name.
    pub(super) name: String,
    /// A fax machine calls one of the account's numbers.
    pub(super) receive: Option<Receive>,
    /// A fax is sent through the REST API.
    pub(super) send: Option<Send>,
    /// A rule makes something go wrong from now on.
    pub(super) rule: Option<RuleDocument>,
    /// The clock is moved, frozen, or made to run.
    pub(super) clock: Option<Clock>,
    /// A request to the app, or to any other address.
    pub(super) request: Option<Request>,
    /// The scenario goes on only once something has happened.
    pub(super) wait: Option<Wait>,
    /// Something must be true now.
    pub(super) expect: Option<Expect>,
    /// Checks of the app, as `fauxfax check` makes them.
    pub(super) check: Option<Check>,
}

/// An incoming fax. The step ends when the call has begun; the fax goes on when the clock is moved, or in a `wait`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct Receive {
    /// Number to call; may be left out if the account has exactly one fax number.
    #[serde(rename = "to")]
    pub(super) _to: Option<String>,
    /// Number of the calling machine.
    #[serde(rename = "from")]
    pub(super) _from: Option<String>,
    /// Number of test pages; 1 by default.
    pub(super) pages: Option<u32>,
    /// Document to fax: PDF, TIFF, PNG or JPEG, relative to the scenario's folder.
    pub(super) file: Option<String>,
    /// URL of the document.
    pub(super) media_url: Option<String>,
    /// Station id of the calling machine.
    #[serde(rename = "station_id")]
    pub(super) _station_id: Option<String>,
    /// Resolution: `standard`, `fine` or `superfine`.
    #[serde(rename = "quality")]
    pub(super) _quality: Option<String>,
    /// How the transmission ends: `received`, or `{ status = "failed", code = 34004, after_pages = 1 }`.
    #[serde(rename = "outcome")]
    pub(super) _outcome: Option<Value>,
    /// URL to notify of the fax, as the `action` of `<Receive>` would; the number's own app is then not asked.
    #[serde(rename = "action")]
    pub(super) _action: Option<String>,
    /// VoiceUrl to set on the number first; the TwiML comes from it.
    pub(super) fax_url: Option<String>,
    /// TwiML that the number executes from now on, without an app.
    pub(super) fax_twiml: Option<String>,
}

/// A fax to send, as an app would. The step ends when the API has accepted the fax.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct Send {
    /// Number to call; `+15005550101` to `+15005550107` go wrong on purpose.
    pub(super) to: String,
    /// Number to send from; the account's first by default.
    pub(super) from: Option<String>,
    /// Number of test pages; 1 by default.
    pub(super) pages: Option<u32>,
    /// Document to send, relative to the scenario's folder.
    pub(super) file: Option<String>,
    /// URL of the document.
    pub(super) media_url: Option<String>,
    /// Resolution: `standard`, `fine` or `superfine`.
    pub(super) quality: Option<String>,
    /// How long to keep trying, in minutes.
    pub(super) ttl: Option<u64>,
    /// Whether to store the document once it has been sent.
    pub(super) store_media: Option<bool>,
    /// URL to notify of changes of the status.
    pub(super) status_callback: Option<String>,
    /// Error code with which the API must refuse the fax, such as 21212; otherwise it must accept the fax.
    pub(super) refused: Option<u64>,
}

/// A request. Its response, if it is JSON, gives the step its values.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct Request {
    /// URL, such as `${app}/send`.
    pub(super) url: String,
    /// HTTP method; POST by default if something is sent, otherwise GET.
    pub(super) method: Option<String>,
    /// Headers.
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    /// Parameters, sent as a form.
    pub(super) form: Option<BTreeMap<String, String>>,
    /// Data, sent as JSON.
    pub(super) json: Option<Value>,
    /// Text, sent as it is.
    pub(super) body: Option<String>,
    /// Status that the response must have; any from 200 to 299 by default.
    pub(super) status: Option<Wanted>,
    /// What the body of the response must be.
    pub(super) answer: Option<Wanted>,
}

/// What to wait for. While the clock is frozen, it is moved from deadline to deadline until then.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct Wait {
    /// Name of the step whose fax is meant. If left out, any fax that enters the status after the last wait counts.
    pub(super) fax: Option<String>,
    /// Status that a fax must enter, or several separated by commas.
    pub(super) status: Option<String>,
    /// `settled`: until the fax has ended and all webhooks about it have been sent. `idle`: until nothing is in progress.
    pub(super) r#for: Option<String>,
    /// Part of an event that must be in the journal.
    pub(super) r#match: Option<Map<String, Value>>,
    /// How many such events there must be; at least one by default.
    pub(super) times: Option<Count>,
    /// Seconds of real time to wait at most; 30 by default.
    pub(super) timeout: Option<f64>,
}

/// What must be true now. Everything that is given must hold. If `fax` is left out, the fax of the nearest earlier step
/// that has one is meant.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct Expect {
    /// Name of the step whose fax is meant.
    pub(super) fax: Option<String>,
    /// The fax's status, or `not-answered` for a call that nobody took.
    pub(super) status: Option<Wanted>,
    /// `inbound` or `outbound`.
    pub(super) direction: Option<Wanted>,
    /// The fax's sender.
    pub(super) from: Option<Wanted>,
    /// The fax's receiver.
    pub(super) to: Option<Wanted>,
    /// The fax's number of pages.
    pub(super) num_pages: Option<Wanted>,
    /// The fax's duration in seconds.
    pub(super) duration: Option<Wanted>,
    /// The fax's resolution.
    pub(super) quality: Option<Wanted>,
    /// The code of the error that ended the fax or call.
    pub(super) error_code: Option<Wanted>,
    /// The text of that error.
    pub(super) error_message: Option<Wanted>,
    /// Why the fax or call failed, in plain words.
    pub(super) cause: Option<Wanted>,
    /// How many callbacks the app did not accept.
    pub(super) callbacks_failed: Option<Wanted>,
    /// The last callback that the app did not accept, such as `action 500`.
    pub(super) last_failure: Option<Wanted>,
    /// Pages of the fax that must have been transmitted.
    #[serde(default)]
    pub(super) pages: Vec<PageExpect>,
    /// Requests to the app about the fax that must have been made.
    #[serde(default)]
    pub(super) webhooks: Vec<WebhookExpect>,
    /// How many faxes a search must find.
    pub(super) faxes: Option<FaxesExpect>,
    /// Part of an event that must be in the journal, as for `POST /verify`.
    pub(super) r#match: Option<Map<String, Value>>,
    /// How many such events there must be; at least one by default.
    pub(super) times: Option<Count>,
    /// Parts of events that must be in the journal one after the other.
    pub(super) in_order: Option<Vec<Map<String, Value>>>,
}

/// A page that must have been transmitted.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct PageExpect {
    /// The page's number, from 1.
    pub(super) page: Option<u32>,
    /// The text on the page.
    pub(super) text: Option<Wanted>,
    /// Whether pictures cover most of the page.
    pub(super) pictures: Option<bool>,
    /// How many such pages there must be; at least one by default.
    pub(super) times: Option<Count>,
}

/// A request to the app that must have been made. The fields are those of the journal's event `webhook.attempt`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct WebhookExpect {
    /// `fax-url`, `fallback-url`, `action` or `status-callback`.
    pub(super) purpose: Option<String>,
    /// HTTP method of the request.
    pub(super) method: Option<Wanted>,
    /// URL of the request.
    pub(super) url: Option<Wanted>,
    /// Parameters of the request.
    pub(super) params: Option<BTreeMap<String, Wanted>>,
    /// Headers of the request, with names in lower case.
    pub(super) request_headers: Option<BTreeMap<String, Wanted>>,
    /// Status of the app's response.
    pub(super) status: Option<Wanted>,
    /// Body of the app's response.
    pub(super) body: Option<Wanted>,
    /// Why there was no response, or no usable one.
    pub(super) error: Option<BTreeMap<String, Wanted>>,
    /// Number of the attempt; 2 and higher are retries.
    pub(super) attempt: Option<u64>,
    /// 2 for a duplicate that a rule caused, otherwise 1.
    pub(super) delivery: Option<u64>,
    /// What is unusual about the request, in words.
    pub(super) note: Option<Wanted>,
    /// How many such requests there must be; at least one by default.
    pub(super) times: Option<Count>,
}

/// How many faxes a search must find.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct FaxesExpect {
    /// The search, such as `status:received to:+1555*`; all faxes if left out.
    #[serde(default)]
    pub(super) q: String,
    /// How many faxes it must find.
    pub(super) times: Count,
}

/// Checks of the app to make.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct Check {
    /// The app's URL for incoming faxes.
    pub(super) url: String,
    /// URL to notify when a fax has been received, instead of the action in the app's TwiML.
    pub(super) action: Option<String>,
    /// Only these checks, by their names or codes, such as `signature-missing`.
    #[serde(default)]
    pub(super) only: Vec<String>,
    /// Checks to leave out, by their names or codes.
    #[serde(default)]
    pub(super) skip: Vec<String>,
    /// Only the checks that every app must pass.
    #[serde(default)]
    pub(super) quick: bool,
}

/// A change of the clock: a word, or how far to move it.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(untagged)]
pub(super) enum Clock {
    /// `freeze`, `run` or `drain`, which moves a frozen clock until nothing is in progress.
    Word(ClockWord),
    /// How far to move a frozen clock.
    Move(Move),
}

/// A word for a change of the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub(super) enum ClockWord {
    Freeze,
    Run,
    Drain,
}

/// How far to move a frozen clock: one of `by`, `seconds` and `to`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct Move {
    /// A duration, such as `90s`, `5m`, `1h30m` or `180d`.
    pub(super) by: Option<String>,
    /// A number of seconds.
    pub(super) seconds: Option<f64>,
    /// A moment, such as `2030-01-01T00:00:00Z`.
    pub(super) to: Option<String>,
    /// Seconds of real time to wait at most for everything that is due to be done, up to 100; 30 by default.
    pub(super) timeout: Option<f64>,
}

impl<'de> Deserialize<'de> for Clock {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Clock;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("freeze, run, drain, or a table with by, seconds or to")
            }

            fn visit_str<E: Error>(self, word: &str) -> Result<Clock, E> {
                let word = match word {
                    "freeze" => ClockWord::Freeze,
                    "run" => ClockWord::Run,
                    "drain" => ClockWord::Drain,
                    other => return Err(E::invalid_value(serde::de::Unexpected::Str(other), &self)),
                };
                Ok(Clock::Word(word))
            }

            fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Clock, A::Error> {
                Move::deserialize(MapAccessDeserializer::new(members)).map(Clock::Move)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// What a step does.
#[derive(Debug, Clone)]
pub(super) enum Action {
    Receive(Receive),
    Send(Send),
    Rule,
    Clock(Clock),
    Request(Request),
    Wait(Wait),
    Expect(Box<Expect>),
    Check(Check),
}

impl Action {
    /// The names of the things that a step can do.
    pub(super) const NAMES: [&'static str; 8] =
        ["receive", "send", "rule", "clock", "request", "wait", "expect", "check"];

    /// Returns the name of what the step does.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Receive(_) => "receive",
            Self::Send(_) => "send",
            Self::Rule => "rule",
            Self::Clock(_) => "clock",
            Self::Request(_) => "request",
            Self::Wait(_) => "wait",
            Self::Expect(_) => "expect",
            Self::Check(_) => "check",
        }
    }

    /// Returns whether a later step may refer to this step's fax.
    pub(super) const fn has_fax(&self) -> bool {
        matches!(self, Self::Receive(_) | Self::Send(_) | Self::Request(_) | Self::Wait(_))
    }
}

impl Step {
    /// Returns what the step does; `None` if it does nothing or several things.
    pub(super) fn action(self) -> Option<Action> {
        let Self { name: _, receive, send, rule, clock, request, wait, expect, check } = self;
        let all = [
            receive.map(Action::Receive),
            send.map(Action::Send),
            rule.map(|_| Action::Rule),
            clock.map(Action::Clock),
            request.map(Action::Request),
            wait.map(Action::Wait),
            expect.map(|expect| Action::Expect(Box::new(expect))),
            check.map(Action::Check),
        ];
        let mut given = all.into_iter().flatten();
        given.next().filter(|_| given.next().is_none())
    }
}

/// Returns the JSON Schema of a scenario file. `settings` is the schema of the settings.
#[must_use]
pub fn schema(settings: Value) -> Value {
    let mut schema = SchemaGenerator::default().into_root_schema_for::<Document>().to_value();
    schema["title"] = "A fauxfax scenario".into();
    schema["properties"]["settings"] = settings;
    let step = &mut schema["$defs"]["Step"];
    let one = Action::NAMES.map(|name| serde_json::json!({ "required": [name] }));
    step["oneOf"] = serde_json::json!(one);
    schema
}
