//! The written form of commands from clients, testers and the async shell around the engine.

use std::sync::Arc;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::answers::Completion;
use super::notes::Note;
use crate::engine::command;
use crate::engine::export::form::{Form, form};
use crate::engine::export::format::accounts::ApplicationChange;
use crate::engine::export::format::documents::Document;
use crate::engine::export::format::faxes::{CallbackMethod, Statuses};
use crate::engine::export::format::lines::{Line, LineFault};
use crate::engine::export::format::messages::Sender;
use crate::engine::export::format::numbers::NumberChange;
use crate::engine::export::format::rules::Rule;
use crate::engine::export::format::twiml_bins::TwimlBinChange;
use crate::engine::export::{self, MediaForm, State};
use crate::engine::input;
use crate::model::account::{self, AccountStatus, Service};
use crate::model::fax::Quality;
use crate::model::phone::{Party, PhoneNumber};
use crate::model::sid::{ApplicationSid, FaxSid, KeySid, MediaSid, MessageSid, NumberSid, TwimlBinSid};

form! {
    /// Any command, tagged with its name.
    enum Input for command::Input {
        CreateFax(command: Box<CreateFax>),
        CancelFax(command: Box<CancelFax>),
        DeleteFax(command: Box<DeleteFax>),
        DeleteEntries(command: Box<DeleteEntries>),
        DeleteMedia(command: Box<DeleteMedia>),
        BuyNumber(command: Box<BuyNumber>),
        UpdateNumber(command: Box<UpdateNumber>),
        ReleaseNumber(command: Box<ReleaseNumber>),
        UpdateAccount(command: Box<UpdateAccount>),
        CreateKey(command: Box<CreateKey>),
        RenameKey(command: Box<RenameKey>),
        DeleteKey(command: Box<DeleteKey>),
        VerifyCallerId(command: Box<VerifyCallerId>),
        RenameCallerId(command: Box<RenameCallerId>),
        DeleteCallerId(command: Box<DeleteCallerId>),
        CreateApplication(command: Box<CreateApplication>),
        UpdateApplication(command: Box<UpdateApplication>),
        DeleteApplication(command: Box<DeleteApplication>),
        CreateTwimlBin(command: Box<CreateTwimlBin>),
        UpdateTwimlBin(command: Box<UpdateTwimlBin>),
        DeleteTwimlBin(command: Box<DeleteTwimlBin>),
        ServeTwimlBin(command: Box<ServeTwimlBin>),
        CreateMessage(command: Box<CreateMessage>),
        RedactMessage(command: Box<RedactMessage>),
        DeleteMessage(command: Box<DeleteMessage>),
        ReceiveFax(command: Box<ReceiveFax>),
        ChangeAccount(command: Box<ChangeAccount>),
        Reset(command: Box<Reset>),
        AddRule(command: Box<AddRule>),
        ChangeRule(command: Box<ChangeRule>),
        DropRule(command: Box<DropRule>),
        DropRules(command: Box<DropRules>),
        ApiCalled(command: Box<ApiCalled>),
        MediaRequested(command: Box<MediaRequested>),
        TakeSnapshot(command: Box<TakeSnapshot>),
        Restore(command: Box<Restore>),
        Claim(command: Box<Claim>),
        Note(command: Box<Note>),
        LoadState(command: Box<LoadState>),
        HandleAlarms(command: Box<HandleAlarms>),
        DropSnapshot(command: Box<DropSnapshot>),
        Completion(command: Box<Completion>),
    }
}

form! {
    struct CreateFax for input::CreateFax {
        to: Party,
        from: Option<Party>,
        media_url: Arc<str>,
        quality: Quality,
        status_callback: Option<Box<str>>,
        #[serde(default)]
        callback_method: CallbackMethod,
        callback_statuses: Option<Statuses>,
        store_media: bool,
        ttl_minutes: Option<u32>,
        origin: Arc<str>,
    }
}

form! {
    struct CancelFax for input::CancelFax {
        fax = 0: FaxSid,
    }
}

form! {
    struct DeleteFax for input::DeleteFax {
        fax = 0: FaxSid,
    }
}

form! {
    struct DeleteEntries for input::DeleteEntries {
        entries = 0: Box<[FaxSid]>,
    }
}

form! {
    struct DeleteMedia for input::DeleteMedia {
        fax = 0: FaxSid,
        media = 1: MediaSid,
    }
}

form! {
    struct BuyNumber for input::BuyNumber {
        wanted: NumberRequest,
        change: NumberChange,
    }
}

form! {
    enum NumberRequest for input::NumberRequest {
        Number(number: PhoneNumber),
        Area(code: u16),
    }
}

form! {
    struct UpdateNumber for input::UpdateNumber {
        number = 0: NumberSid,
        change = 1: NumberChange,
    }
}

form! {
    struct ReleaseNumber for input::ReleaseNumber {
        number = 0: NumberSid,
    }
}

form! {
    struct UpdateAccount for input::UpdateAccount {
        change = 0: AccountChange,
    }
}

form! {
    struct ChangeAccount for input::ChangeAccount {
        change = 0: AccountChange,
    }
}

