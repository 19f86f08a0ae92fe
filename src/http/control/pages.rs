//! A fax's pages as PNG pictures, drawn by the renderer for people to look at.

use axum::extract::{FromRequestParts, Path, Request, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Deserialize;

use super::extract::{Addressed, Asked};
use super::problem::Problem;
use crate::document::png::{WIDTH_MAX, WIDTH_MIN};
use crate::emulator::Registry;
use crate::model::sid::FaxSid;

/// The default width of a picture in pels: half of a fax page's 1728.
const WIDTH_DEFAULT: u32 = 864;

/// The size of the picture.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PageQuery {
    /// Width in pels, 16 to 1728; 864 by default.
    width: Option<u32>,
}

pub(super) async fn show(
    State(registry): State<Registry>,
    Path((sid, file)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Problem> {
    let (mut parts, _) = request.into_parts();
    let Addressed(world) = Addressed::from_request_parts(&mut parts, &registry).await?;
    let Asked(query): Asked<PageQuery> = Asked::from_request_parts(&mut parts, &registry).await?;
    let width = query.width.unwrap_or(WIDTH_DEFAULT);
    if !(WIDTH_MIN..=WIDTH_MAX).contains(&width) {
        return Err(Problem::new(422, "bad-field", format!("width: must be {WIDTH_MIN} to {WIDTH_MAX}, not {width}")));
    }
    let no_fax = || Problem::new(404, "fax-not-found", format!("there is no fax {sid}"));
    let fax: FaxSid = sid.parse().map_err(|_| no_fax())?;
    // A malformed name becomes 0, which is no page.
    let number: usize = file.strip_suffix(".png").and_then(|number| number.parse().ok()).unwrap_or(0);
    // Cloned, because drawing a page would hold the world's lock for too long.
    let document = world.read(|engine| {
        engine.fax(fax).ok()?;
        Some(engine.pages_so_far(fax).cloned())
    });
    let no_page = || {
        let detail = format!(
            "{sid} has no page {file:?}: pages are 1.png, 2.png …, and exist only while the fax's document is stored or is \
             being received"
        );
        Problem::new(404, "page-not-found", detail)
    };
    let document = document.ok_or_else(no_fax)?.ok_or_else(no_page)?;
    let index = number.checked_sub(1).ok_or_else(no_page)?;
    let png = registry.renderer().png(document, index, width).await.ok_or_else(no_page)?;
    let head = [
        (header::CONTENT_TYPE, HeaderValue::from_static("image/png")),
        (header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=60")),
    ];
    Ok((head, png).into_response())
}
