//! Explains why a signature doesn't match: tries the usual mistakes of apps, and pairs of them, until one yields the
//! same signature. The messages never contain a secret.

mod by_rule;
mod check;
mod variant;

pub use self::by_rule::changed_delivery;
pub use self::check::{Check, check};

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::address::normal_or_as_is;
use super::form::Form;
use super::{hmac, signature};
use crate::model::account::Dialect;
use crate::model::hex;
use crate::model::words::words;

words!(
    /// The mistake that led an app to a different signature.
    Mistake {
        /// The app signed `http` instead of `https`, or the reverse, as happens behind a proxy that terminates TLS.
        Scheme = "scheme",
        /// The app dropped, added or changed the port.
        Port = "port",
        /// The app signed another name or address of the same machine, such as `localhost` instead of `127.0.0.1`.
        Host = "host",
        /// The app dropped or added the slash at the end of the path.
        TrailingSlash = "trailing-slash",
        /// The app decoded the query or encoded it differently, or a parser rewrote the URL.
        QueryEncoding = "query-encoding",
        /// The app put the query's parameters in another order.
        QueryOrder = "query-order",
        /// The app left out the query.
        QueryDropped = "query-dropped",
        /// The app signed `+` where a space belongs, or a space where `+` belongs.
        PlusForSpace = "plus-for-space",
        /// The app decoded the body twice, or included each parameter twice.
        BodyParsedTwice = "body-parsed-twice",
        /// The app left out parameters without a value.
        BlankParams = "blank-params",
        /// The app trimmed the spaces around values.
        TrimmedParams = "trimmed-params",
        /// The app put the parameters in an order other than that of the bytes of their names.
        ParamsOrder = "params-order",
        /// The app parsed the body as JSON, or its form parser ran too late, so it signed no parameters.
        JsonBody = "json-body",
        /// The app appended the raw body instead of names and values.
        RawBody = "raw-body",
        /// The app used something other than HMAC-SHA1 in Base64.
        Digest = "digest",
        /// The app used the SWML and RELAY scheme, a hexadecimal digest of the URL and the raw body, which cXML
        /// webhooks don't use.
        RelayScheme = "relay-scheme",
        /// The header's value was changed in transit to the app.
        SignatureEncoding = "signature-encoding",
        /// The app used the wrong key: another account's, an empty key, a key that was changed, such as by white space
        /// or quotes, or the API token instead of the signing key.
        WrongToken = "wrong-token",
        /// The app used the token of the account's owner, or of one of the account's subaccounts.
        SubaccountToken = "subaccount-token",
        /// The app used an API key's secret, which never signs a webhook.
        ApiSecret = "api-secret",
        /// The app made no mistake: a rule spoiled the signature on purpose, or a rule or pedantic mode changed the
        /// request.
        ByRule = "by-rule",
        /// No known mistake yields the signature.
        Unknown = "unknown",
    }
);

/// A secret that an app may have used instead of the key.
#[derive(Clone)]
pub struct OtherSecret {
    /// The mistake to report if the app used it.
    pub mistake: Mistake,
    /// A description of the secret, such as `the secret of API key SK…`.
    pub owner: String,
    /// The secret, which never appears in a message.
    pub secret: Box<str>,
}

/// The kind of secret that an account's webhooks are signed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// A Twilio account's AuthToken.
    AuthToken,
    /// A SignalWire project's signing key.
    SigningKey,
    /// The API token of a SignalWire project that has no signing key.
    ApiToken,
}

impl KeyKind {
    /// Returns the kind of key that an account has.
    #[must_use]
    pub const fn of(dialect: Dialect, has_signing_key: bool) -> Self {
        match dialect {
            Dialect::Twilio => Self::AuthToken,
            Dialect::SignalWire if has_signing_key => Self::SigningKey,
            Dialect::SignalWire => Self::ApiToken,
        }
    }

