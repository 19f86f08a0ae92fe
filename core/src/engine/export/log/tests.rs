//! Tests that commands of every kind are read as they were written, and that invalid lines are refused.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{LOG_VERSION, LogError};
use crate::engine::command::{Input, Logged};
use crate::engine::effect::{EffectId, Generation};
use crate::engine::event::{Alert, AlertLevel, CallResult, EventKind, ResetCount, ResetTo, RuledWebhook};
use crate::engine::export::LoadState;
use crate::engine::export::{MediaForm, State};
use crate::engine::input::{
    AddRule, ApiCalled, BuyNumber, CancelFax, ChangeAccount, ChangeRule, Claim, Completion, CreateApplication,
    CreateFax, CreateKey, CreateMessage, CreateTwimlBin, DeleteApplication, DeleteCallerId, DeleteEntries, DeleteFax,
    DeleteKey, DeleteMedia, DeleteMessage, DeleteTwimlBin, DocumentFault, DropRule, DropRules, DropSnapshot,
    EffectResult, HandleAlarms, MediaRequested, Note, NumberRequest, ReceiveFax, RedactMessage, ReleaseNumber,
    RenameCallerId, RenameKey, Reset, Restore, RuleChange, ServeTwimlBin, TakeSnapshot, UpdateAccount,
    UpdateApplication, UpdateNumber, UpdateTwimlBin, VerifyCallerId,
};
use crate::engine::rule::{
    ApiFault, DownloadFault, LineOverride, Match, Outcome, Pattern, Rule, RuleEffect, WebhookFault,
};
use crate::model::account::{AccountChange, AccountStatus, Service};
use crate::model::application::ApplicationChange;
use crate::model::fault::{Failure, Fault};
use crate::model::fax::{Direction, MediaType, PageSize, Quality, Status};
use crate::model::line::{Coding, Line, LineFault};
use crate::model::media::{Document, MediaFault, UnreadableDocument};
use crate::model::message::{MessageStatus, Sender};
use crate::model::number::{NumberChange, ReceiveMode};
use crate::model::page::{CodedBits, FilledBits, PageInFile, PageLoss, PageText, ROW_PELS};
use crate::model::phone::{Party, PhoneNumber};
use crate::model::request_edits::{ParamEdits, ParamOrder, RequestEdits};
use crate::model::sid::{AlertSid, ApplicationSid, FaxSid, KeySid, MediaSid, MessageSid, NumberSid, TwimlBinSid};
use crate::model::time::Timestamp;
use crate::model::twiml_bin::TwimlBinChange;
use crate::model::webhook::{
    ActingRule, Cookie, Delivery, ExchangeFailure, ExchangeRecord, Method, Purpose, RuleMark, Signature,
};
use crate::twiml::{Reading, Receive, TwimlError, Verb, Warning};

const NUMBER: PhoneNumber = PhoneNumber::from_digits(15_005_550_006);
const FAX: FaxSid = FaxSid::from_bytes([1; 16]);
const NUMBER_SID: NumberSid = NumberSid::from_bytes([2; 16]);
const BIN: TwimlBinSid = TwimlBinSid::from_bytes([3; 16]);
const MESSAGE: MessageSid = MessageSid::from_bytes([7; 16]);
const LINE: Line = Line { rate_bps: 4_800, coding: Coding::Mr, noise_per_mille: 7 };

fn at() -> Timestamp {
    Timestamp::from_micros(1_767_225_600_123_456)
}

fn text() -> PageText {
    PageText { content: "Jane\nDoe".into(), is_cut: true, has_pictures: true }
}

fn document() -> Document {
    let bits = CodedBits { mmr: 9, filled: Some(FilledBits { mr: [1, 2, 3, 4, 5, 6], mh: [6, 5, 4, 3, 2, 1] }) };
    let sheet =
        PageInFile { width: ROW_PELS, height: 3, quality: Quality::Superfine, place: 1..3, bits, text: Some(text()) };
    Document {
        media_type: MediaType::Tiff,
        pages: 1,
        bytes: Arc::new([0, 1, 254, 255]),
        sheets: Arc::new([sheet]),
        losses: Arc::new([
            PageLoss { page: Some(1), what: "a font".into() },
            PageLoss { page: None, what: "x".into() },
        ]),
    }
}

