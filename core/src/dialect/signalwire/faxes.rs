//! SignalWire's Faxes: the parameters of create and list calls, the check before a cancellation, and the Fax and Media
//! resources (docs/fidelity.md, "SignalWire").

use std::sync::Arc;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use super::{account_path, callback, codes, media};
use crate::dialect::date;
use crate::dialect::error::{ApiError, Reason};
use crate::dialect::fax_request::{
    caller, check_sip_auth, destination, media_url_parameter, moment, party, status_callback,
};
use crate::dialect::form::Form;
use crate::dialect::media_url::{MediaName, StoredMedia};
use crate::dialect::paging::{Extent, PageRequest, Uris};
use crate::dialect::parameter;
use crate::dialect::view::View;
use crate::engine::input::CreateFax;
use crate::engine::{Arriving, Engine, Fax, FaxFilter, Page};
use crate::model::fault::Failure;
use crate::model::fax::{Direction, MediaType, Quality, Status};
use crate::model::media::Media;
use crate::model::phone::Party;
use crate::model::refusal::Refusal;
use crate::model::sid::{AccountSid, FaxSid, MediaSid};
use crate::model::time::Timestamp;

/// The number of fields in a Fax resource.
const FAX_FIELDS: usize = 20;
/// The valid range of a `Ttl`: the number of minutes after the creation of a fax during which a number that is busy or
/// doesn't answer is called again.
const TTL_MINUTES: std::ops::RangeInclusive<u64> = 5..=300;
/// The filters that are carried over into a list's paging links.
const LIST_FILTERS: &[&str] = &["From", "To", "DateCreatedAfter", "DateCreatedOnOrBefore"];
/// Marks the page tokens of the list of faxes, so that other lists refuse them: `faxe` in ASCII.
const LIST_OF_FAXES: u32 = 0x6661_7865;
/// Marks the page tokens of the list of media, so that other lists refuse them: `medi` in ASCII.
const LIST_OF_MEDIA: u32 = 0x6d65_6469;
/// The currency of all prices.
const PRICE_UNIT: &str = "USD";
/// The price of a minute or part of a minute, in hundredths of a cent: SignalWire charged $0.0105 both for a call of 17
/// seconds and for one of 41.
const PRICE_HUNDREDTHS_OF_CENTS: u32 = 105;

/// Reads the parameters of a create call; `origin` is the scheme and host that the client used.
///
/// # Errors
/// Returns an error with the documented code that fits best and a message that names the parameter.
pub fn create_fax(form: &Form, origin: Arc<str>) -> Result<CreateFax, ApiError> {
    let to = destination(form)?;
    let Some(from) = caller(form, &to)? else {
        return Err(ApiError::new(Reason::FromMissing, "A 'From' phone number is required"));
    };
    let order = CreateFax {
        from: Some(from),
        media_url: media_url_parameter(form)?,
        quality: parameter::word(form, "Quality", Quality::ALL, Quality::as_str)?.unwrap_or(Quality::Fine),
        status_callback: status_callback(form)?,
        callback_method: callback::method(form)?,
        callback_statuses: Some(callback::statuses(form)?),
        store_media: parameter::boolean(form, "StoreMedia")?.unwrap_or(true),
        ttl_minutes: ttl_minutes(form)?,
        to,
        origin,
    };
    check_sip_auth(form)?;
    Ok(order)
}

// SignalWire's docs give a default of 60 minutes, but no recorded response confirms it, so without a Ttl the number is
// called only once.
fn ttl_minutes(form: &Form) -> Result<Option<u32>, ApiError> {
    let Some(minutes) = parameter::whole_number(form, "Ttl")? else { return Ok(None) };
    let minutes = Some(minutes).filter(|minutes| TTL_MINUTES.contains(minutes));
    let minutes = minutes.and_then(|minutes| u32::try_from(minutes).ok());
    let (least, most) = (TTL_MINUTES.start(), TTL_MINUTES.end());
    minutes.map(Some).ok_or_else(|| ApiError::invalid("Ttl", &format!("it must be from {least} to {most} minutes")))
}

/// Reads the parameters of a list of faxes.
///
/// # Errors
/// Returns an error with the documented code that fits best and a message that names the parameter.
pub fn list_faxes(query: &Form) -> Result<(FaxFilter, PageRequest), ApiError> {
    let filter = FaxFilter {
        from: party(query, "From")?,
        to: party(query, "To")?,
        created_after: moment(query, "DateCreatedAfter")?,
        created_on_or_before: moment(query, "DateCreatedOnOrBefore")?,
    };
    Ok((filter, PageRequest::parse_strictly(query, LIST_OF_FAXES, LIST_FILTERS)?))
}

/// Reads the parameters of a list of media.
///
/// # Errors
/// Returns an error with the documented code that fits best and a message that names the parameter.
pub fn list_media(query: &Form) -> Result<PageRequest, ApiError> {
    PageRequest::parse_strictly(query, LIST_OF_MEDIA, &[])
}