    /// Returns the kind of key that signed a request with these parameters, based on the form of its AccountSid;
    /// without one, Twilio's.
    #[must_use]
    pub fn of_params(params: &[(String, String)]) -> Self {
        let account = params.iter().find(|(name, _)| name == "AccountSid").and_then(|(_, value)| value.parse().ok());
        // The parameters don't reveal whether a project has a signing key, so one is assumed.
        Self::of(account.map_or(Dialect::Twilio, Dialect::of), true)
    }

    /// Returns the key's name, worded to follow "the account's own".
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AuthToken => "AuthToken",
            Self::SigningKey => "signing key",
            Self::ApiToken => "API token, since it has no signing key",
        }
    }

    /// Returns the name of the header that holds the signature.
    #[must_use]
    pub const fn header(self) -> &'static str {
        self.dialect().signature_header()
    }

    /// Returns a short name for the key, as the subject of a sentence.
    const fn noun(self) -> &'static str {
        match self {
            Self::AuthToken | Self::ApiToken => "token",
            Self::SigningKey => "key",
        }
    }

    const fn dialect(self) -> Dialect {
        match self {
            Self::AuthToken => Dialect::Twilio,
            Self::SigningKey | Self::ApiToken => Dialect::SignalWire,
        }
    }

    const fn service(self) -> &'static str {
        self.dialect().service()
    }

    /// Returns the environment variable from which the one-liners read the key.
    const fn variable(self) -> &'static str {
        match self {
            Self::AuthToken => "TWILIO_AUTH_TOKEN",
            Self::SigningKey => "SIGNALWIRE_SIGNING_KEY",
            Self::ApiToken => "SIGNALWIRE_API_TOKEN",
        }
    }
}

/// The request whose signature is in question, and the secrets that may have signed it.
pub struct Question<'a> {
    /// The URL that the emulator called, as configured or as shown in the journal.
    pub url: &'a str,
    /// The parameters of the request.
    pub params: Vec<(String, String)>,
    /// The raw body; `None` if it is unknown.
    pub body: Option<&'a str>,
    /// The signature that the app computed or received.
    pub signature: &'a str,
    /// The key that signs the account's webhooks.
    pub key: &'a str,
    /// The kind of `key`.
    pub key_kind: KeyKind,
    /// Other secrets that the app may have used by mistake.
    pub others: &'a [OtherSecret],
}

/// The reason that a signature doesn't match, and the valid signature.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Explanation {
    /// The mistake, or a pair of mistakes; empty if the signature is valid.
    pub mistakes: Vec<Mistake>,
    /// The reason in words, with how to correct the app's mistake if it made one; or that the signature is valid.
    pub detail: String,
    /// The valid signature.
    pub expected: String,
    /// The string that the valid signature covers.
    pub signed: String,
}

/// A URL and parameters that an app may have signed by mistake.
struct Attempt {
    mistake: Mistake,
    /// The mistake, and how to correct it.
    detail: String,
    url: String,
    params: Vec<(String, String)>,
}

impl Attempt {
    fn description(&self, question: &Question<'_>) -> String {
        if self.params == question.params && self.url != question.url {
            return format!("the app signed {}, but {} was called: {}", self.url, question.url, self.detail);
        }
        self.detail.clone()
    }
}

impl Question<'_> {
    /// Returns the parameters in a form body. A JSON body has none.
    #[must_use]
    pub fn params_of(body: &str) -> Vec<(String, String)> {
        if is_json(body) {
            return Vec::new();
        }
        // A body that can't be parsed as a form has no parameters either.
        let form = Form::parse(body.as_bytes()).unwrap_or_default();
        form.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }
}

