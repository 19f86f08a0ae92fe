//! `Applications`: webhook URLs that several numbers may share. The engine decides which URLs a call uses.

use super::{Call, Route};
use crate::dialect::error::ApiError;
use crate::dialect::twilio::applications::{self, ApplicationList, ApplicationResource};
use crate::engine::admission::Area;
use crate::engine::input::{CreateApplication, DeleteApplication, UpdateApplication};
use crate::http::reply::Reply;

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
        let shown = engine
            .applications()
            .filter(|each| name.as_deref().is_none_or(|name| name == &*each.attributes.friendly_name));
        Ok(ApplicationList::of(&request.cut(shown, |each| each.ordinal), &request, view.account))
    })
}

fn create(call: &Call<'_>) -> Result<Reply, ApiError> {
    let change = applications::create_application(&call.form()?)?;
    call.create(CreateApplication(change), |engine, view, sid| {
        engine.application(sid).map(|application| ApplicationResource::of(application, view.account))
    })
}

fn fetch(call: &Call<'_>) -> Result<Reply, ApiError> {
    let sid = call.part("application")?;
    call.show(|engine, view| engine.application(sid).map(|each| ApplicationResource::of(each, view.account)))
}

fn update(call: &Call<'_>) -> Result<Reply, ApiError> {
    let sid = call.part("application")?;
    let change = applications::update_application(&call.form()?)?;
    let command = UpdateApplication(sid, change);
    call.change(command, |engine, view| {
        engine.application(sid).map(|application| ApplicationResource::of(application, view.account))
    })
}

fn delete(call: &Call<'_>) -> Result<Reply, ApiError> {
    let command = DeleteApplication(call.part("application")?);
    call.delete(command)
}
