//! Writes `llms.txt`, the overview of the documentation for language models (<https://llmstxt.org>), and
//! `llms-full.txt`, the pages themselves.

use std::fmt::Write;

use super::pages::{all, find};
use super::summary::chapters;

/// The maximum length of a description, in characters.
const DESCRIPTION_CHARS: usize = 160;
/// Words with which pages say how their code is tested.
const ABOUT_TESTS: [&str; 5] = ["own tests run", "not tested", "was tested by hand", "Tested by hand", "`tests/"];
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

/// Returns the first sentence that introduces a page and ends with a full stop, without the marks of links and emphasis. A
/// page may begin with how its code is tested. A long sentence is cut.
fn description(text: &str) -> String {
    let paragraphs = text.split("\n\n").map(str::trim).filter(|paragraph| is_prose(paragraph));
    let fits = |sentence: &String| sentence.ends_with('.') && !is_about_tests(sentence);
    let sentence = paragraphs.map(first_sentence).find(fits).unwrap_or_default();
    if sentence.chars().count() <= DESCRIPTION_CHARS {
        return sentence;
    }
    let cut: String = sentence.chars().take(DESCRIPTION_CHARS).collect();
    format!("{}…", cut.rsplit_once(' ').map_or(cut.as_str(), |(whole, _)| whole).trim_end_matches([',', ':', ';']))
}

/// Returns whether a sentence says how the code on its page is tested.
fn is_about_tests(sentence: &str) -> bool {
    ABOUT_TESTS.iter().any(|words| sentence.contains(words))
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
    fn a_description_does_not_say_how_the_code_on_the_page_is_tested() {
        for about_tests in [
            "fauxfax's own tests run the code on this page as printed.",
            "As a whole, this file is not tested, but a test runs the commands.",
            "This code was tested by hand.",
            "Tested by hand on 30 November 2026, on PHP 8.2.36.",
            "The commands on this page are run by `tests/sdk/blocks.py`.",
        ] {
            let text = format!("# Title\n\n{about_tests} More.\n\nThe page itself.\n");
            assert_eq!(description(&text), "The page itself.", "{about_tests}");
        }
        for page in all() {
            let description = description(page.text);
            for words in ["not tested", "tested by hand", "own tests", "tests/sdk"] {
                assert!(!description.contains(words), "{}: {description}", page.path);
            }
        }
        // How an app is tested is what many pages are about.
        assert_eq!(description("# T\n\nAn app is tested by hand first.\n"), "An app is tested by hand first.");
    }

    #[test]
    fn the_full_text_has_every_page() {
        let full = full();
        for page in all() {
            assert!(full.contains(page.text), "{}", page.path);
        }
    }
}