/// Finds the mistake, or the pair of mistakes, that yields the signature.
#[must_use]
pub fn explain(question: &Question<'_>) -> Explanation {
    let url = normal_or_as_is(question.url);
    let question = &Question { url: &url, params: question.params.clone(), ..*question };
    let expected = signature::of_form(question.key, question.url, &question.params);
    let explanation = |mistakes: Vec<Mistake>, detail: String| Explanation {
        mistakes,
        detail,
        expected: expected.clone(),
        signed: signed_text(question.url, &question.params),
    };
    if question.signature == expected {
        return explanation(
            Vec::new(),
            format!(
                "the signature is valid: it was made with this URL, these parameters and this {}",
                question.key_kind.noun()
            ),
        );
    }
    if let Some((mistake, detail)) = spoiled(question, &expected) {
        return explanation(vec![mistake], detail);
    }
    let yields =
        |url: &str, params: &[(String, String)]| signature::of_form(question.key, url, params) == question.signature;
    let (urls, forms) = (variant::of_url(question), variant::of_params(question));
    let single = urls.iter().chain(&forms).find(|attempt| yields(&attempt.url, &attempt.params));
    if let Some(attempt) = single {
        return explanation(vec![attempt.mistake], attempt.description(question));
    }
    if let Some((mistake, detail)) = raw(question).or_else(|| wrong_token(question)) {
        return explanation(vec![mistake], detail);
    }
    // Tried last, since there are far more pairs than single mistakes, and each costs a digest.
    let pair = variant::pairs(question, &urls).find(|(_, second)| yields(&second.url, &second.params));
    if let Some((first, second)) = pair {
        let detail = format!("{}; and {}", first.description(question), second.detail);
        return explanation(vec![first.mistake, second.mistake], detail);
    }
    let detail = format!(
        "none of the usual mistakes yields this value. Compare the text that your app signs with `signed`, byte by byte, and \
         the {}'s first and last characters with the account's",
        question.key_kind.noun()
    );
    explanation(vec![Mistake::Unknown], detail)
}

/// A signature that an app computes if it makes one mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    /// The mistake.
    pub mistake: Mistake,
    /// The mistake in words, and how to correct it.
    pub detail: String,
    /// The URL that is signed, if it isn't the right one.
    pub url: Option<String>,
    /// The signature that the mistake yields.
    pub signature: String,
}

/// Returns the signatures that the usual mistakes with the URL and the parameters yield, each once.
#[must_use]
pub fn variants(question: &Question<'_>) -> Vec<Variant> {
    let url = normal_or_as_is(question.url);
    let question = &Question { url: &url, params: question.params.clone(), ..*question };
    let mut seen = BTreeSet::from([signature::of_form(question.key, question.url, &question.params)]);
    let attempts = variant::of_url(question).into_iter().chain(variant::of_params(question));
    let signed = attempts.map(|attempt| Variant {
        mistake: attempt.mistake,
        signature: signature::of_form(question.key, &attempt.url, &attempt.params),
        // If the parameters are in another order, the attempt's URL has them appended, so it isn't shown.
        url: (attempt.url != question.url && attempt.mistake != Mistake::ParamsOrder).then_some(attempt.url),
        detail: attempt.detail,
    });
    signed.filter(|variant| seen.insert(variant.signature.clone())).collect()
}

/// Returns the signature that an app computes for a URL, exactly as it is written, with the right parameters and key.
#[must_use]
pub fn signature_of(url: &str, question: &Question<'_>) -> String {
    signature::of_form(question.key, url, &question.params)
}

impl Explanation {
    /// Describes how the URL that an app checked differs from the one that was called, if no known mistake explains it.
    #[must_use]
    pub fn of_checked_url(self, checked: &str, called: &str) -> Self {
        if self.mistakes != [Mistake::Unknown] {
            return self;
        }
        let same = checked.chars().zip(called.chars()).take_while(|(one, other)| one == other).count();
        let detail = format!(
            "the app checked {checked}, but {called} was called: they differ from character {} on. Sign the URL exactly \
             as it was called",
            same + 1
        );
        Self { detail, ..self }
    }
}

/// Returns the string that a signature covers.
fn signed_text(url: &str, params: &[(String, String)]) -> String {
    signature::signed_parts(url, params).collect()
}

