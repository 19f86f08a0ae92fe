//! Why a signature doesn't match: the usual mistakes of webhook apps, each tried until one yields the value in question.
//! It sends nothing, and tells no secret.

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
    /// What an app did to arrive at another signature.
    Mistake {
        /// `http` for `https`, or the other way round, as behind a proxy that ends TLS.
        Scheme = "scheme",
        /// A port dropped or added.
        Port = "port",
        /// `localhost` for `127.0.0.1`, or the other way round.
        Host = "host",
        /// A slash at the end of the path dropped or added.
        TrailingSlash = "trailing-slash",
        /// The query decoded, or encoded again in another way.
        QueryEncoding = "query-encoding",
        /// The query's parameters in another order.
        QueryOrder = "query-order",
        /// The query left out.
        QueryDropped = "query-dropped",
        /// `+` where a space belongs, or a space where `+` belongs.
        PlusForSpace = "plus-for-space",
        /// The body decoded twice, or each parameter taken twice.
        BodyParsedTwice = "body-parsed-twice",
        /// Parameters without a value left out.
        BlankParams = "blank-params",
        /// Values without the spaces around them.
        TrimmedParams = "trimmed-params",
        /// The parameters in another order than that of their names' bytes.
        ParamsOrder = "params-order",
        /// The body not read as a form: by a JSON parser, or by one that came too late.
        JsonBody = "json-body",
        /// The body appended as it came, instead of names and values.
        RawBody = "raw-body",
        /// Another digest than HMAC-SHA1 in Base64.
        Digest = "digest",
        /// The header's value changed on its way.
        SignatureEncoding = "signature-encoding",
        /// Another token: of another account, empty, or with white space.
        WrongToken = "wrong-token",
        /// The token of another account of the same owner.
        SubaccountToken = "subaccount-token",
        /// The secret of an API key; only the AuthToken signs.
        ApiSecret = "api-secret",
        /// None of these.
        Unknown = "unknown",
    }
);

/// A secret that an app may have taken for the AuthToken.
#[derive(Clone)]
pub struct OtherSecret {
    /// What taking it means.
    pub mistake: Mistake,
    /// Whose it is, for a person.
    pub owner: String,
    /// The secret.
    pub secret: Box<str>,
}

/// What is asked.
pub struct Question<'a> {
    /// The URL that the emulator called, as it is configured or as in the journal.
    pub url: &'a str,
    /// The parameters it sent.
    pub params: Vec<(String, String)>,
    /// The body as text, where it is no form.
    pub body: Option<&'a str>,
    /// The value that the app computed, or that it received.
    pub signature: &'a str,
    /// The account's token.
    pub auth_token: &'a str,
    /// Secrets that may have been confused with it.
    pub others: &'a [OtherSecret],
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The mistake, and a second one where it takes two; none where the signature is valid.
    pub mistakes: Vec<Mistake>,
    /// What was done and how to mend it.
    pub detail: String,
    /// The valid signature.
    pub expected: String,
    /// The text that is signed.
    pub signed: String,
}

/// A text that an app may have signed instead.
struct Attempt {
    mistake: Mistake,
    /// What was done, and how to mend it.
    detail: String,
    url: String,
    params: Vec<(String, String)>,
}

impl Attempt {
    fn told(&self, question: &Question<'_>) -> String {
        if self.params == question.params && self.url != question.url {
            return format!("the app signed {} where {} was called: {}", self.url, question.url, self.detail);
        }
        self.detail.clone()
    }
}

impl Question<'_> {
    /// Reads a body as the parameters of a form; one of JSON has none.
    #[must_use]
    pub fn params_of(body: &str) -> Vec<(String, String)> {
        if is_json(body) {
            return Vec::new();
        }
        let form = Form::parse(body.as_bytes()).unwrap_or_default();
        form.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }
}

/// Finds the mistake that yields the signature.
#[must_use]
pub fn explain(question: &Question<'_>) -> Explanation {
    let url = normal_or_as_is(question.url);
    let question = &Question { url: &url, params: question.params.clone(), ..*question };
    let expected = signature::of_form(question.auth_token, question.url, &question.params);
    let told = |mistakes: Vec<Mistake>, detail: String| Explanation {
        mistakes,
        detail,
        expected: expected.clone(),
        signed: signed_text(question.url, &question.params),
    };
    if question.signature == expected {
        return told(
            Vec::new(),
            "the signature is valid: it was made with this URL, these parameters and this token".to_owned(),
        );
    }
    if let Some((mistake, detail)) = spoiled(question, &expected) {
        return told(vec![mistake], detail);
    }
    let yields = |url: &str, params: &[(String, String)]| {
        signature::of_form(question.auth_token, url, params) == question.signature
    };
    let (urls, forms) = (variant::of_url(question), variant::of_params(question));
    let single = urls.iter().chain(&forms).find(|attempt| yields(&attempt.url, &attempt.params));
    if let Some(attempt) = single {
        return told(vec![attempt.mistake], attempt.told(question));
    }
    if let Some((mistake, detail)) = raw(question).or_else(|| wrong_token(question)) {
        return told(vec![mistake], detail);
    }
    let pair = variant::pairs(question, &urls).find(|(_, second)| yields(&second.url, &second.params));
    if let Some((first, second)) = pair {
        let detail = format!("{}; and {}", first.told(question), second.detail);
        return told(vec![first.mistake, second.mistake], detail);
    }
    let detail = "none of the usual mistakes yields this value. Compare the text that your app signs with `signed`, \
                  byte by byte, and the token's first and last characters with the account's";
    told(vec![Mistake::Unknown], detail.to_owned())
}

/// The text that Twilio signs.
fn signed_text(url: &str, params: &[(String, String)]) -> String {
    signature::signed_parts(url, params).collect()
}

/// The right text under the right key, but written in another way.
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
    let changed = [expected.replace('+', " "), expected.trim_end_matches('=').to_owned()];
    let url_safe = expected.replace('+', "-").replace('/', "_");
    if given != expected
        && (changed.iter().any(|other| other == given)
            || given == encoded.trim_start_matches('=')
            || given == url_safe
            || given.trim() == expected
            || given.trim_matches('"') == expected)
    {
        let detail = "it is the valid value, changed on its way: URL-encoded or decoded, cut, or in quotes. Compare the \
                      header as it came";
        return Some((Mistake::SignatureEncoding, detail.to_owned()));
    }
    None
}

/// The body appended as it came.
fn raw(question: &Question<'_>) -> Option<(Mistake, String)> {
    let form = super::form::encode(&question.params);
    let bodies = [question.body.unwrap_or_default(), form.as_str()];
    let yields = |body: &&str| {
        let signature = || STANDARD.encode(hmac::sha1(question.auth_token.as_bytes(), [question.url, body]));
        !body.is_empty() && signature() == question.signature
    };
    bodies.iter().any(yields).then(|| {
        let detail = "the body was appended to the URL as it came; append each parameter's name and decoded value, in \
                      order of the names, with nothing between";
        (Mistake::RawBody, detail.to_owned())
    })
}

fn wrong_token(question: &Question<'_>) -> Option<(Mistake, String)> {
    let yields = |secret: &str| signature::of_form(secret, question.url, &question.params) == question.signature;
    let own = question.auth_token;
    let slips = [
        (String::new(), "the token was empty: is the variable that should hold it set?"),
        (format!("{own}\n"), "the token had a line end: trim what is read from a file"),
        (format!("{own} "), "the token had a space at its end"),
        (format!("\"{own}\""), "the token was in quotes"),
        (own.to_ascii_uppercase(), "the token was in capitals"),
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
