//! Writes `llms.txt`, the overview of the documentation for language models (<https://llmstxt.org>), and
//! `llms-full.txt`, the pages themselves.

use std::fmt::Write;

use super::pages::{all, find};
use super::summary::chapters;

/// The maximum length of a description, in characters.
const DESCRIPTION_CHARS: usize = 160;
/// The part that the convention calls optional: it may be left out where room is short.
const OPTIONAL: (&str, &str) = ("About", "Optional");

const HEAD: &str = "\
# fauxfax

> A local emulator of Twilio Programmable Fax and of SignalWire's compatibility API for faxes, for testing and demonstrating apps that
> send or receive faxes. It needs no account, phone line or internet access.

- Start it with `fauxfax serve --fax-url http://localhost:3000/fax`; the API, the control API and the console are at
  http://127.0.0.1:8329.
- Point the app at it: base URL `http://127.0.0.1:8329`, AccountSid `AC` and 32 zeros, AuthToken 32 zeros. Webhooks are signed with that
  token.
- `fauxfax receive --wait` makes a fax machine call the app's number; `fauxfax check URL` judges the app's webhooks.
- `fauxfax mcp` is a Model Context Protocol server: it receives and sends faxes, shows their pages and conversations, and searches this
  documentation.
";

/// Returns the overview. `link` returns the address of a page, by its path in the repository; pages without an address
/// are left out.
#[must_use]
pub fn overview(link: impl Fn(&str) -> Option<String>) -> String {
    let mut text = HEAD.to_owned();
    for chapter in chapters() {
        let linked: Vec<_> = chapter.entries.iter().filter_map(|entry| Some((entry, link(&entry.path)?))).collect();
        if linked.is_empty() {
            continue;
        }
        let title = match chapter.title {
            "" => "Overview",
            title if title == OPTIONAL.0 => OPTIONAL.1,
            title => title,
        };
        // Writing to a string never fails.
        let _ = write!(text, "\n## {title}\n\n");
        for (entry, address) in linked {
            let description = find(&entry.path).map(|page| description(page.text)).unwrap_or_default();
            let colon = if description.is_empty() { "" } else { ": " };
            let _ = writeln!(text, "- [{}]({address}){colon}{description}", entry.title);
        }
    }
    text
}

/// Returns all embedded pages in one text, each below its path.
#[must_use]
pub fn full() -> String {
    let mut text = HEAD.to_owned();
    for page in all() {
        let _ = write!(text, "\n\n<!-- {} -->\n\n{}", page.path, page.text);
    }
    text
}

/// Returns the first sentence of a page that ends with a full stop, without the marks of links and emphasis. A long
/// sentence is cut.
fn description(text: &str) -> String {
    let paragraphs = text.split("\n\n").map(str::trim).filter(|paragraph| is_prose(paragraph));
    // A page may begin by saying how its blocks are tested.
    let fits = |sentence: &String| sentence.ends_with('.') && !sentence.contains("only read");
    let sentence = paragraphs.map(first_sentence).find(fits).unwrap_or_default();
    if sentence.chars().count() <= DESCRIPTION_CHARS {
        return sentence;
    }
    let cut: String = sentence.chars().take(DESCRIPTION_CHARS).collect();
    format!("{}…", cut.rsplit_once(' ').map_or(cut.as_str(), |(whole, _)| whole).trim_end_matches([',', ':', ';']))
}

/// Returns the first sentence of a paragraph on one line. It may end with a colon, if it introduces what follows.
fn first_sentence(paragraph: &str) -> String {
    let line: Vec<&str> = paragraph.split_whitespace().collect();
    let line = plain(&line.join(" "));
    // A full stop within a sentence, as in "1.2" or "fauxfax.toml", has no space after it.
    let end = line.find(". ").map_or(line.len(), |at| at + 1);
    line[..end].to_owned()
}

fn is_prose(paragraph: &str) -> bool {
    !paragraph.is_empty() && !paragraph.starts_with(['#', '`', '|', '-', '!', '<', '>', '*'])
}

/// Removes the marks of links and emphasis, and keeps code marks.
fn plain(line: &str) -> String {
    let mut text = String::new();
    let mut rest = line;
    while let Some((before, link)) = rest.split_once('[') {
        text.push_str(before);
        let parts = link.split_once("](").and_then(|(label, after)| Some((label, after.split_once(')')?.1)));
        let Some((label, after)) = parts else {
            text.push('[');
            rest = link;
            continue;
        };
        text.push_str(label);
        rest = after;
    }
    text.push_str(rest);
    text.replace("**", "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_is_the_first_sentence_without_markup() {
        let text = "# Title\n\n```sh\nx\n```\n\nSee [**rules**](rules.md) in\n`fauxfax.toml` 1.2 here. More.\n";
        assert_eq!(description(text), "See rules in `fauxfax.toml` 1.2 here.");
        assert_eq!(description("# Only a title\n"), "");
        let long = format!("# T\n\nIt introduces this:\n\n{}end.\n", "word ".repeat(100));
        assert!(description(&long).ends_with("word…") && description(&long).chars().count() <= DESCRIPTION_CHARS + 1);
        assert_eq!(plain("a[0] and [x](y"), "a[0] and [x](y");
    }

    #[test]
    fn the_full_text_has_every_page() {
        let full = full();
        for page in all() {
            assert!(full.contains(page.text), "{}", page.path);
        }
    }
}
