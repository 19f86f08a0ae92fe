//! A rule as JSON: its fields with their types and limits. Reading, writing and the schema all use these types. Whether
//! the fields fit together is only checked when a document becomes a rule.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::pairs::{OrderDocument, Pairs};
use crate::engine::rule::Pattern;
use crate::engine::rule::check::{
    API_CODE_MAX, API_DELAY_MS_MAX, API_STATUS_MAX, API_STATUS_MIN, COUNT_MAX, MEDIA_CUT_MAX, MEDIA_DELAY_MS_MAX,
    MEDIA_RATE_MAX, MEDIA_RATE_MIN, MEDIA_REDIRECTS_MAX, PAGES_MAX, WEBHOOK_DELAY_MS_MAX, fraction, is_fraction,
    whole_number,
};
use crate::model::line::{RATE_BPS_MAX, RATE_BPS_MIN};

/// A string that is checked only when the document becomes a rule. If only certain words are valid, the schema lists
/// them.
type Word = Box<str>;

/// Defines structs whose fields are all optional, in JSON and in the schema.
macro_rules! fields {
    ($($(#[$meta:meta])* $vis:vis $name:ident $schema:literal { $($(#[$field_meta:meta])* $field:ident: $type:ty,)+ })+) => { $(
        #[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = $schema))]
        $(#[$meta])*
        #[serde(deny_unknown_fields, expecting = "an object")]
        $vis struct $name {
            $($(#[$field_meta])* #[serde(default, skip_serializing_if = "Option::is_none")] pub(super) $field: Option<$type>,)+
        }
    )+ };
}

fields! {
    /// A rule: what it matches, and its single effect.
    pub RuleDocument "Rule" {
        /// The calls, webhooks, REST calls or downloads to act on; every given field must match. Everything by default.
        #[serde(rename = "match")]
        matches: MatchDocument,
        /// Number of matches to let pass before the rule acts; 0 by default.
        after: Integer<0, COUNT_MAX>,
        /// Number of times that the rule acts; unlimited by default.
        times: Integer<1, COUNT_MAX>,
        /// Probability that the rule acts on a match, drawn from the world's seed; 1 by default.
        chance: Fraction<false>,
        /// Whether the rule is active; true by default. A disabled rule counts no matches and leaves them to later
        /// rules.
        enabled: bool,
        /// Effect: the outcome of a call.
        outcome: OutcomeDocument,
        /// Effect: the quality of the line.
        line: LineDocument,
        /// Effect: the response to a REST call.
        api: ApiDocument,
        /// Effect: how a request to an app is sent.
        webhook: WebhookDocument,
        /// Effect: how a fax's media are served to the app.
        media: MediaDocument,
    }

    /// The calls, webhooks, REST calls or downloads that a rule acts on. In patterns, each asterisk matches any number
    /// of characters, including none.
    pub(super) MatchDocument "RuleMatch" {
        /// Direction of the fax, `inbound` or `outbound`.
        #[cfg_attr(feature = "schema", schemars(schema_with = "words::direction"))]
        direction: Word,
        /// Pattern of the sender's address.
        #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
        from: Pattern,
        /// Pattern of the receiver's address, such as `+1555*`.
        #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
        to: Pattern,
        /// Number of pages of the fax, or a range.
        pages: PagesDocument,
        /// HTTP method of a REST call or download.
        #[cfg_attr(feature = "schema", schemars(schema_with = "words::method"))]
        method: Word,
        /// Pattern of the path of a REST call or download without its query, such as `/v1/Faxes*`.
        #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
        path: Pattern,
        /// Pattern of a webhook's URL.
        #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
        url: Pattern,
        /// Purpose of a webhook: `fax-url`, `fallback-url`, `action` or `status-callback`.
        #[cfg_attr(feature = "schema", schemars(schema_with = "words::purpose"))]
        purpose: Word,
    }

    /// A range of page counts, inclusive; either end may be open.
    pub(super) PagesRange "RulePagesRange" {
        min: Integer<1, PAGES_MAX>,
        max: Integer<1, PAGES_MAX>,
    }

    /// The outcome of a call.
    #[cfg_attr(feature = "schema", schemars(extend("required" = ["status"])))]
    pub(super) OutcomeDocument "RuleOutcome" {
        #[cfg_attr(feature = "schema", schemars(schema_with = "words::status"))]
        status: Word,
        /// Error code of a failed transmission; 34004 by default, which is the only code for SignalWire accounts.
        #[cfg_attr(feature = "schema", schemars(schema_with = "words::fault_code"))]
        code: u32,
        /// Number of pages that get through before a transmission fails; 0 by default.
        after_pages: Integer<0, PAGES_MAX>,
        /// Text of a failed transmission, such as `The HDLC carrier did not stop in a timely manner`; 200 characters at
        /// most. It appears as `ErrorMessage` in webhooks and as `error_message` in SignalWire's Fax resource.
        #[cfg_attr(feature = "schema", schemars(schema_with = "words::message"))]
        message: Word,
    }

    /// The quality of the line.
    pub(super) LineDocument "RuleLine" {
        /// Speed in bits per second.
        rate_bps: Integer<RATE_BPS_MIN, RATE_BPS_MAX>,
        /// Fraction of all rows that arrive damaged, from 0 to 1.
        noise: Fraction<true>,
    }

    /// The response to a REST call.
    pub(super) ApiDocument "RuleApi" {
        /// HTTP status to refuse the call with.
        status: Integer<API_STATUS_MIN, API_STATUS_MAX>,
        /// Error code to refuse the call with; by default, the usual one for the status.
        code: Integer<1, API_CODE_MAX>,
        /// Milliseconds of real time to wait before the response.
        delay_ms: Integer<0, API_DELAY_MS_MAX>,
        /// Whether to reset the connection instead of responding.
        reset: bool,
    }

    /// How a request to an app is sent.
    pub(super) WebhookDocument "RuleWebhook" {
        /// Milliseconds to wait before the request, by the world's clock.
        delay_ms: Integer<0, WEBHOOK_DELAY_MS_MAX>,
        /// Whether to send the request twice, with the same idempotency token.
        duplicate: bool,
        /// With `duplicate`: whether the second request comes only after the fax's next callback. A request for TwiML
        /// is repeated at once.
        late: bool,
        /// Whether to send a callback after the fax's next one. It has no effect on a request for TwiML.
        reorder: bool,
        /// Whether to drop the request instead of sending it.
        drop: bool,
        /// Invalid signature: `bad` (made with a different secret), `missing`, `stale` (that of an earlier status),
        /// `other-token` (made with a token that could be another account's), or `tampered` (a parameter is changed
        /// after signing).
        #[cfg_attr(feature = "schema", schemars(schema_with = "words::signature"))]
        signature: Word,
        /// Changes to the parameters, made before signing.
        params: ParamsDocument,
        /// Changes to the headers.
        headers: HeadersDocument,
        /// URL that is signed instead of the one that is requested, such as the public one of an app behind a reverse
        /// proxy.
        signed_url: Word,
    }

    /// Changes to a webhook's parameters. They are made in the order of the fields, before the request is signed.
    pub(super) ParamsDocument "RuleParams" {
        /// Names of parameters to remove.
        remove: Box<[Box<str>]>,
        /// Parameters to replace or, if the request doesn't have them, to append.
        set: Pairs,
        /// Parameters to append, even if the request already has one with the same name.
        add: Pairs,
        /// Names of parameters whose values get a space at both ends.
        pad: Box<[Box<str>]>,
        /// Order in which the parameters are sent.
        order: OrderDocument,
    }

    /// Changes to a webhook's headers.
    pub(super) HeadersDocument "RuleHeaders" {
        /// Headers to replace or, if the request doesn't have them, to add.
        set: Pairs,
        /// Names of headers to remove.
        remove: Box<[Box<str>]>,
        /// Whether to send all header names in lower case.
        lower_case: bool,
    }

    /// How a fax's media are served to the app.
    pub(super) MediaDocument "RuleMedia" {
        /// Milliseconds of real time to wait before the response.
        delay_ms: Integer<0, MEDIA_DELAY_MS_MAX>,
        /// Speed of the download.
        bytes_per_second: Integer<MEDIA_RATE_MIN, MEDIA_RATE_MAX>,
        /// Number of bytes after which the connection is closed, although `Content-Length` announces the whole
        /// document.
        cut_after_bytes: Integer<0, MEDIA_CUT_MAX>,
        /// Number of redirects (302) that lead to the document.
        redirects: Integer<0, MEDIA_REDIRECTS_MAX>,
        /// HTTP status to refuse the download with.
        status: Integer<API_STATUS_MIN, API_STATUS_MAX>,
    }
}

/// A number of pages, or a range.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "RulePages"))]
#[serde(untagged)]
pub(super) enum PagesDocument {
    /// Exactly this many pages.
    Exactly(Integer<1, PAGES_MAX>),
    /// Any number of pages within the range.
    Range(PagesRange),
}

impl<'de> Deserialize<'de> for PagesDocument {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = PagesDocument;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}, or an object with min and max", whole_number(1, PAGES_MAX))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<PagesDocument, E> {
                Integer::checked(number, &self).map(PagesDocument::Exactly)
            }

            fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<PagesDocument, A::Error> {
                PagesRange::deserialize(MapAccessDeserializer::new(members)).map(PagesDocument::Range)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// A whole number from `MIN` to `MAX`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(transparent)]
pub(super) struct Integer<const MIN: u32, const MAX: u32>(pub(super) u32);

impl<const MIN: u32, const MAX: u32> Integer<MIN, MAX> {
    fn checked<E: Error>(number: u64, expected: &dyn serde::de::Expected) -> Result<Self, E> {
        let within = u32::try_from(number).ok().filter(|number| (MIN..=MAX).contains(number));
        within.map(Self).ok_or_else(|| E::invalid_value(Unexpected::Unsigned(number), expected))
    }
}

impl<'de, const MIN: u32, const MAX: u32> Deserialize<'de> for Integer<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Within<T>(PhantomData<T>);
        impl<const MIN: u32, const MAX: u32> Visitor<'_> for Within<Integer<MIN, MAX>> {
            type Value = Integer<MIN, MAX>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&whole_number(MIN, MAX))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
                Integer::checked(number, &self)
            }
        }
        deserializer.deserialize_u32(Within::<Self>(PhantomData))
    }
}

