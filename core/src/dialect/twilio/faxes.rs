//! The Fax API, v1: the parameters of create, list and update, and the Fax and Media resources (OpenAPI:
//! twilio_fax_v1).

use std::sync::Arc;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use crate::dialect::date;
use crate::dialect::error::ApiError;
use crate::dialect::fax_request::{
    caller, check_sip_auth, destination, media_url_parameter, moment, party, status_callback,
};
use crate::dialect::form::Form;
use crate::dialect::media_url::{self, MediaName};
use crate::dialect::paging::{Extent, Meta, PageRequest};
use crate::dialect::parameter;
use crate::dialect::view::View;
use crate::engine::input::CreateFax;
use crate::engine::{Arriving, Engine, Fax, FaxFilter, Page};
use crate::model::account::{PriceForm, PriceFormat, PriceSign};
use crate::model::fax::{Direction, Quality, Status};
use crate::model::media::Media;
use crate::model::phone::Party;
use crate::model::refusal::Refusal;
use crate::model::sid::{AccountSid, FaxSid, MediaSid};
use crate::model::time::Timestamp;
use crate::model::webhook::Method;

/// The path of a fax's list of media, relative to the fax.
const MEDIA_LIST: &str = "/Media";
/// The number of fields of a Fax resource.
const FAX_FIELDS: usize = 18;
/// The currency of all prices.
const PRICE_UNIT: &str = "USD";
/// The filters that are carried over into a list's paging links.
const LIST_FILTERS: &[&str] = &["DateCreatedOnOrBefore", "To", "DateCreatedAfter", "From"];

/// Reads the parameters of a create call; `origin` is the scheme and host that the client used.
///
/// # Errors
/// Returns an error with the documented code that fits best and a message that names the parameter. `To` is checked
/// first, as in the engine.
pub fn create_fax(form: &Form, origin: Arc<str>) -> Result<CreateFax, ApiError> {
    let to = destination(form)?;
    let order = CreateFax {
        from: caller(form, &to)?,
        media_url: media_url_parameter(form)?,
        quality: parameter::word(form, "Quality", Quality::ALL, Quality::as_str)?.unwrap_or(Quality::Fine),
        status_callback: status_callback(form)?,
        callback_method: Method::Post,
        callback_statuses: None,
        store_media: parameter::boolean(form, "StoreMedia")?.unwrap_or(true),
        ttl_minutes: ttl_minutes(form)?,
        to,
        origin,
    };
    check_sip_auth(form)?;
    Ok(order)
}

/// Reads the parameters of a list of faxes.
///
/// # Errors
/// Returns error 20422 with a message that names the parameter.
pub fn list_faxes(query: &Form) -> Result<(FaxFilter, PageRequest), ApiError> {
    let filter = FaxFilter {
        from: party(query, "From")?,
        to: party(query, "To")?,
        created_after: moment(query, "DateCreatedAfter")?,
        created_on_or_before: moment(query, "DateCreatedOnOrBefore")?,
    };
    Ok((filter, PageRequest::parse(query, FaxSid::PREFIX, LIST_FILTERS)?))
}

/// The change that an update requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaxUpdate {
    /// No change, since the request has no Status.
    Nothing,
    /// The fax is to be canceled.
    Cancel,
}

/// Reads the parameters of an update.
///
/// # Errors
/// Returns error 20422 for any Status except `canceled`.
pub fn update_fax(form: &Form) -> Result<FaxUpdate, ApiError> {
    let status = parameter::word(form, "Status", &[Status::Canceled], Status::as_str)?;
    Ok(status.map_or(FaxUpdate::Nothing, |_| FaxUpdate::Cancel))
}

/// Reads the parameters of a list of media.
///
/// # Errors
/// Returns error 20422 with a message that names the parameter.
pub fn list_media(query: &Form) -> Result<PageRequest, ApiError> {
    PageRequest::parse(query, MediaSid::PREFIX, &[])
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
    media: Option<MediaSid>,
    pages: Option<u32>,
    duration_s: Option<u32>,
    price_micros: Option<u64>,
    created: Timestamp,
    updated: Timestamp,
}

