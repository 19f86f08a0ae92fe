//! A page of the app at one moment, and how much it has grown since another. Nothing is known about the form of the
//! page, so records are counted by how much they add to it: a fax that is recorded twice adds twice as much as one that
//! is recorded once. Times are left out, because they change by themselves.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex_lite::Regex;
use serde_json::Value;

/// Whole numbers from this one up are regarded as a time or an id, not as a number of faxes.
const COUNT_END: i64 = 1_000_000;
/// What stands in a page for a time of day, for the time since an event, and for the seconds or milliseconds since 1970.
const TIMES: [&str; 4] = [
    r"(?i)(?:\b|T)\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?: ?[ap]\.?m)?(?:Z|\b)",
    r"(?i)\b(?:just now|moments? ago|in the last (?:\d+ )?(?:second|minute|hour)s?)\b",
    r"(?i)\b(?:(?:less than|more than|about|almost|over|nearly) )*(?:an?|one|a few|\d+) ?[a-z]{1,7} ago\b",
    r"\b1[5-9]\d{8}(?:\d{3})?(?:\.\d+)?\b",
];
/// What replaces a time.
const TIME: &str = "~";
/// The fewest digits by which a telephone number is recognised however it is written.
const NUMBER_DIGITS_MIN: usize = 7;

/// A page of the app at one moment: JSON, which is compared as values, or any other text.
#[derive(Debug, Clone, PartialEq)]
pub enum Page {
    /// The page is JSON.
    Json(Value),
    /// The page is something else.
    Text(String),
}

impl Page {
    pub(super) fn of(text: &str) -> Self {
        match serde_json::from_str(text) {
            Ok(mut json) => {
                mask_values(&mut json);
                Self::Json(json)
            }
            Err(_) => Self::Text(without_times(text).into_owned()),
        }
    }

    /// Returns by how many values or words the page has grown since an earlier moment, less those that were removed. If
    /// their number is the same, returns the increase of the first count on the page that has risen.
    #[must_use]
    pub fn growth(&self, earlier: &Self) -> i64 {
        let (now, then) = (self.values(), earlier.values());
        if now.len() != then.len() {
            return signed(now.len()).saturating_sub(signed(then.len()));
        }
        let count = |text: &str| text.parse::<i64>().ok().filter(|count| (0..COUNT_END).contains(count));
        let risen =
            now.iter().zip(&then).find_map(|(now, then)| count(now)?.checked_sub(count(then)?).filter(|by| *by > 0));
        risen.unwrap_or_default()
    }

    /// Returns how often the page mentions an id, as a name or a value, or within one, such as a URL.
    #[must_use]
    pub fn mentions(&self, id: &str) -> i64 {
        signed(self.text().matches(id).count())
    }

    /// Returns how often the page mentions a telephone number, in any form, such as `+1 (555) 300-0001`. Names and short
    /// numbers are not looked for.
    #[must_use]
    pub fn mentions_of_number(&self, number: &str) -> i64 {
        let digits: String = number.chars().filter(char::is_ascii_digit).collect();
        if digits.len() < NUMBER_DIGITS_MIN {
            return 0;
        }
        let compact: String = self.text().chars().filter(|character| !" ()-.+".contains(*character)).collect();
        signed(compact.matches(&*digits).count())
    }

    /// Returns how often a word is on the page, regardless of case.
    #[must_use]
    pub fn count(&self, word: &str) -> usize {
        let of = |text: &String| words(text).filter(|own| own.eq_ignore_ascii_case(word)).count();
        self.values().iter().map(of).sum()
    }

    fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Json(json) => Cow::Owned(json.to_string()),
            Self::Text(text) => Cow::Borrowed(text.as_str()),
        }
    }

    /// Lists the values of JSON, or the words of any other text.
    fn values(&self) -> Vec<String> {
        match self {
            Self::Json(json) => {
                let mut values = Vec::new();
                leaves(json, &mut values);
                values
            }
            Self::Text(text) => words(text).map(ToOwned::to_owned).collect(),
        }
    }
}

/// Returns a text in which all times look the same.
fn without_times(text: &str) -> Cow<'_, str> {
    static PATTERNS: LazyLock<Vec<Regex>> =
        LazyLock::new(|| TIMES.iter().filter_map(|pattern| Regex::new(pattern).ok()).collect());
    PATTERNS.iter().fold(Cow::Borrowed(text), |text, pattern| match pattern.replace_all(&text, TIME) {
        Cow::Borrowed(_) => text,
        Cow::Owned(masked) => Cow::Owned(masked),
    })
}

