//! Messages of the 2010-04-01 API: the parameters of the API calls, the Message resource, and the parameters of their
//! callbacks (docs/fidelity.md, "Neighbours").

use std::ops::RangeInclusive;

use serde::Serialize;

use super::account_path;
use crate::dialect::error::{ApiError, Reason};
use crate::dialect::fax_request::status_callback;
use crate::dialect::form::Form;
use crate::dialect::paging::{Extent, Flat, PageRequest};
use crate::dialect::parameter::{self, Empty};
use crate::dialect::{Params, date};
use crate::engine::Page;
use crate::engine::effect::MessageNotice;
use crate::engine::input::CreateMessage;
use crate::model::message::{BODY_CHARS_MAX, MEDIA_MAX, Message, Sender};
use crate::model::sid::{AccountSid, IdForm, MessageSid};

/// The parameter of callbacks that names the message.
pub(super) const SID_PARAMETER: &str = "MessageSid";
/// The version of the API, as resources and callbacks show it.
const API_VERSION: &str = "2010-04-01";
/// The prefix of messaging services' SIDs.
const SERVICE_PREFIX: &str = "MG";
/// The price of one segment, in hundred-thousandths of a US dollar (from an example in Twilio's OpenAPI).
const PRICE_PER_SEGMENT: u64 = 750;
/// The number of seconds in a day.
const DAY_S: i64 = 24 * 60 * 60;
/// The currency of all prices.
const PRICE_UNIT: &str = "USD";
/// The filters that are carried over into a list's paging links.
const LIST_FILTERS: &[&str] = &["To", "From", "DateSent", "DateSent<", "DateSent>"];

/// Reads the parameters of a create call.
///
/// # Errors
/// Returns the closest documented error; its message names the parameter.
pub fn create_message(form: &Form) -> Result<CreateMessage, ApiError> {
    let to = parameter::given(form, "To")
        .ok_or_else(|| ApiError::new(Reason::RecipientMissing, "A 'To' phone number is required."))?;
    let to = to.parse().map_err(|_| ApiError::invalid_to(&parameter::excerpt(to)))?;
    let from = parameter::given(form, "From")
        .map(|text| Sender::parse(text).ok_or_else(|| ApiError::invalid_from(&parameter::excerpt(text))));
    let messaging_service =
        parameter::sid(form, "MessagingServiceSid", (SERVICE_PREFIX, IdForm::Prefixed), Empty::LeftOut)?;
    let from = from.transpose()?;
    if from.is_none() && messaging_service.is_none() {
        let message = "A 'From' or 'MessagingServiceSid' parameter is required to send a message";
        return Err(ApiError::new(Reason::SenderMissing, message));
    }
    let (body, media) = (body(form)?, media(form)?);
    if body.is_empty() && media == 0 {
        return Err(ApiError::new(Reason::BodyMissing, "Message body is required."));
    }
    Ok(CreateMessage { from, to, body, media, messaging_service, status_callback: status_callback(form)? })
}

/// Reads the parameters of an update, which can only remove the text.
///
/// # Errors
/// Returns error 20422 for any other change, or 20001 if there is no `Body`.
pub fn update_message(form: &Form) -> Result<(), ApiError> {
    if parameter::given(form, "Status").is_some() {
        return Err(ApiError::invalid("Status", "only scheduled messages can be canceled, and there are none"));
    }
    match form.get("Body") {
        Some("") => Ok(()),
        Some(_) => Err(ApiError::invalid("Body", "it must be empty, which removes the text; a text can't be changed")),
        None => Err(ApiError::missing("Body")),
    }
}

/// The filters of a list of messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageFilter {
    to: Option<String>,
    from: Option<String>,
    /// The range, in seconds since 1970, in which a message must have been sent; `None` shows all messages, even those
    /// not sent yet.
    sent: Option<RangeInclusive<i64>>,
}

/// Reads the parameters of a list.
///
/// # Errors
/// Returns error 20422; its message names the parameter.
pub fn list_messages(query: &Form) -> Result<(MessageFilter, PageRequest), ApiError> {
    // A plus that wasn't encoded has become a space. No number begins with a space, so turning it back is safe.
    let party = |name| {
        let text = parameter::given(query, name)?;
        Some(text.strip_prefix(' ').map_or_else(|| text.to_owned(), |digits| format!("+{digits}")))
    };
    let filter = MessageFilter { to: party("To"), from: party("From"), sent: sent(query)? };
    Ok((filter, PageRequest::parse(query, MessageSid::PREFIX, LIST_FILTERS)?))
}

