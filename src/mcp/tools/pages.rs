//! The tools that show the pages of a fax: as a picture, and as text.

use bytes::Bytes;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::answer::{Answer, TEXT_CHARS_MAX};
use super::super::error::ToolError;
use super::super::tool::{Call, Tool, schema_of};
use super::show::path_segment;
use super::word;

pub(super) const TOOLS: &[Tool] = &[
    Tool {
        name: "page_image",
        title: "Show a page as a picture",
        description: "Returns a page as a PNG picture, as it went over the line: with the noise, the damage and the header line of the fax. \
                      Use it to see what the recipient sees; page_text is cheaper if only the words matter.",
        schema: schema_of::<PageImage>,
        run: |call| Box::pin(async { image(call, call.read()?).await }),
        ..Tool::DEFAULT
    },
    Tool {
        name: "page_text",
        title: "Read the text of the pages",
        description: "Returns the text of a page, or of all pages, from the text layer of the faxed PDF. A scan has none; use page_image then.",
        schema: schema_of::<PageText>,
        run: |call| Box::pin(async { text(call, call.read()?).await }),
        ..Tool::DEFAULT
    },
];

/// The longest side of a picture in pels. Models scale larger pictures down themselves, so more would be wasted.
const IMAGE_SIDE_MAX: u32 = 1_568;
/// The width of a picture in pels, unless the page is so long that its height exceeds the limit.
const IMAGE_WIDTH: u32 = 1_200;
/// The smallest width that the emulator draws.
const IMAGE_WIDTH_MIN: u32 = 16;
/// The maximum size of a picture in bytes. A page of noise is drawn smaller.
const IMAGE_BYTES_MAX: usize = 700_000;
/// The room for the words that say which pages are left out, in characters.
const HINT_CHARS_MAX: usize = 100;
/// The smallest part of a page that is worth showing, in characters.
const PART_CHARS_MIN: usize = 200;
/// The offset of the width and the height in a PNG: after the signature, and the length and name of the first chunk.
const PNG_SIZE_AT: usize = 16;

/// The arguments of `page_image`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PageImage {
    /// SID of the fax, such as FX…
    fax: String,
    /// Number of the page, from 1; 1 by default.
    page: Option<u32>,
}

/// The arguments of `page_text`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PageText {
    /// SID of the fax, such as FX…
    fax: String,
    /// Number of the page, from 1; all pages if left out.
    page: Option<u32>,
}

async fn image(call: &Call, PageImage { fax, page }: PageImage) -> Result<Answer, ToolError> {
    let fax = path_segment(&fax)?;
    let page = page.unwrap_or(1);
    let drawn = async |width: u32| -> Result<(Bytes, u32, u32), ToolError> {
        let png =
            call.client.file(&format!("/faxes/{fax}/pages/{page}.png"), &[("width", Some(width.to_string()))]).await?;
        let (width, height) =
            size(&png).ok_or_else(|| ToolError::new("the emulator returned something other than a picture"))?;
        Ok((png, width, height))
    };
    let (mut png, mut width, mut height) = drawn(IMAGE_WIDTH).await?;
    if height > IMAGE_SIDE_MAX {
        (png, width, height) = drawn((width * IMAGE_SIDE_MAX / height).max(IMAGE_WIDTH_MIN)).await?;
    }
    while png.len() > IMAGE_BYTES_MAX && width > IMAGE_WIDTH_MIN {
        (png, width, height) = drawn((width / 2).max(IMAGE_WIDTH_MIN)).await?;
    }
    let console = call.client.console(&format!("/faxes/{fax}"));
    let text = format!("Page {page} of {fax}, {width} × {height} pels.\nConsole: {console}");
    let data = json!({ "fax": fax, "page": page, "width": width, "height": height, "console": console });
    Ok(Answer::text(text).with(data).with_png(png))
}

/// Reads the size of a PNG from its header.
fn size(png: &[u8]) -> Option<(u32, u32)> {
    let number = |at: usize| Some(u32::from_be_bytes(png.get(at..at + 4)?.try_into().ok()?));
    let size = (number(PNG_SIZE_AT)?, number(PNG_SIZE_AT + 4)?);
    (png.starts_with(b"\x89PNG") && size.0 > 0 && size.1 > 0).then_some(size)
}

async fn text(call: &Call, PageText { fax, page }: PageText) -> Result<Answer, ToolError> {
    let sid = path_segment(&fax)?;
    let one = async |page: u64| call.client.get(&format!("/faxes/{sid}/pages/{page}/text"), &[]).await;
    if let Some(page) = page {
        let found = one(page.into()).await?;
        return Ok(Answer::text(told(&found)).with(found));
    }
    let fax = call.client.get(&format!("/faxes/{sid}"), &[]).await?;
    let pages = fax["num_pages"].as_u64().unwrap_or(0);
    if pages == 0 {
        return Err(ToolError(format!("{sid} has no pages yet; its status is {}", word(&fax["status"]))));
    }
    let mut text = String::new();
    for page in 1..=pages {
        let part = format!("--- page {page} of {pages} ---\n{}\n", told(&one(page).await?).trim_end());
        let room = (TEXT_CHARS_MAX - HINT_CHARS_MAX).saturating_sub(text.chars().count());
        if part.chars().count() <= room {
            text += &part;
            continue;
        }
        let is_shown = room >= PART_CHARS_MIN;
        if is_shown {
            text.extend(part.chars().take(room));
            text.push('\n');
        }
        text += &missing(page, pages, is_shown);
        break;
    }
    Ok(Answer::text(text))
}

/// Says which pages are missing or incomplete. `page` is the first of them; `is_shown` says whether its beginning is
/// shown.
fn missing(page: u64, pages: u64, is_shown: bool) -> String {
    let rest = |first: u64| match pages.saturating_sub(first) {
        0 => format!("page {first} is left out"),
        _ => format!("pages {first} to {pages} are left out"),
    };
    let what = match (is_shown, page < pages) {
        (true, true) => format!("page {page} is cut, and {}", rest(page + 1)),
        (true, false) => format!("page {page} is cut"),
        (false, _) => rest(page),
    };
    format!("[{what}; name one with page]")
}

/// Returns a page's text, or the reason that there is none. Remarks about the text come before it, where they aren't
/// cut off.
fn told(page: &Value) -> String {
    let text = match page["text"].as_str() {
        Some("") => return "(the page has no text)".to_owned(),
        Some(text) => text,
        None => return format!("(the text is not known: {}; page_image shows the page)", word(&page["why"])),
    };
    let mut told = String::new();
    if page["pictures"] == true {
        told += "(pictures cover most of the page; words in them may be missing)\n";
    }
    if page["cut"] == true {
        told += "(the end of the text is missing, because it is too long)\n";
    }
    told + text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_of_a_picture_is_in_its_head() {
        let head = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x04\xb0\0\0\x06\x20";
        assert_eq!(size(head), Some((1_200, 1_568)));
        assert_eq!(size(&head[..20]), None);
        assert_eq!(size(b"<html></html>           "), None);
    }
}