fn record(failure: Option<ExchangeFailure>) -> ExchangeRecord {
    let pairs = |name: &str| vec![(name.to_owned(), "1".to_owned()), (name.to_owned(), "ü\n\"".to_owned())];
    ExchangeRecord {
        purpose: Purpose::FallbackUrl,
        method: Method::Get,
        url: "http://app/f?x=1".to_owned(),
        params: pairs("To"),
        request_headers: pairs("Accept"),
        redirected_to: Some("http://app/g".to_owned()),
        status: Some(200),
        response_headers: pairs("Server"),
        response_body: "<Response/>".to_owned(),
        duration_ms: 12,
        delivery: Delivery {
            attempt: 2,
            after: failure.as_ref().map(ExchangeFailure::fault),
            signature: Signature::Stale,
            by_rule: Some(RuleMark {
                rule: Some(ActingRule::Tester(3)),
                held_ms: 4,
                is_reordered: true,
                is_duplicate: true,
                edits: Some(edits().into()),
            }),
        },
        failure,
    }
}

fn failures() -> Vec<ExchangeFailure> {
    let why = || "why".to_owned();
    vec![
        ExchangeFailure::InvalidUrl(why()),
        ExchangeFailure::HttpStatus(503),
        ExchangeFailure::ConnectTimeout,
        ExchangeFailure::ConnectionRefused,
        ExchangeFailure::ReadTimeout,
        ExchangeFailure::TotalTimeout,
        ExchangeFailure::ConnectionFailure(why()),
        ExchangeFailure::ProtocolViolation(why()),
        ExchangeFailure::BadHostName(why()),
        ExchangeFailure::TooManyRedirects,
        ExchangeFailure::RedirectsNowhere { status: 302, location: None },
        ExchangeFailure::RedirectsNowhere { status: 302, location: Some(why()) },
        ExchangeFailure::TlsHandshake(why()),
        ExchangeFailure::CertificateName(why()),
        ExchangeFailure::CertificateExpired(why()),
        ExchangeFailure::CertificateUntrusted(why()),
        ExchangeFailure::TooLarge { limit: 9 },
    ]
}

fn edits() -> RequestEdits {
    let edits = RequestEdits::default().set_param("a", "1").add_param("b", "2").remove_param("c").pad_param("d");
    let edits = edits.set_header("e", "3").remove_header("f").lower_case_headers().signed_for("https://app/");
    let order = ParamOrder::First(vec!["a".into()]);
    RequestEdits { params: ParamEdits { order, ..edits.params }, ..edits }
}

fn rules() -> Vec<Rule> {
    let pattern = || Some(Pattern::new("+1*").expect("a valid pattern"));
    let matches = Match {
        direction: Some(Direction::Outbound),
        from: pattern(),
        to: pattern(),
        pages: Some((1, 9)),
        method: Some("POST".into()),
        path: pattern(),
        url: pattern(),
        purpose: Some(Purpose::Action),
    };
    let fault = LineFault { fault: Fault::Transmission, after_pages: 2, text: Some("Connection failed".into()) };
    let effects = [
        RuleEffect::Outcome(Outcome::Failed(fault)),
        RuleEffect::Outcome(Outcome::NoAnswer),
        RuleEffect::Line(LineOverride { rate_bps: Some(2_400), noise_per_mille: Some(3) }),
        RuleEffect::Api(ApiFault { refusal: Some((429, Some(20429))), delay_ms: 5, reset: true }),
        RuleEffect::Webhook(WebhookFault {
            delay_ms: 1,
            duplicate: true,
            late: true,
            reorder: true,
            drop: true,
            signature: Signature::Stale,
            edits: Some(edits().into()),
        }),
        RuleEffect::Media(DownloadFault {
            delay_ms: 1,
            bytes_per_second: Some(20),
            cut_after_bytes: Some(3),
            redirects: 4,
            status: Some(503),
        }),
        edits().reversed_params().into(),
    ];
    let rule = |effect| Rule {
        matches: matches.clone(),
        after: 1,
        times: Some(2),
        chance: Some(0.432_952_849_813_225_57),
        enabled: true,
        effect,
    };
    effects.into_iter().map(rule).collect()
}

