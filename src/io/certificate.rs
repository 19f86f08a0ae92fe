//! Reads the parts of a certificate that rustls doesn't expose: the subject's common name, and whether alternative
//! names are listed (RFC 5280 §4.1). Nothing is verified.

const SEQUENCE: u8 = 0x30;
/// The tag of a certificate's version: `[0]`, constructed.
const CONTEXT_0: u8 = 0xa0;
/// The tag of a certificate's extensions: `[3]`, constructed.
const CONTEXT_3: u8 = 0xa3;
/// The object identifier of the common name, 2.5.4.3, in DER.
const COMMON_NAME: [u8; 5] = [0x06, 0x03, 0x55, 0x04, 0x03];
/// The object identifier of the subjectAltName extension, 2.5.29.17, in DER.
const ALTERNATIVE_NAMES: [u8; 5] = [0x06, 0x03, 0x55, 0x1d, 0x11];

/// Returns the common name of a certificate that lists no alternative names, as is usual for old and hand-made
/// certificates. `None` if it lists some, has no common name, or is malformed.
pub(super) fn common_name_alone(certificate: &[u8]) -> Option<String> {
    let (_, certificate, _) = element(certificate)?;
    let (_, mut rest, _) = element(certificate)?;
    // Version 1, the default, is not encoded.
    if rest.first() == Some(&CONTEXT_0) {
        rest = element(rest)?.2;
    }
    // Serial number, algorithm, issuer and validity come before the subject.
    for _ in 0..4 {
        rest = element(rest)?.2;
    }
    let (tag, subject, mut rest) = element(rest)?;
    while let Some((tag, content, after)) = element(rest) {
        if tag == CONTEXT_3 && position(content, &ALTERNATIVE_NAMES).is_some() {
            return None;
        }
        rest = after;
    }
    let value = &subject[position(subject, &COMMON_NAME)? + COMMON_NAME.len()..];
    let (_, text, _) = element(value).filter(|_| tag == SEQUENCE)?;
    String::from_utf8(text.to_vec()).ok()
}

/// Splits off the first DER element: its tag, its content, and the bytes after it.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        // Four bytes suffice for a length: no certificate comes near 4 GB.
        let (length, rest) =
            rest.split_at_checked(usize::from(first & 0x7f)).filter(|(length, _)| length.len() <= 4)?;
        (length.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)), rest)
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

fn position(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DnType, KeyPair};

    use super::*;

    fn certificate(names: &[&str], common_name: &str) -> Vec<u8> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).expect("names");
        params.distinguished_name.push(DnType::OrganizationName, "Some Company");
        params.distinguished_name.push(DnType::CommonName, common_name);
        params.self_signed(&KeyPair::generate().expect("a key")).expect("a certificate").der().to_vec()
    }

    #[test]
    fn a_common_name_counts_only_if_no_alternative_names_are_listed() {
        assert_eq!(common_name_alone(&certificate(&[], "app.test")).as_deref(), Some("app.test"));
        assert_eq!(common_name_alone(&certificate(&["other.test"], "app.test")), None);
    }

    #[test]
    fn a_truncated_certificate_has_no_name() {
        let whole = certificate(&[], "app.test");
        for end in 0..whole.len() {
            assert_eq!(common_name_alone(&whole[..end]), None, "{end}");
        }
    }
}
