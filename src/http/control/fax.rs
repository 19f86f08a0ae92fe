//! A fax as the console shows it, and the fax's pages as a PDF or TIFF file.

use axum::Json;
use axum::body::Body;
use axum::extract::{FromRequestParts, Path, Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde_json::{Value, json};

use super::extract::Addressed;
use super::problem::Problem;
use crate::dialect::view::View;
use crate::dialect::{advice, resource};
use crate::document::file;
use crate::emulator::Registry;
use crate::engine::Fax;
use crate::http::origin;
use crate::model::fax::MediaType;
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
    let shown = world.read(|engine| {
        let mut shown = resource::find_fax(engine, wanted, &view).ok()?;
        let fax = engine.fax(wanted).ok();
        let failure = fax.and_then(Fax::failure);
        let dialect = engine.account().dialect;
        shown["error_code"] = json!(failure.and_then(|failure| dialect.failure_code(failure)));
        shown["error_message"] = json!(failure.and_then(|failure| dialect.failure_text(failure)));
        let advice = failure.map(|failure| advice::of_failure(failure, dialect));
        shown["cause"] = json!(advice.as_ref().map(|advice| &advice.cause));
        shown["advice"] = json!(advice.as_ref().map(|advice| &advice.remedy));
        let media = fax.and_then(|fax| fax.media.as_ref());
        shown["media_type"] = json!(media.map(|media| media.document.media_type.as_str()));
        Some(shown)
    });
    shown.map(Json).ok_or_else(|| missing(&sid))
}

pub(super) async fn document(
    Addressed(world): Addressed,
    Path((sid, name)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let wanted = parse(&sid)?;
    let Some(media_type) = MediaType::ALL.iter().find(|each| name == format!("document.{}", each.extension())) else {
        let detail = format!("a fax has document.pdf and document.tiff, not {name:?}");
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

fn parse(sid: &str) -> Result<FaxSid, Problem> {
    sid.parse().map_err(|_| missing(sid))
}

fn missing(sid: &str) -> Problem {
    Problem::new(404, "fax-not-found", format!("there is no fax {sid}"))
}
