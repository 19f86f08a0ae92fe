//! Divides a page at its headings, so that a part of it can be found and read.

use super::pages::Page;

/// A heading, with the text up to the next heading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Section {
    /// The heading, without its marks.
    pub heading: &'static str,
    /// The level of the heading: 1 for the title of a page.
    pub level: usize,
    /// The text below the heading, up to the next heading of any level.
    pub body: &'static str,
    /// The heading with the text below it and below its subheadings.
    pub whole: &'static str,
}

/// A line that is a heading.
struct Mark {
    start: usize,
    end: usize,
    level: usize,
    heading: &'static str,
}

/// Returns the sections of a page in their order.
#[must_use]
pub fn sections(page: &Page) -> Vec<Section> {
    let marks = marks(page.text);
    let section = |(index, mark): (usize, &Mark)| {
        let rest = &marks[index + 1..];
        let next = rest.first().map_or(page.text.len(), |next| next.start);
        let after = rest.iter().find(|next| next.level <= mark.level).map_or(page.text.len(), |next| next.start);
        Section {
            heading: mark.heading,
            level: mark.level,
            body: page.text[mark.end..next].trim(),
            whole: page.text[mark.start..after].trim(),
        }
    };
    marks.iter().enumerate().map(section).collect()
}

fn marks(text: &'static str) -> Vec<Mark> {
    let mut marks = Vec::new();
    let (mut at, mut fence) = (0, None);
    for line in text.split_inclusive('\n') {
        let start = at;
        at += line.len();
        // A line of a code block that begins with # is a comment.
        let ticks = line.trim_start().chars().take_while(|character| *character == '`').count();
        match fence {
            Some(opened) if ticks >= opened => fence = None,
            None if ticks >= 3 => fence = Some(ticks),
            Some(_) | None => {}
        }
        let level = line.chars().take_while(|character| *character == '#').count();
        let heading = line[level..].trim();
        if fence.is_none() && level > 0 && line[level..].starts_with(' ') {
            marks.push(Mark { start, end: at, level, heading });
        }
    }
    marks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_has_its_own_text_and_the_whole_has_that_of_its_subsections() {
        let text =
            "# One\n\nIntro.\n\n```sh\n# no heading\n```\n\n## Two\n\nText.\n\n### Three\n\nMore.\n\n## Four\n\nEnd.\n";
        let sections = sections(&Page { path: "x.md", text });
        let found: Vec<(&str, usize)> = sections.iter().map(|section| (section.heading, section.level)).collect();
        assert_eq!(found, [("One", 1), ("Two", 2), ("Three", 3), ("Four", 2)]);
        assert_eq!(sections[0].body, "Intro.\n\n```sh\n# no heading\n```");
        assert_eq!((sections[1].body, sections[1].whole), ("Text.", "## Two\n\nText.\n\n### Three\n\nMore."));
    }
}
