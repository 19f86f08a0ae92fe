//! The written form of the numbers that an account owns.

use serde::{Deserialize, Serialize};

use crate::engine::export::form::{List, attributes, form};
use crate::engine::numbers;
use crate::model::number::ReceiveMode;
use crate::model::phone::PhoneNumber;
use crate::model::sid::NumberSid;
use crate::model::time::Timestamp;
use crate::model::webhook::Method;
use crate::model::{inventory, number};

/// The numbers in the order of purchase, and the count of all purchases.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Numbers {
    bought: u64,
    numbers: List<IncomingNumber>,
}

impl Numbers {
    pub(super) fn of(numbers: &numbers::Numbers) -> Self {
        // Written in the order of purchase, because `value` refuses any other order.
        Self { bought: numbers.bought, numbers: List(numbers.oldest_first().cloned().collect()) }
    }

    /// Converts the numbers, or says why they are invalid.
    pub(super) fn value(self) -> Result<numbers::Numbers, String> {
        let Self { bought, numbers: List(list) } = self;
        let mut read = numbers::Numbers::default();
        read.bought = bought;
        for number in list {
            let is_twice = read.get(number.sid).is_some() || read.by_number(number.number).is_some();
            if is_twice || read.newest_first().next().is_some_and(|last| last.ordinal >= number.ordinal) {
                return Err(format!("{} appears twice or out of order", number.number));
            }
            // An edited state may count fewer numbers than it lists, but no ordinal may be taken twice.
            read.bought = read.bought.max(number.ordinal);
            read.insert(number);
        }
        Ok(read)
    }
}

form! {
    struct IncomingNumber for number::IncomingNumber {
        sid: NumberSid,
        ordinal: u64,
        number: PhoneNumber,
        capabilities: Capabilities,
        created: Timestamp,
        updated: Timestamp,
        attributes: NumberAttributes,
    }
}

form! {
    struct Capabilities for inventory::Capabilities {
        voice: bool,
        sms: bool,
        mms: bool,
        fax: bool,
    }
}

attributes! {
    NumberAttributes for number::NumberAttributes,
    NumberChange for number::NumberChange,
    friendly_name: Box<str>,
    api_version: Box<str>,
    voice_url: Box<str>,
    voice_method: Method,
    voice_fallback_url: Box<str>,
    voice_fallback_method: Method,
    status_callback: Box<str>,
    status_callback_method: Method,
    voice_application_sid: Box<str>,
    trunk_sid: Box<str>,
    voice_caller_id_lookup: bool,
    voice_receive_mode: ReceiveMode,
    sms_url: Box<str>,
    sms_method: Method,
    sms_fallback_url: Box<str>,
    sms_fallback_method: Method,
    sms_application_sid: Box<str>,
    address_sid: Box<str>,
    bundle_sid: Box<str>,
    identity_sid: Box<str>,
    emergency_status: Box<str>,
    emergency_address_sid: Box<str>,
}
