//! A fax inbox app, and its tests, which use fauxfax: `cargo test --example inbox`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Form, State};
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Router, serve};
use tokio::net::TcpListener;

/// The faxes received so far: their SIDs, and the URLs of their documents.
#[derive(Clone, Default)]
struct Inbox(Arc<Mutex<Vec<(String, String)>>>);

impl Inbox {
    fn router(self) -> Router {
        Router::new()
            .route("/fax", post(accept))
            .route("/fax/received", post(received))
            .route("/", get(list))
            .with_state(self)
    }

    fn list(&self) -> Vec<(String, String)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn list(State(inbox): State<Inbox>) -> String {
    inbox.list().iter().map(|(sid, url)| format!("{sid} {url}\n")).collect()
}

async fn accept(Form(call): Form<HashMap<String, String>>) -> impl IntoResponse {
    let spam = call.get("From").is_some_and(|from| from.starts_with("+1900"));
    let verb = if spam { "<Reject/>" } else { "<Receive action=\"/fax/received\"/>" };
    ([(header::CONTENT_TYPE, "text/xml")], format!("<Response>{verb}</Response>"))
}

async fn received(State(inbox): State<Inbox>, Form(mut fax): Form<HashMap<String, String>>) {
    let mut part = |name: &str| fax.remove(name).unwrap_or_default();
    if part("FaxStatus") == "received" {
        inbox.0.lock().unwrap_or_else(PoisonError::into_inner).push((part("FaxSid"), part("MediaUrl")));
    }
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:3000").await?;
    serve(listener, Inbox::default().router()).await
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "only the emulator's own code may not spawn tasks")]
mod tests {
    use fauxfax::{Account, Document, Emulator, Expect, Outcome, Purpose};

    use super::*;

    type Tested = Result<(), Box<dyn std::error::Error>>;

    async fn start() -> Result<(Emulator, Account, Inbox), Box<dyn std::error::Error>> {
        let inbox = Inbox::default();
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let app = format!("http://{}", listener.local_addr()?);
        tokio::spawn(serve(listener, inbox.clone().router()).into_future());
        let emulator = Emulator::builder().seed(7).start().await?;
        let account = emulator.account()?;
        account.number("+15017122661")?.fax_url(&format!("{app}/fax"))?;
        Ok((emulator, account, inbox))
    }

    #[tokio::test]
    async fn a_fax_lands_in_the_inbox() -> Tested {
        let (_emulator, account, inbox) = start().await?;
        let conversation = account.receive(Document::pages(2)).await?;
        assert_eq!(conversation.outcome, Outcome::Received);
        let listed = inbox.list();
        assert_eq!(listed.len(), 1);
        assert_eq!(listed[0].0, conversation.sid.to_string());
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
}
