//! The media host: serves stored documents at Twilio's expiring URLs and at SignalWire's permanent ones
//! (docs/fidelity.md, "Fax API" and "SignalWire"). A signed or unguessable URL counts as a credential; for SignalWire's
//! media, an additional one can be required.

use std::sync::Arc;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};

use super::range::{self, Wanted};
use super::reply::Counted;
use super::traffic::{self, Arrived, DownloadRecord, ResponseRecord, Unassignable};
use super::{auth, download, reply, user_agent};
use crate::dialect::error::ApiError;
use crate::dialect::media_url::{self, MediaName, MediaUrlError, StoredMedia, Ticket};
use crate::dialect::signalwire;
use crate::emulator::{NoWorld, Registry, World};
use crate::engine::event::EventKind;
use crate::model::account::{Dialect, MediaUserAgent};
use crate::model::fax::MediaType;
use crate::model::media::MediaFault;
use crate::model::sid::{AccountSid, FaxSid};
use crate::world::journal::{Excerpt, RequestedService};

/// Returns the media routes. The same handler answers HEAD and GET.
pub(super) fn routes() -> Router<Registry> {
    Router::new()
        .route("/fax/{account}/{fax}/{media}", get(show))
        .route(&format!("/{}/{{account}}/faxes/{{file}}", signalwire::media::SPACE_ID), get(show_unsigned))
}

/// The error message for a request that lacks the credential for a protected document.
const PROTECTED: &str = "media are protected here: send the project id and token by Basic authentication, or the token \
                         as a Bearer token";

/// A stored document whose URL is valid.
struct Shown {
    name: MediaName,
    media_type: MediaType,
    bytes: Arc<[u8]>,
}

/// The reason a download is refused. The response has the form of S3's errors, except for [`Denial::Protected`].
#[derive(Debug, Clone, PartialEq, Eq)]
enum Denial {
    /// The request has no User-Agent, and the emulator was configured to require one.
    NoUserAgent,
    Url(MediaUrlError),
    /// The account's documents are protected, and the request doesn't carry the account's credential.
    Protected,
    /// The document was deleted, was dropped to make room for newer ones, or never existed.
    Missing,
}

async fn show(
    State(registry): State<Registry>,
    path: Result<Path<[String; 3]>, PathRejection>,
    parts: Parts,
) -> Response {
    let query = match reply::form(parts.uri.query().unwrap_or_default().as_bytes()) {
        Ok(query) => query,
        Err(error) => return reply::error(Dialect::Twilio, &error),
    };
    let ticket = Ticket {
        date: query.get("X-Amz-Date"),
        expires_s: query.get("X-Amz-Expires"),
        signature: query.get("X-Amz-Signature"),
    };
    // A path that isn't valid UTF-8 can't name a document.
    let name = path.ok().and_then(|Path([account, fax, media])| {
        Some(MediaName { account: account.parse().ok()?, fax: fax.parse().ok()?, media: media.parse().ok()? })
    });
    let world = name.as_ref().and_then(|name| registry.world(name.account));
    let (Some(name), Some(world)) = (name, world) else {
        return unknown(&registry, &parts, name.map(|name| name.account));
    };
    let of = (world.sid(), name.fax);
    let is_named = user_agent::is_named(&parts.headers);
    // Checked before the signature, so that a client learns of the missing header whatever URL it uses.
    let found = match registry.settings().media_user_agent {
        MediaUserAgent::Required if !is_named => Err(Denial::NoUserAgent),
        MediaUserAgent::Required | MediaUserAgent::Warn => find(&world, name, ticket),
    };
    match found {
        Ok(shown) => {
            if !is_named {
                world.note(Some(name.fax), user_agent::warning());
            }
            shown.sent(&registry, &world, &parts, of).await
        }
        Err(denial) => {
            world.note(Some(name.fax), denial.event());
            denial.sent(&registry, &parts, of)
        }
    }
}

/// Returns 404 for a path that can't name a stored document, or whose account has no world.
fn unknown(registry: &Registry, parts: &Parts, account: Option<AccountSid>) -> Response {
    let reason = if account.is_some() { NoWorld::UnknownAccount } else { NoWorld::UnknownPath };
    let answered = Denial::Missing.answered();
    let head = (parts, Arrived::of(parts));
    traffic::note(registry, head, RequestedService::Media, Unassignable { account, reason }, answered);
    Denial::Missing.into_response()
}

