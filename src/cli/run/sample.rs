//! The sample app of scenarios. It is the app of `demo`, but it also refuses wrong signatures, sends a fax on request,
//! and has a URL that never responds.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, post};

use crate::cli::client::{Client, Credential};
use crate::cli::demo::app::App;
use crate::dialect::form::{self, Form};

/// The number that the app sends from if the request names none.
const FROM: &str = "+15005550006";

/// The sample app.
#[derive(Clone)]
pub(super) struct Sample {
    client: Client,
    credential: std::sync::Arc<Credential>,
    origin: String,
}

impl Sample {
    /// Returns the app of this account, which is served at this address.
    pub(super) fn new(client: Client, credential: Credential, origin: &str) -> Self {
        Self { client, credential: credential.into(), origin: origin.to_owned() }
    }

    /// Returns the app's routes.
    pub(super) fn router(self) -> Router {
        let (dialect, key) = (self.credential.dialect(), self.credential.signing_key.clone());
        let app = App { origin: self.origin.clone(), dialect, key, refuses: true };
        let own = Router::new().route("/send", post(send)).route("/slow", any(slow)).with_state(self);
        app.router().merge(own)
    }
}

/// Sends the app's letter to the number in the form, and responds with the fax.
async fn send(State(app): State<Sample>, body: Bytes) -> Response {
    let form = Form::parse(&body).ok();
    let get = |name: &str| form.as_ref().and_then(|form| form.get(name));
    let Some(to) = get("To") else {
        return (StatusCode::BAD_REQUEST, "the form needs To\n").into_response();
    };
    let (media, callback) = (format!("{}/letter.pdf", app.origin), format!("{}/fax/status", app.origin));
    let order =
        [("From", get("From").unwrap_or(FROM)), ("To", to), ("MediaUrl", &media), ("StatusCallback", &callback)];
    let path = app.credential.faxes_path();
    match app.client.rest("POST", &path, &app.credential, Some(form::encode(&order))).await {
        Ok(fax) => ([(header::CONTENT_TYPE, "application/json")], fax.to_string()).into_response(),
        Err(error) => (StatusCode::BAD_GATEWAY, format!("{error}\n")).into_response(),
    }
}

/// Never responds.
async fn slow() -> StatusCode {
    std::future::pending().await
}
