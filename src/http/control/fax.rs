//! Shows a fax, or a call that ended without one, as the console needs it. Also serves the document stored for a fax,
//! as a PDF or TIFF file.

use axum::Json;
use axum::body::Body;
use axum::extract::{FromRequestParts, Path, Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde_json::{Value, json};

use super::extract::Addressed;
use super::problem::Problem;
use super::progress::ProgressView;
use crate::dialect::entry;
use crate::dialect::view::View;
use crate::document::file;
use crate::emulator::Registry;
use crate::http::origin;
use crate::model::fax::MediaType;
use crate::model::media::Document;
use crate::model::sid::FaxSid;

pub(super) async fn show(
    State(registry): State<Registry>,
    Path(sid): Path<String>,
    request: Request,
) -> Result<Json<Value>, Problem> {
    let (mut parts, _) = request.into_parts();
    let Addressed(world) = Addressed::from_request_parts(&mut parts, &registry).await?;
    let origin = origin(&parts, registry.settings().public_url.as_ref());
    let (account, now, key) = (world.sid(), world.now(), world.signing_key());
    let view = View { account, origin: &origin, now, signing_key: key, price: registry.settings().price };
    let wanted = parse(&sid)?;
    let shown = world.read(|engine| Some((entry::find(engine, wanted, &view)?, engine.progress(wanted))));
    let (mut shown, progress) = shown.ok_or_else(|| missing(&sid))?;
    if let Some(progress) = progress {
        let is_drawable = world.read(|engine| engine.pages_so_far(wanted).is_some_and(Document::is_rendered));
        shown["progress"] = json!(ProgressView::of(&progress, (now, world.clock_mode()), is_drawable));
    }
    Ok(Json(shown))
}

pub(super) async fn document(
    Addressed(world): Addressed,
    Path((sid, name)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let wanted = parse(&sid)?;
    let Some(media_type) = MediaType::ALL.iter().find(|each| name == format!("document.{}", each.extension())) else {
        let detail = format!(
            "a fax has document.pdf, document.tiff, conversation.json, conversation.har and conversation.md, not {name:?}"
        );
        return Err(Problem::new(404, "file-not-found", detail));
    };
    // Cloned, because a conversion would hold the world's lock for too long.
    let kept = world.read(|engine| {
        let fax = engine.fax(wanted).ok()?;
        Some(fax.media.as_ref().map(|media| media.document.clone()))
    });
    let kept = kept.ok_or_else(|| missing(&sid))?;
    let gone = || Problem::new(404, "media-not-found", format!("no document is stored for {sid}"));
    let kept = kept.ok_or_else(gone)?;
    let kept = match kept {
        kept if kept.media_type == *media_type => kept,
        kept if kept.sheets.is_empty() => {
            let detail = format!(
                "the document of {sid} is stored as {}, and there are no fax pages to convert to another format",
                kept.media_type
            );
            return Err(Problem::new(404, "file-not-found", detail));
        }
        kept => file::document(&file::pages(&kept).collect::<Vec<_>>(), *media_type, &kept.losses),
    };
    let disposition = format!("attachment; filename=\"{wanted}.{}\"", media_type.extension());
    let head = [(header::CONTENT_TYPE, media_type.as_str().to_owned()), (header::CONTENT_DISPOSITION, disposition)];
    Ok((head, Body::from(Bytes::from_owner(kept.bytes))).into_response())
}

/// Parses the SID of a fax or call in a path; 404 if it is malformed.
pub(super) fn parse(sid: &str) -> Result<FaxSid, Problem> {
    sid.parse().map_err(|_| missing(sid))
}

fn missing(sid: &str) -> Problem {
    Problem::new(404, "fax-not-found", format!("there is no fax {sid}"))
}