/// Recognises a signature with the right input and key but a different digest or encoding.
fn spoiled(question: &Question<'_>, expected: &str) -> Option<(Mistake, String)> {
    let (given, service) = (question.signature, question.key_kind.service());
    let text = signed_text(question.url, &question.params);
    let key = question.key.as_bytes();
    // Hexadecimal digits may be written in either case.
    if given.eq_ignore_ascii_case(&hex::encode(hmac::sha1(key, [text.as_str()]))) {
        let detail = format!("the digest is written in hexadecimal; {service}'s header has it in Base64");
        return Some((Mistake::Digest, detail));
    }
    let sha256 = hmac::sha256(key, [text.as_str()]);
    if given == STANDARD.encode(sha256) || given.eq_ignore_ascii_case(&hex::encode(sha256)) {
        let detail = format!("the digest is HMAC-SHA256; {service} signs with HMAC-SHA1, in Base64");
        return Some((Mistake::Digest, detail));
    }
    // A pair with an empty name is encoded as `=` and the value, so the `=` is removed below.
    let encoded = super::form::encode(&[("", expected)]);
    // One value with the plus signs decoded as spaces, and one with the padding cut off.
    let changed = [expected.replace('+', " "), expected.trim_end_matches('=').to_owned()];
    let url_safe = expected.replace('+', "-").replace('/', "_");
    if given != expected
        && (changed.iter().any(|other| other == given)
            || given == encoded.trim_start_matches('=')
            || given == url_safe
            || given.trim() == expected
            || given.trim_matches('"') == expected)
    {
        let detail = "it is the valid value, changed in transit: URL-encoded or decoded, truncated, or quoted. Compare \
                      the header as it was received";
        return Some((Mistake::SignatureEncoding, detail.to_owned()));
    }
    None
}

/// Recognises a signature of the URL with the raw body appended.
fn raw(question: &Question<'_>) -> Option<(Mistake, String)> {
    let form = super::form::encode(&question.params);
    // The raw body may be unknown; it was then probably the parameters as a form.
    let bodies = [question.body.unwrap_or_default(), form.as_str()];
    let key = question.key.as_bytes();
    let is_hex_of = |body: &&str| {
        let given = question.signature;
        given.eq_ignore_ascii_case(&hex::encode(hmac::sha1(key, [question.url, body])))
            || given.eq_ignore_ascii_case(&hex::encode(hmac::sha256(key, [question.url, body])))
    };
    if bodies.iter().any(is_hex_of) {
        let detail = format!(
            "the digest is the hexadecimal HMAC of the URL and the raw body, as SignalWire signs its webhooks of SWML and RELAY; \
             {} holds the Base64 of the HMAC-SHA1 of the URL and the sorted parameters",
            question.key_kind.header()
        );
        return Some((Mistake::RelayScheme, detail));
    }
    let yields =
        |body: &&str| !body.is_empty() && STANDARD.encode(hmac::sha1(key, [question.url, body])) == question.signature;
    bodies.iter().any(yields).then(|| {
        let detail = "the raw body was appended to the URL; append each parameter's name and decoded value, \
                      sorted by name, with no separators";
        (Mistake::RawBody, detail.to_owned())
    })
}

fn wrong_token(question: &Question<'_>) -> Option<(Mistake, String)> {
    let yields = |secret: &str| signature::of_form(secret, question.url, &question.params) == question.signature;
    let own = question.key;
    let slips = [
        (String::new(), "was empty: is the variable that should hold it set?"),
        (format!("{own}\n"), "ended with a newline: trim it after reading it from a file"),
        (format!("{own} "), "had a space at its end"),
        (format!("\"{own}\""), "was in quotes"),
        (own.to_ascii_uppercase(), "was in upper case"),
    ];
    if let Some((_, detail)) = slips.iter().find(|(secret, _)| secret != own && yields(secret)) {
        return Some((Mistake::WrongToken, format!("the {} {detail}", question.key_kind.noun())));
    }
    let other = question.others.iter().find(|other| *other.secret != *own && yields(&other.secret))?;
    let name = question.key_kind.name();
    let detail = format!("it was made with {}; webhooks are signed with the account's own {name}", other.owner);
    Some((other.mistake, detail))
}

fn is_json(body: &str) -> bool {
    body.trim_start().starts_with(['{', '['])
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
