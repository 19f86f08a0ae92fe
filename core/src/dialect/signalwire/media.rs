//! URLs of SignalWire's stored documents. They never change or expire, and are as hard to guess as the UUIDs in them
//! (docs/fidelity.md, "SignalWire").

use crate::dialect::date;
use crate::dialect::hosts::{self, SIGNALWIRE_MEDIA_HOST};
use crate::dialect::media_url::StoredMedia;
use crate::model::sid::FaxSid;

/// The id of the emulator's only space, with which media paths begin.
pub const SPACE_ID: &str = "5a11fa0c-0000-4000-8000-000000000000";

/// Returns a document's URL: on SignalWire's media host for an app that used a SignalWire host name, otherwise on the
/// host that the app used.
#[must_use]
pub fn url(origin: &str, media: &StoredMedia) -> String {
    let (account, name) = (media.name.account, file_name(media));
    let path = format!("/{SPACE_ID}/{account}/faxes/{name}");
    if is_at_signalwire(origin) { format!("https://{SIGNALWIRE_MEDIA_HOST}{path}") } else { format!("{origin}{path}") }
}

/// Returns the last part of a document's path: `{yyyymmddhhmmss}-{fax}.{extension}`.
#[must_use]
pub fn file_name(media: &StoredMedia) -> String {
    let stored: String = date::iso(media.stored).chars().filter(char::is_ascii_digit).collect();
    format!("{stored}-{}.{}", media.name.fax, media.media_type.extension())
}

/// Parses the fax's id from the last part of a path. The caller must compare the whole name with [`file_name`].
#[must_use]
pub fn fax_of(file_name: &str) -> Option<FaxSid> {
    let (_, rest) = file_name.split_once('-')?;
    rest.rsplit_once('.')?.0.parse().ok()
}

/// Returns whether `origin`, a scheme and a host, is under SignalWire's domain.
pub(in crate::dialect) fn is_at_signalwire(origin: &str) -> bool {
    let authority = origin.split_once("://").map_or(origin, |(_, authority)| authority);
    let host = authority.split(['/', ':']).next().unwrap_or_default();
    hosts::is_signalwire(&host.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::media_url::MediaName;
    use crate::model::fax::MediaType;
    use crate::model::sid::{AccountSid, Id, IdForm, MediaSid};
    use crate::model::time::Timestamp;

    #[test]
    fn the_url_is_at_the_media_host_only_for_requests_to_signalwire_hosts() {
        let name = MediaName {
            account: AccountSid::minted([1; 16], IdForm::Uuid),
            fax: FaxSid::minted([2; 16], IdForm::Uuid),
            media: MediaSid::minted([3; 16], IdForm::Uuid),
        };
        let stored = Timestamp::from_seconds(1_438_298_344);
        let media = StoredMedia { name, media_type: MediaType::Pdf, stored };
        let file = "20150730231904-02020202-0202-4202-8202-020202020202.pdf";
        let path = format!("/{SPACE_ID}/01010101-0101-4101-8101-010101010101/faxes/{file}");
        for own in ["http://127.0.0.1:8329", "https://signalwire.com", "http://evilsignalwire.com", "http://[::1]:80"] {
            assert_eq!(url(own, &media), format!("{own}{path}"));
        }
        for theirs in ["https://example.signalwire.com", "http://Example.SignalWire.com:8443"] {
            assert_eq!(url(theirs, &media), format!("https://files.signalwire.com{path}"));
        }
        assert_eq!(fax_of(file), Some(name.fax));
        assert_eq!(SPACE_ID.parse::<AccountSid>().map(|id| id.form()), Ok(IdForm::Uuid));
        for bad in ["", "x", "-", "-.pdf", "20150730231904-02020202.pdf"] {
            assert_eq!(fax_of(bad), None, "{bad}");
        }
    }
}
