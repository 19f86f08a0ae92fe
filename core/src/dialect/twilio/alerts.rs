//! Monitor API alerts, v1: the list filters, and the Alert resources (OpenAPI: twilio_monitor_v1).

use serde::Serialize;

use super::{codes, messages};
use crate::dialect::date;
use crate::dialect::error::ApiError;
use crate::dialect::form::{self, Form};
use crate::dialect::paging::{Extent, Meta, PageRequest};
use crate::dialect::parameter;
use crate::dialect::view::View;
use crate::engine::Page;
use crate::engine::event::{Alert, AlertLevel, Event};
use crate::model::sid::AlertSid;
use crate::model::time::Timestamp;
use crate::model::webhook::Method;

/// The filters that are carried over into a list's paging links.
const LIST_FILTERS: &[&str] = &["LogLevel", "StartDate", "EndDate"];
/// The levels that a list may ask for. The emulator raises only errors and warnings.
const LOG_LEVELS: &[&str] = &["error", "warning", "notice", "debug"];
/// The component that raised the alert, as in captured alerts.
const SOURCE_COMPONENT: &str = "12000";
/// The API version in captured alerts.
const API_VERSION: &str = "2010-04-01";
/// The time added to an `EndDate` that is only a day, because such a date includes the whole day.
const REST_OF_DAY: std::time::Duration = std::time::Duration::from_secs(24 * 60 * 60 - 1);

/// An alert, with the journal's event that says when the alert was raised.
pub type Raised<'a> = (&'a Event, &'a Alert);

/// The filters of a list of alerts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertFilter {
    level: Option<&'static str>,
    start: Option<Timestamp>,
    end: Option<Timestamp>,
}

/// Reads the parameters of a list of alerts.
///
/// # Errors
/// Returns error 20422 with a message that names the parameter.
pub fn list_alerts(query: &Form) -> Result<(AlertFilter, PageRequest), ApiError> {
    let level = parameter::word(query, "LogLevel", LOG_LEVELS, |word| word)?;
    let moment = |name| {
        let Some(text) = parameter::given(query, name) else { return Ok(None) };
        // A string of ten characters is a day without a time.
        let moment = date::parse(text).map(|moment| (moment, text.trim().len() == "2015-07-30".len()));
        moment.map(Some).ok_or_else(|| {
            ApiError::invalid(
                name,
                &format!("'{}' is not a date like 2021-03-01 or 2021-03-01T10:00:00Z", parameter::excerpt(text)),
            )
        })
    };
    let start = moment("StartDate")?.map(|(start, _)| start);
    let end = moment("EndDate")?.map(|(end, is_day)| if is_day { end.after(REST_OF_DAY) } else { end });
    Ok((AlertFilter { level, start, end }, PageRequest::parse(query, AlertSid::PREFIX, LIST_FILTERS)?))
}

impl AlertFilter {
    /// Returns whether the list shows this alert; dates are compared by whole seconds.
    #[must_use]
    pub fn shows(&self, (event, alert): &Raised<'_>) -> bool {
        let at = event.at.seconds();
        self.level.is_none_or(|level| level == alert.level.as_str())
            && self.start.is_none_or(|start| at >= start.seconds())
            && self.end.is_none_or(|end| at <= end.seconds())
    }
}

/// An alert as a list shows it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AlertResource {
    sid: String,
    account_sid: String,
    alert_text: String,
    api_version: &'static str,
    date_created: String,
    date_generated: String,
    date_updated: String,
    error_code: String,
    log_level: &'static str,
    more_info: String,
    request_method: Option<&'static str>,
    request_url: Option<String>,
    resource_sid: Option<String>,
    service_sid: Option<String>,
    url: String,
}

impl AlertResource {
    /// Returns the resource of an alert in a list.
    #[must_use]
    pub fn of((event, alert): Raised<'_>, view: &View<'_>) -> Self {
        let date = date::iso(event.at);
        let record = alert.record.as_deref();
        Self {
            sid: alert.sid.to_string(),
            account_sid: view.account.to_string(),
            alert_text: form::encode(&details(alert)),
            api_version: API_VERSION,
            date_created: date.clone(),
            date_generated: date.clone(),
            date_updated: date,
            error_code: codes::code(alert.fault).to_string(),
            log_level: alert.level.as_str(),
            more_info: codes::more_info(codes::code(alert.fault)),
            request_method: record.map(|record| Method::as_str(record.method)),
            request_url: record.map(|record| record.url.clone()),
            resource_sid: resource_sid(event, alert),
            service_sid: None,
            url: format!("{}/v1/Alerts/{}", view.origin, alert.sid),
        }
    }
}

