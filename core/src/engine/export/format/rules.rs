//! The written form of rules and their counters.

use serde::{Deserialize, Serialize};

use super::lines::LineFault;
use crate::engine::export::form::{Form, List, Shared, form};
use crate::engine::rule::{self, Pattern};
use crate::engine::rulebook::{self, RULES_MAX};
use crate::model::fax::Direction;
use crate::model::request_edits;
use crate::model::webhook::{self, Purpose, Signature};

/// The rules in the order of their ids, and the last id that was given to a rule.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RuleBook {
    added: u64,
    rules: List<HeldRule>,
}

impl RuleBook {
    pub(super) fn of(book: &rulebook::RuleBook) -> Self {
        Self { added: book.added, rules: List(book.iter().cloned().collect()) }
    }

    /// Converts the rules, or says why they are invalid.
    pub(super) fn value(self) -> Result<rulebook::RuleBook, String> {
        let Self { added, rules: List(rules) } = self;
        if rules.len() > RULES_MAX {
            return Err(format!("must have at most {RULES_MAX} rules"));
        }
        let mut book = rulebook::RuleBook::default();
        book.added = added;
        for held in rules {
            let id = held.id;
            if id == 0 || book.iter().any(|earlier| earlier.id >= id) {
                return Err(format!("rule {id} is out of order: ids start at 1 and increase"));
            }
            book.restore(held);
        }
        Ok(book)
    }
}

form! {
    struct HeldRule for rulebook::HeldRule {
        id: u64,
        rule: Shared<Rule>,
        matched: u64,
        fired: u64,
    }
}

form! {
    struct Rule for rule::Rule {
        #[serde(rename = "match")]
        matches: Match,
        after: u32,
        times: Option<u32>,
        chance: Option<f64>,
        #[serde(default)]
        enabled: Enabled,
        effect: RuleEffect,
    }
}

/// Whether a rule is enabled; written only if it isn't.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub(in crate::engine::export) struct Enabled(bool);

impl Default for Enabled {
    fn default() -> Self {
        Self(true)
    }
}

impl Form for Enabled {
    type Of = bool;

    fn of(enabled: &bool) -> Self {
        Self(*enabled)
    }

    fn value(self) -> bool {
        self.0
    }

    fn is_left_out(&self) -> bool {
        self.0
    }
}

/// A flag that is written only if it is set, so that older files without it can be read.
#[derive(Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(in crate::engine::export) struct OnlyIfTrue(bool);

impl Form for OnlyIfTrue {
    type Of = bool;

    fn of(flag: &bool) -> Self {
        Self(*flag)
    }

    fn value(self) -> bool {
        self.0
    }

    fn is_left_out(&self) -> bool {
        !self.0
    }
}

/// The rule that acted on something: the id of a tester's rule, or a word for one that pedantic mode implies.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
pub(in crate::engine::export) enum ActingRule {
    Tester(u64),
    Implied(Implied),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::engine::export) enum Implied {
    Pedantic,
}

impl Form for ActingRule {
    type Of = webhook::ActingRule;

    fn of(rule: &webhook::ActingRule) -> Self {
        match rule {
            webhook::ActingRule::Tester(id) => Self::Tester(*id),
            webhook::ActingRule::Pedantic => Self::Implied(Implied::Pedantic),
        }
    }

    fn value(self) -> webhook::ActingRule {
        match self {
            Self::Tester(id) => webhook::ActingRule::Tester(id),
            Self::Implied(Implied::Pedantic) => webhook::ActingRule::Pedantic,
        }
    }
}

form! {
    struct Match for rule::Match {
        direction: Option<Direction>,
        from: Option<Pattern>,
        to: Option<Pattern>,
        pages: Option<(u32, u32)>,
        method: Option<Box<str>>,
        path: Option<Pattern>,
        url: Option<Pattern>,
        purpose: Option<Purpose>,
    }
}

form! {
    enum RuleEffect for rule::RuleEffect {
        Outcome(outcome: Outcome),
        Line(line: LineOverride),
        Api(fault: ApiFault),
        Webhook(fault: WebhookFault),
        Media(fault: DownloadFault),
    }
}

form! {
    enum Outcome for rule::Outcome {
        Delivered,
        Received,
        Busy,
        NoAnswer,
        Failed(fault: LineFault),
    }
}

form! {
    struct LineOverride for rule::LineOverride {
        rate_bps: Option<u32>,
        noise_per_mille: Option<u16>,
    }
}

form! {
    /// What a rule does to a REST call: refuse it with a status and perhaps a code, delay it, or reset its connection.
    struct ApiFault for rule::ApiFault {
        refusal: Option<(u16, Option<u32>)>,
        delay_ms: u64,
        reset: bool,
    }
}

form! {
    struct WebhookFault for rule::WebhookFault {
        delay_ms: u64,
        duplicate: bool,
        #[serde(default)]
        late: OnlyIfTrue,
        reorder: bool,
        drop: bool,
        signature: Signature,
        #[serde(default)]
        edits: Option<Shared<RequestEdits>>,
    }
}

form! {
    struct DownloadFault for rule::DownloadFault {
        delay_ms: u64,
        bytes_per_second: Option<u32>,
        cut_after_bytes: Option<u32>,
        redirects: u32,
        status: Option<u16>,
    }
}

form! {
    struct RequestEdits for request_edits::RequestEdits {
        params: ParamEdits,
        headers: HeaderEdits,
        signed_url: Option<Box<str>>,
    }
}

form! {
    struct ParamEdits for request_edits::ParamEdits {
        set: Vec<(Box<str>, Box<str>)>,
        add: Vec<(Box<str>, Box<str>)>,
        remove: Vec<Box<str>>,
        pad: Vec<Box<str>>,
        order: ParamOrder,
    }
}

form! {
    enum ParamOrder for request_edits::ParamOrder {
        Usual,
        Reversed,
        First(names: Vec<Box<str>>),
    }
}

form! {
    struct HeaderEdits for request_edits::HeaderEdits {
        set: Vec<(Box<str>, Box<str>)>,
        remove: Vec<Box<str>>,
        lower_case: bool,
    }
}
