//! The sentences themselves: for each fault, its cause and its remedy.

use super::{Case, Place};
use crate::model::account::Dialect;
use crate::model::fault::Fault;
use crate::model::media::UnreadableDocument;

/// The part of a response that isn't valid HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BrokenPart {
    FirstLine,
    Headers,
    TooManyHeaders,
    /// Any part, or all of it: the response may not be HTTP at all.
    Unknown,
}

impl BrokenPart {
    const fn cause(self) -> &'static str {
        match self {
            Self::FirstLine => "The first line of the response isn't valid.",
            Self::Headers => "A header of the response isn't valid.",
            Self::TooManyHeaders => "The response has too many headers, or its headers are too long.",
            Self::Unknown => "The response isn't HTTP.",
        }
    }

    const fn remedy(self) -> &'static str {
        match self {
            Self::FirstLine => {
                "Correct the status, which must have three digits, and the reason phrase, which must have no control \
                 characters."
            }
            Self::Headers => {
                "Correct the headers: a name must have no spaces, a value no control characters, and Content-Length \
                 must be one number."
            }
            Self::TooManyHeaders => "Send fewer or shorter headers.",
            Self::Unknown => "Check whether the port speaks TLS while the URL says http, or the other way round.",
        }
    }
}

impl Case<'_> {
    pub(super) fn cause(&self) -> String {
        let service = self.dialect.service();
        let text = match self.fault {
            Fault::Busy => "The called number was busy.",
            Fault::NoAnswer => "Nobody picked up at the called number.",
            Fault::Transmission => return self.broken_call(),
            Fault::Incompatible => "The machines at the two ends of the call are incompatible.",
            Fault::Document => return self.unreadable(),
            Fault::InvalidUrl => return self.invalid_url(),
            Fault::HttpStatus => return self.refused(),
            Fault::ConnectTimeout => "No connection could be made in time.",
            Fault::ConnectionRefused => "Nothing listens on that port.",
            Fault::ReadTimeout => "The connection was made, but no response came in time.",
            Fault::TotalTimeout => {
                return format!("The response was not complete within the time that {service} waits.");
            }
            Fault::ConnectionFailure if self.was_dropped_by_rule() => {
                "A rule dropped the request, so the app never received it."
            }
            Fault::ConnectionFailure => "The connection broke before the response was complete.",
            Fault::ProtocolViolation => self.broken_part().cause(),
            Fault::BadHostName => "The host name doesn't resolve.",
            Fault::TooManyRedirects if self.place == Place::Document => {
                "The server redirected the request too many times."
            }
            Fault::TooManyRedirects => {
                return format!(
                    "The server sent more than the {} redirects that {service} follows for a webhook.",
                    self.dialect.redirects_max()
                );
            }
            Fault::BadRedirect => "A redirect has no usable Location header.",
            Fault::TlsHandshake => "TLS failed, so no request could be made.",
            Fault::CertificateName => "The certificate is for another host.",
            Fault::CertificateExpired => "The certificate has expired or isn't valid yet.",
            Fault::CertificateUntrusted => "The certificate isn't signed by an authority that the emulator trusts.",
            Fault::BodyTooLarge => return format!("The response is larger than {service} accepts."),
            Fault::UnknownEdge => "The URL's connection overrides name an edge location that doesn't exist.",
            Fault::PrivateEdge => {
                "The URL's connection overrides name a private edge location, which can't be reached."
            }
            Fault::RetryPolicy => "The URL's connection overrides name a retry policy that doesn't exist.",
            Fault::TwimlTooLarge => "The TwiML is over 64 kB.",
            Fault::TwimlEmpty => "The response is empty, though TwiML was asked for.",
            Fault::TwimlMalformed => "The response isn't well-formed XML.",
            Fault::TwimlRoot => "The root of the response isn't <Response>.",
            Fault::TwimlSchema => "An element, attribute or value is unknown and was ignored.",
            Fault::ContentType => "The content type of the response isn't one of TwiML's.",
            Fault::NoFaxVerb => "The TwiML has neither <Receive> nor <Reject>.",
            Fault::AccountNotActive => "The account is suspended or closed, so its numbers take no calls.",
            Fault::Internal => "The emulator itself is at fault, not your app.",
        };
        text.to_owned()
    }

    pub(super) fn remedy(&self) -> String {
        let text = match self.fault {
            Fault::Busy => "Send again later, or set a Ttl, within which the number is called again.",
            Fault::NoAnswer => {
                "Check that a fax machine answers there. At a number of this account, the alerts of the incoming call \
                 say why it wasn't answered."
            }
            Fault::Transmission => "Your app is not at fault. The fax can be sent again.",
            Fault::Incompatible => "Send the fax as US Letter or A4, upright, in a lower quality.",
            Fault::Document => return self.mend(),
            Fault::InvalidUrl => return self.correct_url(),
            Fault::HttpStatus => return self.correct_app(),
            Fault::ConnectTimeout => {
                "Check that the host is reachable from where the emulator runs. In a container, --connect-to redirects \
                 localhost."
            }
            Fault::ConnectionRefused => {
                "Start your app, or correct the port in the URL. In a container, localhost is the container itself: see \
                 --connect-to."
            }
            Fault::ReadTimeout | Fault::TotalTimeout => self.hurry(),
            Fault::ConnectionFailure if self.was_dropped_by_rule() => "Remove the rule when you no longer need it.",
            Fault::ConnectionFailure => {
                "Look at your app's log: the app may have crashed, or a proxy in front of it may have closed the \
                 connection."
            }
            Fault::ProtocolViolation => self.broken_part().remedy(),
            Fault::BadHostName => "Correct the name, or map it with --connect-to.",
            Fault::TooManyRedirects => "Use the final URL, and check that the server doesn't redirect in a loop.",
            Fault::BadRedirect => "Redirect to an http or https URL, or respond without a redirect.",
            Fault::TlsHandshake => "Check that the port speaks TLS. If it doesn't, the URL must begin with http://.",
            Fault::CertificateName => "Use a host name that the certificate covers.",
            Fault::CertificateExpired => "Renew the certificate. In tests, --insecure-webhooks accepts it as it is.",
            Fault::CertificateUntrusted => "Name its authority with --trust-ca, or accept it with --insecure-webhooks.",
            Fault::BodyTooLarge if self.place == Place::Document => {
                "Send a smaller document: fewer pages or less detail."
            }
            Fault::BodyTooLarge | Fault::TwimlTooLarge => "Send a shorter response.",
            Fault::UnknownEdge | Fault::PrivateEdge => "Correct or remove `e` after the # of the URL.",
            Fault::RetryPolicy => "Correct or remove `rp` after the # of the URL.",
            Fault::TwimlEmpty => "Respond with TwiML; the simplest is <Response><Receive/></Response>.",
            Fault::TwimlMalformed => "Escape & and < in texts and attributes, and close every element.",
            Fault::TwimlRoot => "Wrap the verb in <Response>…</Response>.",
            Fault::TwimlSchema => "Correct what the message names. Verbs are case-sensitive: <Receive>, not <receive>.",
            Fault::ContentType => "Respond with text/xml.",
            Fault::NoFaxVerb => "Add one of them; the simplest TwiML is <Response><Receive/></Response>.",
            Fault::AccountNotActive => "Set the account's status to active.",
            Fault::Internal => "Please report it, with the message and the emulator's log.",
        };
        text.to_owned()
    }

    /// Returns the invalid part, which the error text of the HTTP client names.
    fn broken_part(&self) -> BrokenPart {
        let names = |word: &str| self.detail.contains(word);
        if names("invalid HTTP status-code") {
            BrokenPart::FirstLine
        } else if names("invalid HTTP header") || names("invalid content-length") || names("transfer-encoding") {
            BrokenPart::Headers
        } else if names("send fewer or shorter ones") {
            BrokenPart::TooManyHeaders
        } else {
            BrokenPart::Unknown
        }
    }

    fn broken_call(&self) -> String {
        match self.pages_over {
            Some(1) => "The transmission broke after 1 page.".to_owned(),
            Some(pages) if pages > 0 => format!("The transmission broke after {pages} pages."),
            Some(_) | None => "The transmission broke.".to_owned(),
        }
    }

    fn unreadable(&self) -> String {
        let why = if self.detail.is_empty() { String::new() } else { format!(": {}", self.detail) };
        match self.place {
            Place::Document => format!("The document at the MediaUrl can't be turned into fax pages{why}."),
            // The details may be about the call rather than the pages, so they are left out.
            Place::Question | Place::Notice | Place::Call => {
                "The pages that came in over the line can't be read.".to_owned()
            }
        }
    }

    fn mend(&self) -> String {
        match self.place {
            Place::Document if self.detail.contains(UnreadableDocument::HTML_PAGE) => {
                "Open the MediaUrl in a browser that isn't logged in to see the page, then correct the URL, or make \
                 the document readable without a session. The page is usually a login page or an error page."
            }
            Place::Document if self.detail.starts_with(UnreadableDocument::COMPRESSED) => {
                "Send the document without Content-Encoding."
            }
            Place::Document => {
                "Mend the document at the MediaUrl, or send another one: open it in a viewer, or run `fauxfax convert` on \
                 it. Sending the same document again fails again."
            }
            Place::Question | Place::Notice | Place::Call => "Receive the fax again with a different document.",
        }
        .to_owned()
    }

    fn invalid_url(&self) -> String {
        match self.place {
            _ if self.leads_to_control_api() => {
                "The URL, or one that it redirects to, belongs to the emulator's own control API.".to_owned()
            }
            _ if self.is_of_action() => {
                "The action of <Receive> isn't an http or https URL, so the app isn't notified of the end of the fax."
                    .to_owned()
            }
            Place::Call => "No app could be asked about the call, because no usable URL is set.".to_owned(),
            Place::Document => "The MediaUrl isn't an absolute http or https URL.".to_owned(),
            Place::Question | Place::Notice => "The URL isn't an absolute http or https URL.".to_owned(),
        }
    }

    fn correct_url(&self) -> String {
        match self.place {
            Place::Document if self.leads_to_control_api() => {
                "Use the URL of a document. Of the control API's URLs, only those of the sample documents can be sent."
            }
            _ if self.leads_to_control_api() => "Use a URL of your app, and don't redirect to the control API.",
            _ if self.is_of_action() => "Correct the action: write a path, such as /received, or a complete URL.",
            Place::Call => "Correct what the message names, such as the VoiceUrl or VoiceReceiveMode of the number.",
            Place::Document => "Correct the MediaUrl of the create call: scheme, host and path.",
            Place::Question | Place::Notice => {
                "Correct the URL of the number or of the request: scheme, host and path."
            }
        }
        .to_owned()
    }

    fn refused(&self) -> String {
        let (who, what) = match self.place {
            Place::Document => ("The server at the MediaUrl", "the request for the document"),
            Place::Question => ("The app", "the request for TwiML"),
            Place::Notice => ("The app", "the webhook"),
            Place::Call => ("The server", "the request"),
        };
        let status = self.status.map_or_else(|| "an error (4xx or 5xx)".to_owned(), |status| status.to_string());
        let by_rule = if self.is_spoiled() {
            "; a rule had spoiled its signature on purpose"
        } else if self.is_edited() && self.is_pedantic() {
            "; pedantic mode had changed it on purpose, as the service may, and its signature is valid"
        } else if self.is_edited() {
            "; a rule had changed it on purpose, though its signature is valid"
        } else {
            ""
        };
        format!("{who} responded with {status} to {what}{by_rule}.")
    }

    fn correct_app(&self) -> String {
        let is_document = self.place == Place::Document;
        let text = match self.status {
            _ if self.is_spoiled() => {
                "If the app refused the webhook because of its signature, there is nothing to correct."
            }
            Some(401 | 403) if is_document => {
                "Make the document readable without a session, or put a user name and a password into the MediaUrl."
            }
            Some(401 | 403) => {
                "If your app verifies signatures, find out why it refused this one: `explain-signature`, or Explain in \
                 the console, names the mistake."
            }
            Some(404 | 410) if is_document => {
                "Check the path of the MediaUrl, and keep the document until the fax has ended: it is fetched after the \
                 create call has returned."
            }
            Some(404 | 410) => "Check the path of the URL against the routes of your app.",
            Some(405) if is_document => "Make the URL respond to GET.",
            Some(405) => "Accept the method of the request in your app, or set the method that your app accepts.",
            Some(_) | None => "Look at the response in the conversation, and at your app's log for the same moment.",
        };
        text.to_owned()
    }

    const fn hurry(&self) -> &'static str {
        match (self.place, self.dialect) {
            (Place::Document, _) => {
                "Prepare the document before the create call, and check that its server isn't overloaded."
            }
            (_, Dialect::Twilio) => {
                "Respond first and do the work afterwards: the whole response must arrive within 15 s."
            }
            (_, Dialect::SignalWire) => "Respond first and do the work afterwards.",
        }
    }
}
