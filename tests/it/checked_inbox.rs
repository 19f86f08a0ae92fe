//! The part of the app in `checked_app` that handles received faxes: what it refuses, how it downloads and keeps the
//! documents, and the page that lists them.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{StatusCode, Uri};
use axum::response::{Html, IntoResponse, Response};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use fauxfax::dialect::form::Form;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use url::Url;

use crate::checked_app::{Fault, Shared};
use crate::checked_receiver;
use crate::checked_sender::pause;

/// The host from which the app downloads documents.
const MEDIA_HOST: &str = "127.0.0.1";
/// The maximum number of redirects that the app follows.
const REDIRECTS_MAX: usize = 5;
/// The number of times that the app tries to download a document.
const DOWNLOADS_MAX: usize = 3;
/// How long an app with [`Fault::LooksTooEarly`] takes from checking whether it has handled a fax to recording that it has.
const UNSTORED: Duration = Duration::from_millis(50);
/// The number of bytes after which an app with [`Fault::CutsDownloads`] stops reading a response.
const CUT_BYTES: usize = 16 * 1024;
/// The maximum number of pages that an app with [`Fault::KnowsShortFaxesOnly`] accepts.
const PAGES_MAX: u32 = 2;
/// The maximum length of a URL that an app with [`Fault::HasShortColumns`] can store.
const URL_CHARS_MAX: usize = 2_048;
/// The number of rows of a letter-size page at fine quality, as a PDF states it. An app with [`Fault::KnowsOneResolution`]
/// fails for documents that don't contain this text.
const USUAL_HEIGHT: &str = "/Height 2156";

/// A received fax as the app has recorded it.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) fax: String,
    station: String,
}

impl Record {
    /// Returns the record of the fax that a notification is about.
    pub(crate) fn of(form: &Form) -> Self {
        let get = |name: &str| form.get(name).unwrap_or_default().to_owned();
        Self { fax: get("FaxSid"), station: get("RemoteStationId") }
    }
}

/// The response to a download.
struct Answer {
    status: u16,
    location: Option<String>,
    body: Vec<u8>,
    /// Whether the whole body has arrived, or as much of it as the app wanted.
    is_whole: bool,
}

/// Returns the error with which an app responds if one of its faults makes it fail for this valid request.
pub(crate) fn refusal(app: &Shared, uri: &Uri, form: &Form) -> Option<StatusCode> {
    let get = |name: &str| form.get(name).unwrap_or_default();
    let failing = StatusCode::INTERNAL_SERVER_ERROR;
    let refusals = [
        (Fault::KnowsAsciiOnly, !get("RemoteStationId").is_ascii(), failing),
        (Fault::KnowsNumbersOnly, !get("From").starts_with("+1"), failing),
        (Fault::KnowsShortFaxesOnly, get("NumPages").parse().is_ok_and(|pages: u32| pages > PAGES_MAX), failing),
        (Fault::DividesByPages, get("NumPages") == "0", failing),
        (Fault::HasShortColumns, get("MediaUrl").len() > URL_CHARS_MAX, failing),
        (Fault::HasShortColumns, uri.to_string().len() > URL_CHARS_MAX, StatusCode::URI_TOO_LONG),
    ];
    refusals.iter().find(|(fault, applies, _)| *applies && app.has(*fault)).map(|(.., status)| *status)
}

/// Records that the app was asked about a fax, if the app has this habit and has not recorded that already.
pub(crate) fn ring(app: &Shared, form: &Form) {
    if app.habits.records_calls {
        add(app, Record { fax: format!("call {}", Record::of(form).fax), station: String::new() });
    }
}

/// Adds a record, unless the fax has one and the app notices that. Returns whether it was added.
fn add(app: &Shared, record: Record) -> bool {
    if app.has(Fault::ActsTwice) {
        app.add_record(record);
        return true;
    }
    app.add_record_once(record)
}

/// Records a received fax, unless it is recorded already, and downloads its document.
pub(crate) async fn receive(app: &Arc<Shared>, form: &Form) -> StatusCode {
    let get = |name: &str| form.get(name).unwrap_or_default().to_owned();
    let record = Record::of(form);
    if app.has(Fault::LooksTooEarly) {
        if app.records().iter().any(|known| known.fax == record.fax) {
            return StatusCode::NO_CONTENT;
        }
        pause(UNSTORED).await;
        app.add_record(record.clone());
    } else if !add(app, record.clone()) {
        return StatusCode::NO_CONTENT;
    }
    let media = get("MediaUrl");
    if app.has(Fault::FailsWithoutDocument) && !media.is_empty() && download(app, &media).await.is_none() {
        return StatusCode::INTERNAL_SERVER_ERROR;
    }
    if app.has(Fault::KnowsOneResolution) && !media.is_empty() {
        let document = download(app, &media).await.unwrap_or_default();
        if !String::from_utf8_lossy(&document).contains(USUAL_HEIGHT) {
            return StatusCode::INTERNAL_SERVER_ERROR;
        }
    }
    let keeping = keep(Arc::clone(app), record.fax, media);
    if app.has(Fault::KeepsNothing) {
        return StatusCode::NO_CONTENT;
    }
    if app.has(Fault::DownloadsFirst) {
        keeping.await;
    } else if app.has(Fault::BlocksForDownloads) {
        checked_receiver::block(app, keeping).await;
    } else {
        app.in_background(keeping);
    }
    StatusCode::NO_CONTENT
}

