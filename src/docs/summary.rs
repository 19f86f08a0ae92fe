//! Reads docs/SUMMARY.md, the table of contents of the documentation: its parts, and the pages in each.

const SUMMARY: &str = include_str!("../../docs/SUMMARY.md");

/// A part of the documentation.
#[derive(Debug)]
pub struct Chapter {
    /// The title; empty for the pages before the first title.
    pub title: &'static str,
    /// The pages, in their order.
    pub entries: Vec<Entry>,
}

/// A page in the table of contents.
#[derive(Debug)]
pub struct Entry {
    /// The title.
    pub title: &'static str,
    /// The path in the repository.
    pub path: String,
}

/// Returns the parts in their order.
#[must_use]
pub fn chapters() -> Vec<Chapter> {
    let mut chapters = vec![Chapter { title: "", entries: Vec::new() }];
    for line in SUMMARY.lines().skip(1) {
        if let Some(title) = line.strip_prefix("# ") {
            chapters.push(Chapter { title, entries: Vec::new() });
        } else if let (Some(entry), Some(chapter)) = (entry(line), chapters.last_mut()) {
            chapter.entries.push(entry);
        }
    }
    chapters
}

fn entry(line: &'static str) -> Option<Entry> {
    let link = line.trim_start().trim_start_matches("- ").strip_prefix('[')?;
    let (title, path) = link.strip_suffix(')')?.split_once("](")?;
    // Paths are relative to the folder docs.
    let path = path.strip_prefix("../").map_or_else(|| format!("docs/{path}"), ToOwned::to_owned);
    Some(Entry { title, path })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_link_of_the_summary_is_an_entry_of_its_part() {
        let chapters = chapters();
        let links = SUMMARY.lines().filter(|line| line.contains("](")).count();
        assert_eq!(chapters.iter().map(|chapter| chapter.entries.len()).sum::<usize>(), links);
        let about = chapters.iter().find(|chapter| chapter.title == "About").expect("a part");
        assert!(about.entries.iter().any(|entry| entry.path == "SECURITY.md" && entry.title == "Security"));
    }
}
