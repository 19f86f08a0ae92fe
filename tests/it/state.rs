//! Tests exported states of the engine: importing one yields the same world, and an invalid one is refused as a whole with
//! the location of the mistake.

use std::time::Duration;

use fauxfax::dialect::rule;
use fauxfax::engine::Engine;
use fauxfax::engine::effect::Intent;
use fauxfax::engine::export::LoadState;
use fauxfax::engine::export::{MediaForm, STATE_VERSION, State, StateError};
use fauxfax::engine::input::{
    AddRule, Completion, CreateApplication, CreateFax, CreateKey, CreateTwimlBin, DeleteTwimlBin, EffectResult, Reset,
    ServeTwimlBin,
};
use fauxfax::model::application::ApplicationChange;
use fauxfax::model::fax::Status;
use fauxfax::model::phone::PhoneNumber;
use fauxfax::model::refusal::Refusal;
use fauxfax::model::time::Timestamp;
use fauxfax::model::webhook::ExchangeFailure;
use fauxfax::twiml;
use serde_json::{Value, json};

use crate::script::{FAR, OWN, Script, call, document, order, record, spec, spec_like};

const RECEIVE: &str = "<Response><Receive action=\"/done\"/></Response>";
const HOUR: Duration = Duration::from_secs(3_600);

/// Creates a world with many kinds of entries: faxes that have ended, are being sent, are ringing or have delayed
/// notifications; an alert, a rule, an application and an API key.
fn busy() -> Script {
    let mut script = Script::default();
    let delay = json!({ "match": { "purpose": "action" }, "chance": 0.9999, "webhook": { "delay_ms": 90_000 } });
    script
        .control(AddRule(rule::parse(&delay, fauxfax::model::account::Dialect::Twilio).expect("a rule")))
        .expect("accepted");
    let change = ApplicationChange { voice_url: Some("http://app/shared".into()), ..ApplicationChange::default() };
    script.command(CreateApplication(change)).expect("there is room");
    script.command(CreateKey("CI".into())).expect("there is room");
    script.send(order(FAR));
    script.answer_document(2);
    script.forward(HOUR);
    script.receive(call(1));
    script.answer_twiml(RECEIVE, &["session=1"]);
    script.forward(Duration::from_secs(40));
    script.send(order(PhoneNumber::from_digits(15_005_550_101)));
    script.answer_document(1);
    script.forward(Duration::from_secs(30));
    script.send(CreateFax { status_callback: Some("http://app/s".into()), ttl_minutes: Some(5), ..order(OWN) });
    script.receive(call(3));
    script
}

fn written(engine: &Engine, now: Timestamp) -> Value {
    engine.state(false, now).to_json(MediaForm::Inline).expect("JSON")
}

fn read(document: &Value) -> Result<State, StateError> {
    State::of_json(document, &[])
}

fn loaded(document: &Value, script: &Script) -> Engine {
    let mut engine = Engine::new(spec(), script.now);
    engine.handle(LoadState(read(document).expect("a valid state")), script.now);
    engine
}

/// Returns a state without the field `ways_back`, which importing increments.
fn but_for_the_way_back(mut document: Value) -> Value {
    document["world"].as_object_mut().expect("an object").remove("ways_back");
    document
}

/// Replaces a world with its own export.
pub(crate) fn reload(engine: &mut Engine, now: Timestamp) {
    let state = State::of_json(&written(engine, now), &[]);
    engine.handle(LoadState(state.unwrap_or_else(|error| panic!("{error}"))), now);
}

/// Exports a world, imports it into another engine, and checks that the imported world is the same and settles.
pub(crate) fn survives(engine: &Engine, now: Timestamp) {
    let document = written(engine, now);
    let mut again = Engine::new(spec_like(engine), now);
    again.handle(LoadState(read(&document).expect("what was written is understood")), now);
    assert_eq!(but_for_the_way_back(written(&again, now)), but_for_the_way_back(document));
    let mut now = now;
    while !again.is_idle() {
        while let Some(effect) = again.poll_effect() {
            let outcome = good(&effect.intent);
            let answer = Completion { effect: effect.id, generation: effect.generation, outcome };
            again.handle(answer, now).expect("a completion is never refused");
        }
        now = again.next_work().map_or(now, |due| due.max(now));
        again.handle_timeout(now);
    }
    assert_eq!(again.pending_count(), 0);
}

