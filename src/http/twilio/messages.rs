//! `Messages`: text messages. The engine decides when they are sent and delivered.

use super::{Call, Route};
use crate::dialect::error::ApiError;
use crate::dialect::twilio::messages::{self, MessageList, MessageResource};
use crate::engine::admission::Area;
use crate::engine::input::{DeleteMessage, RedactMessage};
use crate::http::reply::Reply;

pub(super) const ROUTES: &[Route] = &[
    Route::at("/2010-04-01/Accounts/{account}/Messages", Area::Messages).read(list).create(create),
    Route::at("/2010-04-01/Accounts/{account}/Messages/{message}", Area::Messages)
        .read(fetch)
        .update(update)
        .delete(delete),
];

fn list(call: &Call<'_>) -> Result<Reply, ApiError> {
    let (filter, request) = messages::list_messages(&call.query()?)?;
    call.show(|engine, view| {
        let page = request.cut(engine.messages().filter(|each| filter.shows(each)), |each| each.ordinal);
        Ok(MessageList::of(&page, &request, view.account))
    })
}

fn create(call: &Call<'_>) -> Result<Reply, ApiError> {
    let order = messages::create_message(&call.form()?)?;
    call.create(order, |engine, view, sid| {
        engine.message(sid).map(|message| MessageResource::of(message, view.account))
    })
}

fn fetch(call: &Call<'_>) -> Result<Reply, ApiError> {
    let sid = call.part("message")?;
    call.show(|engine, view| engine.message(sid).map(|message| MessageResource::of(message, view.account)))
}

fn update(call: &Call<'_>) -> Result<Reply, ApiError> {
    let sid = call.part("message")?;
    messages::update_message(&call.form()?)?;
    call.change(RedactMessage(sid), |engine, view| {
        engine.message(sid).map(|message| MessageResource::of(message, view.account))
    })
}

fn delete(call: &Call<'_>) -> Result<Reply, ApiError> {
    call.delete(DeleteMessage(call.part("message")?))
}