fn faxes() -> Vec<Input> {
    let create = CreateFax {
        to: Party::Number(NUMBER),
        from: Some(Party::Sip("sip:kate@example.com".into())),
        media_url: "http://app/a.pdf".into(),
        quality: Quality::Standard,
        status_callback: Some("http://app/s".into()),
        callback_method: Method::Get,
        callback_statuses: Some([Status::Sending, Status::Busy].into_iter().collect()),
        store_media: true,
        ttl_minutes: Some(3),
        origin: "http://127.0.0.1:8329".into(),
    };
    let receive = ReceiveFax {
        to: Some(NUMBER),
        from: Party::Name("Jack".into()),
        station_id: "FAR".into(),
        document: document(),
        quality: Quality::Fine,
        sid: Some(FAX),
        line_fault: Some(LineFault { fault: Fault::Incompatible, after_pages: 1, text: None }),
        line: LINE,
        origin: "http://127.0.0.1:8329".into(),
        twiml_url: Some("http://127.0.0.1:8329/twiml/EH00000000000000000000000000000001".into()),
    };
    vec![
        create.into(),
        CancelFax(FAX).into(),
        DeleteFax(FAX).into(),
        DeleteEntries([FAX].into()).into(),
        DeleteMedia(FAX, MediaSid::from_bytes([3; 16])).into(),
        receive.into(),
    ]
}

fn account() -> Vec<Input> {
    let application = ApplicationSid::from_bytes([4; 16]);
    let key = KeySid::from_bytes([5; 16]);
    let name = || Some("name".into());
    let number = NumberChange {
        friendly_name: name(),
        voice_method: Some(Method::Get),
        voice_caller_id_lookup: Some(true),
        voice_receive_mode: Some(ReceiveMode::Fax),
        emergency_status: Some("Active".into()),
        ..NumberChange::default()
    };
    let shared = ApplicationChange { voice_url: name(), sms_method: Some(Method::Get), ..ApplicationChange::default() };
    let change = |debugger_url: Option<Option<Box<str>>>| AccountChange {
        friendly_name: name(),
        status: Some(AccountStatus::Suspended),
        service: Some(Service::Retired),
        signing_key: debugger_url.clone(),
        debugger_url,
    };
    vec![
        BuyNumber { wanted: NumberRequest::Number(NUMBER), change: number.clone() }.into(),
        BuyNumber { wanted: NumberRequest::Area(501), change: NumberChange::default() }.into(),
        UpdateNumber(NUMBER_SID, number).into(),
        ReleaseNumber(NUMBER_SID).into(),
        UpdateAccount(change(None)).into(),
        ChangeAccount(change(Some(None))).into(),
        ChangeAccount(change(Some(Some("http://app/d".into())))).into(),
        CreateKey("CI".into()).into(),
        RenameKey(key, name()).into(),
        RenameKey(key, None).into(),
        DeleteKey(key).into(),
        VerifyCallerId(NUMBER, name()).into(),
        RenameCallerId(NUMBER_SID, name()).into(),
        DeleteCallerId(NUMBER_SID).into(),
        CreateApplication(shared.clone()).into(),
        UpdateApplication(application, shared).into(),
        DeleteApplication(application).into(),
        CreateTwimlBin { name: "Reject".into(), contents: "<Response/>".into() }.into(),
        UpdateTwimlBin(BIN, TwimlBinChange { name: name(), contents: Some("<Response/>".into()) }).into(),
        UpdateTwimlBin(BIN, TwimlBinChange::default()).into(),
        DeleteTwimlBin(BIN).into(),
        message(Some(Sender::Number(NUMBER))).into(),
        message(Some(Sender::Name("My Shop".into()))).into(),
        message(None).into(),
        RedactMessage(MESSAGE).into(),
        DeleteMessage(MESSAGE).into(),
        ServeTwimlBin(BIN).into(),
        Claim("secret".into()).into(),
    ]
}

