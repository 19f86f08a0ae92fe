//! SignalWire's own fax logs, `/api/fax/logs`: the filters, the resource, and the errors, which differ from
//! those of the compatibility API.

use std::time::Duration;

use serde::Serialize;

use super::codes;
use super::faxes::{fax_path, num_pages, price};
use crate::dialect::date;
use crate::dialect::error::{ApiError, Reason};
use crate::dialect::form::Form;
use crate::dialect::paging::{Extent, Links, PageRequest};
use crate::dialect::parameter;
use crate::dialect::view::View;
use crate::engine::{Fax, FaxFilter, Page};
use crate::model::account::Dialect;
use crate::model::fax::{Direction, Status};
use crate::model::phone::Party;
use crate::model::sid::FaxSid;
use crate::model::time::Timestamp;

/// The root path of the API.
pub const ROOT: &str = "/api/fax";
/// The path of the list of logs.
const LOGS: &str = "/api/fax/logs";
/// The filters, all of which are carried over into a list's paging links.
const LIST_FILTERS: &[&str] = &["include_deleted", "created_before", "created_on", "created_after"];
/// The list parameters that an error may name. An error names the first of these parameters that its message contains.
/// The message for a missing token contains both `page_token` and `page_number`, so `page_token` comes first.
const ATTRIBUTES: &[&str] =
    &["include_deleted", "created_before", "created_on", "created_after", "page_size", "page_token", "page_number"];
/// Marks the page tokens of the list of logs, so that other lists refuse them: `logs` in ASCII.
const LIST_OF_LOGS: u32 = 0x6c6f_6773;
/// The URL of the error codes' documentation.
const ERROR_CODES: &str = "https://developer.signalwire.com/rest/signalwire-rest/overview/error-codes";
const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Reads the parameters of a list. `include_deleted` has no effect, since deleted faxes are gone.
///
/// # Errors
/// Returns the first invalid parameter.
pub fn list_logs(query: &Form) -> Result<(FaxFilter, PageRequest), ApiError> {
    parameter::boolean(query, "include_deleted")?;
    let (before, on, after) =
        (moment(query, "created_before")?, moment(query, "created_on")?, moment(query, "created_after")?);
    // The engine compares whole seconds: `created_after` is exclusive, `created_on_or_before` inclusive.
    let since = [after, on.map(|day| earlier(day, SECOND))].into_iter().flatten().max();
    let end_of_day = on.map(|day| earlier(day.after(DAY), SECOND));
    let until = [before.map(|end| earlier(end, SECOND)), end_of_day].into_iter().flatten().min();
    let filter = FaxFilter { created_after: since, created_on_or_before: until, ..FaxFilter::default() };
    Ok((filter, PageRequest::parse_native(query, LIST_OF_LOGS, LIST_FILTERS)?))
}

fn moment(query: &Form, name: &str) -> Result<Option<Timestamp>, ApiError> {
    let Some(text) = parameter::given(query, name) else { return Ok(None) };
    let refused = || ApiError::invalid(name, &format!("'{}' is not an ISO 8601 date", parameter::excerpt(text)));
    // A plus that was not encoded arrives as a space.
    date::parse(text).or_else(|| date::parse(&text.replace(' ', "+"))).map(Some).ok_or_else(refused)
}

fn earlier(moment: Timestamp, span: Duration) -> Timestamp {
    let seconds = i64::try_from(span.as_secs()).unwrap_or(i64::MAX);
    Timestamp::from_seconds(moment.seconds().saturating_sub(seconds))
}

/// A fax log as clients see it. Each fax has one log, which shows the status of its call.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LogResource {
    id: FaxSid,
    from: Party,
    to: Party,
    status: &'static str,
    direction: &'static str,
    source: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    url: String,
    remote_station: Option<String>,
    charge: f64,
    number_of_pages: Option<u32>,
    quality: &'static str,
    charge_details: Vec<ChargeDetail>,
    created_at: String,
    error_code: Option<String>,
    error_message: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct ChargeDetail {
    description: &'static str,
    charge: f64,
}

impl LogResource {
    /// Returns the log of a fax.
    #[must_use]
    pub fn of(fax: &Fax, view: &View<'_>) -> Self {
        let (direction, description) = match fax.direction() {
            Direction::Inbound => ("inbound", "Inbound Fax Minutes"),
            Direction::Outbound => ("outbound-api", "Outbound Fax Minutes"),
        };
        let charge = price(fax);
        let failure = fax.failure();
        Self {
            id: fax.sid,
            from: fax.from.clone(),
            to: fax.to.clone(),
            status: call_status(fax.status()),
            direction,
            source: "laml",
            kind: "laml_call",
            url: format!("{}{}", view.origin, fax_path(view.account, fax.sid)),
            remote_station: None,
            charge: charge.unwrap_or_default(),
            number_of_pages: num_pages(fax),
            quality: fax.quality.as_str(),
            charge_details: charge.map(|charge| ChargeDetail { description, charge }).into_iter().collect(),
            created_at: date::iso(fax.created),
            error_code: failure.and_then(codes::failure_code).map(|code| code.to_string()),
            error_message: failure.and_then(codes::failure_text).map(str::to_owned),
        }
    }
}