/// Checks that a fax may still be canceled: unlike Twilio, SignalWire cancels only queued faxes.
///
/// # Errors
/// Returns [`Refusal::TooLateToCancel`] if the fax has any other status.
pub fn check_cancel(engine: &Engine, sid: FaxSid) -> Result<(), Refusal> {
    let status = engine.fax(sid).map(Fax::status);
    // The engine has no `Fax` for an unknown id, nor while a fax is still arriving. In both cases this check passes,
    // because the engine itself refuses to cancel such a fax.
    let is_queued = status.unwrap_or(Status::Queued) == Status::Queued;
    if is_queued { Ok(()) } else { Err(Refusal::TooLateToCancel(sid)) }
}

/// A Fax as clients see it. The values are formatted only when the resource is serialized: for a call that only reads,
/// this is after the world's lock is released.
#[derive(Debug, Clone)]
pub struct FaxResource<'a> {
    view: View<'a>,
    sid: FaxSid,
    direction: Direction,
    status: Status,
    from: Party,
    to: Party,
    quality: Quality,
    media_sid: MediaSid,
    /// The format of the stored document, and the time at which it was stored.
    media: Option<(MediaType, Timestamp)>,
    num_pages: Option<u32>,
    price: Option<f64>,
    duration_s: Option<u32>,
    failure: Option<Failure>,
    created: Timestamp,
    updated: Timestamp,
}

impl<'a> FaxResource<'a> {
    /// Returns the resource of a fax.
    #[must_use]
    pub fn of(engine: &Engine, fax: &Fax, view: &View<'a>) -> Self {
        Self {
            view: *view,
            sid: fax.sid,
            direction: fax.direction(),
            status: fax.status(),
            from: fax.from.clone(),
            to: fax.to.clone(),
            quality: fax.quality,
            // Unlike the URL, the id is shown even if no document is stored.
            media_sid: fax.media.as_ref().map_or_else(|| engine.media_sid(fax.sid), |media| media.sid),
            media: fax.media.as_ref().map(|media| (media.document.media_type, media.created)),
            num_pages: num_pages(fax),
            price: price(fax),
            duration_s: fax.duration_s(),
            failure: fax.failure().cloned(),
            created: fax.created,
            updated: fax.updated,
        }
    }

    fn of_arriving(engine: &Engine, fax: &Arriving, view: &View<'a>) -> Self {
        Self {
            view: *view,
            sid: fax.sid,
            direction: Direction::Inbound,
            status: Status::Receiving,
            from: fax.from.clone(),
            to: Party::Number(fax.to),
            quality: fax.quality,
            media_sid: engine.media_sid(fax.sid),
            media: None,
            num_pages: None,
            price: None,
            duration_s: None,
            failure: None,
            created: fax.rang,
            updated: fax.rang,
        }
    }

    /// Returns the resource of the fax with this id. It may be an incoming fax for which the app is still being asked
    /// for cXML.
    ///
    /// # Errors
    /// Returns [`Refusal::NoFax`] if there is no such fax.
    pub fn find(engine: &Engine, sid: FaxSid, view: &View<'a>) -> Result<Self, Refusal> {
        // Apps may fetch an incoming fax while the number's URL is still being requested, when the engine has no `Fax`
        // yet.
        let arriving = |refusal| engine.arriving(sid).map(|fax| Self::of_arriving(engine, &fax, view)).ok_or(refusal);
        engine.fax(sid).map(|fax| Self::of(engine, fax, view)).or_else(arriving)
    }

    fn media_url(&self) -> Option<String> {
        let (media_type, stored) = self.media?;
        let name = MediaName { account: self.view.account, fax: self.sid, media: self.media_sid };
        Some(media::url(self.view.origin, &StoredMedia { name, media_type, stored }))
    }
}

impl Serialize for FaxResource<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let url = fax_path(self.view.account, self.sid);
        let failure = self.failure.as_ref();
        let mut fax = serializer.serialize_struct("Fax", FAX_FIELDS)?;
        fax.serialize_field("account_sid", &self.view.account)?;
        fax.serialize_field("api_version", "v1")?;
        fax.serialize_field("date_created", &date::iso(self.created))?;
        fax.serialize_field("date_updated", &date::iso(self.updated))?;
        fax.serialize_field("direction", self.direction.as_str())?;
        fax.serialize_field("from", &self.from)?;
        fax.serialize_field("media_url", &self.media_url())?;
        fax.serialize_field("media_sid", &self.media_sid)?;
        fax.serialize_field("num_pages", &self.num_pages)?;
        fax.serialize_field("price", &self.price)?;
        fax.serialize_field("price_unit", PRICE_UNIT)?;
        fax.serialize_field("quality", self.quality.as_str())?;
        fax.serialize_field("sid", &self.sid)?;
        fax.serialize_field("status", self.status.as_str())?;
        fax.serialize_field("to", &self.to)?;
        fax.serialize_field("duration", &self.duration_s.unwrap_or(0))?;
        fax.serialize_field("links", &Links { media: format!("{url}/Media") })?;
        fax.serialize_field("url", &url)?;
        fax.serialize_field("error_code", &failure.and_then(codes::failure_code))?;
        fax.serialize_field("error_message", &failure.and_then(|failure| codes::failure_text(failure)))?;
        fax.end()
    }
}