fn find(world: &World, name: MediaName, ticket: Ticket<'_>) -> Result<Shown, Denial> {
    media_url::check(&name, ticket, world.signing_key(), world.now()).map_err(Denial::Url)?;
    let document = world.read(|engine| {
        let fax = engine.media(name.fax, name.media).ok()?;
        fax.media.as_ref().map(|media| (media.document.media_type, Arc::clone(&media.document.bytes)))
    });
    let (media_type, bytes) = document.ok_or(Denial::Missing)?;
    Ok(Shown { name, media_type, bytes })
}

async fn show_unsigned(
    State(registry): State<Registry>,
    path: Result<Path<[String; 2]>, PathRejection>,
    parts: Parts,
) -> Response {
    let name = path.ok().and_then(|Path([account, file])| {
        let account: AccountSid = account.parse().ok()?;
        let fax = signalwire::media::fax_of(&file)?;
        (Dialect::of(account) == Dialect::SignalWire).then_some((account, fax, file))
    });
    let world = name.as_ref().and_then(|(account, ..)| registry.world(*account));
    let (Some((account, fax, file)), Some(world)) = (name.as_ref(), world) else {
        return unknown(&registry, &parts, name.map(|(account, ..)| account));
    };
    let of = (*account, *fax);
    let is_open = !registry.settings().guard.protect_media || auth::is_of_owner(&parts.headers, &world);
    // Refused before the look-up, so that the response doesn't reveal whether the document exists.
    let found = if is_open { find_unsigned(&world, (*account, *fax), file) } else { Err(Denial::Protected) };
    match found {
        Ok(shown) => shown.sent(&registry, &world, &parts, of).await,
        Err(denial) => {
            world.note(Some(*fax), denial.event());
            denial.sent(&registry, &parts, of)
        }
    }
}

fn find_unsigned(world: &World, (account, fax): (AccountSid, FaxSid), file: &str) -> Result<Shown, Denial> {
    let found = world.read(|engine| {
        let media = engine.fax(fax).ok()?.media.as_ref()?;
        let name = MediaName { account, fax, media: media.sid };
        let media_type = media.document.media_type;
        let stored = StoredMedia { name, media_type, stored: media.created };
        let bytes = Arc::clone(&media.document.bytes);
        (signalwire::media::file_name(&stored) == file).then_some(Shown { name, media_type, bytes })
    });
    found.ok_or(Denial::Missing)
}

impl Shown {
    /// Responds to a request with the document, or as a rule says, and records the download.
    async fn sent(self, registry: &Registry, world: &World, parts: &Parts, of: (AccountSid, FaxSid)) -> Response {
        let (rule, fault) = download::fault_of(world, parts, of.1, self.bytes.len()).unzip();
        let document = || self.answer(&parts.method, &parts.headers);
        let response = match fault {
            None => document(),
            Some(fault) => download::changed(registry, parts, fault, document).await,
        };
        // A document isn't text, so only its size is recorded.
        let bytes = response.body().size_hint().exact().and_then(|bytes| usize::try_from(bytes).ok());
        let body = Excerpt::omitted(bytes.unwrap_or_default());
        let rule = rule.flatten();
        let answered = ResponseRecord { rule, ..ResponseRecord::usual(response.status().as_u16(), None, body) };
        let record = DownloadRecord::new(registry, parts, of, answered);
        match fault {
            Some(fault) if download::is_paced(fault, &parts.method, &response) => {
                download::paced(registry, world, response, fault, record).await
            }
            Some(_) | None => {
                record.note(registry);
                response
            }
        }
    }

