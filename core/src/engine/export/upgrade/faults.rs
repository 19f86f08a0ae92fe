//! The step from version 1 to 2: failures are named by their fault instead of Twilio's code.

use serde_json::{Map, Value, json};

use crate::engine::export::StateError;
use crate::model::fault::Fault;

/// Replaces the codes in a world with fault names.
pub(super) fn name_faults(document: &mut Map<String, Value>) -> Result<(), StateError> {
    document.get_mut("world").map_or(Ok(()), |world| in_value(world, "world"))
}

fn in_value(value: &mut Value, place: &str) -> Result<(), StateError> {
    match value {
        Value::Object(fields) => in_object(fields, place),
        Value::Array(values) => {
            values.iter_mut().enumerate().try_for_each(|(at, value)| in_value(value, &format!("{place}[{at}]")))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
    }
}

/// Converts one object. Faxes and notices have `error: [code, text]`, questions to a fallback URL have
/// `failed: [code, URL]`, and alerts and the breaks of transmissions have `code`.
fn in_object(fields: &mut Map<String, Value>, place: &str) -> Result<(), StateError> {
    if let Some(error) = fields.remove("error") {
        let fault = fault_of(&error[0], &error[1], &format!("{place}.error"))?;
        // A text that equals the fault's description adds no detail.
        let text = error[1].as_str().filter(|text| *text != fault.call_description());
        let failure = text.map_or(json!({ "fault": fault }), |text| json!({ "fault": fault, "detail": text }));
        fields.insert("failure".to_owned(), failure);
    }
    if let Some(Value::Array(failed)) = fields.get_mut("failed")
        && let Some(code) = failed.first_mut()
    {
        *code = json!(fault_of(code, &Value::Null, &format!("{place}.failed"))?);
    }
    if let Some(code) = fields.remove("code") {
        let fault = fault_of(&code, &Value::Null, &format!("{place}.code"))?;
        fields.insert("fault".to_owned(), json!(fault));
    }
    fields.iter_mut().try_for_each(|(name, value)| in_value(value, &format!("{place}.{name}")))
}

/// Returns the fault for a code in version 1. If two faults share a code, the more frequent one is assumed.
fn fault_of(code: &Value, text: &Value, place: &str) -> Result<Fault, StateError> {
    let fault = match code.as_u64() {
        Some(20005) => Fault::AccountNotActive,
        Some(11100) => Fault::InvalidUrl,
        Some(11200) => Fault::HttpStatus,
        Some(11201) => Fault::ConnectTimeout,
        Some(11202) => Fault::ConnectionRefused,
        Some(11203) => Fault::TotalTimeout,
        Some(11205) => Fault::ConnectionFailure,
        Some(11206) => Fault::ProtocolViolation,
        Some(11210) => Fault::BadHostName,
        Some(11215) => Fault::TooManyRedirects,
        Some(11220) => Fault::TlsHandshake,
        Some(11235) => Fault::CertificateName,
        Some(11236) => Fault::CertificateExpired,
        Some(11237) => Fault::CertificateUntrusted,
        Some(11240) => Fault::UnknownEdge,
        Some(11242) => Fault::PrivateEdge,
        Some(11243) => Fault::RetryPolicy,
        Some(11750) => Fault::TwimlTooLarge,
        Some(11770) => Fault::TwimlEmpty,
        Some(12100) => Fault::TwimlMalformed,
        Some(12102) => Fault::TwimlRoot,
        Some(12200) => Fault::TwimlSchema,
        Some(12300) => Fault::ContentType,
        Some(12400) => Fault::Internal,
        Some(34002) => Fault::Busy,
        Some(34003) => Fault::NoAnswer,
        // In version 1, an unreadable document had the code of a failed transmission but a different text.
        Some(34004) if text.as_str().is_some_and(|text| text != Fault::Transmission.call_description()) => {
            Fault::Document
        }
        Some(34004) => Fault::Transmission,
        Some(34106) => Fault::NoFaxVerb,
        Some(34108) => Fault::Incompatible,
        _ => {
            let why = format!("{code} is not the code of a fault");
            return Err(StateError::Wrong { place: place.to_owned(), why });
        }
    };
    Ok(fault)
}
