//! A project's `Applications`: webhook URLs that several numbers may share.

use super::{Call, Route};
use crate::dialect::error::ApiError;
use crate::dialect::signalwire::applications::{self, ApplicationList, ApplicationResource};
use crate::dialect::view::View;
use crate::engine::Engine;
use crate::engine::admission::Area;
use crate::engine::input::{CreateApplication, DeleteApplication, UpdateApplication};
use crate::http::reply::Reply;
use crate::model::refusal::Refusal;
use crate::model::sid::ApplicationSid;

pub(super) const ROUTES: &[Route] = &[
    Route::at("/2010-04-01/Accounts/{account}/Applications", Area::Applications).read(list).create(create),
    Route::at("/2010-04-01/Accounts/{account}/Applications/{application}", Area::Applications)
        .read(fetch)
        .update(update)
        .delete(delete),
];

fn list(call: &Call<'_>) -> Result<Reply, ApiError> {
    let (name, request) = applications::list_applications(&call.query()?)?;
    call.show(|engine, view| {
        let is_shown = |name_of_one: &str| name.as_deref().is_none_or(|name| name == name_of_one);
        let shown = engine.applications().filter(|each| is_shown(&each.attributes.friendly_name));
        Ok(ApplicationList::of(&request.cut(shown, |each| each.ordinal), &request, view.account))
    })
}

fn create(call: &Call<'_>) -> Result<Reply, ApiError> {
    call.create(CreateApplication(applications::create_application(&call.form()?)?), show)
}

fn fetch(call: &Call<'_>) -> Result<Reply, ApiError> {
    let sid = call.part("application")?;
    call.show(|engine, view| show(engine, view, sid))
}

fn update(call: &Call<'_>) -> Result<Reply, ApiError> {
    let sid = call.part("application")?;
    let command = UpdateApplication(sid, applications::update_application(&call.form()?)?);
    call.change(command, |engine, view| show(engine, view, sid))
}

fn delete(call: &Call<'_>) -> Result<Reply, ApiError> {
    call.delete(DeleteApplication(call.part("application")?))
}

fn show(engine: &Engine, view: &View<'_>, sid: ApplicationSid) -> Result<ApplicationResource, Refusal> {
    engine.application(sid).map(|application| ApplicationResource::of(application, view.account))
}
