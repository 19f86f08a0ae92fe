//! The parameters of a Debugger webhook, which notifies an account of an alert (Twilio docs: "Debugging event
//! webhooks").

use serde_json::{Map, Value, json};

use super::{alerts, codes};
use crate::dialect::{Params, date};
use crate::engine::event::{Alert, Event, EventKind};
use crate::model::sid::AccountSid;
use crate::model::webhook::ExchangeRecord;

/// Returns the parameters for an alert; `parent` is the owner if the account is a subaccount.
#[must_use]
pub fn params(account: AccountSid, parent: Option<AccountSid>, event: &Event) -> Params {
    // Never happens, since only alerts are sent to the Debugger URL.
    let EventKind::Alert(alert) = &event.kind else { return Params::new() };
    let mut params = vec![("Sid", alert.sid.to_string()), ("AccountSid", account.to_string())];
    params.extend(parent.map(|parent| ("ParentAccountSid", parent.to_string())));
    params.extend([
        ("Timestamp", date::iso(event.at)),
        ("Level", alert.level.as_str().to_ascii_uppercase()),
        ("PayloadType", "application/json".to_owned()),
        ("Payload", payload(event, alert).to_string()),
    ]);
    params.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn payload(event: &Event, alert: &Alert) -> Value {
    let more_info = alerts::details(alert).into_iter().map(|(name, value)| (name.to_owned(), Value::from(value)));
    json!({
        "resource_sid": alerts::resource_sid(event, alert),
        "service_sid": null,
        "error_code": codes::code(alert.fault).to_string(),
        "more_info": more_info.collect::<Map<_, _>>(),
        "webhook": alert.record.as_deref().map(webhook),
    })
}

fn webhook(record: &ExchangeRecord) -> Value {
    json!({
        "type": "application/json",
        "request": {
            "url": record.url,
            "method": record.method.as_str(),
            "headers": object(&record.request_headers),
            "parameters": object(&record.params),
        },
        "response": {
            "status_code": record.status,
            "headers": object(&record.response_headers),
            "body": record.response_body,
        },
    })
}

fn object(pairs: &[(String, String)]) -> Map<String, Value> {
    pairs.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::event::AlertLevel;
    use crate::model::fault::Fault;
    use crate::model::sid::{AlertSid, FaxSid};
    use crate::model::time::Timestamp;

    #[test]
    fn a_subaccounts_alert_names_its_owner_and_its_payload_is_json() {
        let alert = Alert {
            sid: AlertSid::from_bytes([1; 16]),
            place: 0,
            fault: Fault::NoFaxVerb,
            level: AlertLevel::Error,
            message: "no verb & no \"fax\"".into(),
            record: None,
        };
        let fax = FaxSid::from_bytes([2; 16]);
        let at = Timestamp::from_seconds(1_438_298_344);
        let event = Event { seq: 1, at, fax: Some(fax), kind: EventKind::Alert(alert) };
        let account = AccountSid::from_bytes([3; 16]);
        let params = params(account, Some(AccountSid::from_bytes([4; 16])), &event);
        let names: Vec<_> = params.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["Sid", "AccountSid", "ParentAccountSid", "Timestamp", "Level", "PayloadType", "Payload"]);
        assert_eq!((params[3].1.as_str(), params[4].1.as_str()), ("2015-07-30T23:19:04Z", "ERROR"));
        let payload: Value = serde_json::from_str(&params[6].1).unwrap();
        assert_eq!(payload["resource_sid"], fax.to_string());
        assert_eq!((&payload["error_code"], &payload["webhook"]), (&"34106".into(), &Value::Null));
        assert_eq!(payload["more_info"]["Msg"], "no verb & no \"fax\"");
    }
}
