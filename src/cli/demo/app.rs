//! The sample app of `demo` and of scenarios: a real HTTP server in the role of the customer's app. It accepts incoming
//! faxes, receives status notifications, serves a document, and checks each signature with the account's key. The app
//! and the emulator communicate only over HTTP.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

use crate::cli::timeline::VERDICT;
use crate::dialect::form::Form;
use crate::dialect::signature;
use crate::model::account::Dialect;

/// The document that the app and the fax machine send to each other: a two-page letter.
pub(super) const LETTER: &[u8] = include_bytes!("../../../fixtures/documents/two-pages.pdf");

const TWIML: &str =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response><Receive action=\"/fax/received\"/></Response>";

/// What the app says of a signature that isn't the expected one.
const INVALID: &str = "invalid";

/// The app's state, which is used to check signatures.
#[derive(Clone)]
pub(in crate::cli) struct App {
    /// The scheme, host and port at which the emulator calls the app.
    pub(in crate::cli) origin: String,
    /// The dialect of the requests that the app receives.
    pub(in crate::cli) dialect: Dialect,
    /// The key that the account's requests are signed with.
    pub(in crate::cli) key: String,
    /// Whether the app refuses a request whose signature is wrong, as a real app does, or only reports it.
    pub(in crate::cli) refuses: bool,
}

impl App {
    /// Returns the app's routes: three webhooks and the document.
    pub(in crate::cli) fn router(self) -> Router {
        Router::new()
            .route("/fax", post(accept))
            .route("/fax/received", post(hear))
            .route("/fax/status", post(hear))
            .route("/letter.pdf", get(letter))
            .with_state(self)
    }

    /// Checks the signature of a request as a helper library's request validator does. Returns `valid` or `invalid`.
    fn verdict(&self, method: &Method, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> &'static str {
        let url = format!("{}{uri}", self.origin);
        let expected = if *method == Method::POST {
            let form = Form::parse(body).ok();
            let pairs = form.iter().flat_map(Form::iter).map(|(name, value)| (name.to_owned(), value.to_owned()));
            signature::of_form(&self.key, &url, &pairs.collect::<Vec<_>>())
        } else {
            signature::of_url(&self.key, &url)
        };
        let name = match self.dialect {
            Dialect::Twilio => "x-twilio-signature",
            Dialect::SignalWire => "x-signalwire-signature",
        };
        let given = headers.get(name).and_then(|value| value.to_str().ok());
        if given == Some(&expected) { "valid" } else { INVALID }
    }
}

async fn accept(State(app): State<App>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let verdict = app.verdict(&method, &uri, &headers, &body);
    if app.refuses && verdict == INVALID {
        return refused();
    }
    ([(header::CONTENT_TYPE, "text/xml"), (header::HeaderName::from_static(VERDICT), verdict)], TWIML).into_response()
}

async fn hear(State(app): State<App>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let verdict = app.verdict(&method, &uri, &headers, &body);
    if app.refuses && verdict == INVALID {
        return refused();
    }
    (StatusCode::NO_CONTENT, [(VERDICT, verdict)]).into_response()
}

fn refused() -> Response {
    (StatusCode::FORBIDDEN, [(VERDICT, INVALID)], "the signature is not the expected one\n").into_response()
}

async fn letter(State(app): State<App>, method: Method, uri: Uri, headers: HeaderMap) -> Response {
    // SignalWire doesn't sign document requests.
    let verdict = match app.dialect {
        Dialect::Twilio => Some([(VERDICT, app.verdict(&method, &uri, &headers, &[]))]),
        Dialect::SignalWire => None,
    };
    ([(header::CONTENT_TYPE, "application/pdf")], verdict, LETTER).into_response()
}
