//! Checks the changes that a rule makes to a webhook: each name and value is valid and within its limit, and no change
//! contradicts another.

use super::fault::{RuleFault, fault};
use crate::model::request_edits::{HeaderEdits, Pairs, ParamEdits, ParamOrder, RequestEdits};

/// The maximum number of parameters in each list of a rule; Twilio's longest webhook has about fifteen.
pub const PARAM_EDITS_MAX: usize = 50;
/// The maximum number of bytes in the name of a parameter.
pub const PARAM_NAME_BYTES_MAX: usize = 256;
/// The maximum number of bytes in the value of a parameter: twice the longest URL that servers usually accept.
pub const PARAM_VALUE_BYTES_MAX: usize = 16 * 1024;
/// The maximum number of headers in each list of a rule.
pub const HEADER_EDITS_MAX: usize = 20;
/// The maximum number of bytes in the name of a header.
pub const HEADER_NAME_BYTES_MAX: usize = 256;
/// The maximum number of bytes in the value of a header. Many servers accept no more than 8 KiB of headers in total.
pub const HEADER_VALUE_BYTES_MAX: usize = 4 * 1024;
/// The maximum number of bytes in `signed_url`: the length of the longest URL that servers usually accept.
pub const SIGNED_URL_BYTES_MAX: usize = 8 * 1024;
/// The maximum number of bytes in all names and values of a rule, since the journal keeps the rule.
pub const EDIT_BYTES_MAX: usize = 64 * 1024;

/// The headers that frame a request or concern only one connection (RFC 9110 §7.6.1, RFC 9112 §6), all in lower case.
/// The HTTP client determines them.
const OWN_HEADERS: [&str; 12] = [
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "proxy-connection",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "upgrade",
    "expect",
];
/// The ending of the name of every service's signature header, in lower case.
const SIGNATURE_HEADERS: &str = "-signature";

/// Checks the changes to a webhook.
pub(super) fn check_edits(edits: &RequestEdits) -> Result<(), RuleFault> {
    let RequestEdits { params, headers, signed_url } = edits;
    if edits.is_empty() {
        return fault("webhook", "the changes to the request do nothing: give params, headers or signed_url");
    }
    check_params(params)?;
    check_headers(headers)?;
    if let Some(url) = signed_url {
        check_url(url)?;
    }
    let bytes = edits.size_bytes();
    if bytes > EDIT_BYTES_MAX {
        let reason =
            format!("params, headers and signed_url must have at most {EDIT_BYTES_MAX} bytes together, not {bytes}");
        return fault("webhook", reason);
    }
    Ok(())
}

fn check_params(params: &ParamEdits) -> Result<(), RuleFault> {
    let ParamEdits { set, add, remove, pad, order } = params;
    let order = if let ParamOrder::First(names) = order { names.as_slice() } else { &[] };
    let lists =
        [("set", names(set)), ("add", names(add)), ("remove", all(remove)), ("pad", all(pad)), ("order", all(order))];
    for (list, names) in &lists {
        let field = format!("webhook.params.{list}");
        check_list(&field, names, PARAM_EDITS_MAX, |name| name.to_owned())?;
        let is_name = |name: &&str| {
            // A file is posted as multipart/form-data, in which a name can't contain a quotation mark or a line break.
            (1..=PARAM_NAME_BYTES_MAX).contains(&name.len()) && !name.contains('"') && !name.contains(char::is_control)
        };
        if let Some(name) = names.iter().find(|name| !is_name(name)) {
            let reason = format!(
                "must be names of 1 to {PARAM_NAME_BYTES_MAX} bytes, without quotation marks and control characters, \
                 not {}",
                shown(name)
            );
            return fault(field, reason);
        }
    }
    for (list, pairs) in [("set", set), ("add", add)] {
        if let Some((name, value)) = pairs.iter().find(|(_, value)| value.len() > PARAM_VALUE_BYTES_MAX) {
            let reason = format!("must have at most {PARAM_VALUE_BYTES_MAX} bytes, not {}", value.len());
            return fault(format!("webhook.params.{list}.{name}"), reason);
        }
    }
    let removed = |name: &&&str| remove.iter().any(|removed| **removed == ***name);
    let others = lists.iter().filter(|(list, _)| *list != "remove");
    if let Some((list, name)) = others.into_iter().find_map(|(list, names)| Some((list, names.iter().find(removed)?))) {
        return fault("webhook.params.remove", format!("{name:?} is also in {list}: name it in one of them"));
    }
    Ok(())
}