fn message(from: Option<Sender>) -> CreateMessage {
    CreateMessage {
        from,
        to: NUMBER,
        body: "Your fax was sent \u{1f44d}\n".into(),
        media: 2,
        messaging_service: Some("MG0123456789abcdef0123456789abcdef".into()),
        status_callback: Some("http://app/m".into()),
    }
}

fn testers() -> Vec<Input> {
    let state = State::read(include_bytes!("../../../../../fixtures/state/v1.json"), &[]).expect("a valid state");
    let mut inputs: Vec<Input> = rules().into_iter().map(|rule| AddRule(rule).into()).collect();
    inputs.extend([
        Reset { seed: Some(u64::MAX) }.into(),
        Reset { seed: None }.into(),
        ChangeRule { id: 2, change: RuleChange::Enabled(false) }.into(),
        ChangeRule { id: 2, change: RuleChange::Replaced(Rule { enabled: false, ..rules().remove(0) }) }.into(),
        DropRule(2).into(),
        DropRules.into(),
        ApiCalled { method: "GET".into(), path: "/v1/Faxes".into() }.into(),
        MediaRequested { fax: FAX, method: "GET".into(), path: "/fax".into() }.into(),
        TakeSnapshot("a".into()).into(),
        Restore("a".into()).into(),
        DropSnapshot("a".into()).into(),
        LoadState(state).into(),
        HandleAlarms { limit: 1_000 }.into(),
    ]);
    inputs
}

fn answers() -> Vec<Input> {
    let cookies = || vec![Cookie { host: "app".to_owned(), pair: "a=1".to_owned() }];
    let record = |failure| Box::new(record(failure));
    let unreadable = || UnreadableDocument { reason: "empty".to_owned() };
    let warnings = || vec![Warning { fault: Fault::TwimlSchema, text: "odd".to_owned() }];
    let receive = Receive {
        action: Some("/done".to_owned()),
        method: Method::Get,
        media_type: MediaType::Tiff,
        page_size: PageSize::A4,
        store_media: false,
    };
    let text = || "text".to_owned();
    let verbs = [
        Ok(Verb::Receive(receive)),
        Ok(Verb::Reject),
        Err(TwimlError::ContentType(text())),
        Err(TwimlError::TooLarge),
        Err(TwimlError::Empty),
        Err(TwimlError::Malformed(text())),
        Err(TwimlError::Compressed { coding: text(), fault: Fault::TwimlMalformed }),
        Err(TwimlError::Root(text())),
        Err(TwimlError::HtmlPage { fault: Fault::ContentType }),
        Err(TwimlError::NoVerb),
    ];
    let twiml = |reading| EffectResult::Twiml {
        record: record(None),
        cookies: cookies(),
        base_url: "http://app/f".into(),
        reading,
    };
    let mut outcomes: Vec<_> =
        verbs.into_iter().map(|verb| twiml(Ok(Reading { verb, warnings: warnings() }))).collect();
    outcomes.extend(failures().into_iter().map(|failure| EffectResult::Document {
        record: record(Some(failure.clone())),
        document: Err(DocumentFault::Fetch(failure)),
    }));
    outcomes.extend([
        twiml(Err(ExchangeFailure::ReadTimeout)),
        EffectResult::Document { record: record(None), document: Ok(document()) },
        EffectResult::Document { record: record(None), document: Err(DocumentFault::Unreadable(unreadable())) },
        EffectResult::Rendered(Ok(document())),
        EffectResult::Rendered(Err(unreadable())),
        EffectResult::Delivered { record: record(None), cookies: cookies() },
        EffectResult::Lost,
    ]);
    let answer = |outcome| Completion { effect: EffectId::from_number(7), generation: Generation(3), outcome };
    outcomes.into_iter().map(|outcome| answer(outcome).into()).collect()
}