/// An alert as its own resource shows it, including the request and the response.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AlertInstance {
    #[serde(flatten)]
    alert: AlertResource,
    request_headers: Option<String>,
    request_variables: Option<String>,
    response_headers: Option<String>,
    response_body: Option<String>,
}

impl AlertInstance {
    /// Returns an alert's own resource.
    #[must_use]
    pub fn of(raised: Raised<'_>, view: &View<'_>) -> Self {
        let record = raised.1.record.as_deref();
        let answer = record.filter(|record| record.status.is_some());
        Self {
            alert: AlertResource::of(raised, view),
            request_headers: record.map(|record| form::encode(&record.request_headers)),
            request_variables: record.map(|record| form::encode(&record.params)),
            response_headers: answer.map(|record| form::encode(&record.response_headers)),
            response_body: answer.map(|record| record.response_body.clone()),
        }
    }
}

/// A page of alerts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AlertList {
    alerts: Vec<AlertResource>,
    meta: Meta,
}

impl AlertList {
    /// Returns one page of the list, with links to the previous and the next page.
    #[must_use]
    pub fn of(page: &Page<'_, Raised<'_>>, request: &PageRequest, view: &View<'_>) -> Self {
        let url = format!("{}/v1/Alerts", view.origin);
        Self {
            alerts: page.items.iter().map(|raised| AlertResource::of(**raised, view)).collect(),
            meta: request.meta("alerts", &url, &Extent::of(page, |(event, _)| event.seq)),
        }
    }
}

/// Returns the SID of the fax that an alert is about, or that of the text message whose callback failed.
pub(in crate::dialect) fn resource_sid(event: &Event, alert: &Alert) -> Option<String> {
    let of_message = || {
        let params = &alert.record.as_deref()?.params;
        params.iter().find(|(name, _)| name == messages::SID_PARAMETER).map(|(_, sid)| sid.clone())
    };
    event.fax.map(|fax| fax.to_string()).or_else(of_message)
}

/// Returns the parts of an alert's text, with their names.
pub(in crate::dialect) fn details(alert: &Alert) -> Vec<(&'static str, String)> {
    let level = match alert.level {
        AlertLevel::Error => "ERROR",
        AlertLevel::Warning => "WARNING",
    };
    let mut pairs = vec![
        ("Msg", alert.message.to_string()),
        ("sourceComponent", SOURCE_COMPONENT.to_owned()),
        ("ErrorCode", codes::code(alert.fault).to_string()),
    ];
    if let Some(record) = &alert.record {
        pairs.extend(record.status.map(|status| ("httpResponse", status.to_string())));
        pairs.push(("url", record.url.clone()));
    }
    pairs.push(("LogLevel", level.to_owned()));
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::account::Dialect;

    fn filter(query: &str) -> Result<AlertFilter, u32> {
        list_alerts(&Form::parse(query.as_bytes()).unwrap())
            .map(|(filter, _)| filter)
            .map_err(|error| error.code(Dialect::Twilio))
    }

    #[test]
    fn a_bare_end_date_includes_its_whole_day() {
        let found = filter("LogLevel=error&StartDate=2015-07-30&EndDate=2015-07-30").unwrap();
        let day = Timestamp::from_seconds(1_438_214_400);
        let expected = AlertFilter { level: Some("error"), start: Some(day), end: Some(day.after(REST_OF_DAY)) };
        assert_eq!(found, expected);
        let exact = filter("EndDate=2015-07-30T23:19:04Z").unwrap();
        assert_eq!(exact.end, Some(Timestamp::from_seconds(1_438_298_344)));
    }

    #[test]
    fn invalid_filters_are_refused() {
        for bad in ["LogLevel=loud", "StartDate=yesterday", "EndDate=2015-13-01", "PageSize=0", "PageToken=PAFX1"] {
            assert_eq!(filter(bad), Err(20422), "{bad}");
        }
    }
}