fn good(intent: &Intent) -> EffectResult {
    let (record, cookies) = (Box::new(record(intent)), Vec::new());
    match intent {
        Intent::FetchDocument { .. } => EffectResult::Document { record, document: Ok(document(1, 100)) },
        Intent::Render(request) => EffectResult::Rendered(Ok(request.document.clone())),
        Intent::AskForTwiml(request) => {
            let reading = Ok(twiml::interpret(Some("text/xml"), RECEIVE.as_bytes()));
            EffectResult::Twiml { record, cookies, base_url: request.url.clone(), reading }
        }
        Intent::Deliver(_) | Intent::NotifyOfMessage(_) | Intent::Report(_) => {
            EffectResult::Delivered { record, cookies }
        }
    }
}

/// Returns the error for a changed state, which must be refused.
fn refused(change: impl FnOnce(&mut Value)) -> String {
    let mut document = written(&busy().engine, busy().now);
    change(&mut document);
    read(&document).expect_err("a refusal").to_string()
}

#[test]
fn an_exported_and_imported_world_is_the_same() {
    let script = busy();
    let state = written(&script.engine, script.now);
    assert_eq!(state["fauxfax_state"], STATE_VERSION);
    let mut again = loaded(&state, &script);
    assert_eq!(but_for_the_way_back(written(&again, script.now)), but_for_the_way_back(state));
    let issued = std::iter::from_fn(|| again.poll_effect()).count();
    assert_eq!(issued, 3, "a notice, a fetch and a request for TwiML are under way again");
    assert_eq!(again.media_bytes(), script.engine.media_bytes());
    assert_eq!(again.next_work(), script.engine.next_work());
    assert_eq!(again.alerts(script.now).count(), 1);
    assert_eq!(again.rule_book().count(), 1);
    assert_eq!(again.applications().count(), 1);
    let keys = |engine: &Engine| engine.keys().cloned().collect::<Vec<_>>();
    assert_eq!((keys(&again), keys(&again).len()), (keys(&script.engine), 1));
}

#[test]
fn a_state_contains_words_and_dates_but_no_token() {
    let text = serde_json::to_string_pretty(&written(&busy().engine, busy().now)).expect("JSON");
    for part in ["\"+15558675310\"", "\"2026-01-01T00:00:00Z\"", "\"delivered\"", "\"sha256\"", "\"http://app/s\""] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(!text.contains("\"secret\": \"secret\"") && !text.contains("auth_token"), "{text}");
    assert!(!text.contains("null"), "absent values are left out: {text}");
}

#[test]
fn an_invalid_state_or_one_of_a_newer_version_is_refused() {
    for document in [json!({}), json!([1]), json!(null)] {
        assert_eq!(read(&document).err(), Some(StateError::NoState));
    }
    for (version, shown) in [
        (json!(1.5), "1.5"),
        (json!("1"), "\"1\""),
        (json!(-1), "-1"),
        (json!(null), "null"),
        (json!([1]), "a list"),
        (json!({ "major": 1 }), "an object"),
    ] {
        let told = refused(|state| state["fauxfax_state"] = version);
        assert_eq!(told, format!("fauxfax_state: must be a whole number from 1 to 2, not {shown}"));
    }
    assert_eq!(refused(|state| state["fauxfax_state"] = json!(0)), "fauxfax_state: must be at least 1");
    let newer = refused(|state| state["fauxfax_state"] = json!(STATE_VERSION + 1));
    assert!(newer.contains("newer fauxfax") && newer.contains("is 3"), "{newer}");
}

#[test]
fn an_unknown_field_is_refused_with_its_place() {
    for (place, field) in [
        ("", "wrold"),
        ("world", "colour"),
        ("world.tables.faxes[0]", "colour"),
        ("world.tables.faxes[0].phase.ended", "colour"),
        ("world.book.rules[0].rule.match", "form"),
        ("world.under_way[0]", "colour"),
        ("account", "auth_token"),
    ] {
        let told = refused(|state| {
            let pointer: String = place.split(['.', '[', ']']).filter(|part| !part.is_empty()).fold(
                String::new(),
                |mut pointer, part| {
                    pointer.push('/');
                    pointer.push_str(part);
                    pointer
                },
            );
            let object = state.pointer_mut(&pointer).unwrap_or_else(|| panic!("there is no {place}"));
            object[field] = json!(1);
        });
        assert!(told.contains(field) && told.starts_with(place), "{place}: {told}");
    }
}

