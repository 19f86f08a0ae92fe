//! `Applications`: URLs that several numbers may share. Whose URLs a call uses is the engine's business.

use axum::Router;
use axum::response::Response;
use axum::routing::get;

use super::Call;
use crate::dialect::error::ApiError;
use crate::dialect::twilio::applications::{self, ApplicationList, ApplicationResource};
use crate::emulator::Emulator;
use crate::engine::input::{ApplicationCommand, Command, Reply};
use crate::http::reply::{self, FormBody, QueryForm};

pub(super) fn routes() -> Router<Emulator> {
    let root = "/2010-04-01/Accounts/{account}/Applications";
    Router::new()
        .route(root, get(list).post(create))
        .route(&format!("{root}/{{application}}"), get(fetch).post(update).delete(delete))
}

async fn list(call: Call, QueryForm(query): QueryForm) -> Result<Response, ApiError> {
    let (name, request) = applications::list_applications(&query)?;
    let list = call.read(|engine, view| {
        let shown = engine
            .applications()
            .filter(|each| name.as_deref().is_none_or(|name| name == &*each.attributes.friendly_name));
        Ok(ApplicationList::of(&request.cut(shown, |each| each.ordinal), &request, view.account))
    });
    Ok(reply::ok(&list?))
}

async fn create(call: Call, FormBody(form): FormBody) -> Result<Response, ApiError> {
    let change = Box::new(applications::create_application(&form)?);
    let command = Command::Application(ApplicationCommand::Create(change));
    let show = call.command(command, |engine, view, reply| {
        let Reply::Application(sid) = reply else { unreachable!("a creation is answered with an application") };
        engine.application(*sid).map(|application| ApplicationResource::of(application, view.account))
    });
    Ok(reply::created(&show?))
}

async fn fetch(call: Call) -> Result<Response, ApiError> {
    let sid = call.part("application")?;
    let show =
        call.read(|engine, view| engine.application(sid).map(|each| ApplicationResource::of(each, view.account)));
    Ok(reply::ok(&show?))
}

async fn update(call: Call, FormBody(form): FormBody) -> Result<Response, ApiError> {
    let sid = call.part("application")?;
    let change = Box::new(applications::update_application(&form)?);
    let command = Command::Application(ApplicationCommand::Update(sid, change));
    let show = call.command(command, |engine, view, _| {
        engine.application(sid).map(|application| ApplicationResource::of(application, view.account))
    });
    Ok(reply::ok(&show?))
}

async fn delete(call: Call) -> Result<Response, ApiError> {
    let command = Command::Application(ApplicationCommand::Delete(call.part("application")?));
    call.command(command, |_, _, _| Ok(()))?;
    Ok(reply::no_content())
}
