//! Finds the fax that a user means by the first characters of its SID, as tables on narrow terminals show them.

use anyhow::bail;

use super::client::Client;
use crate::model::sid::FaxSid;

/// The maximum number of faxes named in the error about an ambiguous beginning.
const NAMED_MAX: usize = 5;

/// Returns the whole SID of the fax whose SID begins with this text. A whole SID is not looked up: it may be that of a
/// call that never became a fax.
pub(super) async fn whole_sid(client: &Client, text: &str) -> anyhow::Result<String> {
    let beginning = text.trim().trim_end_matches('…');
    if beginning.parse::<FaxSid>().is_ok() {
        return Ok(beginning.to_owned());
    }
    let query = [("text", Some(beginning.to_owned())), ("limit", Some("500".to_owned()))];
    let page = client.control("GET", "/faxes", &query, None).await?;
    let sids = page["faxes"].as_array().into_iter().flatten().filter_map(|fax| fax["sid"].as_str());
    let found: Vec<&str> = sids.filter(|sid| begins_with(sid, beginning)).collect();
    match found[..] {
        [only] => Ok(only.to_owned()),
        [] => bail!("no fax has a SID that begins with {beginning}; list them with: fauxfax faxes"),
        _ => {
            let some = found.iter().take(NAMED_MAX).copied().collect::<Vec<_>>().join(", ");
            bail!("{} faxes have SIDs that begin with {beginning}, such as {some}; give more characters", found.len())
        }
    }
}

fn begins_with(sid: &str, beginning: &str) -> bool {
    // Neither the prefix nor the hexadecimal digits depend on case.
    sid.get(..beginning.len()).is_some_and(|start| !beginning.is_empty() && start.eq_ignore_ascii_case(beginning))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beginning_matches_regardless_of_case_and_never_when_empty() {
        assert!(begins_with("FXe58349d3", "fxE583") && begins_with("FXe583", "FXe583"));
        assert!(!begins_with("FXe583", "FXe584") && !begins_with("FXe583", "") && !begins_with("FX", "FXe"));
    }
}
