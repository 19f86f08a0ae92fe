//! A fax inbox app and its tests, which use fauxfax. `cargo test --example inbox` runs the tests.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Form, FromRequest, Request, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Router, serve};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use tokio::net::TcpListener;

/// The inbox of one number.
#[derive(Clone)]
struct Inbox {
    /// The account's AuthToken, with which Twilio signs its requests.
    auth_token: Arc<str>,
    /// The address at which Twilio reaches the app.
    public_url: Arc<str>,
    /// The URLs of the documents of the faxes received so far, by the faxes' SIDs. A fax that is announced twice is in the
    /// inbox once.
    faxes: Arc<Mutex<BTreeMap<String, String>>>,
}

impl Inbox {
    fn new(auth_token: &str, public_url: &str) -> Self {
        Self { auth_token: auth_token.into(), public_url: public_url.into(), faxes: Arc::default() }
    }

    fn router(self) -> Router {
        Router::new()
            .route("/fax", post(accept))
            .route("/fax/received", post(received))
            .route("/", get(list))
            .with_state(self)
    }

    fn list(&self) -> BTreeMap<String, String> {
        self.faxes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The parameters of a request with a valid signature.
struct Signed(HashMap<String, String>);

impl FromRequest<Inbox> for Signed {
    type Rejection = StatusCode;

    async fn from_request(request: Request, inbox: &Inbox) -> Result<Self, StatusCode> {
        let signature = request.headers().get("X-Twilio-Signature").ok_or(StatusCode::FORBIDDEN)?;
        let signature = BASE64_STANDARD.decode(signature).map_err(|_| StatusCode::FORBIDDEN)?;
        let url = format!("{}{}", inbox.public_url, request.uri());
        let form = Form::<BTreeMap<String, String>>::from_request(request, inbox).await;
        let Form(params) = form.map_err(|_| StatusCode::BAD_REQUEST)?;
        let mac = Hmac::<Sha1>::new_from_slice(inbox.auth_token.as_bytes());
        let mut mac = mac.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
        mac.update(url.as_bytes());
        // The map is sorted by name, as the signature requires.
        for (name, value) in &params {
            mac.update(name.as_bytes());
            mac.update(value.as_bytes());
        }
        mac.verify_slice(&signature).map_err(|_| StatusCode::FORBIDDEN)?;
        Ok(Self(params.into_iter().collect()))
    }
}

async fn list(State(inbox): State<Inbox>) -> String {
    inbox.list().iter().map(|(sid, url)| format!("{sid} {url}\n")).collect()
}

async fn accept(Signed(call): Signed) -> impl IntoResponse {
    let spam = call.get("From").is_some_and(|from| from.starts_with("+1900"));
    let verb = if spam { "<Reject/>" } else { "<Receive action=\"/fax/received\"/>" };
    ([(header::CONTENT_TYPE, "text/xml")], format!("<Response>{verb}</Response>"))
}

async fn received(State(inbox): State<Inbox>, Signed(mut fax): Signed) {
    let mut part = |name: &str| fax.remove(name).unwrap_or_default();
    if part("FaxStatus") == "received" {
        inbox.faxes.lock().unwrap_or_else(PoisonError::into_inner).insert(part("FaxSid"), part("MediaUrl"));
    }
}

#[tokio::main]
#[expect(clippy::disallowed_methods, reason = "this is an app, which reads its own environment")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let inbox = Inbox::new(&std::env::var("TWILIO_AUTH_TOKEN")?, &std::env::var("PUBLIC_URL")?);
    let listener = TcpListener::bind("127.0.0.1:3000").await?;
    Ok(serve(listener, inbox.router()).await?)
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "only the emulator's own code may not spawn tasks")]
mod tests {
    use fauxfax::{Account, Document, Emulator, Expect, Outcome, Purpose};

    use super::*;

    type Tested = Result<(), Box<dyn std::error::Error>>;

    async fn start() -> Result<(Emulator, Account, Inbox), Box<dyn std::error::Error>> {
        let emulator = Emulator::builder().seed(7).start().await?;
        let account = emulator.account()?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let inbox = Inbox::new(&account.auth_token(), &format!("http://{}", listener.local_addr()?));
        tokio::spawn(serve(listener, inbox.clone().router()).into_future());
        account.number("+15017122661")?.fax_url(&format!("{}/fax", inbox.public_url))?;
        Ok((emulator, account, inbox))
    }

    #[tokio::test]
    async fn a_fax_lands_in_the_inbox() -> Tested {
        let (_emulator, account, inbox) = start().await?;
        let conversation = account.receive(Document::pages(2)).await?;
        assert_eq!(conversation.outcome, Outcome::Received);
        assert_eq!(inbox.list().keys().collect::<Vec<_>>(), [&conversation.sid.to_string()]);
        account.verify(Expect::webhook().purpose(Purpose::Action).answered_with(200).times(1))?;
        Ok(())
    }

    #[tokio::test]
    async fn spam_is_rejected_and_a_broken_transmission_is_not_listed() -> Tested {
        let (_emulator, account, inbox) = start().await?;
        let spam = account.receive(Document::pages(1)).from("+19005550100").await?;
        assert_eq!(spam.outcome, Outcome::Rejected);
        let broken = account.receive(Document::pages(3)).failing(34004, 1).await?;
        assert_eq!(broken.outcome, Outcome::Failed);
        assert!(inbox.list().is_empty());
        Ok(())
    }

    #[tokio::test]
    async fn the_app_passes_every_check_that_it_must() -> Tested {
        let (_emulator, account, inbox) = start().await?;
        let app = &inbox.public_url;
        let report = account.check(&format!("{app}/fax")).probe(&format!("{app}/")).quick().await?;
        assert_eq!(report.failures().count(), 0, "{report}");
        Ok(())
    }
}
