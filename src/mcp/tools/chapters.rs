//! The tools that search and read the embedded documentation.

use std::fmt::Write;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::answer::Answer;
use super::super::error::ToolError;
use super::super::tool::{Tool, schema_of};
use crate::docs::{self, Page, QUERY_CHARS_MAX, Section};

pub(super) const TOOLS: &[Tool] = &[
    Tool {
        name: "search_docs",
        title: "Search the documentation",
        description: "Searches fauxfax's documentation by words, and returns the sections that fit best. Use it before guessing how the \
                      emulator or the fax API behaves, or how to connect a language.",
        of_account: false,
        schema: schema_of::<SearchDocs>,
        run: |call| Box::pin(async { search(call.read()?) }),
        ..Tool::DEFAULT
    },
    Tool {
        name: "read_doc",
        title: "Read the documentation",
        description: "Returns a page of fauxfax's documentation, or one section of it. Without a path, lists the pages. Long pages are cut; \
                      name a heading to read a part.",
        of_account: false,
        schema: schema_of::<ReadDoc>,
        run: |call| Box::pin(async { read(call.read()?) }),
        ..Tool::DEFAULT
    },
];

/// The number of sections that are returned if the call doesn't say.
const HITS_DEFAULT: u32 = 5;
/// The largest number of sections that are returned.
const HITS_MAX: u32 = 20;
/// The maximum length of the part of a page that is returned at once, in characters.
const PAGE_CHARS_MAX: usize = 12_000;

/// The arguments of `search_docs`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SearchDocs {
    /// Words to look for, such as media url expires.
    query: String,
    /// Number of sections, 1 to 20; 5 by default.
    limit: Option<u32>,
}

/// The arguments of `read_doc`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ReadDoc {
    /// Path of the page, as search_docs returns it, such as how-to/rules.md; the list of pages if left out.
    path: Option<String>,
    /// Heading of the section to read; the whole page if left out.
    heading: Option<String>,
}

fn search(SearchDocs { query, limit }: SearchDocs) -> Result<Answer, ToolError> {
    let limit = limit.unwrap_or(HITS_DEFAULT);
    if !(1..=HITS_MAX).contains(&limit) {
        return Err(ToolError(format!("limit: must be 1 to {HITS_MAX}, not {limit}")));
    }
    let chars = query.chars().count();
    if query.trim().is_empty() || chars > QUERY_CHARS_MAX {
        return Err(ToolError(format!("query: must have 1 to {QUERY_CHARS_MAX} characters, not {chars}")));
    }
    let hits = docs::search(&query, usize::try_from(limit).unwrap_or(usize::MAX));
    if hits.is_empty() {
        return Ok(Answer::text(
            "Nothing found. Try fewer or other words, or read_doc without a path for the list of pages.",
        )
        .with(json!({ "hits": [] })));
    }
    let mut text = String::new();
    for hit in &hits {
        // Writing to a string never fails.
        let _ = writeln!(text, "{} · {}\n    {}", hit.path, hit.heading, hit.excerpt);
    }
    text.push_str("Read one with read_doc (path, heading).");
    let data: Vec<Value> = hits.iter().map(|hit| json!({ "path": hit.path, "heading": hit.heading })).collect();
    Ok(Answer::text(text).with(json!({ "hits": data })))
}

fn read(ReadDoc { path, heading }: ReadDoc) -> Result<Answer, ToolError> {
    let Some(path) = path else {
        return Ok(Answer::text(docs::overview(|path| docs::find(path).map(|page| page.path.to_owned()))));
    };
    let page = docs::find(&path).ok_or_else(|| {
        ToolError(format!(
            "path: there is no page {path:?}; did you mean {}? read_doc without a path lists the pages",
            docs::nearest(&path)
        ))
    })?;
    let sections = docs::sections(page);
    let Some(heading) = heading else { return Ok(Answer::text(shortened(page, page.text, &sections))) };
    let wanted = plain(&heading);
    let found = sections.iter().position(|section| plain(section.heading) == wanted);
    let found = found.or_else(|| sections.iter().position(|section| plain(section.heading).contains(&wanted)));
    let Some(at) = found else {
        let headings: Vec<&str> = sections.iter().map(|section| section.heading).collect();
        return Err(ToolError(format!(
            "heading: {} has no section {heading:?}; it has: {}",
            page.path,
            headings.join(" · ")
        )));
    };
    let below: Vec<Section> =
        sections[at + 1..].iter().copied().take_while(|below| below.level > sections[at].level).collect();
    Ok(Answer::text(shortened(page, sections[at].whole, &below)))
}

/// Returns a text, cut to the limit at the end of a paragraph, and then the headings with which the rest can be read.
fn shortened(page: &Page, text: &str, sections: &[Section]) -> String {
    let Some((at, _)) = text.char_indices().nth(PAGE_CHARS_MAX) else {
        return format!("{}\n\n{}", page.path, text.trim_end());
    };
    let kept = text[..at].rfind("\n\n").map_or(&text[..at], |end| &text[..end]);
    let headings: Vec<&str> = sections.iter().map(|section| section.heading).collect();
    format!("{}\n\n{kept}\n\n[cut here; read a section with heading: {}]", page.path, headings.join(" · "))
}

/// Returns a heading in the form in which headings are compared: without code marks, in lower case.
fn plain(heading: &str) -> String {
    heading.trim_start_matches(['#', ' ']).replace('`', "").trim().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_doc(path: &str, heading: Option<&str>) -> Result<String, String> {
        let answer = read(ReadDoc { path: Some(path.to_owned()), heading: heading.map(ToOwned::to_owned) });
        answer.map(|answer| format!("{answer:?}")).map_err(|error| error.0)
    }

    #[test]
    fn a_long_page_is_cut_and_its_sections_can_be_read() {
        let page = read_doc("control-api.md", None).unwrap();
        assert!(
            page.contains("cut here; read a section with heading") && page.contains("Snapshots and reset"),
            "{page}"
        );
        let section = read_doc("docs/control-api.md", Some("the clock")).unwrap();
        assert!(section.contains("clock/drain") && !section.contains("cut here"), "{section}");
    }

    #[test]
    fn a_missing_page_or_section_is_answered_with_those_that_exist() {
        assert!(read_doc("how-to/rule.md", None).unwrap_err().contains("docs/how-to/rules.md"));
        let error = read_doc("how-to/clock.md", Some("Nothing")).unwrap_err();
        assert!(error.contains("it has: "), "{error}");
    }
}
