//! A page of the app at one moment, and how much it has grown since another. Nothing is known about the form of the
//! page, so records are counted by how much they add to it: a fax that is recorded twice adds twice as much as one that
//! is recorded once.

use serde_json::Value;

/// Whole numbers from this one up are regarded as a time or an id, not as a number of faxes.
const COUNT_END: i64 = 1_000_000;

/// A page of the app at one moment: JSON, which is compared as values, or any other text.
#[derive(Debug, Clone, PartialEq)]
pub enum Page {
    /// The page is JSON.
    Json(Value),
    /// The page is something else.
    Text(String),
}

impl Page {
    pub(super) fn of(text: String) -> Self {
        serde_json::from_str(&text).ok().map_or(Self::Text(text), Self::Json)
    }

    /// Returns by how many values or words the page has grown since an earlier moment, less those that were removed. If their
    /// number is the same, returns by how much the first count on the page that has risen has increased.
    #[must_use]
    pub fn growth(&self, earlier: &Self) -> i64 {
        let (now, then) = (self.values(), earlier.values());
        if now.len() != then.len() {
            return number(now.len()).saturating_sub(number(then.len()));
        }
        let count = |text: &str| text.parse::<i64>().ok().filter(|count| (0..COUNT_END).contains(count));
        let risen =
            now.iter().zip(&then).find_map(|(now, then)| count(now)?.checked_sub(count(then)?).filter(|by| *by > 0));
        risen.unwrap_or_default()
    }

    /// Returns how often the page mentions an id, as a name or a value, or within one, such as a URL.
    #[must_use]
    pub fn mentions(&self, id: &str) -> i64 {
        number(match self {
            Self::Json(json) => json.to_string().matches(id).count(),
            Self::Text(text) => text.matches(id).count(),
        })
    }

    /// Returns how often a word is on the page, regardless of case.
    #[must_use]
    pub fn count(&self, word: &str) -> usize {
        let of = |text: &String| words(text).filter(|own| own.eq_ignore_ascii_case(word)).count();
        self.values().iter().map(of).sum()
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

fn leaves(json: &Value, values: &mut Vec<String>) {
    match json {
        Value::Array(items) => items.iter().for_each(|item| leaves(item, values)),
        Value::Object(members) => members.values().for_each(|member| leaves(member, values)),
        Value::String(text) => values.push(text.clone()),
        Value::Null | Value::Bool(_) | Value::Number(_) => values.push(json.to_string()),
    }
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn growth(earlier: &str, later: &str) -> i64 {
        Page::of(later.to_owned()).growth(&Page::of(earlier.to_owned()))
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
        let page = Page::of(r#"{"a":"delivered","b":["Fax: Delivered!","undelivered"]}"#.to_owned());
        assert_eq!(page.count("delivered"), 2);
        assert_eq!(Page::of("<td>delivered</td>".to_owned()).count("delivered"), 1);
    }

    #[test]
    fn an_id_is_found_as_a_whole_value_and_within_others() {
        let id = "831455c6-574e";
        let page = Page::of(format!(r#"[{{"id":"{id}","url":"http://h/{id}/1.pdf"}},"831455c6"]"#));
        assert_eq!((page.mentions(id), Page::of(format!("<li>{id}<li>{id}")).mentions(id)), (2, 2));
    }
}