#[derive(Serialize)]
struct Links {
    media: String,
}

/// A page of faxes.
#[derive(Debug, Clone, Serialize)]
pub struct FaxList<'a> {
    #[serde(flatten)]
    paging: Uris,
    faxes: Vec<FaxResource<'a>>,
}

impl<'a> FaxList<'a> {
    /// Returns one page of the list, with links to the previous and the next page.
    #[must_use]
    pub fn of(engine: &Engine, page: &Page<'_, Fax>, request: &PageRequest, view: &View<'a>) -> Self {
        let uri = format!("{}/Faxes", account_path(view.account));
        Self {
            paging: request.uris(&uri, &Extent::of(page, |fax| fax.ordinal)),
            faxes: page.items.iter().map(|fax| FaxResource::of(engine, fax, view)).collect(),
        }
    }
}

/// The stored document of a fax as clients see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MediaResource {
    sid: MediaSid,
    date_created: String,
    date_updated: String,
    account_sid: AccountSid,
    fax_sid: FaxSid,
    content_type: &'static str,
    uri: String,
    url: String,
}

impl MediaResource {
    /// Returns the resource of a fax's document; `None` if no document is stored.
    #[must_use]
    pub fn of(fax: &Fax, account: AccountSid) -> Option<Self> {
        fax.media.as_ref().map(|media| Self::of_media(fax.sid, media, account))
    }

    fn of_media(fax: FaxSid, media: &Media, account: AccountSid) -> Self {
        let uri = format!("{}/Media/{}.json", fax_path(account, fax), media.sid);
        Self {
            sid: media.sid,
            date_created: date::iso(media.created),
            date_updated: date::iso(media.created),
            account_sid: account,
            fax_sid: fax,
            content_type: media.document.media_type.as_str(),
            url: uri.clone(),
            uri,
        }
    }
}

/// The list of a fax's media, which has at most one item. The items are only under `fax_media`. The
/// documentation also shows the key `media`, but with both, SignalWire's own libraries can't read the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MediaList {
    #[serde(flatten)]
    paging: Uris,
    fax_media: Vec<MediaResource>,
}

impl MediaList {
    /// Returns the list of media of the fax with this id. The list is empty if no document is stored, as while the app
    /// is still being asked for cXML.
    ///
    /// # Errors
    /// Returns [`Refusal::NoFax`] if there is no such fax.
    pub fn find(engine: &Engine, sid: FaxSid, request: &PageRequest, account: AccountSid) -> Result<Self, Refusal> {
        let kept = match engine.fax(sid) {
            Ok(fax) => fax.media.as_deref(),
            Err(refusal) => engine.arriving(sid).map(|_| None).ok_or(refusal)?,
        };
        // With one item at most, any ordinal will do.
        let page = request.cut(kept.into_iter(), |_| 0);
        Ok(Self {
            paging: request.uris(&format!("{}/Media", fax_path(account, sid)), &Extent::of(&page, |_| 0)),
            fax_media: page.items.iter().map(|media| MediaResource::of_media(sid, media, account)).collect(),
        })
    }
}

pub(super) fn fax_path(account: AccountSid, fax: FaxSid) -> String {
    format!("{}/Faxes/{fax}", account_path(account))
}

/// Returns the number of pages: those of the document or, once a call has failed, those that arrived, which is 0 if the
/// number was busy or didn't answer. A recorded response shows 0 for a call in which no page arrived.
pub(super) fn num_pages(fax: &Fax) -> Option<u32> {
    if broke_off(fax) {
        fax.failure().and_then(|failure| failure.pages_over).or(Some(0))
    } else if matches!(fax.status(), Status::Busy | Status::NoAnswer) {
        Some(0)
    } else {
        fax.pages()
    }
}

/// Returns the price in dollars, a positive number: SignalWire bills answered calls by the minute, rounded up, whether
/// or not the fax was delivered.
pub(super) fn price(fax: &Fax) -> Option<f64> {
    let is_charged = matches!(fax.status(), Status::Delivered | Status::Received) || broke_off(fax);
    // Even a call of 0 seconds is billed as one minute.
    let minutes = fax.duration_s().filter(|_| is_charged)?.div_ceil(60).max(1);
    Some(f64::from(minutes * PRICE_HUNDREDTHS_OF_CENTS) / 10_000.0)
}

/// Returns whether a fax failed during a call.
fn broke_off(fax: &Fax) -> bool {
    fax.status() == Status::Failed && fax.duration_s().is_some()
}