/// A number from 0 to 1; zero itself is valid only if `MAY_BE_ZERO`.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
#[serde(transparent)]
pub(super) struct Fraction<const MAY_BE_ZERO: bool>(pub(super) f64);

impl<'de, const MAY_BE_ZERO: bool> Deserialize<'de> for Fraction<MAY_BE_ZERO> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = f64::deserialize(deserializer)?;
        let wanted = fraction(MAY_BE_ZERO);
        let is_good = is_fraction(number, MAY_BE_ZERO);
        is_good.then_some(Self(number)).ok_or_else(|| D::Error::custom(format_args!("must be {wanted}, not {number}")))
    }
}

/// The schemas that can't be derived from the types of the fields.
#[cfg(feature = "schema")]
mod words {
    use std::borrow::Cow;

    use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

    use super::super::OUTCOMES;
    use super::{Fraction, Integer};
    use crate::dialect::twilio::codes;
    use crate::engine::rule::check::{MESSAGE_CHARS_MAX, METHODS, PURPOSES};
    use crate::model::fax::{Direction, Status};
    use crate::model::webhook::{Purpose, Signature};

    impl<const MIN: u32, const MAX: u32> JsonSchema for Integer<MIN, MAX> {
        fn inline_schema() -> bool {
            true
        }

        fn schema_name() -> Cow<'static, str> {
            format!("WholeNumberFrom{MIN}To{MAX}").into()
        }

