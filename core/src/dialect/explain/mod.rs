//! Explains why a signature doesn't match: tries the common mistakes of webhook apps until one yields the value in
//! question. Its texts never contain a secret.

mod check;
mod variant;

pub use self::check::{Check, check};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::address::normal_or_as_is;
use super::form::Form;
use super::{hmac, signature};
use crate::model::hex;
use crate::model::words::words;

words!(
    /// The mistake that led an app to a different signature.
    Mistake {
        /// It signed `http` for `https` or the reverse, as happens behind a proxy that terminates TLS.
        Scheme = "scheme",
        /// It dropped or added the port.
        Port = "port",
        /// It signed `localhost` for `127.0.0.1` or the reverse.
        Host = "host",
        /// It dropped or added the slash at the end of the path.
        TrailingSlash = "trailing-slash",
        /// It decoded the query, or re-encoded it differently.
        QueryEncoding = "query-encoding",
        /// It put the query's parameters in another order.
        QueryOrder = "query-order",
        /// It left out the query.
        QueryDropped = "query-dropped",
        /// It signed `+` where a space belongs, or a space where `+` belongs.
        PlusForSpace = "plus-for-space",
        /// It decoded the body twice, or took each parameter twice.
        BodyParsedTwice = "body-parsed-twice",
        /// It left out parameters without a value.
        BlankParams = "blank-params",
        /// It trimmed the spaces around values.
        TrimmedParams = "trimmed-params",
        /// It sorted the parameters in an order other than by the bytes of their names.
        ParamsOrder = "params-order",
        /// It parsed the body as JSON, or its form parser ran too late, so it signed no parameters.
        JsonBody = "json-body",
        /// It appended the raw body instead of names and values.
        RawBody = "raw-body",
        /// It used something other than HMAC-SHA1 in Base64.
        Digest = "digest",
        /// The header's value was changed in transit to the app.
        SignatureEncoding = "signature-encoding",
        /// It used another token: that of another account, an empty one, or one with white space.
        WrongToken = "wrong-token",
        /// It used the token of another account of the same owner.
        SubaccountToken = "subaccount-token",
        /// It used the secret of an API key; only the AuthToken signs.
        ApiSecret = "api-secret",
        /// No mistake known here yields the signature.
        Unknown = "unknown",
    }
);

/// A secret that an app may have used instead of the AuthToken.
#[derive(Clone)]
pub struct OtherSecret {
    /// The mistake to report if it was used.
    pub mistake: Mistake,
    /// Its owner, described for people.
    pub owner: String,
    /// The secret, which never appears in a message.
    pub secret: Box<str>,
}

/// The request whose signature is in question, and the secrets that it may have been signed with.
pub struct Question<'a> {
    /// The URL that the emulator called, as configured or as the journal shows it.
    pub url: &'a str,
    /// The parameters of the request.
    pub params: Vec<(String, String)>,
    /// The body as text, if it is not a form.
    pub body: Option<&'a str>,
    /// The signature that the app computed or received.
    pub signature: &'a str,
    /// The account's AuthToken.
    pub auth_token: &'a str,
    /// Other secrets that the app may have used by mistake.
    pub others: &'a [OtherSecret],
}

/// Why a signature doesn't match, and what the valid one is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Explanation {
    /// The mistake, or two made together; empty if the signature is valid.
    pub mistakes: Vec<Mistake>,
    /// What the app did, and how to correct it.
    pub detail: String,
    /// The valid signature.
    pub expected: String,
    /// The text that the valid signature is computed from.
    pub signed: String,
}

/// A URL and parameters that an app may have signed by mistake.
struct Attempt {
    mistake: Mistake,
    /// What the app did, and how to correct it.
    detail: String,
    url: String,
    params: Vec<(String, String)>,
}

impl Attempt {
    fn description(&self, question: &Question<'_>) -> String {
        if self.params == question.params && self.url != question.url {
            return format!("the app signed {} where {} was called: {}", self.url, question.url, self.detail);
        }
        self.detail.clone()
    }
}

impl Question<'_> {
    /// Parses a body into form parameters; a JSON body has none.
    #[must_use]
    pub fn params_of(body: &str) -> Vec<(String, String)> {
        if is_json(body) {
            return Vec::new();
        }
        let form = Form::parse(body.as_bytes()).unwrap_or_default();
        form.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }
}