#[test]
fn a_wrong_value_is_refused_with_its_location_and_the_allowed_values() {
    let told = refused(|state| state["world"]["tables"]["faxes"][0]["quality"] = json!("best"));
    assert!(told.starts_with("world.tables.faxes[0].quality: ") && told.contains("superfine"), "{told}");
    let told = refused(|state| state["world"]["tables"]["faxes"][0]["created"] = json!("yesterday"));
    assert!(told.starts_with("world.tables.faxes[0].created: "), "{told}");
    let told = refused(|state| state["world"]["numbers"]["numbers"][0]["number"] = json!("911"));
    assert!(told.starts_with("world.numbers.numbers[0].number: ") && told.contains("E.164"), "{told}");
    let told = refused(|state| state["world"]["book"]["rules"][0]["rule"]["match"]["to"] = json!("*".repeat(17)));
    assert!(told.contains("16 asterisks"), "{told}");
}

#[test]
fn an_error_names_its_field_and_says_what_is_wrong() {
    let told = |change: fn(&mut Value)| refused(change);
    let without = |state: &mut Value, field: &str| drop(state.as_object_mut().expect("an object").remove(field));
    let missing = refused(|state| without(state, "world"));
    assert!(missing.starts_with("world: is missing at line 1"), "{missing}");
    let missing = refused(|state| without(&mut state["world"]["tables"], "calls"));
    assert!(missing.starts_with("world.tables.calls: is missing at line 1"), "{missing}");
    for (told, start) in [
        (told(|state| state["wrold"] = json!(1)), "wrold: unknown field \"wrold\"; did you mean world?"),
        (told(|state| state["clock_frozen"] = json!("no")), "clock_frozen: must be true or false, not \"no\" at line"),
        (told(|state| state["world"] = json!(5)), "world: must be an object, not 5 at line 1"),
        (
            told(|state| state["world"]["book"]["rules"][0]["rule"]["after"] = json!(-1)),
            "world.book.rules[0].rule.after: must be a whole number from 0 to 4294967295, not -1 at line 1",
        ),
        (
            told(|state| state["world"]["under_way"][0]["intent"] = json!({ "x": 1 })),
            "world.under_way[0].intent: must be one",
        ),
    ] {
        assert!(told.starts_with(start), "{start}: {told}");
    }
}

