//! Stored documents, and Twilio's expiring URLs for them. A URL is signed when it is shown and checked when it is
//! fetched, so the emulator keeps no list of URLs (docs/fidelity.md, "Fax API").

use std::time::Duration;

use subtle::ConstantTimeEq;

use super::{date, hmac};
use crate::model::fax::MediaType;
use crate::model::hex;
use crate::model::sid::{AccountSid, FaxSid, MediaSid};
use crate::model::time::Timestamp;

/// The time for which a media URL is valid: two hours (Fax API, `media_url`).
pub const LIFE: Duration = Duration::from_secs(2 * 60 * 60);

/// The SIDs in the path of a media URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MediaName {
    /// The SID of the account.
    pub account: AccountSid,
    /// The SID of the account's fax.
    pub fax: FaxSid,
    /// The SID of the fax's media.
    pub media: MediaSid,
}

/// The properties of a stored document on which its URL depends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredMedia {
    /// The SIDs in the path of the URL.
    pub name: MediaName,
    /// The format of the document.
    pub media_type: MediaType,
    /// The time at which the document was stored.
    pub stored: Timestamp,
}

/// The query parameters of a media URL as a client sent them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ticket<'a> {
    /// `X-Amz-Date`: when the URL was signed.
    pub date: Option<&'a str>,
    /// `X-Amz-Expires`: how many seconds the URL is valid for.
    pub expires_s: Option<&'a str>,
    /// `X-Amz-Signature`: the signature in hexadecimal.
    pub signature: Option<&'a str>,
}

/// The reason that a URL is not valid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MediaUrlError {
    /// The signature is missing, or was not made with this key for this URL.
    #[error("the signature doesn't match the URL; use media_url exactly as the Fax resource shows it")]
    SignatureMismatch,
    /// The URL was valid but has expired.
    #[error("the URL expired at {}; fetch the Fax again for a new one", date::iso(*.at))]
    Expired {
        /// The moment at which the URL expired.
        at: Timestamp,
    },
}

/// Returns a URL at which the document can be fetched until two hours from `now`.
#[must_use]
pub fn signed(origin: &str, name: &MediaName, key: &[u8], now: Timestamp) -> String {
    let (path, date, life_s) = (path(name), date::compact(now), LIFE.as_secs());
    let signature = sign(key, &path, &date, &life_s.to_string());
    format!("{origin}{path}?X-Amz-Date={date}&X-Amz-Expires={life_s}&X-Amz-Signature={signature}")
}

/// Checks a media URL.
///
/// # Errors
/// Returns a [`MediaUrlError`] if the URL is not valid. The signature is checked first, so the response to a forged URL
/// never reveals whether the real one has expired.
pub fn check(name: &MediaName, ticket: Ticket<'_>, key: &[u8], now: Timestamp) -> Result<(), MediaUrlError> {
    let mismatch = MediaUrlError::SignatureMismatch;
    let (Some(date), Some(expires_s), Some(signature)) = (ticket.date, ticket.expires_s, ticket.signature) else {
        return Err(mismatch);
    };
    let own = sign(key, &path(name), date, expires_s);
    // Compared in constant time, so that the time taken reveals nothing about the right signature.
    if !bool::from(own.as_bytes().ct_eq(signature.as_bytes())) {
        return Err(mismatch);
    }
    let from = date::parse_compact(date).ok_or_else(|| mismatch.clone())?;
    let at = from.after(Duration::from_secs(expires_s.parse().map_err(|_| mismatch)?));
    if now >= at { Err(MediaUrlError::Expired { at }) } else { Ok(()) }
}

fn path(name: &MediaName) -> String {
    format!("/fax/{}/{}/{}", name.account, name.fax, name.media)
}

/// Returns, in hexadecimal, the HMAC-SHA256 of the path, the date and the URL's lifetime.
fn sign(key: &[u8], path: &str, date: &str, expires_s: &str) -> String {
    hex::encode(hmac::sha256(key, [path, "\n", date, "\n", expires_s]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &[u8] = b"a key";
    const NOW: i64 = 1_438_298_344;

    fn name() -> MediaName {
        MediaName {
            account: AccountSid::from_bytes([1; 16]),
            fax: FaxSid::from_bytes([2; 16]),
            media: MediaSid::from_bytes([3; 16]),
        }
    }

    fn url() -> url::Url {
        signed("http://127.0.0.1:8329", &name(), KEY, Timestamp::from_seconds(NOW)).parse().unwrap()
    }

    fn check_url(url: &url::Url, name: &MediaName, key: &[u8], seconds: i64) -> Result<(), MediaUrlError> {
        let value = |name| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
        let (date, expires, signature) = (value("X-Amz-Date"), value("X-Amz-Expires"), value("X-Amz-Signature"));
        let ticket = Ticket { date: date.as_deref(), expires_s: expires.as_deref(), signature: signature.as_deref() };
        check(name, ticket, key, Timestamp::from_seconds(seconds))
    }

    #[test]
    fn a_url_looks_pre_signed_and_is_valid_for_two_hours() {
        let sids =
            ["AC", "FX", "ME"].iter().zip(["01", "02", "03"]).map(|(kind, byte)| format!("{kind}{}", byte.repeat(16)));
        assert_eq!(url().path(), format!("/fax/{}", sids.collect::<Vec<_>>().join("/")));
        assert!(url().query().unwrap().starts_with("X-Amz-Date=20150730T231904Z&X-Amz-Expires=7200&X-Amz-Signature="));
        assert_eq!(check_url(&url(), &name(), KEY, NOW), Ok(()));
        assert_eq!(check_url(&url(), &name(), KEY, NOW + 7_199), Ok(()));
        let at = Timestamp::from_seconds(NOW + 7_200);
        assert_eq!(check_url(&url(), &name(), KEY, NOW + 7_200), Err(MediaUrlError::Expired { at }));
    }

    #[test]
    fn a_changed_url_or_a_different_key_is_refused() {
        let mismatch = Err(MediaUrlError::SignatureMismatch);
        let later = url().as_str().replace("7200", "72000").parse().unwrap();
        assert_eq!(check_url(&later, &name(), KEY, NOW), mismatch);
        let unsigned = url().as_str().split_once("&X-Amz-Signature").unwrap().0.parse().unwrap();
        assert_eq!(check_url(&unsigned, &name(), KEY, NOW), mismatch);
        let cut = url().as_str()[..url().as_str().len() - 1].parse().unwrap();
        assert_eq!(check_url(&cut, &name(), KEY, NOW), mismatch);
        let other = MediaName { media: MediaSid::from_bytes([4; 16]), ..name() };
        assert_eq!(check_url(&url(), &other, KEY, NOW), mismatch);
        assert_eq!(check_url(&url(), &name(), b"another", NOW), mismatch);
    }
}