/// Finds the mistake that yields the signature, or two that do so together.
#[must_use]
pub fn explain(question: &Question<'_>) -> Explanation {
    let url = normal_or_as_is(question.url);
    let question = &Question { url: &url, params: question.params.clone(), ..*question };
    let expected = signature::of_form(question.auth_token, question.url, &question.params);
    let explanation = |mistakes: Vec<Mistake>, detail: String| Explanation {
        mistakes,
        detail,
        expected: expected.clone(),
        signed: signed_text(question.url, &question.params),
    };
    if question.signature == expected {
        return explanation(
            Vec::new(),
            "the signature is valid: it was made with this URL, these parameters and this token".to_owned(),
        );
    }
    if let Some((mistake, detail)) = spoiled(question, &expected) {
        return explanation(vec![mistake], detail);
    }
    let yields = |url: &str, params: &[(String, String)]| {
        signature::of_form(question.auth_token, url, params) == question.signature
    };
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
    let detail = "none of the usual mistakes yields this value. Compare the text that your app signs with `signed`, \
                  byte by byte, and the token's first and last characters with the account's";
    explanation(vec![Mistake::Unknown], detail.to_owned())
}

/// Returns the text that Twilio signs.
fn signed_text(url: &str, params: &[(String, String)]) -> String {
    signature::signed_parts(url, params).collect()
}

/// Recognizes a signature of the right text and key with a different digest or encoding.
fn spoiled(question: &Question<'_>, expected: &str) -> Option<(Mistake, String)> {
    let given = question.signature;
    let text = signed_text(question.url, &question.params);
    let key = question.auth_token.as_bytes();
    if given.eq_ignore_ascii_case(&hex::encode(hmac::sha1(key, [text.as_str()]))) {
        let detail = "the digest is written in hexadecimal; Twilio's header has it in Base64";
        return Some((Mistake::Digest, detail.to_owned()));
    }
    let sha256 = hmac::sha256(key, [text.as_str()]);
    if given == STANDARD.encode(sha256) || given.eq_ignore_ascii_case(&hex::encode(sha256)) {
        let detail = "the digest is HMAC-SHA256; Twilio signs with HMAC-SHA1, in Base64";
        return Some((Mistake::Digest, detail.to_owned()));
    }
    let encoded = super::form::encode(&[("", expected)]);
    // The plus signs decoded as spaces, and the padding cut off.
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

/// Recognizes a signature of the URL with the raw body appended.
fn raw(question: &Question<'_>) -> Option<(Mistake, String)> {
    let form = super::form::encode(&question.params);
    // If the raw body is unknown, it was probably the parameters as a form.
    let bodies = [question.body.unwrap_or_default(), form.as_str()];
    let yields = |body: &&str| {
        let signature = || STANDARD.encode(hmac::sha1(question.auth_token.as_bytes(), [question.url, body]));
        !body.is_empty() && signature() == question.signature
    };
    bodies.iter().any(yields).then(|| {
        let detail = "the raw body was appended to the URL; append each parameter's name and decoded value, \
                      sorted by name, with no separators";
        (Mistake::RawBody, detail.to_owned())
    })
}

fn wrong_token(question: &Question<'_>) -> Option<(Mistake, String)> {
    let yields = |secret: &str| signature::of_form(secret, question.url, &question.params) == question.signature;
    let own = question.auth_token;
    let slips = [
        (String::new(), "the token was empty: is the variable that should hold it set?"),
        (format!("{own}\n"), "the token ended with a newline: trim it after reading it from a file"),
        (format!("{own} "), "the token had a space at its end"),
        (format!("\"{own}\""), "the token was in quotes"),
        (own.to_ascii_uppercase(), "the token was in upper case"),
    ];
    if let Some((_, detail)) = slips.iter().find(|(secret, _)| secret != own && yields(secret)) {
        return Some((Mistake::WrongToken, (*detail).to_owned()));
    }
    let other = question.others.iter().find(|other| *other.secret != *own && yields(&other.secret))?;
    let detail = format!("it was made with {}; webhooks are signed with the account's own AuthToken", other.owner);
    Some((other.mistake, detail))
}

fn is_json(body: &str) -> bool {
    body.trim_start().starts_with(['{', '['])
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