/// Reads the filters by date. A date without a time stands for the whole day, as does every date in `DateSent`.
fn sent(query: &Form) -> Result<Option<RangeInclusive<i64>>, ApiError> {
    let mut range = None;
    for name in ["DateSent", "DateSent<", "DateSent>"] {
        let Some(text) = parameter::given(query, name) else { continue };
        let moment = date::parse(text).ok_or_else(|| {
            ApiError::invalid(name, &format!("'{}' is not a date like 2021-03-01", parameter::excerpt(text)))
        })?;
        let moment = moment.seconds();
        let midnight = moment - moment.rem_euclid(DAY_S);
        // A string of ten characters is a day without a time.
        let is_day = text.trim().len() == "2021-03-01".len();
        let (from, to) = match name {
            "DateSent<" => (i64::MIN, if is_day { midnight + DAY_S - 1 } else { moment }),
            "DateSent>" => (moment, i64::MAX),
            _ => (midnight, midnight + DAY_S - 1),
        };
        let so_far = range.unwrap_or(i64::MIN..=i64::MAX);
        range = Some(from.max(*so_far.start())..=to.min(*so_far.end()));
    }
    Ok(range)
}

impl MessageFilter {
    /// Returns whether the list shows this message. A message that hasn't been sent matches no filter by date.
    #[must_use]
    pub fn shows(&self, message: &Message) -> bool {
        let from = || message.from.as_ref().map(ToString::to_string);
        self.to.as_ref().is_none_or(|to| *to == message.to.to_string())
            && self.from.as_ref().is_none_or(|wanted| from().as_ref() == Some(wanted))
            && self.sent.as_ref().is_none_or(|range| message.sent.is_some_and(|sent| range.contains(&sent.seconds())))
    }
}

/// A message as clients see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MessageResource {
    sid: String,
    account_sid: String,
    api_version: &'static str,
    body: String,
    date_created: String,
    date_sent: Option<String>,
    date_updated: String,
    direction: &'static str,
    error_code: Option<u32>,
    error_message: Option<String>,
    from: Option<String>,
    messaging_service_sid: Option<String>,
    num_media: String,
    num_segments: String,
    price: Option<String>,
    price_unit: &'static str,
    status: &'static str,
    to: String,
    uri: String,
    subresource_uris: MessageSubresources,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct MessageSubresources {
    media: String,
    feedback: String,
}

impl MessageResource {
    /// Returns the resource of a message.
    #[must_use]
    pub fn of(message: &Message, account: AccountSid) -> Self {
        let path = format!("{}/Messages/{}", account_path(account), message.sid);
        Self {
            sid: message.sid.to_string(),
            account_sid: account.to_string(),
            api_version: API_VERSION,
            body: message.body.to_string(),
            date_created: date::rfc2822(message.created),
            date_sent: message.sent.map(date::rfc2822),
            date_updated: date::rfc2822(message.updated),
            direction: "outbound-api",
            error_code: None,
            error_message: None,
            from: message.from.as_ref().map(ToString::to_string),
            messaging_service_sid: message.messaging_service.as_deref().map(str::to_owned),
            num_media: message.media.to_string(),
            num_segments: message.segments.to_string(),
            price: message.sent.map(|_| price(message.segments)),
            price_unit: PRICE_UNIT,
            status: message.status.as_str(),
            to: message.to.to_string(),
            uri: format!("{path}.json"),
            subresource_uris: MessageSubresources {
                media: format!("{path}/Media.json"),
                feedback: format!("{path}/Feedback.json"),
            },
        }
    }
}

/// A page of messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MessageList {
    messages: Vec<MessageResource>,
    #[serde(flatten)]
    paging: Flat,
}

impl MessageList {
    /// Returns the resource of a page.
    #[must_use]
    pub fn of(page: &Page<'_, Message>, request: &PageRequest, account: AccountSid) -> Self {
        let uri = format!("{}/Messages.json", account_path(account));
        Self {
            messages: page.items.iter().map(|each| MessageResource::of(each, account)).collect(),
            paging: request.flat(&uri, &Extent::of(page, |each| each.ordinal)),
        }
    }
}

