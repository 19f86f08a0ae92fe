//! Default inputs for engine scripts, the simulation and benchmarks: the specification of a world, the order to send a
//! fax, the call of a remote machine, a document, and the record of an exchange.

use std::sync::Arc;

use fauxfax::engine::effect::Intent;
use fauxfax::engine::input::{CreateFax, ReceiveFax};
use fauxfax::engine::random::WorldSeed;
use fauxfax::engine::{WorldOptions, WorldSpec};
use fauxfax::model::account::{Account, AccountMode, CallbackPolicy, DocumentPolicy};
use fauxfax::model::fax::Quality;
use fauxfax::model::line::Line;
use fauxfax::model::media::Document;
use fauxfax::model::number::{NumberChange, ReceiveMode};
use fauxfax::model::phone::{Party, PhoneNumber};
use fauxfax::model::sid::AccountSid;
use fauxfax::model::time::{Pace, Timestamp};
use fauxfax::model::webhook::{Delivery, ExchangeRecord, Method, Purpose};

/// The world's own fax number.
pub(crate) const OWN: PhoneNumber = PhoneNumber::from_digits(15_005_550_006);
/// The number of a remote machine that accepts every fax.
pub(crate) const FAR: PhoneNumber = PhoneNumber::from_digits(15_558_675_310);
/// The time at which scripts begin: 2026-01-01T00:00:00Z.
pub(crate) const START: Timestamp = Timestamp::from_const_seconds(1_767_225_600);
/// The origin, a scheme and a host, at which clients reach the emulator.
pub(crate) const ORIGIN: &str = "http://127.0.0.1:8329";

/// Returns the specification of a world, which a test may change.
pub(crate) fn spec() -> WorldSpec {
    let sid = AccountSid::from_bytes([0; 16]);
    let change = NumberChange {
        voice_receive_mode: Some(ReceiveMode::Fax),
        voice_url: Some("http://app/fax".into()),
        ..NumberChange::default()
    };
    WorldSpec {
        account: Account::new(sid, Some("secret".into()), START),
        seed: WorldSeed::of(7, sid),
        earlier_worlds: 0,
        inventory_seed: 7,
        numbers: vec![(OWN, change)],
        caller_ids: vec![FAR],
        twiml_bins: Vec::new(),
        rules: Vec::new(),
        options: WorldOptions {
            pace: Pace::Times(1.0),
            callbacks: CallbackPolicy::All,
            documents: DocumentPolicy::Lenient,
            accounts: AccountMode::Open,
            is_pedantic: false,
            media_budget_bytes: 1_000,
        },
    }
}

/// Returns an order to send a fax to this number from the world's own number.
pub(crate) fn order(to: PhoneNumber) -> CreateFax {
    CreateFax {
        to: Party::Number(to),
        from: Some(Party::Number(OWN)),
        media_url: "http://app/a.pdf".into(),
        quality: Quality::Fine,
        status_callback: None,
        callback_method: Method::Post,
        callback_statuses: None,
        store_media: true,
        ttl_minutes: None,
        origin: ORIGIN.into(),
    }
}

/// Returns a call from a remote machine to the world's own number.
pub(crate) fn call(pages: u32) -> ReceiveFax {
    ReceiveFax {
        to: Some(OWN),
        from: Party::Number(FAR),
        station_id: "FAR MACHINE".into(),
        document: document(pages, 100),
        quality: Quality::Fine,
        sid: None,
        line_fault: None,
        line: Line::default(),
        origin: ORIGIN.into(),
        twiml_url: None,
    }
}

/// Returns a document with this many pages and bytes.
pub(crate) fn document(pages: u32, bytes: usize) -> Document {
    Document::unrendered(pages, Arc::from(vec![b'%'; bytes]))
}

/// Returns the record of a successful exchange.
pub(crate) fn record(intent: &Intent) -> ExchangeRecord {
    let (purpose, method, url) = match intent {
        Intent::FetchDocument { url, .. } => (Purpose::MediaUrl, Method::Get, url.to_string()),
        Intent::Render(_) => (Purpose::MediaUrl, Method::Get, String::new()),
        Intent::AskForTwiml(request) => (request.purpose, request.method, request.url.to_string()),
        Intent::Deliver(notice) => (notice.purpose, notice.method, notice.url.to_string()),
        Intent::NotifyOfMessage(notice) => (Purpose::StatusCallback, Method::Post, notice.url.to_string()),
        Intent::Report(report) => (Purpose::Debugger, Method::Post, report.url.to_string()),
    };
    ExchangeRecord {
        purpose,
        method,
        url,
        params: Vec::new(),
        request_headers: Vec::new(),
        redirected_to: None,
        status: Some(200),
        response_headers: Vec::new(),
        response_body: String::new(),
        duration_ms: 0,
        failure: None,
        delivery: Delivery::FIRST,
    }
}