    fn answer(self, method: &Method, headers: &HeaderMap) -> Response {
        let etag = format!("\"{}\"", self.name.media);
        let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        // Preconditions are evaluated before ranges (RFC 9110 §13.2.2).
        if headers
            .get_all(header::IF_NONE_MATCH)
            .iter()
            .any(|known| known.to_str().is_ok_and(|known| knows(known, &etag)))
        {
            // A document never changes under its name, so the tag alone decides.
            return (StatusCode::NOT_MODIFIED, [(header::ETAG, etag)]).into_response();
        }
        // Ranges are defined for GET only. If-Range with a different tag asks for the whole document, as if the
        // document had changed.
        let same = text(header::IF_RANGE).is_none_or(|condition| condition == etag);
        let range = text(header::RANGE).filter(|_| same && *method == Method::GET);
        let len = self.bytes.len();
        let (status, content_range, part) = match range::wanted(range, len) {
            Wanted::Whole => (StatusCode::OK, None, 0..len),
            Wanted::Part(part) => {
                let content_range = format!("bytes {}-{}/{len}", part.start, part.end.saturating_sub(1));
                (StatusCode::PARTIAL_CONTENT, Some(content_range), part)
            }
            Wanted::Unsatisfiable => (StatusCode::RANGE_NOT_SATISFIABLE, Some(format!("bytes */{len}")), 0..0),
        };
        let file_name = format!("{}.{}", self.name.fax, self.media_type.extension());
        let head = [
            (header::CONTENT_TYPE, self.media_type.as_str().to_owned()),
            (header::CONTENT_DISPOSITION, format!("inline; filename=\"{file_name}\"")),
            (header::ACCEPT_RANGES, "bytes".to_owned()),
            (header::ETAG, etag),
        ];
        let content_range = content_range.map(|value| [(header::CONTENT_RANGE, value)]);
        // This doesn't copy: all downloads share the document's memory.
        let body = Body::from(Bytes::from_owner(self.bytes).slice(part));
        (status, head, content_range, Extension(Counted), body).into_response()
    }
}

/// Returns whether a list of entity tags includes this one. Weak tags count: a document never changes (RFC 9110
/// §13.1.2).
fn knows(list: &str, etag: &str) -> bool {
    list.split(',').map(str::trim).any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == etag)
}

impl Denial {
    /// Responds to a request with the refusal, and records it.
    fn sent(self, registry: &Registry, parts: &Parts, of: (AccountSid, FaxSid)) -> Response {
        traffic::note_download(registry, parts, of, self.answered());
        self.into_response()
    }

    fn answered(&self) -> ResponseRecord {
        let code = self.service_error().map(|error| error.code(Dialect::SignalWire));
        ResponseRecord::usual(self.status().as_u16(), code, Excerpt::of(&self.body()))
    }

    /// Returns the error that the response has in the form of SignalWire's API; `None` if it has the form of S3's.
    fn service_error(&self) -> Option<ApiError> {
        match self {
            Self::Protected => Some(ApiError::unauthenticated(PROTECTED)),
            Self::NoUserAgent | Self::Url(_) | Self::Missing => None,
        }
    }

    const fn status(&self) -> StatusCode {
        match self {
            Self::NoUserAgent | Self::Url(_) => StatusCode::FORBIDDEN,
            Self::Protected => StatusCode::UNAUTHORIZED,
            Self::Missing => StatusCode::NOT_FOUND,
        }
    }

    /// Returns S3's error code and message.
    fn code_and_message(&self) -> (&'static str, String) {
        match self {
            Self::NoUserAgent => ("AccessDenied", user_agent::REFUSED.to_owned()),
            Self::Url(error @ MediaUrlError::Expired { .. }) => {
                ("AccessDenied", format!("Request has expired: {error}"))
            }
            Self::Url(error @ MediaUrlError::SignatureMismatch) => ("SignatureDoesNotMatch", error.to_string()),
            Self::Protected => ("AccessDenied", PROTECTED.to_owned()),
            Self::Missing => ("NoSuchKey", "The specified key does not exist.".to_owned()),
        }
    }

    /// Returns the body of the response.
    fn body(&self) -> Vec<u8> {
        if let Some(error) = self.service_error() {
            return error.body(Dialect::SignalWire);
        }
        let (code, message) = self.code_and_message();
        let xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
        format!("{xml}<Error><Code>{code}</Code><Message>{message}</Message></Error>").into_bytes()
    }

    /// Returns the event that the journal records.
    fn event(&self) -> EventKind {
        let status = self.status().as_u16();
        let (fault, detail) = match self {
            Self::NoUserAgent => return user_agent::refused(status),
            Self::Url(error @ MediaUrlError::Expired { .. }) => (MediaFault::Expired, error.to_string()),
            Self::Url(error @ MediaUrlError::SignatureMismatch) => (MediaFault::Signature, error.to_string()),
            Self::Protected => (MediaFault::Protected, PROTECTED.to_owned()),
            Self::Missing => {
                let detail = "the document has been deleted, had to make room for newer ones, or never existed";
                (MediaFault::Deleted, detail.to_owned())
            }
        };
        EventKind::MediaRefused { status, fault, detail: detail.into() }
    }
}

