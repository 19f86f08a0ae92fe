//! What a tool returns: short text for the model and, where it helps, the same facts as data, or a picture.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use rmcp::model::{CallToolResult, ContentBlock};
use serde_json::Value;

use super::error::ToolError;

/// The maximum length of a result's text in characters. A model that needs more can ask for a part.
pub(super) const TEXT_CHARS_MAX: usize = 16_000;
/// The maximum size of a result's data in bytes; larger data are left out.
const DATA_BYTES_MAX: usize = 32 * 1024;

/// The result of a tool.
#[derive(Debug, Default)]
pub(super) struct Answer {
    text: String,
    data: Option<Value>,
    png: Option<Bytes>,
}

impl Answer {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    /// Adds the facts of the text as data.
    pub(super) fn with(self, data: Value) -> Self {
        Self { data: Some(data), ..self }
    }

    /// Adds a picture in PNG.
    pub(super) fn with_png(self, png: Bytes) -> Self {
        Self { png: Some(png), ..self }
    }

    /// Returns the result in the protocol's form.
    pub(super) fn into_result(self) -> CallToolResult {
        let mut content = vec![ContentBlock::text(cut(&self.text))];
        content.extend(self.png.map(|png| ContentBlock::image(STANDARD.encode(&png), "image/png")));
        let mut result = CallToolResult::success(content);
        result.structured_content = self.data.filter(|data| data.to_string().len() <= DATA_BYTES_MAX);
        result
    }
}

impl ToolError {
    /// Returns the error as a result that the model reads.
    pub(super) fn into_result(self) -> CallToolResult {
        CallToolResult::error(vec![ContentBlock::text(cut(&self.0))])
    }
}

/// Shortens a text to the limit, and says so.
fn cut(text: &str) -> String {
    let Some((at, _)) = text.char_indices().nth(TEXT_CHARS_MAX) else { return text.to_owned() };
    let left = text[at..].chars().count();
    format!("{}\n[cut here: {left} more characters]", &text[..at])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_long_text_is_cut_between_characters_and_says_so() {
        assert_eq!(cut("short"), "short");
        let long = "ä".repeat(TEXT_CHARS_MAX + 7);
        let cut = cut(&long);
        assert!(cut.ends_with("\n[cut here: 7 more characters]"), "{}", &cut[cut.len() - 60..]);
    }

    #[test]
    fn data_beyond_the_limit_are_left_out() {
        let small = Answer::text("x").with(json!({ "a": 1 })).into_result();
        assert_eq!(small.structured_content, Some(json!({ "a": 1 })));
        let large = Answer::text("x").with(json!({ "a": "x".repeat(DATA_BYTES_MAX) })).into_result();
        assert_eq!(large.structured_content, None);
    }
}
