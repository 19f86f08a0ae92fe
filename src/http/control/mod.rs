//! The control API under `/_fauxfax/v1`, which testers use. Handlers hold no policy, and Twilio's terms appear only
//! where a resource is shown as clients see it. One table defines both the routes and their OpenAPI description.

mod accounts;
mod bins;
pub(super) mod ca;
pub(super) mod check;
mod clock;
mod conversation;
pub mod event;
mod explain;
mod extract;
mod fax;
mod faxes;
mod feed_stream;
mod health;
mod incoming;
mod journal;
mod lazy;
mod listing;
mod masked;
mod metrics;
mod operation;
mod page_text;
mod pages;
mod problem;
mod progress;
mod quickstart;
mod request;
mod rules;
mod samples;
mod session;
mod snapshots;
mod state;
mod stream;
mod traffic;
mod traffic_filter;
mod traffic_view;
mod upload;
mod verify;
mod wait;
mod webhooks;

use std::net::SocketAddr;

use axum::routing::get;
use axum::{Extension, Json, Router, middleware};
use serde_json::Value;

use self::ca::CaFiles;
use self::check::Checks;
pub use self::extract::Addressed;
use self::operation::Operation;
pub(super) use self::problem::Problem;
use crate::emulator::Registry;
use crate::http::ListenAddress;
/// The root of the control API's paths.
pub use crate::io::own::CONTROL_BASE as BASE;

/// Returns the control API's routes for a listener at `address`, and those at the root, such as the health checks. `ca`
/// returns the local CA's files, if the server has any.
pub fn router(registry: Registry, address: SocketAddr, ca: Option<&CaFiles>, checks: &Checks) -> Router {
    let control = operation::routes(operations())
        .route("/openapi.json", get(describe))
        .fallback(problem::no_such_call)
        .method_not_allowed_fallback(problem::wrong_method)
        .layer(middleware::from_fn(problem::of_a_panic))
        .layer(Extension(ListenAddress(address)))
        .layer(Extension(Checks::clone(checks)));
    let control = match ca {
        Some(ca) => control.layer(Extension(CaFiles::clone(ca))),
        None => control,
    };
    let at_the_root = Router::new().route("/ca.pem", get(ca::certificate));
    let at_the_root = match ca {
        Some(ca) => at_the_root.layer(Extension(CaFiles::clone(ca))),
        None => at_the_root,
    };
    Router::new()
        .nest(BASE, control)
        .merge(at_the_root)
        .route("/livez", get(health::live))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(metrics::metrics))
        .with_state(registry)
}

/// Returns the control API's OpenAPI document.
#[must_use]
pub fn openapi() -> Value {
    operation::document(&operations(), BASE)
}

async fn describe() -> Json<Value> {
    Json(openapi())
}

/// Returns all calls, each with its route and its description.
fn operations() -> Vec<Operation> {
    let groups = [
        ("Emulator and accounts", about_the_emulator()),
        ("Faxes", about_faxes()),
        ("TwiML bins", about_bins()),
        ("Journal", about_the_journal()),
        ("Clock", about_the_clock()),
        ("Rules", about_behaviour()),
        ("Checks of an app", about_checks()),
        ("Snapshots and reset", about_snapshots()),
    ];
    groups.into_iter().flat_map(|(group, calls)| calls.into_iter().map(move |call| call.about(group))).collect()
}

fn about_the_emulator() -> Vec<Operation> {
    use Operation as Op;
    vec![
        Op::get("/health", "The emulator's state and counts of what it holds", health::health)
            .of_no_account()
            .answers::<health::Health>(200),
        Op::get("/accounts", "All accounts, each with its own world", accounts::list)
            .of_no_account()
            .answers::<accounts::AccountList>(200),
        Op::post("/accounts", "Create an account; a missing SID or token is generated", accounts::create)
            .of_no_account()
            .body::<accounts::NewAccount>()
            .answers::<accounts::AccountView>(201)
            .refuses(&[409, 429]),
        Op::get("/accounts/{sid}", "One account", accounts::show)
            .of_no_account()
            .answers::<accounts::AccountView>(200)
            .refuses(&[400, 404]),
        Op::post("/accounts/{sid}", "Change an account; fields left out stay as they are", accounts::change)
            .of_no_account()
            .body::<accounts::AccountEdits>()
            .answers::<accounts::AccountView>(200)
            .refuses(&[404, 409]),
        Op::delete("/accounts/{sid}", "Remove an account with its world", accounts::remove)
            .of_no_account()
            .answers_empty(204)
            .refuses(&[400, 404, 409]),
        Op::get(
            "/quickstart",
            "How to use this very instance: credential, code in each language, a first fax each way, wait and verify",
            quickstart::show,
        )
        .query::<quickstart::QuickstartQuery>()
        .answers::<quickstart::Quickstart>(200)
        .answers_as(200, quickstart::MEDIA_TYPE)
        .refuses(&[422]),
        Op::get("/ca.pem", "The local CA's certificate, created on the first request", ca::certificate)
            .of_no_account()
            .answers_as(200, "application/x-pem-file")
            .refuses(&[404, 500]),
        Op::get(
            "/ca-bundle.pem",
            "The public roots and the local CA, for clients that accept only one file",
            ca::bundle,
        )
        .of_no_account()
        .answers_as(200, "application/x-pem-file")
        .refuses(&[404, 500]),
        Op::post(
            "/console-session",
            "Exchange the control token for a cookie, so that a browser need not send it each time",
            session::open,
        )
        .of_no_account()
        .answers_empty(204),
        Op::get("/samples", "Sample documents", samples::list).of_no_account().answers::<samples::SampleList>(200),
        Op::get("/samples/{name}", "A sample document", samples::show)
            .of_no_account()
            .answers_as(200, "application/pdf")
            .refuses(&[404]),
        Op::post("/explain-signature", "Find the common mistake that explains an invalid signature", explain::explain)
            .body::<explain::ExplainOrder>()
            .answers::<explain::ExplanationView>(200)
            .refuses(&[409]),
    ]
}