fn notes() -> Vec<Input> {
    let shared = || Arc::new(record(Some(ExchangeFailure::ReadTimeout)));
    let alert = Alert {
        sid: AlertSid::from_bytes([6; 16]),
        place: 4,
        fault: Fault::HttpStatus,
        level: AlertLevel::Warning,
        message: "odd".into(),
        record: Some(shared()),
    };
    let count = ResetCount { faxes: 1, pending: 2, effects: 3 };
    let kinds = [
        EventKind::FaxStatus {
            old: Some(Status::Queued),
            new: Status::Failed,
            failure: Some(Failure::with_detail(Fault::Transmission, "broke")),
        },
        EventKind::FaxPage { page: 1, pages: 2, line: LINE, bits: Some(3), line_ms: 4, text: Some(text()) },
        EventKind::DocumentFetched { record: shared(), document: Ok((1, 2)) },
        EventKind::DocumentFetched { record: shared(), document: Err("empty".into()) },
        EventKind::DocumentLoss(PageLoss { page: None, what: "a font".into() }),
        EventKind::WebhookAttempt { record: shared() },
        EventKind::WebhookReplayed { of: "token".into(), record: shared() },
        EventKind::TwimlExecuted { verb: Verb::Reject },
        EventKind::CallAttempt { attempt: 1, outcome: CallResult::Busy, retry_at: Some(at()), rule: Some(2) },
        EventKind::CallAttempt { attempt: 2, outcome: CallResult::Connected, retry_at: None, rule: None },
        EventKind::CallNotAnswered,
        EventKind::Alert(alert),
        EventKind::CallerIdAdopted { number: NUMBER },
        EventKind::MessageStatus { message: MESSAGE, old: Some(MessageStatus::Queued), new: MessageStatus::Sent },
        EventKind::MediaEvicted,
        EventKind::MediaRefused { status: 403, fault: MediaFault::Expired, detail: "old".into() },
        EventKind::MediaWarning { fault: MediaFault::UserAgent, detail: "none".into() },
        EventKind::AnswerDropped,
        EventKind::RuleFired { id: 1, rule: Arc::new(rules().remove(0)), webhook: None },
        EventKind::RuleFired {
            id: 1,
            rule: Arc::new(rules().remove(0)),
            webhook: Some(RuledWebhook { purpose: Purpose::Action, status: Some(Status::Failed) }),
        },
        EventKind::PedanticActed {
            effect: Arc::new(rules().remove(0).effect),
            webhook: Some(RuledWebhook { purpose: Purpose::Action, status: Some(Status::Failed) }),
            call: Some("GET /v1/Faxes".into()),
        },
        EventKind::ClockMoved { from: at(), frozen: true },
        EventKind::WorldBroken { why: "x".into(), inputs: "a, b".into(), seed: u64::MAX },
        EventKind::WorldReset { count, to: ResetTo::Start },
        EventKind::WorldReset { count, to: ResetTo::Snapshot("a".into()) },
        EventKind::WorldReset { count, to: ResetTo::State },
    ];
    let noted = |kind| Note { fax: Some(FAX), kind }.into();
    kinds.into_iter().map(noted).chain([Note { fax: None, kind: EventKind::AnswerDropped }.into()]).collect()
}