/// Returns the status of the call that carries a fax.
const fn call_status(status: Status) -> &'static str {
    match status {
        Status::Queued => "queued",
        Status::Processing => "initiated",
        Status::Sending | Status::Receiving => "in-progress",
        Status::Delivered | Status::Received => "completed",
        Status::NoAnswer => "no-answer",
        Status::Busy => "busy",
        Status::Failed => "failed",
        Status::Canceled => "canceled",
    }
}

/// A page of logs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LogList {
    links: Links,
    data: Vec<LogResource>,
}

impl LogList {
    /// Returns one page of the list, with links to the previous and the next page.
    #[must_use]
    pub fn of(page: &Page<'_, Fax>, request: &PageRequest, view: &View<'_>) -> Self {
        Self {
            links: request.links(&format!("{}{LOGS}", view.origin), &Extent::of(page, |fax| fax.ordinal)),
            data: page.items.iter().map(|fax| LogResource::of(fax, view)).collect(),
        }
    }
}

/// Returns the JSON body of an error in this API's form.
#[must_use]
pub fn error_body(error: &ApiError) -> Vec<u8> {
    let (kind, code) = match error.status(Dialect::SignalWire) {
        401 => ("authentication_error", "unauthorized"),
        404 => ("not_found_error", "not_found"),
        422 if error.reason == Reason::Missing => ("validation_error", "missing_required_parameter"),
        422 => ("validation_error", "invalid_parameter"),
        429 => ("rate_limit_error", "too_many_requests"),
        500.. => ("server_error", "internal_error"),
        _ => ("request_error", "invalid_request"),
    };
    let attribute = ATTRIBUTES.iter().copied().find(|name| error.message.contains(*name)).filter(|_| {
        // With another status, the message may contain the name of a parameter as a part of a path.
        error.status(Dialect::SignalWire) == 422
    });
    let url = format!("{ERROR_CODES}#{code}");
    let item = ErrorItem { kind, code, message: &error.message, attribute, url };
    serde_json::to_vec(&ErrorList { errors: [item] }).expect("strings and numbers can always be written as JSON")
}

#[derive(Serialize)]
struct ErrorList<'a> {
    errors: [ErrorItem<'a>; 1],
}

#[derive(Serialize)]
struct ErrorItem<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    code: &'static str,
    message: &'a str,
    attribute: Option<&'static str>,
    url: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(query: &str) -> Result<(FaxFilter, PageRequest), serde_json::Value> {
        list_logs(&Form::parse(query.as_bytes()).unwrap())
            .map_err(|error| serde_json::from_slice(&error_body(&error)).unwrap())
    }

    #[test]
    fn a_list_can_be_filtered_by_day_or_by_exact_time() {
        let day = date::parse("2026-04-30").unwrap();
        let (filter, _) = list("created_on=2026-04-30").unwrap();
        assert_eq!(filter.created_after, Some(Timestamp::from_seconds(day.seconds() - 1)));
        assert_eq!(filter.created_on_or_before, Some(Timestamp::from_seconds(day.seconds() + 86_399)));
        let (filter, _) = list("created_before=2026-04-30&created_after=2026-04-01T00:00:00%2B00:00").unwrap();
        assert_eq!(filter.created_on_or_before, Some(Timestamp::from_seconds(day.seconds() - 1)));
        assert_eq!(filter.created_after, date::parse("2026-04-01"));
        let (filter, _) = list("created_on=2026-04-30&created_after=2026-04-30T12:00:00Z").unwrap();
        assert_eq!(filter.created_after, date::parse("2026-04-30T12:00:00Z"));
        assert!(list("created_on=9999-12-30").is_ok());
    }

    #[test]
    fn errors_have_the_format_of_this_api_and_name_the_parameter() {
        for (query, attribute) in [
            ("page_size=0", "page_size"),
            ("page_size=x", "page_size"),
            ("page_token=PA1", "page_token"),
            ("page_number=1", "page_token"),
            ("page_number=x", "page_number"),
            ("created_before=soon", "created_before"),
            ("include_deleted=maybe", "include_deleted"),
        ] {
            let body = list(query).unwrap_err();
            let error = &body["errors"][0];
            assert_eq!((&error["type"], &error["code"]), (&"validation_error".into(), &"invalid_parameter".into()));
            assert_eq!(error["attribute"], attribute, "{query}");
            assert!(error["url"].as_str().unwrap().ends_with("#invalid_parameter"));
        }
        assert!(list("page_size=20&page_number=0&include_deleted=true").is_ok());
        let body: serde_json::Value =
            serde_json::from_slice(&error_body(&ApiError::not_found("/api/fax/logs/x"))).unwrap();
        assert_eq!((&body["errors"][0]["code"], &body["errors"][0]["attribute"]), (&"not_found".into(), &().into()));
    }
}
