//! The text of a fax's pages, as JSON or as plain text. It comes from the text layer of the faxed PDF, never from the
//! pels.

use axum::Json;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

use super::extract::Addressed;
use super::problem::Problem;
use crate::model::page::PageText;
use crate::model::sid::FaxSid;

/// The media type of a page's text if it isn't sent as JSON.
pub(super) const MEDIA_TYPE: &str = "text/plain; charset=utf-8";

/// The reason why the text of a page is not known.
const NOT_KNOWN: &str = "the page has no text layer that can be read: it is a scan or another picture, or came from a \
                         TIFF, PNG or JPEG, or its PDF doesn't say which characters it shows, or the call was dropped \
                         during the page";

/// The reason why a page that hasn't been transmitted has no text.
const NOT_SENT: &str =
    "the page has not been transmitted: the fax has not reached it yet, or its call failed before or during the page";

/// The text of a page.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "PageText")]
pub(super) struct PageTextView {
    /// Number of the page, from one.
    page: u32,
    /// The lines of the page, from top to bottom; null if the text is not known.
    text: Option<String>,
    known: bool,
    /// Whether the end of the text is missing because the text exceeds a limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    cut: Option<bool>,
    /// True if pictures cover most of the page: words in them are missing from the text, unless text recognition has
    /// added them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pictures: Option<bool>,
    /// Why the text is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'static str>,
}

pub(super) async fn show(
    Addressed(world): Addressed,
    Path((sid, page)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let no_fax = || Problem::new(404, "fax-not-found", format!("there is no fax {sid}"));
    let fax: FaxSid = sid.parse().map_err(|_| no_fax())?;
    let no_page = || {
        let detail = format!(
            "{sid} has no page {page:?}: pages are counted from 1, and exist only while the fax's document is stored"
        );
        Problem::new(404, "page-not-found", detail)
    };
    // A malformed number becomes 0, which is no page.
    let number: u32 = page.parse().unwrap_or(0);
    let text = world.read(|engine| {
        let fax = engine.fax(fax).map_err(|_| no_fax())?;
        let media = fax.media.as_ref().ok_or_else(no_page)?;
        if !media.document.has_page(number) {
            return Err(no_page());
        }
        let why = if number > fax.pages_over() { NOT_SENT } else { NOT_KNOWN };
        Ok(fax.transmitted_text(number).cloned().ok_or(why))
    })?;
    if accepts_only_text(&headers) {
        let text = text.map_err(|why| Problem::new(404, "text-not-known", why))?;
        return Ok(
            ([(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE))], text.content.to_string()).into_response()
        );
    }
    Ok(Json(view(number, text)).into_response())
}

fn view(page: u32, text: Result<PageText, &'static str>) -> PageTextView {
    match text {
        Ok(PageText { content, is_cut, has_pictures }) => PageTextView {
            page,
            text: Some(content.to_string()),
            known: true,
            cut: Some(is_cut),
            pictures: has_pictures.then_some(true),
            why: None,
        },
        Err(why) => PageTextView { page, text: None, known: false, cut: None, pictures: None, why: Some(why) },
    }
}

/// Returns whether the client asks for plain text. A client that accepts JSON too gets JSON: some HTTP libraries name
/// both media types by default.
fn accepts_only_text(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let named: Vec<&str> =
        accepted.flat_map(|value| value.split(',')).filter_map(|each| each.split(';').next()).collect();
    let names = |media_type: &str| named.iter().any(|each| each.trim().eq_ignore_ascii_case(media_type));
    names("text/plain") && !names("application/json")
}