impl<'a> FaxResource<'a> {
    /// Returns the resource of a fax.
    #[must_use]
    pub fn of(fax: &Fax, view: &View<'a>) -> Self {
        Self {
            view: *view,
            sid: fax.sid,
            direction: fax.direction(),
            status: fax.status(),
            from: fax.from.clone(),
            to: fax.to.clone(),
            quality: fax.quality,
            media: fax.media.as_ref().map(|media| media.sid),
            pages: fax.pages(),
            duration_s: fax.duration_s(),
            price_micros: fax.price_micros(),
            created: fax.created,
            updated: fax.updated,
        }
    }

    /// Returns the resource of an incoming fax whose app is still being asked for TwiML; it looks like a fax that is
    /// being received.
    #[must_use]
    pub fn of_arriving(fax: &Arriving, view: &View<'a>) -> Self {
        Self {
            view: *view,
            sid: fax.sid,
            direction: Direction::Inbound,
            status: Status::Receiving,
            from: fax.from.clone(),
            to: Party::Number(fax.to),
            quality: fax.quality,
            media: None,
            pages: None,
            duration_s: None,
            price_micros: None,
            created: fax.rang,
            updated: fax.rang,
        }
    }

    /// Returns the resource of the fax with this SID. It may be an incoming fax about which the app is still being
    /// asked.
    ///
    /// # Errors
    /// Returns [`Refusal::NoFax`] if there is no such fax.
    pub fn find(engine: &Engine, sid: FaxSid, view: &View<'a>) -> Result<Self, Refusal> {
        // Apps may fetch an incoming fax while they are still being asked for TwiML, when the engine has no `Fax` yet
        // (docs/fidelity.md, "Receiving, TwiML").
        let arriving = |refusal| engine.arriving(sid).map(|fax| Self::of_arriving(&fax, view)).ok_or(refusal);
        engine.fax(sid).map(|fax| Self::of(fax, view)).or_else(arriving)
    }

    fn media_url(&self) -> Option<String> {
        let View { account, origin, now, signing_key, .. } = self.view;
        let name = MediaName { account, fax: self.sid, media: self.media? };
        Some(media_url::signed(origin, &name, signing_key, now))
    }
}

impl Serialize for FaxResource<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let sid = self.sid;
        // One string serves for two URLs, because the fax's URL is the beginning of its media list's.
        let media_list = format!("{}/v1/Faxes/{sid}{MEDIA_LIST}", self.view.origin);
        let url = media_list.strip_suffix(MEDIA_LIST).unwrap_or_default();
        let created = date::iso(self.created);
        // Equal dates are formatted only once.
        let updated = (self.updated.seconds() != self.created.seconds()).then(|| date::iso(self.updated));
        let price = self.price_micros.and_then(|micros| price(micros, self.view.price));
        let mut fax = serializer.serialize_struct("Fax", FAX_FIELDS)?;
        fax.serialize_field("sid", &sid)?;
        fax.serialize_field("account_sid", &self.view.account)?;
        fax.serialize_field("api_version", "v1")?;
        fax.serialize_field("direction", self.direction.as_str())?;
        fax.serialize_field("status", self.status.as_str())?;
        fax.serialize_field("from", &self.from)?;
        fax.serialize_field("to", &self.to)?;
        fax.serialize_field("quality", self.quality.as_str())?;
        fax.serialize_field("media_sid", &self.media)?;
        fax.serialize_field("media_url", &self.media_url())?;
        fax.serialize_field("num_pages", &self.pages)?;
        fax.serialize_field("duration", &self.duration_s)?;
        fax.serialize_field("price", &price)?;
        fax.serialize_field("price_unit", &price.as_ref().map(|_| PRICE_UNIT))?;
        fax.serialize_field("date_created", &created)?;
        fax.serialize_field("date_updated", updated.as_ref().unwrap_or(&created))?;
        fax.serialize_field("links", &Links { media: &media_list })?;
        fax.serialize_field("url", url)?;
        fax.end()
    }
}

#[derive(Serialize)]
struct Links<'a> {
    media: &'a str,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Price {
    Text(String),
    Number(f64),
}

