//! Finds sections of the documentation by words. The ranking uses whole numbers only, and ties keep the order of the
//! pages, so the same question always has the same results.

use std::collections::BTreeSet;

use super::pages::{Page, all};
use super::section::{Section, sections};

/// The maximum length of a question, in characters.
pub const QUERY_CHARS_MAX: usize = 200;
/// The maximum length of an excerpt, in characters.
const EXCERPT_CHARS: usize = 300;
/// The weight of a word in the title of the page; one in the text weighs 1.
const TITLE: u64 = 4;
/// The weight of a word in the heading of the section.
const HEADING: u64 = 8;
/// The maximum number of times that one word in the text counts.
const COUNTED_MAX: usize = 4;
/// The minimum length at which a word also stands for longer words that begin with it.
const STEM_CHARS_MIN: usize = 4;
/// Words that say nothing about the subject of a question.
const EMPTY_WORDS: [&str; 24] = [
    "a", "an", "and", "are", "can", "do", "does", "for", "from", "how", "i", "in", "is", "it", "my", "of", "on", "or",
    "the", "to", "what", "when", "why", "with",
];

/// A section that answers a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// The path of the page.
    pub path: &'static str,
    /// The heading of the section.
    pub heading: &'static str,
    /// The paragraph that fits best, shortened.
    pub excerpt: String,
}

struct Candidate {
    page: &'static Page,
    section: Section,
    title: Vec<String>,
    heading: Vec<String>,
    text: Vec<String>,
}

/// Returns the sections that fit best, best first.
#[must_use]
pub fn search(query: &str, limit: usize) -> Vec<Hit> {
    let asked: BTreeSet<String> = words(query).into_iter().collect();
    let bare: Vec<&str> = asked.iter().map(String::as_str).filter(|word| !EMPTY_WORDS.contains(word)).collect();
    let terms: Vec<&str> = if bare.is_empty() { asked.iter().map(String::as_str).collect() } else { bare };
    let candidates: Vec<Candidate> = all().iter().flat_map(candidates).collect();
    let rarity: Vec<u64> = terms.iter().map(|term| rarity(term, &candidates)).collect();
    let mut scored: Vec<(u64, &Candidate)> = candidates
        .iter()
        .map(|candidate| (score(candidate, &terms, &rarity), candidate))
        .filter(|(score, _)| *score > 0)
        .collect();
    // The sort is stable, so equal scores keep the order of the pages.
    scored.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    scored.into_iter().take(limit).map(|(_, candidate)| hit(candidate, &terms)).collect()
}

fn candidates(page: &'static Page) -> impl Iterator<Item = Candidate> {
    let sections = sections(page);
    let title = sections.first().map(|section| words(section.heading)).unwrap_or_default();
    sections.into_iter().map(move |section| Candidate {
        page,
        section,
        title: title.clone(),
        heading: words(section.heading),
        text: words(section.body),
    })
}

/// Returns the words of a text in lower case. A word with punctuation within it, such as `X-Twilio-Signature`, counts
/// as several.
fn words(text: &str) -> Vec<String> {
    text.split(|character: char| !character.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

fn fits(word: &str, term: &str) -> bool {
    word == term
        || (term.chars().count() >= STEM_CHARS_MIN && word.starts_with(term))
        || word == term.trim_end_matches('s')
}

fn count(words: &[String], term: &str) -> usize {
    words.iter().filter(|word| fits(word, term)).count()
}

/// Returns the weight of a word: 1 if all sections have it, and one more for each halving of their number; 0 if none
/// has it.
fn rarity(term: &str, candidates: &[Candidate]) -> u64 {
    let having = |candidate: &&Candidate| count(&candidate.heading, term) + count(&candidate.text, term) > 0;
    let found = candidates.iter().filter(having).count();
    candidates.len().checked_div(found).map_or(0, |share| u64::from(share.max(1).ilog2()) + 1)
}

fn score(candidate: &Candidate, terms: &[&str], rarity: &[u64]) -> u64 {
    let of = |(term, rarity): (&&str, &u64)| {
        let counted = u64::try_from(count(&candidate.text, term).min(COUNTED_MAX)).unwrap_or_default();
        let title = if count(&candidate.title, term) > 0 { TITLE } else { 0 };
        let heading = if count(&candidate.heading, term) > 0 { HEADING } else { 0 };
        // The title alone would list every section of a page.
        if heading + counted == 0 { 0 } else { rarity * (title + heading + counted) }
    };
    let each: Vec<u64> = terms.iter().zip(rarity).map(of).collect();
    let matched = u64::try_from(each.iter().filter(|score| **score > 0).count()).unwrap_or_default();
    // A section that has more of the words is preferred to one that repeats a few.
    each.iter().sum::<u64>() * matched * matched
}

fn hit(candidate: &Candidate, terms: &[&str]) -> Hit {
    let body = candidate.section.body;
    let fit = |paragraph: &&str| {
        let words = words(paragraph);
        terms.iter().filter(|term| count(&words, term) > 0).count()
    };
    let paragraphs: Vec<&str> = body.split("\n\n").collect();
    // Reversed, because `max_by_key` returns the last of several equal paragraphs, and the first is wanted.
    let best = paragraphs.into_iter().rev().max_by_key(fit).unwrap_or_default();
    let line: Vec<&str> = best.split_whitespace().collect();
    let line = line.join(" ");
    let excerpt: String = line.chars().take(EXCERPT_CHARS).collect();
    let excerpt = if excerpt.len() < line.len() { format!("{excerpt}…") } else { excerpt };
    Hit { path: candidate.page.path, heading: candidate.section.heading, excerpt }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_finds_the_page_that_answers_it() {
        for (query, path) in [
            ("media url expires", "docs/how-to/media-expiry.md"),
            ("how do I run tests in parallel", "docs/how-to/parallel-tests.md"),
            ("snapshot", "docs/how-to/snapshots.md"),
            ("duplicate callback", "docs/how-to/duplicate-callbacks.md"),
            ("pytest plugin fixtures", "docs/recipes/pytest-plugin.md"),
            ("testcontainers", "docs/recipes/testcontainers.md"),
        ] {
            let found = search(query, 5);
            assert!(found.iter().take(3).any(|hit| hit.path == path), "{query}: {found:#?}");
        }
    }

    #[test]
    fn a_question_without_a_known_word_finds_nothing_and_the_results_are_bounded() {
        assert_eq!(search("xyzzyplugh", 5), []);
        assert_eq!(search("", 5), []);
        let found = search("the fax", 3);
        assert_eq!(found.len(), 3);
        assert!(found.iter().all(|hit| hit.excerpt.chars().count() <= EXCERPT_CHARS + 1));
        assert_eq!(search("the fax", 3), found);
    }
}
