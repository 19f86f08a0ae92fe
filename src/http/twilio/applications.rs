//! `Applications`: URLs that several numbers may share. Whose URLs a call uses is the engine's business.

use super::{Call, Route};
use crate::dialect::error::ApiError;
use crate::dialect::twilio::applications::{self, ApplicationList, ApplicationResource};
use crate::engine::input::{ApplicationCommand, Command, Reply};
use crate::http::reply::{self, Answer};

pub(super) const ROUTES: &[Route] = &[
    Route::at("/2010-04-01/Accounts/{account}/Applications").get(list).post(create),
    Route::at("/2010-04-01/Accounts/{account}/Applications/{application}").get(fetch).post(update).delete(delete),
];

fn list(call: &Call<'_>) -> Result<Answer, ApiError> {
    let (name, request) = applications::list_applications(&call.query()?)?;
    let list = call.read(|engine, view| {
        let shown = engine
            .applications()
            .filter(|each| name.as_deref().is_none_or(|name| name == &*each.attributes.friendly_name));
        Ok(ApplicationList::of(&request.cut(shown, |each| each.ordinal), &request, view.account))
    });
    Ok(reply::ok(&list?))
}

fn create(call: &Call<'_>) -> Result<Answer, ApiError> {
    let change = Box::new(applications::create_application(&call.form()?)?);
    let command = Command::Application(ApplicationCommand::Create(change));
    let show = call.command(command, |engine, view, reply| {
        let Reply::Application(sid) = reply else { unreachable!("a creation is answered with an application") };
        engine.application(*sid).map(|application| ApplicationResource::of(application, view.account))
    });
    Ok(reply::created(&show?))
}

fn fetch(call: &Call<'_>) -> Result<Answer, ApiError> {
    let sid = call.part("application")?;
    let show =
        call.read(|engine, view| engine.application(sid).map(|each| ApplicationResource::of(each, view.account)));
    Ok(reply::ok(&show?))
}

fn update(call: &Call<'_>) -> Result<Answer, ApiError> {
    let sid = call.part("application")?;
    let change = Box::new(applications::update_application(&call.form()?)?);
    let command = Command::Application(ApplicationCommand::Update(sid, change));
    let show = call.command(command, |engine, view, _| {
        engine.application(sid).map(|application| ApplicationResource::of(application, view.account))
    });
    Ok(reply::ok(&show?))
}

fn delete(call: &Call<'_>) -> Result<Answer, ApiError> {
    let command = Command::Application(ApplicationCommand::Delete(call.part("application")?));
    call.command(command, |_, _, _| Ok(()))?;
    Ok(reply::no_content())
}
