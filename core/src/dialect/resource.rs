//! REST resources in their account's dialect, for callers outside the REST APIs.

use serde_json::{Value, json};

use super::error::ApiError;
use super::form::Form;
use super::view::View;
use super::{signalwire, twilio};
use crate::engine::{Engine, Fax};
use crate::model::account::Dialect;
use crate::model::number::{IncomingNumber, NumberChange};
use crate::model::refusal::Refusal;
use crate::model::sid::{AccountSid, FaxSid};

/// Returns the resource of a fax.
#[must_use]
pub fn fax(engine: &Engine, fax: &Fax, view: &View<'_>) -> Value {
    match Dialect::of(view.account) {
        Dialect::Twilio => json!(twilio::faxes::FaxResource::of(fax, view)),
        Dialect::SignalWire => json!(signalwire::faxes::FaxResource::of(engine, fax, view)),
    }
}

/// Returns the resource of the fax with this SID. While an app is still being asked what to do with an incoming call,
/// its fax is found, too.
///
/// # Errors
/// Returns [`Refusal::NoFax`] if no such fax exists.
pub fn find_fax(engine: &Engine, sid: FaxSid, view: &View<'_>) -> Result<Value, Refusal> {
    Ok(match Dialect::of(view.account) {
        Dialect::Twilio => json!(twilio::faxes::FaxResource::find(engine, sid, view)?),
        Dialect::SignalWire => json!(signalwire::faxes::FaxResource::find(engine, sid, view)?),
    })
}

/// Returns a number's resource, including the receive mode, which SignalWire's own resource omits.
#[must_use]
pub fn number(number: &IncomingNumber, account: AccountSid, inventory_seed: u64) -> Value {
    match Dialect::of(account) {
        Dialect::Twilio => json!(twilio::numbers::NumberResource::of(number, account, inventory_seed)),
        Dialect::SignalWire => {
            let mut shown = json!(signalwire::numbers::NumberResource::of(number, account, inventory_seed));
            shown["voice_receive_mode"] = json!(number.attributes.voice_receive_mode.as_str());
            shown
        }
    }
}

/// Reads the parameters that change a number.
///
/// # Errors
/// Returns the errors of the dialect's REST API.
pub fn number_change(form: &Form, account: AccountSid) -> Result<NumberChange, ApiError> {
    match Dialect::of(account) {
        Dialect::Twilio => twilio::numbers::update_number(form, account),
        Dialect::SignalWire => signalwire::numbers::update_number(form),
    }
}