form! {
    struct AccountChange for account::AccountChange {
        friendly_name: Option<Box<str>>,
        status: Option<AccountStatus>,
        service: Option<Service>,
        debugger_url: Option<Change>,
        signing_key: Option<Change>,
    }
}

/// A change to an optional string.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Change {
    Set(Box<str>),
    Removed,
}

impl Form for Change {
    type Of = Option<Box<str>>;

    fn of(text: &Option<Box<str>>) -> Self {
        text.clone().map_or(Self::Removed, Self::Set)
    }

    fn value(self) -> Option<Box<str>> {
        match self {
            Self::Set(text) => Some(text),
            Self::Removed => None,
        }
    }
}

form! {
    struct CreateKey for input::CreateKey {
        friendly_name = 0: Box<str>,
    }
}

form! {
    struct RenameKey for input::RenameKey {
        key = 0: KeySid,
        friendly_name = 1: Option<Box<str>>,
    }
}

form! {
    struct DeleteKey for input::DeleteKey {
        key = 0: KeySid,
    }
}

form! {
    struct VerifyCallerId for input::VerifyCallerId {
        number = 0: PhoneNumber,
        friendly_name = 1: Option<Box<str>>,
    }
}

form! {
    struct RenameCallerId for input::RenameCallerId {
        caller_id = 0: NumberSid,
        friendly_name = 1: Option<Box<str>>,
    }
}

form! {
    struct DeleteCallerId for input::DeleteCallerId {
        caller_id = 0: NumberSid,
    }
}

form! {
    struct CreateApplication for input::CreateApplication {
        change = 0: ApplicationChange,
    }
}

form! {
    struct UpdateApplication for input::UpdateApplication {
        application = 0: ApplicationSid,
        change = 1: ApplicationChange,
    }
}

form! {
    struct DeleteApplication for input::DeleteApplication {
        application = 0: ApplicationSid,
    }
}

form! {
    struct CreateTwimlBin for input::CreateTwimlBin {
        name: Box<str>,
        contents: Arc<str>,
    }
}

form! {
    struct UpdateTwimlBin for input::UpdateTwimlBin {
        bin = 0: TwimlBinSid,
        change = 1: TwimlBinChange,
    }
}

form! {
    struct DeleteTwimlBin for input::DeleteTwimlBin {
        bin = 0: TwimlBinSid,
    }
}

form! {
    struct ServeTwimlBin for input::ServeTwimlBin {
        bin = 0: TwimlBinSid,
    }
}

form! {
    struct CreateMessage for input::CreateMessage {
        from: Option<Sender>,
        to: PhoneNumber,
        body: Box<str>,
        media: u32,
        messaging_service: Option<Box<str>>,
        status_callback: Option<Box<str>>,
    }
}

form! {
    struct RedactMessage for input::RedactMessage {
        message = 0: MessageSid,
    }
}

form! {
    struct DeleteMessage for input::DeleteMessage {
        message = 0: MessageSid,
    }
}

form! {
    struct ReceiveFax for input::ReceiveFax {
        to: Option<PhoneNumber>,
        from: Party,
        station_id: Box<str>,
        document: Document,
        quality: Quality,
        sid: Option<FaxSid>,
        line_fault: Option<LineFault>,
        line: Line,
        origin: Arc<str>,
        #[serde(default)]
        twiml_url: Option<Box<str>>,
    }
}

form! {
    struct Reset for input::Reset {
        seed: Option<u64>,
    }
}

form! {
    struct AddRule for input::AddRule {
        rule = 0: Rule,
    }
}

form! {
    struct ChangeRule for input::ChangeRule {
        id: u64,
        change: RuleChange,
    }
}

form! {
    enum RuleChange for input::RuleChange {
        Enabled(enabled: bool),
        Replaced(rule: Rule),
    }
}

form! {
    struct DropRule for input::DropRule {
        rule = 0: u64,
    }
}

form! {
    struct DropRules for input::DropRules {}
}

form! {
    struct ApiCalled for input::ApiCalled {
        method: Box<str>,
        path: Box<str>,
    }
}

form! {
    struct MediaRequested for input::MediaRequested {
        fax: FaxSid,
        method: Box<str>,
        path: Box<str>,
    }
}

form! {
    struct TakeSnapshot for input::TakeSnapshot {
        name = 0: Box<str>,
    }
}

form! {
    struct Restore for input::Restore {
        name = 0: Box<str>,
    }
}

form! {
    struct DropSnapshot for input::DropSnapshot {
        name = 0: Box<str>,
    }
}

form! {
    struct Claim for input::Claim {
        token = 0: Box<str>,
    }
}

form! {
    struct HandleAlarms for input::HandleAlarms {
        limit: usize,
    }
}

form! {
    struct LoadState for export::LoadState {
        state = 0: WholeState,
    }
}

/// A complete state, including the bytes of all documents that it names.
struct WholeState(State);

impl Form for WholeState {
    type Of = State;

    fn of(state: &State) -> Self {
        Self(state.clone())
    }

    fn value(self) -> State {
        self.0
    }
}

impl Serialize for WholeState {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.to_json(MediaForm::Inline).map_err(serde::ser::Error::custom)?.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for WholeState {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        State::of_json(&Value::deserialize(deserializer)?, &[]).map(Self).map_err(Error::custom)
    }
}
