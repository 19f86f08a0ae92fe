//! Keyed digests (RFC 2104): HMAC-SHA1 for the signatures of webhooks, HMAC-SHA256 for media URLs.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::Sha256;

/// Returns the HMAC-SHA1 of the parts as if they were one text.
pub(super) fn sha1<'a>(key: &[u8], parts: impl IntoIterator<Item = &'a str>) -> [u8; 20] {
    of_parts::<Hmac<Sha1>>(key, parts).into_bytes().into()
}

/// Returns the HMAC-SHA256 of the parts as if they were one text.
pub(super) fn sha256<'a>(key: &[u8], parts: impl IntoIterator<Item = &'a str>) -> [u8; 32] {
    of_parts::<Hmac<Sha256>>(key, parts).into_bytes().into()
}

fn of_parts<'a, M: Mac + KeyInit>(key: &[u8], parts: impl IntoIterator<Item = &'a str>) -> hmac::digest::CtOutput<M> {
    let mut mac = <M as KeyInit>::new_from_slice(key).expect("HMAC takes a key of any length");
    for part in parts {
        mac.update(part.as_bytes());
    }
    mac.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::hex;

    /// Test case 2 of RFC 2202 §3 and of RFC 4231 §4.3.
    #[test]
    fn the_rfc_vectors_hold_however_the_input_is_split() {
        for parts in [vec!["what do ya want for nothing?"], vec!["what do ya want ", "", "for nothing?"]] {
            assert_eq!(hex::encode(sha1(b"Jefe", parts.clone())), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
            let sha256 = hex::encode(sha256(b"Jefe", parts));
            assert_eq!(sha256, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        }
    }
}