impl IntoResponse for Denial {
    fn into_response(self) -> Response {
        if let Some(error) = self.service_error() {
            return reply::error(Dialect::SignalWire, &error);
        }
        (self.status(), [(header::CONTENT_TYPE, "application/xml")], self.body()).into_response()
    }
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use axum::http::Request;
    use tower::ServiceExt;

    use super::*;
    use crate::model::sid::MediaSid;

    fn shown() -> Shown {
        let name = MediaName {
            account: AccountSid::from_bytes([1; 16]),
            fax: FaxSid::from_bytes([2; 16]),
            media: MediaSid::from_bytes([3; 16]),
        };
        Shown { name, media_type: MediaType::Tiff, bytes: b"0123456789".as_slice().into() }
    }

    async fn fetch(method: Method, headers: &[(HeaderName, &str)]) -> (u16, HeaderMap, String) {
        let app = Router::new()
            .route("/", get(|method: Method, headers: HeaderMap| async move { shown().answer(&method, &headers) }));
        let request = headers
            .iter()
            .fold(Request::builder().method(method), |request, (name, value)| request.header(name, *value))
            .body(Body::empty());
        let (parts, body) = app.oneshot(request.unwrap()).await.unwrap().into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        (parts.status.as_u16(), parts.headers, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn a_document_is_served_with_its_type_length_name_and_etag() {
        let (status, headers, body) = fetch(Method::GET, &[]).await;
        assert_eq!((status, body.as_str()), (200, "0123456789"));
        assert_eq!(headers[header::CONTENT_TYPE], "image/tiff");
        assert_eq!(headers[header::CONTENT_LENGTH], "10");
        let name = format!("inline; filename=\"FX{}.tiff\"", "02".repeat(16));
        assert_eq!(headers[header::CONTENT_DISPOSITION], name.as_str());
        assert_eq!(headers[header::ETAG], format!("\"ME{}\"", "03".repeat(16)).as_str());
    }

    #[tokio::test]
    async fn head_returns_the_length_without_the_document() {
        let (status, headers, body) = fetch(Method::HEAD, &[(header::RANGE, "bytes=0-1")]).await;
        assert_eq!((status, body.as_str()), (200, ""));
        assert_eq!(headers[header::CONTENT_LENGTH], "10");
    }

    #[tokio::test]
    async fn a_range_is_served_and_one_outside_the_document_is_416() {
        let (status, headers, body) = fetch(Method::GET, &[(header::RANGE, "bytes=2-4")]).await;
        assert_eq!((status, body.as_str()), (206, "234"));
        assert_eq!(headers[header::CONTENT_RANGE], "bytes 2-4/10");
        assert_eq!(headers[header::CONTENT_LENGTH], "3");
        let (status, headers, body) = fetch(Method::GET, &[(header::RANGE, "bytes=10-")]).await;
        assert_eq!((status, body.as_str()), (416, ""));
        assert_eq!(headers[header::CONTENT_RANGE], "bytes */10");
    }

    #[tokio::test]
    async fn an_if_range_with_a_different_tag_returns_the_whole_document() {
        let range = (header::RANGE, "bytes=2-4");
        assert_eq!(fetch(Method::GET, &[range.clone(), (header::IF_RANGE, "\"other\"")]).await.2, "0123456789");
        let own = format!("\"ME{}\"", "03".repeat(16));
        assert_eq!(fetch(Method::GET, &[range, (header::IF_RANGE, &own)]).await.2, "234");
    }

    #[tokio::test]
    async fn a_document_that_the_client_already_has_is_not_sent_again() {
        let own = format!("\"ME{}\"", "03".repeat(16));
        for known in [own.clone(), "*".to_owned(), format!("W/{own}"), format!("\"other\", {own}")] {
            for method in [Method::GET, Method::HEAD] {
                let range = (header::RANGE, "bytes=0-1");
                let (status, headers, body) = fetch(method, &[(header::IF_NONE_MATCH, &known), range]).await;
                assert_eq!((status, body.as_str()), (304, ""), "{known}");
                assert_eq!(headers[header::ETAG], own.as_str());
            }
        }
        for other in ["\"other\"", "", "W/\"other\""] {
            assert_eq!(fetch(Method::GET, &[(header::IF_NONE_MATCH, other)]).await.0, 200, "{other}");
        }
    }
}