/// Formats an input for a comparison. `Debug` omits the contents of documents and a claimed token, so they are added. A
/// state is formatted as JSON, because `Debug` shows its hash maps in no fixed order.
fn shown(Logged { at, input }: &Logged) -> String {
    if let Input::LoadState(state) = input {
        return state.0.to_json(MediaForm::Inline).expect("JSON").to_string();
    }
    let token = if let Input::Claim(claim) = input { Some(&claim.0) } else { None };
    let received = if let Input::ReceiveFax(receive) = input { Some(&receive.document) } else { None };
    let brought = if let Input::Completion(answer) = input { document_of(&answer.outcome) } else { None };
    let whole = received.or(brought).map(|document| (&document.bytes, &document.sheets, &document.losses));
    format!("{at:?} {input:?} {token:?} {whole:?}")
}

fn document_of(outcome: &EffectResult) -> Option<&Document> {
    if let EffectResult::Document { document: Ok(document), .. } | EffectResult::Rendered(Ok(document)) = outcome {
        Some(document)
    } else {
        None
    }
}

#[test]
fn each_command_reads_back_as_written() {
    let all = [faxes(), account(), testers(), answers(), notes()].concat();
    let mut names = std::collections::BTreeSet::new();
    for input in all {
        let logged = Logged { at: at(), input };
        let line = logged.to_line().expect("it is written");
        assert!(!line.contains('\n'), "{line}");
        let again = Logged::of_line(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert_eq!(shown(&again), shown(&logged));
        assert_eq!(again.to_line().expect("it is written"), line);
        let entry: Value = serde_json::from_str(&line).expect("JSON");
        names.extend(entry["input"].as_object().expect("one command").keys().cloned());
    }
    assert_eq!(names.len(), 42, "one of each kind: {names:?}");
}

#[test]
fn the_form_of_a_line_is_stable() {
    let line = |input: Input| Logged { at: at(), input }.to_line().expect("it is written");
    assert_eq!(
        line(CancelFax(FAX).into()),
        r#"{"fauxfax_log":1,"at":"2026-01-01T00:00:00.123456Z","input":{"cancel-fax":{"fax":"FX01010101010101010101010101010101"}}}"#
    );
    assert_eq!(
        line(ChangeAccount(AccountChange { debugger_url: Some(None), ..AccountChange::default() }).into()),
        r#"{"fauxfax_log":1,"at":"2026-01-01T00:00:00.123456Z","input":{"change-account":{"change":{"debugger_url":"removed"}}}}"#
    );
}

#[test]
fn invalid_lines_and_other_versions_are_refused() {
    for text in ["", "{\"fauxfax_log\":1"] {
        assert!(matches!(Logged::of_line(text), Err(LogError::NoJson { why }) if why.contains("EOF")), "{text}");
    }
    for text in ["null", "[]", "{}", "{\"fauxfax_log\":\"1\"}", "{\"fauxfax_log\":0}"] {
        assert_eq!(Logged::of_line(text).err(), Some(LogError::NoEntry), "{text}");
    }
    let newer = Logged::of_line("{\"fauxfax_log\":2,\"words\":[]}").err();
    assert_eq!(newer, Some(LogError::Newer { found: LOG_VERSION + 1 }));
}

#[test]
fn the_error_about_an_invalid_value_begins_with_its_path() {
    let refused = |change: &dyn Fn(&mut Value)| {
        let line = Logged { at: at(), input: faxes().remove(0) }.to_line().expect("it is written");
        let mut entry = serde_json::from_str(&line).expect("JSON");
        change(&mut entry);
        Logged::of_line(&entry.to_string()).expect_err("it is refused").to_string()
    };
    let told = refused(&|entry| entry["input"]["create-fax"]["quality"] = json!("best"));
    assert!(told.starts_with("input.create-fax.quality: ") && told.contains("superfine"), "{told}");
    let told = refused(&|entry| entry["input"]["create-fax"]["colour"] = json!(true));
    assert!(told.starts_with("input.create-fax.colour: "), "{told}");
    let told = refused(&|entry| entry["input"] = json!({ "paint-fax": {} }));
    assert!(told.starts_with("input") && told.contains("paint-fax"), "{told}");
    let told = refused(&|entry| entry["at"] = json!(5));
    assert!(told.starts_with("at: "), "{told}");
}