/// Downloads a document, and then deletes the fax from the service.
async fn keep(app: Arc<Shared>, fax: String, media: String) {
    if download(&app, &media).await.is_none() || app.has(Fault::DeletesNothing) {
        return;
    }
    let Ok(mut call) = Url::parse(&media) else { return };
    call.set_path(&format!("/v1/Faxes/{fax}"));
    call.set_query(None);
    let credential = BASE64_STANDARD.encode(format!("{}:{}", app.account, app.token));
    let headers = format!("Authorization: Basic {credential}\r\n");
    ask("DELETE", &call, &headers, usize::MAX).await;
}

/// Downloads a document, and returns it. Tries again if the connection closes before the document is complete, but not if the
/// download is refused.
pub(crate) async fn download(app: &Shared, media: &str) -> Option<Vec<u8>> {
    for _ in 0..DOWNLOADS_MAX {
        let answer = try_to_download(app, media).await?;
        if answer.is_whole || app.has(Fault::KeepsHalf) {
            return (answer.status == 200).then_some(answer.body);
        }
    }
    None
}

/// Follows redirects to a document, and returns the last response.
async fn try_to_download(app: &Shared, media: &str) -> Option<Answer> {
    let agent = if app.has(Fault::NamesNoAgent) { "" } else { "User-Agent: checked-app/1.0\r\n" };
    let bytes_max = if app.has(Fault::CutsDownloads) { CUT_BYTES } else { usize::MAX };
    let mut url = Url::parse(media).ok()?;
    for _ in 0..=REDIRECTS_MAX {
        if url.host_str() != Some(MEDIA_HOST) && !app.has(Fault::TrustsEveryHost) {
            return None;
        }
        let answer = ask("GET", &url, agent, bytes_max).await?;
        match answer.location {
            Some(to) if !app.has(Fault::IgnoresRedirects) => url = url.join(&to).ok()?,
            Some(_) | None => return Some(answer),
        }
    }
    None
}

/// Makes a request, and reads the response up to a number of bytes.
async fn ask(method: &str, url: &Url, headers: &str, bytes_max: usize) -> Option<Answer> {
    let (host, port) = (url.host_str()?, url.port_or_known_default()?);
    let mut stream = TcpStream::connect((host, port)).await.ok()?;
    let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
    let head = format!("{method} {target} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(head.as_bytes()).await.ok()?;
    let limit = u64::try_from(bytes_max).unwrap_or(u64::MAX);
    let mut response = Vec::new();
    // If the connection is reset, the bytes read before that are kept.
    let _ = stream.take(limit).read_to_end(&mut response).await;
    let end = response.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&response[..end]).into_owned();
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let header = |wanted: &str| {
        head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case(wanted).then(|| value.trim().to_owned())
        })
    };
    let announced: Option<usize> = header("content-length").and_then(|length| length.parse().ok());
    let is_stopped = response.len() >= bytes_max;
    let body = response.split_off(end + 4);
    let is_whole = is_stopped || announced.is_none_or(|length| body.len() >= length);
    Some(Answer { status, location: header("location"), body, is_whole })
}

/// Returns the page that lists the received and sent faxes.
pub(crate) fn page(app: &Shared) -> Response {
    let mut page = "<!DOCTYPE html><title>Inbox</title><ul>\n".to_owned();
    for Record { fax, station } in app.records() {
        let station = if app.has(Fault::EscapesNothing) {
            station
        } else {
            station.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
        };
        writeln!(page, "<li>{fax} from {station}").expect("strings can be written to");
    }
    let records = app.records();
    for fax in app.memory.asked().into_iter().filter(|fax| records.iter().all(|record| record.fax != *fax)) {
        writeln!(page, "<li>{fax} is being received").expect("strings can be written to");
    }
    for (fax, status) in app.sent.all() {
        writeln!(page, "<li>{fax} {status}").expect("strings can be written to");
    }
    Html(page).into_response()
}
