//! An app whose responses a test writes as a function of what the app was asked. It verifies signatures, but what it makes of
//! a wrong one is up to the test.

use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use fauxfax::Account;
use fauxfax::dialect::form::Form;
use fauxfax::dialect::signature::of_form;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use url::{Position, Url};

use crate::checked_sender::pause;

/// What the app was asked.
pub(crate) struct Asked {
    /// The app's own origin.
    pub(crate) origin: String,
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) form: Form,
    pub(crate) body: String,
    /// Whether the service has signed the request.
    pub(crate) is_signed: bool,
}

impl Asked {
    /// Returns the value of a parameter, or an empty text.
    pub(crate) fn get(&self, name: &str) -> String {
        self.form.get(name).unwrap_or_default().to_owned()
    }
}

/// A running app, which stops when dropped.
pub(crate) struct OwnApp {
    /// The app's origin, without a trailing slash.
    pub(crate) origin: String,
    task: JoinHandle<()>,
}

impl Drop for OwnApp {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl OwnApp {
    /// Starts an app of this account that responds as `handler` says.
    #[expect(clippy::disallowed_methods, reason = "the app is not part of the emulator")]
    pub(crate) async fn start(
        account: &Account,
        handler: impl Fn(&Asked) -> Response + Clone + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let origin = format!("http://{}", listener.local_addr().expect("an address"));
        let (token, base) = (account.auth_token(), origin.clone());
        let router = Router::new().fallback(move |method: Method, uri: Uri, headers: HeaderMap, body: Bytes| {
            let asked = asked(&token, &base, method, &uri, &headers, &body);
            std::future::ready(handler(&asked))
        });
        let task = Handle::current().spawn(async move {
            axum::serve(listener, router).await.expect("the app runs");
        });
        Self { origin, task }
    }

    /// Returns the app's address for incoming faxes.
    pub(crate) fn fax_url(&self) -> String {
        format!("{}/fax", self.origin)
    }
}

fn asked(token: &str, base: &str, method: Method, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Asked {
    let form = Form::parse(body).unwrap_or_default();
    let params: Vec<(String, String)> = form.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let given = headers.get("x-twilio-signature").and_then(|value| value.to_str().ok());
    Asked {
        origin: base.to_owned(),
        method,
        path: uri.path().to_owned(),
        query: uri.query().unwrap_or_default().to_owned(),
        is_signed: given.is_some_and(|given| of_form(token, &format!("{base}{uri}"), &params) == given),
        body: String::from_utf8_lossy(body).into_owned(),
        form,
    }
}

/// Returns TwiML that receives the fax and notifies the app at `/received`.
pub(crate) fn twiml() -> Response {
    let xml = "<?xml version=\"1.0\"?><Response><Receive action=\"/received\"/></Response>";
    ([(header::CONTENT_TYPE, "text/xml")], xml).into_response()
}

/// Returns the response of a careful app to the service's requests, or 404.
pub(crate) fn careful(asked: &Asked) -> Response {
    match asked.path.as_str() {
        "/fax" | "/received" | "/status" if asked.method != Method::POST => {
            StatusCode::METHOD_NOT_ALLOWED.into_response()
        }
        "/fax" | "/received" | "/status" if !asked.is_signed => StatusCode::FORBIDDEN.into_response(),
        "/fax" => twiml(),
        "/received" | "/status" => StatusCode::NO_CONTENT.into_response(),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Makes a request after a while, in the background.
#[expect(clippy::disallowed_methods, reason = "the app is not part of the emulator")]
pub(crate) fn call_later(after: Duration, method: &'static str, url: String, headers: String, body: String) {
    Handle::current().spawn(async move {
        pause(after).await;
        call(method, &url, &headers, &body).await;
    });
}

/// Makes a request, and reads its response, which doesn't matter.
async fn call(method: &str, url: &str, headers: &str, body: &str) -> Option<()> {
    let url = Url::parse(url).ok()?;
    let (target, host) =
        (&url[Position::BeforePath..Position::AfterQuery], &url[Position::BeforeHost..Position::AfterPort]);
    let mut stream = TcpStream::connect(host).await.ok()?;
    let length = body.len();
    let head = format!(
        "{method} {target} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: own-app/1.0\r\nConnection: close\r\n\
         Content-Length: {length}\r\n{headers}\r\n"
    );
    stream.write_all(format!("{head}{body}").as_bytes()).await.ok()?;
    let mut response = Vec::new();
    stream.read_to_end(&mut response).await.ok()?;
    Some(())
}

/// Downloads a document in the background, if there is one.
pub(crate) fn download_later(after: Duration, media_url: String) {
    if !media_url.is_empty() {
        call_later(after, "GET", media_url, String::new(), String::new());
    }
}
