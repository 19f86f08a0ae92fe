//! The written form of an account's text messages.

use super::accounts::Registered;
use crate::engine::export::form::form;
use crate::model::message::{self, MessageStatus};
use crate::model::phone::PhoneNumber;
use crate::model::sid::MessageSid;
use crate::model::time::Timestamp;

impl Registered for message::Message {
    type Id = MessageSid;
    fn place(&self) -> (u64, MessageSid) {
        (self.ordinal, self.sid)
    }
}

form! {
    struct Message for message::Message {
        sid: MessageSid,
        ordinal: u64,
        from: Option<Sender>,
        to: PhoneNumber,
        body: Box<str>,
        segments: u32,
        media: u32,
        messaging_service: Option<Box<str>>,
        status_callback: Option<Box<str>>,
        status: MessageStatus,
        created: Timestamp,
        updated: Timestamp,
        sent: Option<Timestamp>,
        owed: Vec<MessageStatus>,
    }
}

form! {
    enum Sender for message::Sender {
        Number(number: PhoneNumber),
        Name(name: Box<str>),
    }
}