fn about_faxes() -> Vec<Operation> {
    use Operation as Op;
    vec![
        Op::post("/incoming-faxes", "A fax machine calls one of the account's numbers", incoming::receive)
            .query::<incoming::ReceiveQuery>()
            .body_as::<upload::Fields>(&["application/json", "multipart/form-data"])
            .answers::<incoming::ConversationView>(200)
            .answers::<incoming::Rung>(202)
            .refuses(&[408, 409]),
        Op::get(
            "/faxes",
            "The faxes of one or all accounts, newest first; on request also calls that nobody took",
            faxes::list,
        )
        .of_all_accounts()
        .query::<faxes::FaxesQuery>()
        .answers::<faxes::FaxPage>(200)
        .refuses(&[422]),
        Op::delete(
            "/faxes",
            "Delete faxes that have ended and calls that nobody took: all, or those that a search finds",
            faxes::delete,
        )
        .query::<faxes::DeleteQuery>()
        .answers::<faxes::DeletedFaxes>(200)
        .refuses(&[422]),
        Op::get(
            "/faxes/{sid}",
            "A fax as the REST API shows it, with its progress and why it failed; or a call that nobody took",
            fax::show,
        )
        .answers::<Value>(200)
        .refuses(&[404]),
        Op::get("/faxes/{sid}/conversation.json", "The conversation: the fax and its events", conversation::as_json)
            .answers::<conversation::ConversationFile>(200)
            .refuses(&[404]),
        Op::get("/faxes/{sid}/conversation.har", "The conversation's exchanges as HAR 1.2", conversation::as_har)
            .answers_as(200, "application/json")
            .refuses(&[404]),
        Op::get("/faxes/{sid}/conversation.md", "The conversation as Markdown for an issue", conversation::as_markdown)
            .answers_as(200, "text/markdown; charset=utf-8")
            .refuses(&[404]),
        Op::get(
            "/faxes/{sid}/{file}",
            "The fax pages as document.pdf or document.tiff, converted if the other format is stored",
            fax::document,
        )
        .answers_as(200, "application/pdf")
        .answers_as(200, "image/tiff")
        .refuses(&[404]),
        Op::get(
            "/faxes/{sid}/pages/{file}",
            "A page, stored or being received, as a picture: 1.png, 2.png …",
            pages::show,
        )
        .query::<pages::PageQuery>()
        .answers_as(200, "image/png")
        .refuses(&[404, 422]),
        Op::get(
            "/faxes/{sid}/pages/{page}/text",
            "The text of a stored page, from the document's text layer; a scan has none",
            page_text::show,
        )
        .answers::<page_text::PageTextView>(200)
        .answers_as(200, page_text::MEDIA_TYPE)
        .refuses(&[404]),
    ]
}

fn about_bins() -> Vec<Operation> {
    use Operation as Op;
    vec![
        Op::get("/twiml-bins", "The account's TwiML bins, newest first", bins::list).answers::<bins::BinList>(200),
        Op::post("/twiml-bins", "Store TwiML under a URL of its own", bins::create)
            .body::<bins::Fields>()
            .answers::<bins::BinView>(201)
            .refuses(&[429]),
        Op::get("/twiml-bins/{sid}", "One TwiML bin", bins::show).answers::<bins::BinView>(200).refuses(&[404]),
        Op::post("/twiml-bins/{sid}", "Change a TwiML bin; fields left out stay as they are", bins::change)
            .body::<bins::Fields>()
            .answers::<bins::BinView>(200)
            .refuses(&[404]),
        Op::delete("/twiml-bins/{sid}", "Delete a TwiML bin", bins::remove).answers_empty(204).refuses(&[404]),
    ]
}

