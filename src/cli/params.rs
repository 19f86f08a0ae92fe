//! Parameters of requests, as `NAME=VALUE`.

use anyhow::bail;
use serde_json::{Map, Value};

/// Splits strings of the form `NAME=VALUE`. A string without an equals sign is an error.
pub(super) fn pairs(texts: &[String]) -> anyhow::Result<Vec<(String, String)>> {
    let pair = |text: &String| match text.split_once('=') {
        Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
        None => bail!("{text:?} must be NAME=VALUE"),
    };
    texts.iter().map(pair).collect()
}

/// Collects parameters into a JSON object. A repeated name is an error.
pub(super) fn by_name(pairs: impl IntoIterator<Item = (String, Value)>) -> anyhow::Result<Map<String, Value>> {
    let mut params = Map::new();
    for (name, value) in pairs {
        if params.contains_key(&name) {
            bail!("--param: {name:?} is given twice; give it once");
        }
        params.insert(name, value);
    }
    Ok(params)
}
