//! SignalWire's LaML Bins (cXML scripts): the parameters of the API calls, and the resource.

use std::sync::Arc;

use serde::Serialize;

use super::account_path;
use crate::dialect::date;
use crate::dialect::error::ApiError;
use crate::dialect::form::Form;
use crate::dialect::paging::{Extent, PageRequest, Uris};
use crate::dialect::parameter::{self, Empty};
use crate::dialect::twiml_bin::bin_url;
use crate::dialect::view::View;
use crate::engine::Page;
use crate::engine::input::CreateTwimlBin;
use crate::model::twiml_bin::{BIN_BYTES_MAX, BIN_NAME_CHARS_MAX, TwimlBin, TwimlBinChange};

/// The filters that are carried over into a list's paging links.
const LIST_FILTERS: &[&str] = &["Name"];
/// Marks the page tokens of the list of bins, so that other lists refuse them: `bins` in ASCII.
const LIST_OF_BINS: u32 = 0x6269_6e73;

/// Reads the parameters of a create call.
///
/// # Errors
/// Returns error 10000 with a message that names the parameter.
pub fn create_bin(form: &Form) -> Result<CreateTwimlBin, ApiError> {
    let name = name(form)?.ok_or_else(|| ApiError::missing("Name"))?;
    Ok(CreateTwimlBin { name, contents: contents(form, Empty::LeftOut)?.unwrap_or_default() })
}

/// Reads the parameters of an update call.
///
/// # Errors
/// Returns error 10000 with a message that names the parameter.
pub fn update_bin(form: &Form) -> Result<TwimlBinChange, ApiError> {
    Ok(TwimlBinChange { name: name(form)?, contents: contents(form, Empty::Cleared)? })
}

fn name(form: &Form) -> Result<Option<Box<str>>, ApiError> {
    let Some(text) = parameter::given(form, "Name") else { return Ok(None) };
    if text.chars().count() > BIN_NAME_CHARS_MAX {
        return Err(ApiError::invalid("Name", &format!("it is longer than {BIN_NAME_CHARS_MAX} characters")));
    }
    Ok(Some(text.into()))
}

fn contents(form: &Form, empty: Empty) -> Result<Option<Arc<str>>, ApiError> {
    let Some(text) = empty.text(form, "Contents") else { return Ok(None) };
    if text.len() > BIN_BYTES_MAX {
        return Err(ApiError::invalid("Contents", &format!("it is longer than {BIN_BYTES_MAX} bytes")));
    }
    Ok(Some(text.into()))
}

/// Reads the parameters of a list, and returns the name to filter by, if there is one.
///
/// # Errors
/// Returns an error with the documented code that fits best and a message that names the parameter.
pub fn list_bins(query: &Form) -> Result<(Option<String>, PageRequest), ApiError> {
    let name = parameter::given(query, "Name").map(str::to_owned);
    Ok((name, PageRequest::parse_strictly(query, LIST_OF_BINS, LIST_FILTERS)?))
}

/// A bin as clients see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BinResource {
    sid: String,
    date_created: String,
    date_updated: String,
    date_last_accessed: Option<String>,
    account_sid: String,
    name: String,
    contents: Arc<str>,
    request_url: String,
    num_requests: u64,
    api_version: &'static str,
    uri: String,
}

impl BinResource {
    /// Returns the resource of a bin, with its URL on the origin that the client used.
    #[must_use]
    pub fn of(bin: &TwimlBin, view: &View<'_>) -> Self {
        Self {
            sid: bin.sid.to_string(),
            date_created: date::iso(bin.created),
            date_updated: date::iso(bin.updated),
            date_last_accessed: bin.last_request.map(date::iso),
            account_sid: view.account.to_string(),
            name: bin.name.to_string(),
            contents: Arc::clone(&bin.contents),
            request_url: bin_url(view.origin, bin.sid),
            num_requests: bin.requests,
            api_version: super::API_VERSION,
            uri: format!("{}/LamlBins/{}", account_path(view.account), bin.sid),
        }
    }
}

/// A page of bins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BinList {
    #[serde(flatten)]
    paging: Uris,
    laml_bins: Vec<BinResource>,
}

impl BinList {
    /// Returns one page of the list, with links to the previous and the next page.
    #[must_use]
    pub fn of(page: &Page<'_, TwimlBin>, request: &PageRequest, view: &View<'_>) -> Self {
        let uri = format!("{}/LamlBins", account_path(view.account));
        Self {
            paging: request.uris(&uri, &Extent::of(page, |bin| bin.ordinal)),
            laml_bins: page.items.iter().map(|bin| BinResource::of(bin, view)).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::account::Dialect;

    fn form(text: &str) -> Form {
        Form::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn names_and_contents_of_bins_are_limited() {
        let created = create_bin(&form("Name=IVR&Contents=%3CResponse/%3E")).unwrap();
        assert_eq!((&*created.name, &*created.contents), ("IVR", "<Response/>"));
        assert_eq!(&*create_bin(&form("Name=IVR")).unwrap().contents, "");
        let long = format!("Name=x&Contents={}", "x".repeat(BIN_BYTES_MAX + 1));
        let long_name = format!("Name={}", "é".repeat(BIN_NAME_CHARS_MAX + 1));
        for (bad, name) in [("Contents=x", "Name"), (long.as_str(), "Contents"), (long_name.as_str(), "Name")] {
            let error = create_bin(&form(bad)).unwrap_err();
            assert_eq!((error.status(Dialect::SignalWire), error.code(Dialect::SignalWire)), (422, 10000));
            assert!(error.message.contains(name), "{}", error.message);
        }
        let most = format!("Contents={}", "x".repeat(BIN_BYTES_MAX));
        assert_eq!(update_bin(&form(&most)).unwrap().contents.map(|text| text.len()), Some(BIN_BYTES_MAX));
        assert_eq!(update_bin(&form("")), Ok(TwimlBinChange::default()));
        assert_eq!(update_bin(&form("Contents=")).unwrap().contents.as_deref(), Some(""));
    }
}