fn about_the_journal() -> Vec<Operation> {
    use Operation as Op;
    vec![
        Op::get("/events", "The journal of one account, or of all in one list, page by page or live", journal::list)
            .of_all_accounts()
            .query::<journal::EventsQuery>()
            .answers::<journal::EventPage>(200)
            .answers_as(200, stream::MEDIA_TYPE),
        Op::get("/events/hash", "The hash of the journal, the same for equal runs", journal::hash)
            .answers::<journal::JournalHash>(200),
        Op::get("/wait", "Wait for a status of a fax, or until nothing is pending", wait::wait)
            .query::<wait::WaitQuery>()
            .answers::<wait::WaitedView>(200)
            .refuses(&[408, 409, 422]),
        Op::post("/verify", "Check that something is in the journal, and show the closest events", verify::verify)
            .query::<verify::VerifyQuery>()
            .body::<verify::VerifyOrder>()
            .answers::<verify::VerdictView>(200),
        Op::get("/webhooks", "Every request to an app, with its attempts", webhooks::list)
            .query::<webhooks::WebhooksQuery>()
            .answers::<webhooks::WebhookList>(200),
        Op::get("/webhooks/{id}", "One request to an app", webhooks::show).answers::<webhooks::WebhookView>(200),
        Op::get("/traffic", "Every request in both directions, of all accounts, page by page or live", traffic::list)
            .of_all_accounts()
            .query::<traffic_filter::TrafficQuery>()
            .answers::<traffic::TrafficPage>(200)
            .answers_as(200, stream::MEDIA_TYPE)
            .refuses(&[422]),
        Op::post("/webhooks/{id}/replay", "Send a request to an app again, optionally edited", webhooks::replay)
            .body::<webhooks::ReplayEdits>()
            .answers::<Value>(200)
            .refuses(&[409]),
    ]
}

fn about_the_clock() -> Vec<Operation> {
    use Operation as Op;
    vec![
        Op::get("/clock", "The account's clock and its next deadlines", clock::show).answers::<clock::ClockView>(200),
        Op::put("/clock", "Freeze the clock or let it run", clock::set)
            .body::<clock::ClockChange>()
            .answers::<clock::ClockView>(200),
        Op::post("/clock/advance", "Move a frozen clock", clock::advance)
            .body::<clock::Move>()
            .answers::<clock::ClockView>(200)
            .refuses(&[408, 409]),
        Op::post("/clock/drain", "Move a frozen clock until no work is left", clock::drain)
            .body::<clock::Drain>()
            .answers::<clock::ClockView>(200)
            .refuses(&[408, 409]),
    ]
}

fn about_behaviour() -> Vec<Operation> {
    use Operation as Op;
    vec![
        Op::get("/rules", "The rules in order, with how often each has matched and acted", rules::list)
            .answers::<rules::RuleList>(200),
        Op::post("/rules", "Add a rule that makes something go wrong on purpose", rules::add)
            .body::<rules::RuleOrder>()
            .answers::<rules::RuleShown>(201)
            .refuses(&[409]),
        Op::post("/rules/{id}", "Change a rule, or enable or disable it", rules::change)
            .body::<rules::RuleOrder>()
            .answers::<rules::RuleShown>(200)
            .refuses(&[409]),
        Op::delete("/rules", "Remove all rules", rules::remove_all).answers_empty(204),
        Op::delete("/rules/{id}", "Remove a rule", rules::remove).answers_empty(204),
    ]
}

fn about_checks() -> Vec<Operation> {
    use Operation as Op;
    vec![
        Op::post("/check", "Judge an app by how it handles right and wrong requests", check::start)
            .body::<check::CheckOrder>()
            .answers::<Value>(200)
            .answers::<check::RunView>(202)
            .refuses(&[409]),
        Op::get("/check", "The run of the checks: how far it has come, and its report", check::show)
            .answers::<check::RunView>(200),
        Op::delete("/check", "End the run early, and put back what it changed", check::cancel).answers_empty(204),
        Op::get("/check/list", "The checks, each with its reason, remedy and source", check::list)
            .of_no_account()
            .answers::<check::CheckList>(200),
    ]
}

fn about_snapshots() -> Vec<Operation> {
    use Operation as Op;
    vec![
        Op::post("/reset", "Reset to the configured start, or to a snapshot", snapshots::reset)
            .query::<snapshots::ResetQuery>()
            .answers::<snapshots::ResetDone>(200)
            .refuses(&[409, 422]),
        Op::get("/state", "Export the world as one document", state::show)
            .query::<state::StateQuery>()
            .answers::<state::StateShown>(200)
            .refuses(&[413]),
        Op::put("/state", "Replace the world with an exported one", state::load)
            .body::<state::StateShown>()
            .answers::<snapshots::ResetDone>(200),
        Op::get("/snapshots", "The snapshots of the world", snapshots::list).answers::<snapshots::SnapshotList>(200),
        Op::put("/snapshots/{name}", "Take a snapshot", snapshots::take)
            .query::<snapshots::TakeQuery>()
            .answers::<snapshots::SnapshotShown>(201)
            .refuses(&[409, 422]),
        Op::post("/snapshots/{name}", "Restore a snapshot", snapshots::restore)
            .answers::<snapshots::ResetDone>(200)
            .refuses(&[409, 422]),
        Op::delete("/snapshots/{name}", "Remove a snapshot", snapshots::remove).answers_empty(204).refuses(&[422]),
    ]
}