/// A page of faxes.
#[derive(Debug, Clone, Serialize)]
pub struct FaxList<'a> {
    faxes: Vec<FaxResource<'a>>,
    meta: Meta,
}

impl<'a> FaxList<'a> {
    /// Returns one page of the list, with links to the previous and the next page.
    #[must_use]
    pub fn of(page: &Page<'_, Fax>, request: &PageRequest, view: &View<'a>) -> Self {
        let url = format!("{}/v1/Faxes", view.origin);
        Self {
            faxes: page.items.iter().map(|fax| FaxResource::of(fax, view)).collect(),
            meta: request.meta("faxes", &url, &Extent::of(page, |fax| fax.ordinal)),
        }
    }
}

/// The stored document of a fax as clients see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MediaResource {
    sid: MediaSid,
    fax_sid: FaxSid,
    account_sid: AccountSid,
    content_type: &'static str,
    date_created: String,
    date_updated: String,
    url: String,
}

impl MediaResource {
    /// Returns the resource of a fax's document; `None` if no document is stored.
    #[must_use]
    pub fn of(fax: &Fax, view: &View<'_>) -> Option<Self> {
        fax.media.as_ref().map(|media| Self::of_media(fax.sid, media, view))
    }

    fn of_media(fax: FaxSid, media: &Media, view: &View<'_>) -> Self {
        Self {
            sid: media.sid,
            fax_sid: fax,
            account_sid: view.account,
            content_type: media.document.media_type.as_str(),
            date_created: date::iso(media.created),
            date_updated: date::iso(media.created),
            url: format!("{}/Media/{}", fax_url(fax, view), media.sid),
        }
    }
}

/// The list of a fax's media, which has at most one item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MediaList {
    media: Vec<MediaResource>,
    meta: Meta,
}

impl MediaList {
    /// Returns the list of media of the fax with this SID. The list is empty if no document is stored, as while the app
    /// is still being asked for TwiML.
    ///
    /// # Errors
    /// Returns [`Refusal::NoFax`] if there is no such fax.
    pub fn find(engine: &Engine, sid: FaxSid, request: &PageRequest, view: &View<'_>) -> Result<Self, Refusal> {
        let kept = match engine.fax(sid) {
            Ok(fax) => fax.media.as_deref(),
            Err(refusal) => engine.arriving(sid).map(|_| None).ok_or(refusal)?,
        };
        // With one item at most, any ordinal will do.
        let page = request.cut(kept.into_iter(), |_| 0);
        Ok(Self {
            media: page.items.iter().map(|media| MediaResource::of_media(sid, media, view)).collect(),
            meta: request.meta("media", &format!("{}/Media", fax_url(sid, view)), &Extent::of(&page, |_| 0)),
        })
    }
}

fn ttl_minutes(form: &Form) -> Result<Option<u32>, ApiError> {
    let Some(minutes) = parameter::whole_number(form, "Ttl")? else { return Ok(None) };
    let minutes = u32::try_from(minutes).ok().filter(|minutes| *minutes > 0);
    minutes.map(Some).ok_or_else(|| ApiError::invalid("Ttl", "it must be a positive number of minutes"))
}

fn price(micros: u64, PriceFormat { form, sign }: PriceFormat) -> Option<Price> {
    // Every charge is at least a minute's price, so there is no negative zero.
    let sign = match sign {
        PriceSign::Negative => "-",
        PriceSign::Positive => "",
    };
    let decimal = format!("{sign}{}.{:06}", micros / 1_000_000, micros % 1_000_000);
    let decimal = decimal.trim_end_matches('0').trim_end_matches('.');
    match form {
        PriceForm::Text => Some(Price::Text(decimal.to_owned())),
        PriceForm::Number => decimal.parse().ok().map(Price::Number),
        PriceForm::Absent => None,
    }
}

fn fax_url(fax: FaxSid, view: &View<'_>) -> String {
    format!("{}/v1/Faxes/{fax}", view.origin)
}

#[cfg(test)]
#[path = "faxes_tests.rs"]
mod tests;
