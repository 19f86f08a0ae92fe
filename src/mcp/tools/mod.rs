//! The tools, in the order in which an assistant is likely to need them.

mod account;
mod chapters;
mod check;
mod clock;
mod journal;
mod numbers;
mod pages;
mod receive;
mod rules;
mod send;
mod show;
mod signature;

use serde_json::Value;

use super::tool::Tool;

/// The groups of tools.
const GROUPS: [&[Tool]; 12] = [
    account::TOOLS,
    numbers::TOOLS,
    receive::TOOLS,
    send::TOOLS,
    show::TOOLS,
    pages::TOOLS,
    journal::TOOLS,
    rules::TOOLS,
    clock::TOOLS,
    signature::TOOLS,
    check::TOOLS,
    chapters::TOOLS,
];

/// Returns all tools.
pub(super) fn all() -> impl Iterator<Item = &'static Tool> {
    GROUPS.into_iter().flatten()
}

/// Finds a tool by its name.
pub(super) fn find(name: &str) -> Option<&'static Tool> {
    all().find(|tool| tool.name == name)
}

/// Returns the name of the tool whose name is most similar to a misspelt one.
pub(super) fn nearest(name: &str) -> &'static str {
    let likeness = |tool: &&Tool| strsim::jaro_winkler(name, tool.name);
    let best = all().max_by(|one, other| likeness(one).total_cmp(&likeness(other)));
    best.map_or("show_account", |tool| tool.name)
}

/// Returns a JSON value as text: a string without quotation marks, and an empty text for null.
fn word(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

/// Returns a text on one line, cut to at most this many characters.
fn brief(text: &str, chars: usize) -> String {
    let line: Vec<&str> = text.split_whitespace().collect();
    let line = line.join(" ");
    match line.char_indices().nth(chars) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The maximum size of the list of tools in bytes. Every client puts the list before each conversation.
    const LIST_BYTES_MAX: usize = 40_000;

    #[test]
    fn every_tool_has_a_name_of_its_own_and_says_what_it_is_for() {
        let names: BTreeSet<&str> = all().map(|tool| tool.name).collect();
        assert_eq!(names.len(), all().count());
        for tool in all() {
            let listed = tool.listed(true);
            assert!(tool.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{}", tool.name);
            assert!(tool.description.len() > 60 && tool.description.ends_with('.'), "{}", tool.name);
            let properties = listed.input_schema["properties"].as_object().expect("an object");
            for (name, property) in properties {
                assert!(property["description"].is_string(), "{}: {name} has no description", tool.name);
                assert!(
                    property["type"].is_string() || property["anyOf"].is_array(),
                    "{}: {name}: {property}",
                    tool.name
                );
            }
            let required = listed.input_schema.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
            let needed = ["fax", "number", "query", "to", "url"];
            assert!(required.iter().all(|name| needed.contains(&word(name).as_str())), "{}: {required:?}", tool.name);
            assert_eq!(listed.input_schema["additionalProperties"], false, "{}", tool.name);
        }
    }

    #[test]
    fn the_list_of_tools_is_short_enough_for_every_conversation() {
        let list: Vec<_> = all().map(|tool| tool.listed(true)).collect();
        let bytes = serde_json::to_string(&list).unwrap().len();
        assert!(bytes <= LIST_BYTES_MAX, "{bytes}");
    }

    #[test]
    fn a_tool_that_does_not_exist_is_answered_with_one_that_does() {
        assert!(find("show_faxes").is_none());
        assert_eq!(nearest("show_faxs"), "show_fax");
        assert!(find(nearest("")).is_some());
    }

    #[test]
    fn a_brief_text_is_one_line() {
        assert_eq!(brief("a\n  b", 10), "a b");
        assert_eq!(brief("äöü", 2), "äö…");
    }
}
