//! Finds the fax or call that a user means by the first characters of its SID, as tables on narrow terminals show it.

use anyhow::bail;

use super::client::Client;
use super::table::cell;
use crate::model::sid::FaxSid;

/// The maximum number of SIDs in the error about an ambiguous beginning.
const NAMED_MAX: usize = 5;
/// The number of faxes and calls that are read at a time, which is the most that the emulator returns.
const PAGE_MAX: usize = 500;

/// Returns the whole SID of the fax or call whose SID begins with this text. A whole SID is not looked up.
pub(super) async fn whole_sid(client: &Client, text: &str) -> anyhow::Result<String> {
    let beginning = text.trim().trim_end_matches('…');
    if beginning.parse::<FaxSid>().is_ok() {
        return Ok(beginning.to_owned());
    }
    let found = if is_possible(beginning) { found(client, beginning).await? } else { Vec::new() };
    match &found[..] {
        [only] => Ok(only.clone()),
        [] => bail!("no fax or call has a SID that begins with {beginning}; list them with: fauxfax faxes"),
        several => {
            let some = several.iter().take(NAMED_MAX).map(String::as_str).collect::<Vec<_>>().join(", ");
            bail!("several faxes or calls have SIDs that begin with {beginning}, such as {some}; give more characters")
        }
    }
}

/// Returns the SIDs that begin with this text. If there are several, some may be missing.
async fn found(client: &Client, beginning: &str) -> anyhow::Result<Vec<String>> {
    let (mut found, mut token): (Vec<String>, Option<String>) = (Vec::new(), None);
    loop {
        let query = [
            ("q", Some(format!("sid:{beginning}"))),
            // By default, the emulator leaves out calls that nobody took.
            ("status", Some("any".to_owned())),
            ("limit", Some(PAGE_MAX.to_string())),
            ("page_token", token.take()),
        ];
        let page = client.control("GET", "/faxes", &query, None).await?;
        let sids = page["faxes"].as_array().into_iter().flatten().filter_map(|fax| fax["sid"].as_str());
        found.extend(sids.filter(|sid| begins_with(sid, beginning)).map(ToOwned::to_owned));
        // A page may be short, even empty, without being the last.
        token = Some(cell(&page["next_page_token"])).filter(|token| !token.is_empty());
        if found.len() > 1 || token.is_none() {
            return Ok(found);
        }
    }
}

/// Returns whether a SID can begin with this text, which then means nothing else in a search.
fn is_possible(beginning: &str) -> bool {
    !beginning.is_empty() && beginning.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn begins_with(sid: &str, beginning: &str) -> bool {
    // Neither the prefix nor the hexadecimal digits depend on case.
    sid.get(..beginning.len()).is_some_and(|start| start.eq_ignore_ascii_case(beginning))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beginning_matches_regardless_of_case_and_is_never_empty() {
        assert!(begins_with("FXe58349d3", "fxE583") && begins_with("FXe583", "FXe583"));
        assert!(!begins_with("FXe583", "FXe584") && !begins_with("FX", "FXe"));
        assert!(is_possible("FXe583") && is_possible("831455c6-57"));
        for text in ["", "FX status:failed", "sid:FX", "\"FX\"", "é"] {
            assert!(!is_possible(text), "{text}");
        }
    }
}