#[test]
fn a_duplicate_field_or_entry_is_refused() {
    let text = written(&busy().engine, busy().now).to_string();
    for (once, twice, told) in [
        (r#""clock_frozen":"#, r#""clock_frozen":true,"clock_frozen":"#, "clock_frozen: is given twice"),
        (
            r#""retrying":{"#,
            r#""retrying":{"9":"FX00000000000000000000000000000001","9":"FX00000000000000000000000000000001","#,
            "world.retrying: 9 is given twice",
        ),
    ] {
        let text = text.replacen(once, twice, 1).replace(",}", "}");
        let error = State::read(text.as_bytes(), &[]).expect_err("a refusal").to_string();
        assert!(error.starts_with(told), "{told}: {error}");
    }
    let of_version_1 = OF_EACH_VERSION[0].replacen("\"clock_frozen\":", "\"clock_frozen\": true, \"clock_frozen\":", 1);
    let error = State::read(of_version_1.as_bytes(), &[]).expect_err("a refusal").to_string();
    assert!(error.contains("clock_frozen is given twice"), "{error}");
}

#[test]
fn an_old_state_with_too_many_values_to_upgrade_is_refused_with_the_limit() {
    let text = format!(r#"{{"fauxfax_state":1,"world":[{}0]}}"#, "0,".repeat(500_001));
    let told = State::read(text.as_bytes(), &[]).expect_err("a refusal").to_string();
    assert!(told.starts_with("fauxfax_state: a state of version 1 may have at most 500000 values"), "{told}");
    assert!(told.contains("this one has up to 500004") && told.contains("export it again"), "{told}");
}

#[test]
fn a_rule_that_no_tester_could_add_is_refused_with_its_id_and_field() {
    let line = |line: Value| json!({ "effect": { "line": line } });
    for (change, told) in [
        (line(json!({ "noise_per_mille": 65_000 })), "line.noise: must be a number from 0 to 1, not 65"),
        (line(json!({ "rate_bps": 1 })), "line.rate_bps: must be a whole number from 2400 to 33600, not 1"),
        (json!({ "chance": 5 }), "chance: must be a number greater than 0 and at most 1, not 5"),
        (json!({ "times": 0 }), "times: must be a whole number from 1 to 1000000, not 0"),
        (
            json!({ "match": {}, "effect": { "api": { "refusal": [9_999, 1], "delay_ms": 0, "reset": false } } }),
            "api.status: must be a whole number from 400 to 599, not 9999",
        ),
        (
            json!({ "match": {}, "effect": { "outcome": { "failed": { "fault": "busy", "after_pages": 0 } } } }),
            "outcome.code: must be the code of a transmission fault (transmission or incompatible), not busy",
        ),
        (json!({ "match": { "pages": [0, 3] } }), "match.pages.min: must be a whole number from 1 to 10000, not 0"),
        (json!({ "match": { "method": "LOOK" } }), "match.method: must be one of GET, POST, DELETE, PUT, PATCH, HEAD"),
        (json!({ "match": { "purpose": "media-url" } }), "match.purpose: must be one of fax-url"),
        (json!({ "match": { "to": "1555" } }), "match.to: can never match"),
    ] {
        let error = refused(|state| {
            let rule = state["world"]["book"]["rules"][0]["rule"].as_object_mut().expect("a rule");
            rule.extend(change.as_object().expect("fields").clone());
        });
        assert!(error.starts_with(&format!("world.book.rules[0] (rule 1): {told}")), "{change}: {error}");
    }
}

#[test]
fn a_dangling_reference_is_refused() {
    let told = refused(|state| state["world"]["agenda"][0]["ordinal"] = json!(77));
    assert!(told.starts_with("world.agenda[") && told.contains("ordinal 77"), "{told}");
    let stranger = "FX0123456789abcdef0123456789abcdef";
    let told = refused(|state| state["world"]["under_way"][0]["fax"] = json!(stranger));
    assert!(told.starts_with("world.under_way[0].fax: ") && told.contains(stranger), "{told}");
    let told = refused(|state| state["world"]["tables"]["calls"][0]["call"]["caller"] = json!({ "own": 99 }));
    assert!(told.starts_with("world.tables.calls[0].call.caller: "), "{told}");
    let told = refused(|state| state["world"]["next_ordinal"] = json!(1));
    assert!(told.starts_with("world.next_ordinal: "), "{told}");
}

/// Collects the JSON pointers to all ids in a value, except those in recorded exchanges, which are only text.
fn ids(value: &Value, place: &str, found: &mut Vec<String>) {
    let is_id = |text: &str| text.len() == 34 && text[2..].bytes().all(|byte| byte.is_ascii_hexdigit());
    match value {
        Value::String(text) if is_id(text) => found.push(place.to_owned()),
        Value::Array(list) => list.iter().enumerate().for_each(|(at, each)| ids(each, &format!("{place}/{at}"), found)),
        Value::Object(fields) => {
            for (name, field) in fields.iter().filter(|(name, _)| *name != "record") {
                ids(field, &format!("{place}/{name}"), found);
            }
        }
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[test]
fn an_id_of_the_other_dialect_is_refused_wherever_it_appears() {
    let mut script = busy();
    let bin = CreateTwimlBin { name: "Take".into(), contents: RECEIVE.into() };
    script.command(bin).expect("there is room");
    let state = written(&script.engine, script.now);
    let mut places = Vec::new();
    ids(&state, "", &mut places);
    places.retain(|place| place != "/account_sid");
    for kind in ["tables/faxes", "tables/calls", "numbers", "applications", "twiml_bins", "alerts", "under_way"] {
        assert!(places.iter().any(|place| place.starts_with(&format!("/world/{kind}/"))), "{kind}: {places:?}");
    }
    for part in ["/keys/list/0/sid", "/media/sid", "/alert/sid", "/notice/media/0"] {
        assert!(places.iter().any(|place| place.ends_with(part)), "{part}: {places:?}");
    }
    for pointer in places {
        let mut forged = state.clone();
        *forged.pointer_mut(&pointer).expect("an id") = json!("831455c6-574e-4d8b-b6ee-2418140bf4cd");
        let told = read(&forged).expect_err("an id of SignalWire").to_string();
        let why = "831455c6-574e-4d8b-b6ee-2418140bf4cd is a signalwire id, but account_sid is a twilio account";
        let place = told.strip_suffix(why).and_then(|told| told.strip_suffix(": "));
        let place = place.unwrap_or_else(|| panic!("{pointer}: {told}"));
        assert_eq!(format!("/{}", place.replace(['.', '['], "/").replace(']', "")), pointer);
    }
    let mut forged = state.clone();
    let outgoing = forged["world"]["outgoing"].as_object_mut().expect("an object");
    let sid = outgoing.keys().next().expect("a fax with notices").clone();
    let notices = outgoing.remove(&sid).expect("notices");
    outgoing.insert("831455c6-574e-4d8b-b6ee-2418140bf4cd".to_owned(), notices);
    let told = read(&forged).expect_err("an id of SignalWire").to_string();
    assert!(told.starts_with("world.outgoing.831455c6-574e-4d8b-b6ee-2418140bf4cd: "), "{told}");
}

#[test]
fn numbers_that_no_world_reaches_are_refused_wherever_they_appear() {
    let state = written(&busy().engine, busy().now);
    let fax = state["world"]["outgoing"].as_object().and_then(|faxes| faxes.keys().next()).expect("a fax with notices");
    let notices = format!("/world/outgoing/{fax}/told");
    for place in
        ["/world/next_order", "/world/next_ordinal", "/world/api_calls", "/world/book/rules/0/matched", &notices]
    {
        let told = refused(|state| *state.pointer_mut(place).expect(place) = json!(u64::MAX));
        assert!(told.contains("is greater than"), "{place}: {told}");
    }
}

#[test]
fn a_page_size_line_rate_or_page_count_that_no_fax_can_have_is_refused() {
    let sheet = |width: u64, height: u64| {
        json!([{ "width": width, "height": height, "quality": "fine", "place": { "start": 0, "end": 1 },
            "bits": { "mh": 8, "mr": 8, "mmr": 8 } }])
    };
    for (width, height) in [(0, 1_000), (65_535, 1_000), (1_728, 0), (1_728, 1 << 31)] {
        let told = refused(|state| {
            state["world"]["tables"]["faxes"][1]["media"]["document"]["sheets"] = sheet(width, height);
        });
        assert!(told.contains("sheets"), "{width} × {height}: {told}");
    }
    let told = refused(|state| state["world"]["tables"]["calls"][0]["call"]["document"]["pages"] = json!(1_u32 << 31));
    assert!(told.contains("pages"), "{told}");
    for rate in [0, 1, 1_000_000] {
        let told = refused(|state| state["world"]["tables"]["calls"][0]["call"]["line"]["rate_bps"] = json!(rate));
        assert!(told.contains("bit/s"), "{rate}: {told}");
    }
}

#[test]
fn a_state_whose_alarms_do_not_fit_its_faxes_is_refused() {
    let told = refused(|state| {
        let alarms = state["world"]["agenda"].as_array_mut().expect("alarms");
        alarms.push(json!({ "at": "2026-01-01T02:00:00Z", "ordinal": 1, "kind": "start" }));
    });
    assert!(told.contains("delivered: it needs no alarm but has start"), "{told}");
    let told = refused(|state| {
        state["world"]["tables"]["faxes"][3]["phase"] = json!("queued");
    });
    assert!(told.contains("queued: it needs start but has no alarm"), "{told}");
    let told = refused(|state| {
        let under_way = state["world"]["under_way"].as_array_mut().expect("requests");
        under_way.retain(|each| each["intent"].get("fetch-document").is_none());
    });
    assert!(told.contains("could never end: nothing that it waits for is under way"), "{told}");
}

#[test]
fn bins_are_kept_with_their_counts_and_omitted_if_there_never_were_any() {
    let mut script = busy();
    assert!(written(&script.engine, script.now)["world"].get("twiml_bins").is_none(), "no bins, no field");
    let bin = || CreateTwimlBin { name: "Take".into(), contents: RECEIVE.into() };
    let [kept, gone] = [(), ()].map(|()| script.command(bin()).expect("there is room"));
    assert_eq!(script.command(ServeTwimlBin(kept)).as_deref(), Ok(RECEIVE));
    script.command(DeleteTwimlBin(gone)).expect("the bin exists");
    let state = written(&script.engine, script.now);
    let again = loaded(&state, &script);
    let bins = [&again, &script.engine].map(|engine| engine.twiml_bin(kept).expect("it is kept"));
    assert_eq!((bins[0], bins[0].requests), (bins[1], 1));
    assert_eq!(but_for_the_way_back(written(&again, script.now)), but_for_the_way_back(state.clone()), "with bins");
    for (field, value) in [("name", String::new()), ("contents", "x".repeat(64 * 1024 + 1))] {
        let mut bad = state.clone();
        bad["world"]["twiml_bins"]["list"][0][field] = value.into();
        let told = State::of_json(&bad, &[]).expect_err(field).to_string();
        assert!(told.starts_with(&format!("world.twiml_bins.list[0].{field}: must have ")), "{told}");
    }
    script.command(Reset::default()).expect("reset");
    assert!(script.engine.twiml_bin(kept).is_err());
    let refused = (0..).find_map(|_| script.command(bin()).err());
    assert_eq!(refused, Some(Refusal::LimitReached { what: "TwiML bins", limit: 1_000 }));
}

#[test]
fn duplicate_or_impossible_entries_are_refused() {
    let told = refused(|state| {
        let first = state["world"]["tables"]["faxes"][0].clone();
        state["world"]["tables"]["faxes"].as_array_mut().expect("faxes").push(first);
    });
    assert!(told.starts_with("world.tables") && told.contains("two faxes"), "{told}");
    for list in ["numbers", "caller_ids", "applications"] {
        let told = refused(|state| {
            let things = state["world"][list].as_object_mut().expect("an object");
            let things = things.values_mut().find_map(Value::as_array_mut).expect("a list");
            things.push(things[0].clone());
        });
        assert!(told.starts_with(&format!("world.{list}")) && told.contains("twice"), "{told}");
    }
    let told = refused(|state| {
        let first = state["world"]["book"]["rules"][0].clone();
        state["world"]["book"]["rules"].as_array_mut().expect("rules").push(first);
    });
    assert!(told.starts_with("world.book") && told.contains("rule 1"), "{told}");
    let told = refused(|state| state["world"]["tables"]["faxes"][0]["phase"]["ended"]["status"] = json!("received"));
    assert!(told.starts_with("world.tables.faxes[0].phase: ") && told.contains("outbound"), "{told}");
    let told = refused(|state| state["world"]["tables"]["faxes"][0]["phase"]["ended"]["status"] = json!("sending"));
    assert!(told.starts_with("world.tables.faxes[0].phase: "), "{told}");
}

#[test]
fn a_document_that_does_not_match_its_hash_is_refused() {
    let told = refused(|state| {
        let documents = state["documents"].as_object_mut().expect("documents");
        documents.values_mut().for_each(|text| *text = json!("AAAA"));
    });
    assert!(told.starts_with("documents.") && told.contains("SHA-256"), "{told}");
    let told = refused(|state| state["documents"] = json!([]));
    assert!(told.starts_with("documents: "), "{told}");
    // The SHA-256 of an empty document.
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let told = refused(|state| state["documents"][empty] = json!(""));
    assert!(told.contains("to any fax in the state"), "{told}");
    let told = refused(|state| {
        let sheet = json!({
            "width": 1728, "height": 1, "quality": "fine", "place": { "start": 0, "end": 101 }, "bits": { "mmr": 8 },
        });
        state["world"]["tables"]["faxes"][0]["media"]["document"]["sheets"] = json!([sheet]);
    });
    assert!(told.contains("sheets[0] is outside"), "{told}");
}

#[test]
fn stored_documents_may_be_named_by_hash_if_the_world_has_them() {
    let mut script = Script::default();
    script.send(order(FAR));
    script.answer_document(2);
    script.forward(HOUR);
    let state = script.engine.state(false, script.now).to_json(MediaForm::Hash).expect("JSON");
    assert_eq!(state["documents"], json!({}));
    assert!(matches!(read(&state), Err(StateError::NoDocument { place, .. }) if place.contains("faxes[0].media")));
    let read = State::of_json(&state, &script.engine.stored_documents()).expect("known documents");
    let before = written(&script.engine, script.now);
    script.engine.handle(LoadState(read), script.now);
    assert_eq!(but_for_the_way_back(written(&script.engine, script.now)), but_for_the_way_back(before));
}

#[test]
fn an_imported_world_keeps_the_time_left_until_its_next_deadline() {
    let mut script = Script::default();
    let sid = script.send(order(FAR));
    script.answer_document(1);
    script.forward(Duration::from_secs(5));
    let (state, left) =
        (written(&script.engine, script.now), script.engine.next_work().map(|due| due.since(script.now)));
    let later = script.now.after(HOUR);
    let mut engine = Engine::new(spec(), later);
    engine.handle(LoadState(read(&state).expect("a valid state")), later);
    assert_eq!(engine.next_work().map(|due| due.since(later)), left);
    assert_eq!(engine.fax(sid).map(|fax| fax.status()), Ok(Status::Sending));
}

#[test]
fn work_in_progress_is_issued_again_with_its_token_and_late_responses_are_dropped() {
    let mut script = Script::default();
    let sid = script.receive(call(1));
    script.answer_twiml(RECEIVE, &[]);
    script.forward(Duration::from_secs(40));
    script.expect_effects(&["tell action received http://app/done"]);
    let state = read(&written(&script.engine, script.now)).expect("a valid state");
    let token = |script: &Script| format!("{:?}", script.first_effect().intent);
    let before = token(&script);
    script.load(state);
    assert_eq!(token(&script), before);
    script.answer_late();
    assert_eq!(
        script.engine.events(&Default::default(), usize::MAX).last().map(|event| event.kind.as_str()),
        Some("answer.dropped")
    );
    script.answer_failure(ExchangeFailure::ReadTimeout);
    assert_eq!((script.status(sid), script.alerts()), (Status::Received, vec![11200]));
}

/// The state of a busy world in each version of the format; the last is the current one.
const OF_EACH_VERSION: &[&str] =
    &[include_str!("../../fixtures/state/v1.json"), include_str!("../../fixtures/state/v2.json")];
/// Worlds from the simulation in version 1 of the format, one per line.
const OF_VERSION_1: &str = include_str!("../../fixtures/state/v1.jsonl");
/// The same worlds in the current version.
const OF_TODAY: &str = include_str!("../../fixtures/state/v2.jsonl");

/// Imports a state, and exports it in the current version.
fn rewritten(text: &str) -> String {
    let state = State::read(text.as_bytes(), &[]).unwrap_or_else(|error| panic!("{error}"));
    let mut again = Vec::new();
    state.write(MediaForm::Inline, &mut again).expect("written");
    String::from_utf8(again).expect("text")
}

#[test]
fn a_state_of_every_version_can_still_be_read() {
    assert_eq!(OF_EACH_VERSION.len() as u64, STATE_VERSION, "fixtures/state has one of each version");
    for (version, text) in (1..).zip(OF_EACH_VERSION) {
        let document: Value = serde_json::from_str(text).expect("JSON");
        assert_eq!(document["fauxfax_state"], version);
        let script = busy();
        let mut engine = loaded(&document, &script);
        let Ok(canceled) = engine.handle(Reset { seed: None }, script.now) else {
            panic!("not reset");
        };
        assert_eq!((canceled.count.faxes, canceled.count.pending), (4, 2), "version {version}");
    }
}

#[test]
fn a_current_state_is_written_byte_for_byte_as_it_was_read() {
    let newest = OF_EACH_VERSION.last().expect("a state of the current version");
    let newest = serde_json::from_str::<Value>(newest).expect("JSON").to_string();
    for text in OF_TODAY.lines().chain([newest.as_str()]) {
        assert_eq!(rewritten(text), text);
    }
}

#[test]
fn a_world_of_version_1_gets_fault_names_in_place_of_codes() {
    for (before, after) in OF_VERSION_1.lines().zip(OF_TODAY.lines()) {
        assert_eq!(rewritten(before), after);
    }
    let mut unknown: Value = serde_json::from_str(OF_EACH_VERSION[0]).expect("JSON");
    unknown["world"]["alerts"][0]["alert"]["code"] = json!(99);
    let told = read(&unknown).expect_err("a refusal").to_string();
    assert_eq!(told, "world.alerts[0].alert.code: 99 is not the code of a fault");
}

#[test]
fn text_after_the_end_of_a_state_is_refused() {
    let text = include_str!("../../fixtures/state/v2.json");
    for after in [" x{{{", text, "null"] {
        let refused = State::read(format!("{text}{after}").as_bytes(), &[]).expect_err("a refusal");
        assert!(refused.to_string().contains("trailing characters"), "{refused}");
    }
}

#[test]
fn a_world_at_the_end_of_the_calendar_can_be_written_and_read() {
    let mut script = Script::default();
    script.send(order(FAR));
    let mut text = Vec::new();
    script.engine.state(true, Timestamp::LATEST).write(MediaForm::Inline, &mut text).expect("written");
    assert!(State::read(&text, &[]).is_ok(), "{}", String::from_utf8_lossy(&text));
}
