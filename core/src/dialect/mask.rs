//! Masks secrets in texts that are shown: passwords in URLs, and tokens in a request's query.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::form::{self, Form};

/// The text shown in place of a secret.
pub const MASK: &str = "***";
/// Endings of the names of secret query parameters, in lower case and without punctuation.
const SECRET_ENDS: [&str; 13] = [
    "token",
    "secret",
    "password",
    "passwd",
    "pwd",
    "apikey",
    "secretkey",
    "privatekey",
    "signingkey",
    "jwt",
    "bearer",
    "credential",
    "credentials",
];
/// Whole names of secret parameters; longer names with the same ending are not secret.
const SECRET_WORDS: [&str; 5] = ["auth", "key", "sig", "signature", "xamzsignature"];
/// Names that end like a secret's but aren't secret.
const NO_SECRETS: [&str; 1] = ["pagetoken"];

/// Masks the password of each URL in a text.
#[must_use]
pub fn passwords(text: &str) -> Cow<'_, str> {
    // The common case copies nothing.
    if !text.contains("://") || !text.contains('@') {
        return Cow::Borrowed(text);
    }
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + "://".len());
        masked.push_str(before);
        let is_end = |c: char| matches!(c, '/' | '?' | '#' | '\\' | '"' | '\'' | '<' | '>') || c.is_whitespace();
        let end = after.find(is_end).unwrap_or(after.len());
        let authority = &after[..end];
        rest = after;
        // The last @ ends the password: an unencoded one within it must not leave a part unmasked.
        if let Some((userinfo, _)) = authority.rsplit_once('@') {
            if let Some((user, _)) = userinfo.split_once(':') {
                masked.push_str(user);
                masked.push(':');
                masked.push_str(MASK);
            } else {
                masked.push_str(userinfo);
            }
            rest = &after[userinfo.len()..];
        }
    }
    masked.push_str(rest);
    Cow::Owned(masked)
}

/// Masks the secrets of a request's target: query parameters with a secret's name, and passwords of URLs.
#[must_use]
pub fn target(target: &str) -> Cow<'_, str> {
    let target_without_passwords = passwords(target);
    let Some((path, query)) = target.split_once('?') else { return target_without_passwords };
    let Ok(read) = Form::parse(query.as_bytes()) else {
        // What is not UTF-8 is no form, but its parts may hold secrets all the same.
        let shown: Vec<Cow<'_, str>> = query.split('&').map(part).collect();
        return Cow::Owned(format!("{path}?{}", shown.join("&")));
    };
    let is_secret = |(name, value): (&str, &str)| is_secret_name(name) || passwords(value) != value;
    // Encoding again would change how the client wrote the query, so it is done only if something must be masked.
    if !read.iter().any(is_secret) {
        return target_without_passwords;
    }
    let shown = |(name, value): (&str, &str)| {
        let value =
            if is_secret_name(name) && !value.is_empty() { MASK.to_owned() } else { passwords(value).into_owned() };
        (name.to_owned(), value)
    };
    let pairs: Vec<(String, String)> = read.iter().map(shown).collect();
    Cow::Owned(format!("{path}?{}", form::encode(&pairs)))
}

/// Masks one `name=value` of a query that is not a form.
fn part(pair: &str) -> Cow<'_, str> {
    match pair.split_once('=') {
        Some((name, value)) if is_secret_name(name) && !value.is_empty() => Cow::Owned(format!("{name}={MASK}")),
        _ if percent_decode_str(pair).decode_utf8_lossy().contains("://") => {
            let plain = percent_decode_str(pair).decode_utf8_lossy().into_owned();
            Cow::Owned(passwords(&plain).into_owned())
        }
        _ => Cow::Borrowed(pair),
    }
}

fn is_secret_name(name: &str) -> bool {
    // `auth_token`, `AuthToken` and `auth-token` are the same name.
    let name: String = name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    let is_secret = SECRET_WORDS.contains(&name.as_str()) || SECRET_ENDS.iter().any(|end| name.ends_with(end));
    is_secret && !NO_SECRETS.contains(&name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_masked_wherever_a_url_stands() {
        for (text, shown) in [
            ("http://user:p@ss@host/a", "http://user:***@host/a"),
            ("see https://u:p@h, then ftp://u:p@h/x", "see https://u:***@h, then ftp://u:***@h/x"),
            ("<Receive action=\"https://u:p@h/done\"/>", "<Receive action=\"https://u:***@h/done\"/>"),
            ("http://token@host/", "http://token@host/"),
            ("http://host/a@b:c", "http://host/a@b:c"),
            ("a:b@c", "a:b@c"),
            ("http://u:@h", "http://u:***@h"),
            ("://:@", "://:***@"),
        ] {
            assert_eq!(passwords(text), shown, "{text}");
        }
    }

    #[test]
    fn a_query_that_is_not_utf_8_is_masked_part_by_part() {
        for (query, shown) in [
            ("/v1/Faxes?token=S&Name=%E9", "/v1/Faxes?token=***&Name=%E9"),
            ("/v1/Faxes?AuthToken=S&x=%C3", "/v1/Faxes?AuthToken=***&x=%C3"),
            ("/?a=%E9&u=http%3A%2F%2Fu:S@h", "/?a=%E9&u=http://u:***@h"),
            ("/?Name=%E9&b", "/?Name=%E9&b"),
        ] {
            assert_eq!(target(query), shown, "{query}");
        }
    }

    #[test]
    fn a_token_in_a_query_is_masked_and_a_page_token_is_not() {
        for (asked, shown) in [
            ("/v1/Faxes?AuthToken=s3cret&PageSize=1", "/v1/Faxes?AuthToken=%2A%2A%2A&PageSize=1"),
            ("/v1/Faxes?SigningKey=s", "/v1/Faxes?SigningKey=%2A%2A%2A"),
            ("/v1/Faxes?auth_token=s", "/v1/Faxes?auth_token=%2A%2A%2A"),
            (
                "/v1/Faxes?refresh_token=s&user%5Btoken%5D=s",
                "/v1/Faxes?refresh_token=%2A%2A%2A&user%5Btoken%5D=%2A%2A%2A",
            ),
            ("/v1/Faxes?sig=s&design=s", "/v1/Faxes?sig=%2A%2A%2A&design=s"),
            ("/v1/Faxes?token=s", "/v1/Faxes?token=%2A%2A%2A"),
            ("/fax/AC/FX/ME?X-Amz-Date=d&X-Amz-Signature=s", "/fax/AC/FX/ME?X-Amz-Date=d&X-Amz-Signature=%2A%2A%2A"),
            ("/v1/Faxes?PageToken=PA1&Page=1", "/v1/Faxes?PageToken=PA1&Page=1"),
            ("/v1/Faxes?Url=http%3A%2F%2Fu%3Ap%40h%2F", "/v1/Faxes?Url=http%3A%2F%2Fu%3A%2A%2A%2A%40h%2F"),
            ("http://u:p@h/v1/Faxes", "http://u:***@h/v1/Faxes"),
            ("/v1/Faxes?", "/v1/Faxes?"),
        ] {
            assert_eq!(target(asked).replace("***", "%2A%2A%2A"), shown.replace("***", "%2A%2A%2A"), "{asked}");
        }
    }
}