fn check_headers(headers: &HeaderEdits) -> Result<(), RuleFault> {
    let HeaderEdits { set, remove, lower_case: _ } = headers;
    for (list, names) in [("set", names(set)), ("remove", all(remove))] {
        let field = format!("webhook.headers.{list}");
        check_list(&field, &names, HEADER_EDITS_MAX, str::to_ascii_lowercase)?;
        for name in names {
            check_header_name(&field, name)?;
        }
    }
    for (name, value) in set {
        let field = || format!("webhook.headers.set.{name}");
        if value.len() > HEADER_VALUE_BYTES_MAX {
            return fault(field(), format!("must have at most {HEADER_VALUE_BYTES_MAX} bytes, not {}", value.len()));
        }
        if value.contains(|character: char| character.is_control() && character != '\t') {
            return fault(field(), "must not contain a line break or another control character");
        }
    }
    let removed = |name: &&str| remove.iter().any(|removed| removed.eq_ignore_ascii_case(name));
    if let Some(name) = names(set).into_iter().find(removed) {
        return fault("webhook.headers.remove", format!("{name:?} is also in set: name it in one of them"));
    }
    Ok(())
}

fn check_header_name(field: &str, name: &str) -> Result<(), RuleFault> {
    // A token (RFC 9110 §5.6.2).
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if !(1..=HEADER_NAME_BYTES_MAX).contains(&name.len()) || !name.bytes().all(is_token) {
        let reason =
            format!("must be names of 1 to {HEADER_NAME_BYTES_MAX} letters, digits and hyphens, not {}", shown(name));
        return fault(field, reason);
    }
    let lower = name.to_ascii_lowercase();
    if lower == "connection" {
        let reason = "each request already has Connection: close, because no connection is used twice; leave it out";
        return fault(field, reason);
    }
    if OWN_HEADERS.contains(&&*lower) {
        let reason = format!(
            "{name} frames the request or concerns only the connection, so the emulator determines it; leave it out"
        );
        return fault(field, reason);
    }
    if lower.ends_with(SIGNATURE_HEADERS) {
        return fault(
            field,
            format!("{name} is determined by webhook.signature: set bad, missing or another word there"),
        );
    }
    Ok(())
}

fn check_url(url: &str) -> Result<(), RuleFault> {
    let field = "webhook.signed_url";
    if url.len() > SIGNED_URL_BYTES_MAX {
        return fault(field, format!("must have at most {SIGNED_URL_BYTES_MAX} bytes, not {}", url.len()));
    }
    let parsed = url::Url::parse(url).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let Some(parsed) = parsed.filter(|_| !url.contains(|c: char| c.is_control() || c == ' ')) else {
        return fault(
            field,
            format!("must be an absolute http or https URL, as the app rebuilds it, not {}", shown(url)),
        );
    };
    if parsed.fragment().is_some() {
        return fault(field, "must not have a fragment, which is never sent or signed; leave it out");
    }
    Ok(())
}

/// Checks the number of names in a list, and that each occurs once; `same` maps equal names to the same string.
fn check_list(field: &str, names: &[&str], max: usize, same: impl Fn(&str) -> String) -> Result<(), RuleFault> {
    if names.len() > max {
        return fault(field, format!("must have at most {max} names, not {}", names.len()));
    }
    let is_again = |at: usize| names.iter().take(at).any(|earlier| same(earlier) == same(names[at]));
    match (0..names.len()).find(|at| is_again(*at)) {
        Some(at) => fault(field, format!("{} is given twice; give it once", shown(names[at]))),
        None => Ok(()),
    }
}

fn names(pairs: &Pairs) -> Vec<&str> {
    pairs.iter().map(|(name, _)| &**name).collect()
}

fn all(names: &[Box<str>]) -> Vec<&str> {
    names.iter().map(|name| &**name).collect()
}

/// Returns the beginning of a text in quotation marks, for an error message.
fn shown(text: &str) -> String {
    const SHOWN_CHARS_MAX: usize = 60;
    match text.char_indices().nth(SHOWN_CHARS_MAX) {
        Some((end, _)) => format!("{:?}…", &text[..end]),
        None => format!("{text:?}"),
    }
}