/// Returns the parameters that notify an app of a message's status, in the order of Twilio's own example.
#[must_use]
pub fn notice_params(account: AccountSid, notice: &MessageNotice) -> Params {
    let (sid, status) = (notice.message.to_string(), notice.status.as_str());
    let mut params = vec![
        ("SmsSid", sid.clone()),
        ("SmsStatus", status.to_owned()),
        ("MessageStatus", status.to_owned()),
        ("To", notice.to.to_string()),
        (SID_PARAMETER, sid),
        ("AccountSid", account.to_string()),
    ];
    params.extend(notice.from.as_ref().map(|from| ("From", from.to_string())));
    params.extend(notice.messaging_service.as_deref().map(|service| ("MessagingServiceSid", service.to_owned())));
    params.push(("ApiVersion", API_VERSION.to_owned()));
    params.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn body(form: &Form) -> Result<Box<str>, ApiError> {
    let body = form.get("Body").unwrap_or_default();
    if body.chars().count() > BODY_CHARS_MAX {
        let message = format!("The concatenated message body exceeds the {BODY_CHARS_MAX} character limit");
        return Err(ApiError::new(Reason::BodyTooLong, message));
    }
    Ok(body.into())
}

/// Counts the media. They are not fetched, but their URLs are checked as if they were.
fn media(form: &Form) -> Result<u32, ApiError> {
    let mut count = 0;
    for (_, url) in form.iter().filter(|(name, url)| *name == "MediaUrl" && !url.is_empty()) {
        parameter::check_url(url).map_err(|reason| {
            ApiError::new(Reason::MediaUrl, format!("Invalid MediaUrl '{}': {reason}", parameter::excerpt(url)))
        })?;
        count += 1;
    }
    let most = u32::try_from(MEDIA_MAX).unwrap_or(u32::MAX);
    if count > most {
        let message = format!("Number of media files exceeds allowed limit: {count} MediaUrls, at most {most}");
        return Err(ApiError::new(Reason::TooManyMedia, message));
    }
    Ok(count)
}

/// Formats the price of a sent message, which is negative because the account pays it.
fn price(segments: u32) -> String {
    let price = u64::from(segments) * PRICE_PER_SEGMENT;
    format!("-{}.{:05}", price / 100_000, price % 100_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::twilio::keys_of;
    use crate::model::account::Dialect;
    use crate::model::message::MessageStatus;
    use crate::model::phone::PhoneNumber;
    use crate::model::time::Timestamp;

    const ACCOUNT: AccountSid = AccountSid::from_bytes([0; 16]);
    const SERVICE: &str = "MG0123456789abcdef0123456789abcdef";

    fn form(text: &str) -> Form {
        Form::parse(text.as_bytes()).unwrap()
    }

    fn refused(text: &str) -> (u16, u32) {
        let error = create_message(&form(text)).expect_err(text);
        (error.status(Dialect::Twilio), error.code(Dialect::Twilio))
    }

    fn message() -> Message {
        Message {
            sid: MessageSid::from_bytes([1; 16]),
            ordinal: 1,
            from: Some(Sender::Number(PhoneNumber::from_digits(15_005_550_006))),
            to: PhoneNumber::from_digits(15_558_675_310),
            body: "Your fax was sent".into(),
            segments: 1,
            media: 0,
            messaging_service: None,
            status_callback: None,
            status: MessageStatus::Queued,
            created: Timestamp::from_seconds(1_438_298_344),
            updated: Timestamp::from_seconds(1_438_298_344),
            sent: None,
            owed: Vec::new(),
        }
    }

    #[test]
    fn each_refusal_has_its_documented_code() {
        let good = "To=%2B15558675310&From=%2B15005550006&Body=x";
        assert!(create_message(&form(good)).is_ok());
        for (text, code) in [
            ("", 21604),
            ("From=%2B15005550006&Body=x", 21604),
            ("To=5558675310&From=%2B15005550006&Body=x", 21211),
            ("To=+15558675310&From=%2B15005550006&Body=x", 21211),
            ("To=%2B15558675310&Body=x", 21603),
            ("To=%2B15558675310&From=x!&Body=x", 21212),
            ("To=%2B15558675310&From=%2B15005550006", 21602),
            ("To=%2B15558675310&From=%2B15005550006&Body=", 21602),
            ("To=%2B15558675310&From=%2B15005550006&MediaUrl=a.png", 21620),
            ("To=%2B15558675310&MessagingServiceSid=MG1&Body=x", 20423),
        ] {
            assert_eq!(refused(text), (400, code), "{text}");
        }
        assert_eq!(refused(&format!("{good}&StatusCallback=/status")), (400, 21609));
        assert_eq!(refused(&format!("{good}{}", "&MediaUrl=http://app/a.png".repeat(11))), (400, 21623));
        let long = |chars| format!("To=%2B15558675310&From=%2B15005550006&Body={}", "é".repeat(chars));
        assert!(create_message(&form(&long(1_600))).is_ok());
        assert_eq!(refused(&long(1_601)), (400, 21617));
    }

    #[test]
    fn a_service_may_replace_the_sender_and_media_may_replace_the_text() {
        let order = create_message(&form(&format!("To=%2B15558675310&MessagingServiceSid={SERVICE}&Body=x"))).unwrap();
        assert_eq!((order.from, order.messaging_service.as_deref()), (None, Some(SERVICE)));
        let pictures = "MediaUrl=http://app/a.png&MediaUrl=http://app/b.png&MediaUrl=";
        let order = create_message(&form(&format!("To=%2B15558675310&From=Acme&{pictures}"))).unwrap();
        assert_eq!((order.from, order.media, &*order.body), (Some(Sender::Name("Acme".into())), 2, ""));
    }

    #[test]
    fn an_update_can_only_remove_the_text() {
        let code = |text: &str| update_message(&form(text)).map_err(|error| error.code(Dialect::Twilio));
        assert_eq!(code("Body="), Ok(()));
        assert_eq!((code("Body=y"), code("Status=canceled"), code("")), (Err(20422), Err(20422), Err(20001)));
    }

    #[test]
    fn a_message_has_every_key_and_a_price_once_it_is_sent() {
        let shown = serde_json::to_value(MessageResource::of(&message(), ACCOUNT)).unwrap();
        let path =
            "/2010-04-01/Accounts/AC00000000000000000000000000000000/Messages/SM01010101010101010101010101010101";
        let expected = serde_json::json!({
            "sid": "SM01010101010101010101010101010101", "account_sid": ACCOUNT, "api_version": "2010-04-01",
            "body": "Your fax was sent", "date_created": "Thu, 30 Jul 2015 23:19:04 +0000", "date_sent": null,
            "date_updated": "Thu, 30 Jul 2015 23:19:04 +0000", "direction": "outbound-api", "error_code": null,
            "error_message": null, "from": "+15005550006", "messaging_service_sid": null, "num_media": "0",
            "num_segments": "1", "price": null, "price_unit": "USD", "status": "queued", "to": "+15558675310",
            "uri": format!("{path}.json"),
            "subresource_uris": { "media": format!("{path}/Media.json"), "feedback": format!("{path}/Feedback.json") },
        });
        assert_eq!(shown, expected);
        assert_eq!(keys_of(&shown).len(), 20);
        let sent = Some(Timestamp::from_seconds(1_438_298_345));
        let sent = Message { sent, segments: 3, status: MessageStatus::Sent, ..message() };
        let shown = serde_json::to_value(MessageResource::of(&sent, ACCOUNT)).unwrap();
        assert_eq!((&shown["price"], &shown["num_segments"]), (&"-0.02250".into(), &"3".into()));
        assert_eq!(shown["date_sent"], "Thu, 30 Jul 2015 23:19:05 +0000");
    }

    #[test]
    fn a_list_is_filtered_by_parties_and_by_the_day_of_sending() {
        let sent = Message { sent: Some(Timestamp::from_seconds(1_438_298_344)), ..message() };
        let shows = |query: &str, message: &Message| {
            let (filter, _) = list_messages(&form(query)).unwrap_or_else(|error| panic!("{query}: {error:?}"));
            filter.shows(message)
        };
        for (query, is_shown) in [
            ("", true),
            ("To=%2B15558675310&From=%2B15005550006", true),
            ("To=+15558675310", true),
            ("To=%2B15558675311", false),
            ("From=Acme", false),
            ("DateSent=2015-07-30", true),
            ("DateSent=2015-07-31", false),
            ("DateSent%3E=2015-07-30&DateSent%3C=2015-07-30", true),
            ("DateSent%3E=2015-07-31", false),
            ("DateSent%3C=2015-07-29", false),
            ("DateSent=2015-07-30T00:00:00Z", true),
            ("DateSent%3E=2015-07-30T23:19:04Z", true),
            ("DateSent%3E=2015-07-30T23:19:05Z", false),
            ("DateSent%3C=2015-07-30T23:19:04Z", true),
            ("DateSent%3C=2015-07-30T23:19:03Z", false),
        ] {
            assert_eq!(shows(query, &sent), is_shown, "{query}");
        }
        assert!(!shows("DateSent%3E=2000-01-01", &message()), "it hasn't been sent");
        let refused = list_messages(&form("DateSent=yesterday")).map_err(|error| error.code(Dialect::Twilio));
        assert_eq!(refused.err(), Some(20422));
    }

    #[test]
    fn a_callback_names_the_message_twice_and_omits_absent_values() {
        let notice = MessageNotice {
            message: MessageSid::from_bytes([1; 16]),
            url: "http://app/m".into(),
            status: MessageStatus::Sent,
            from: message().from,
            to: message().to,
            messaging_service: None,
            idempotency_token: "t".into(),
        };
        let names = |notice: &MessageNotice| {
            notice_params(ACCOUNT, notice).into_iter().map(|(name, _)| name).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(names(&notice), "SmsSid SmsStatus MessageStatus To MessageSid AccountSid From ApiVersion");
        let by_service = MessageNotice { from: None, messaging_service: Some(SERVICE.into()), ..notice };
        assert_eq!(
            names(&by_service),
            "SmsSid SmsStatus MessageStatus To MessageSid AccountSid MessagingServiceSid ApiVersion"
        );
    }
}