        fn json_schema(_: &mut SchemaGenerator) -> Schema {
            json_schema!({ "type": "integer", "minimum": MIN, "maximum": MAX })
        }
    }

    impl<const MAY_BE_ZERO: bool> JsonSchema for Fraction<MAY_BE_ZERO> {
        fn inline_schema() -> bool {
            true
        }

        fn schema_name() -> Cow<'static, str> {
            if MAY_BE_ZERO { "Fraction" } else { "FractionAboveZero" }.into()
        }

        fn json_schema(_: &mut SchemaGenerator) -> Schema {
            let least = if MAY_BE_ZERO { "minimum" } else { "exclusiveMinimum" };
            json_schema!({ "type": "number", least: 0, "maximum": 1 })
        }
    }

    fn one_of<T: Copy>(all: &[T], word: fn(T) -> &'static str) -> Schema {
        let words: Vec<_> = all.iter().map(|each| word(*each)).collect();
        json_schema!({ "enum": words })
    }

    pub(super) fn direction(_: &mut SchemaGenerator) -> Schema {
        one_of(Direction::ALL, Direction::as_str)
    }

    pub(super) fn method(_: &mut SchemaGenerator) -> Schema {
        one_of(&METHODS, |method| method)
    }

    pub(super) fn purpose(_: &mut SchemaGenerator) -> Schema {
        one_of(&PURPOSES, Purpose::as_str)
    }

    pub(super) fn status(_: &mut SchemaGenerator) -> Schema {
        one_of(&OUTCOMES, Status::as_str)
    }

    pub(super) fn fault_code(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "enum": [codes::TRANSMISSION, codes::INCOMPATIBLE] })
    }

    pub(super) fn message(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "minLength": 1, "maxLength": MESSAGE_CHARS_MAX })
    }

    pub(super) fn signature(_: &mut SchemaGenerator) -> Schema {
        one_of(Signature::ALL, Signature::as_str)
    }
}
