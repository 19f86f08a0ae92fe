//! The control API's calls for TwiML bins: stored TwiML with a URL of its own, which a number can use as its VoiceUrl.

use std::sync::Arc;

use axum::Json;
use axum::extract::{FromRequestParts, Path, Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::extract::{Addressed, JsonBody};
use super::problem::Problem;
use crate::dialect::date;
use crate::dialect::twiml_bin::{self, bin_url};
use crate::emulator::{Registry, World};
use crate::engine::Engine;
use crate::engine::input::{CreateTwimlBin, DeleteTwimlBin, UpdateTwimlBin};
use crate::http::origin;
use crate::model::refusal::Refusal;
use crate::model::sid::TwimlBinSid;
use crate::model::twiml_bin::{BIN_NAME_CHARS_MAX, TwimlBin, TwimlBinChange};

/// The name of a bin that is created without one.
const NAME_DEFAULT: &str = "Untitled";

/// A bin to create, or the changes to one.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "TwimlBinFields")]
pub(super) struct Fields {
    /// A name for people to read.
    name: Option<String>,
    /// The TwiML, such as `<Response><Receive/></Response>`; a new bin needs it.
    twiml: Option<String>,
}

/// A bin.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "TwimlBin")]
pub(super) struct BinView {
    sid: String,
    name: Box<str>,
    twiml: Arc<str>,
    /// The URL to set as a number's VoiceUrl.
    url: String,
    /// The numbers whose VoiceUrl leads to the bin, under any host name that the emulator answers to.
    numbers: Vec<String>,
    date_created: String,
    date_updated: String,
    /// How many times the bin has been requested.
    requests: u64,
    /// When the bin was last requested; null if never.
    last_request: Option<String>,
}

/// The bins of the account, newest first.
#[derive(Serialize, JsonSchema)]
pub(super) struct BinList {
    twiml_bins: Vec<BinView>,
}

pub(super) async fn list(State(registry): State<Registry>, parts: Parts) -> Result<Json<BinList>, Problem> {
    let (world, origin) = asked(parts, &registry).await?;
    let view = |engine: &Engine| engine.twiml_bins().map(|bin| view(engine, bin, &origin, &registry)).collect();
    let twiml_bins = world.read(view);
    Ok(Json(BinList { twiml_bins }))
}

pub(super) async fn show(
    Path(sid): Path<String>,
    State(registry): State<Registry>,
    parts: Parts,
) -> Result<Json<BinView>, Problem> {
    let (world, origin) = asked(parts, &registry).await?;
    shown(&world, parse(&sid)?, &origin, &registry)
}

pub(super) async fn create(
    State(registry): State<Registry>,
    request: Request,
) -> Result<(StatusCode, Json<BinView>), Problem> {
    let (world, origin, Fields { name, twiml }) = read(request, &registry).await?;
    let twiml = twiml.ok_or_else(|| bad("twiml", "a new bin needs it, such as <Response><Receive/></Response>"))?;
    let name = name.map(checked_name).transpose()?.unwrap_or_else(|| NAME_DEFAULT.into());
    let sid = world.handle(CreateTwimlBin { name, contents: checked_twiml(twiml)? })?;
    Ok((StatusCode::CREATED, shown(&world, sid, &origin, &registry)?))
}

pub(super) async fn change(
    Path(sid): Path<String>,
    State(registry): State<Registry>,
    request: Request,
) -> Result<Json<BinView>, Problem> {
    let (world, origin, Fields { name, twiml }) = read(request, &registry).await?;
    let (sid, name) = (parse(&sid)?, name.map(checked_name).transpose()?);
    let contents = twiml.map(checked_twiml).transpose()?;
    world.handle(UpdateTwimlBin(sid, TwimlBinChange { name, contents }))?;
    shown(&world, sid, &origin, &registry)
}

pub(super) async fn remove(Addressed(world): Addressed, Path(sid): Path<String>) -> Result<StatusCode, Problem> {
    world.handle(DeleteTwimlBin(parse(&sid)?))?;
    Ok(StatusCode::NO_CONTENT)
}

/// Returns the world that a call addresses, and the scheme and host of the URLs in the response.
async fn asked(mut parts: Parts, registry: &Registry) -> Result<(World, Arc<str>), Problem> {
    let Addressed(world) = Addressed::from_request_parts(&mut parts, registry).await?;
    let origin = origin(&parts, registry.settings().public_url.as_ref());
    Ok((world, origin))
}

async fn read(request: Request, registry: &Registry) -> Result<(World, Arc<str>, Fields), Problem> {
    use axum::extract::FromRequest;

    let (parts, body) = request.into_parts();
    let (world, origin) = asked(parts.clone(), registry).await?;
    let JsonBody(fields) = JsonBody::from_request(Request::from_parts(parts, body), registry).await?;
    Ok((world, origin, fields))
}

fn parse(sid: &str) -> Result<TwimlBinSid, Problem> {
    sid.parse().map_err(|_| Problem::new(404, "not-found", format!("there is no TwiML bin {sid:?}")))
}

fn checked_name(name: String) -> Result<Box<str>, Problem> {
    let fits = (1..=BIN_NAME_CHARS_MAX).contains(&name.chars().count());
    if fits { Ok(name.into()) } else { Err(bad("name", &format!("must have 1 to {BIN_NAME_CHARS_MAX} characters"))) }
}

/// Refuses TwiML that the fax engine can't interpret. To test such TwiML, have an app or a rule return it.
fn checked_twiml(twiml: String) -> Result<Arc<str>, Problem> {
    twiml_bin::check(&twiml).map_err(|error| bad("twiml", &error.to_string()))?;
    Ok(twiml.into())
}

fn bad(field: &str, why: &str) -> Problem {
    Problem::new(422, "bad-field", format!("{field}: {why}"))
}

fn shown(world: &World, sid: TwimlBinSid, origin: &str, registry: &Registry) -> Result<Json<BinView>, Problem> {
    let shown = world.read(|engine| engine.twiml_bin(sid).map(|bin| view(engine, bin, origin, registry)));
    shown.map(Json).map_err(|refusal: Refusal| Problem::refused(&refusal))
}

fn view(engine: &Engine, bin: &TwimlBin, origin: &str, registry: &Registry) -> BinView {
    let numbers = engine.numbers().filter(|number| registry.bin_at(&number.attributes.voice_url) == Some(bin.sid));
    BinView {
        sid: bin.sid.to_string(),
        name: bin.name.clone(),
        twiml: Arc::clone(&bin.contents),
        url: bin_url(origin, bin.sid),
        numbers: numbers.map(|number| number.number.to_string()).collect(),
        date_created: date::iso(bin.created),
        date_updated: date::iso(bin.updated),
        requests: bin.requests,
        last_request: bin.last_request.map(date::iso),
    }
}