/// Masks the times among the values of JSON.
fn mask_values(json: &mut Value) {
    match json {
        Value::Array(items) => items.iter_mut().for_each(mask_values),
        Value::Object(members) => members.values_mut().for_each(mask_values),
        Value::String(text) => *text = without_times(text).into_owned(),
        Value::Number(number) => {
            let text = number.to_string();
            if without_times(&text) == TIME {
                *json = TIME.into();
            }
        }
        Value::Null | Value::Bool(_) => {}
    }
}

fn leaves(json: &Value, values: &mut Vec<String>) {
    match json {
        Value::Array(items) => items.iter().for_each(|item| leaves(item, values)),
        Value::Object(members) => members.values().for_each(|member| leaves(member, values)),
        Value::String(text) => values.push(text.clone()),
        Value::Null | Value::Bool(_) | Value::Number(_) => values.push(json.to_string()),
    }
}

fn signed(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn growth(earlier: &str, later: &str) -> i64 {
        Page::of(later).growth(&Page::of(earlier))
    }

    #[test]
    fn a_page_grows_by_what_a_record_adds_or_by_its_count() {
        let record = r#"{"fax":"FX1","pages":1}"#;
        let list = |count: usize| format!("[{}]", vec![record; count].join(","));
        assert_eq!((growth(&list(1), &list(2)), growth(&list(1), &list(3))), (2, 4));
        assert_eq!(growth("<ul><li>FX1</ul>", "<ul><li>FX1<li>FX2<li>FX2</ul>"), 4);
        assert_eq!(growth(r#"{"count":5,"time":1764560000}"#, r#"{"count":7,"time":1764560009}"#), 2);
        assert_eq!(growth("5 faxes", "6 faxes"), 1);
        assert_eq!(growth(&list(3), &list(1)), -4);
        assert_eq!(growth("9 faxes", "8 faxes"), 0);
    }

    #[test]
    fn words_are_counted_regardless_of_case_and_of_what_is_around_them() {
        let page = Page::of(r#"{"a":"delivered","b":["Fax: Delivered!","undelivered"]}"#);
        assert_eq!(page.count("delivered"), 2);
        assert_eq!(Page::of("<td>delivered</td>").count("delivered"), 1);
    }

    #[test]
    fn times_change_no_page() {
        for (earlier, later) in [
            ("<p>as of 14:20</p>", "<p>as of 14:21</p>"),
            ("received 2026-12-01T14:20:33.123Z", "received 2026-12-01T14:20:34.5Z"),
            ("FX1 just now", "FX1 less than a minute ago"),
            ("FX1 9 seconds ago", "FX1 about 1 hour ago"),
            ("5m ago", "6 mins ago"),
            (r#"{"now":1764560000,"at":"9:05 am"}"#, r#"{"now":1764560001.25,"at":"10:05 PM"}"#),
            (r#"{"now":1764560000000}"#, r#"{"now":1764560001000}"#),
        ] {
            assert_eq!(Page::of(earlier), Page::of(later), "{earlier} {later}");
            assert_eq!(growth(earlier, later), 0, "{earlier} {later}");
        }
        for (earlier, later) in [
            ("5 faxes", "6 faxes"),
            ("from +15553000001", "from +15553000002"),
            ("http://127.0.0.1:8329/", "http://127.0.0.1:8330/"),
            (r#"{"count":5}"#, r#"{"count":6}"#),
        ] {
            assert_ne!(Page::of(earlier), Page::of(later), "{earlier} {later}");
        }
    }

    #[test]
    fn an_id_is_found_as_a_whole_value_and_within_others() {
        let id = "831455c6-574e";
        let page = Page::of(&format!(r#"[{{"id":"{id}","url":"http://h/{id}/1.pdf"}},"831455c6"]"#));
        assert_eq!((page.mentions(id), Page::of(&format!("<li>{id}<li>{id}")).mentions(id)), (2, 2));
    }

    #[test]
    fn a_callers_number_is_found_however_it_is_written() {
        let mentions = |page: &str| Page::of(page).mentions_of_number("+15553000001");
        assert_eq!(mentions("<li>FX12 from +15553000001<li>FX12 from +15553000001"), 2);
        assert_eq!(mentions("<td>+1 (555) 300-0001<td>1 page"), 1);
        assert_eq!(mentions(r#"[{"from":"+15553000001"},{"from":"+15553000002"}]"#), 1);
        assert_eq!(mentions("2 faxes"), 0);
        assert_eq!(Page::of("anonymous").mentions_of_number("anonymous"), 0);
    }
}
