//! Writes a truststore for Java: PKCS #12 (RFC 7292) with certificates only. The truststore contains no secrets, so it
//! is neither encrypted nor authenticated, and Java accepts any password for it.

use rustls_pki_types::CertificateDer;

use super::der::{BMP_STRING, CONTEXT_0, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, SET, write};

/// The object identifier of PKCS #7 data, 1.2.840.113549.1.7.1.
const DATA: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01];
/// The object identifier of a bag with a certificate, 1.2.840.113549.1.12.10.1.3.
const CERTIFICATE_BAG: [u8; 11] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x0a, 0x01, 0x03];
/// The object identifier of an X.509 certificate, 1.2.840.113549.1.9.22.1.
const X509_CERTIFICATE: [u8; 10] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x16, 0x01];
/// The object identifier of a friendly name, 1.2.840.113549.1.9.20. `keytool -list` shows the name.
const FRIENDLY_NAME: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x14];
/// The object identifier 2.16.840.1.113894.746875.1.1, which marks a certificate as trusted by Java (JDK-8076190).
const TRUSTED_KEY_USAGE: [u8; 12] = [0x60, 0x86, 0x48, 0x01, 0x86, 0xf9, 0x66, 0xad, 0xca, 0x7b, 0x01, 0x01];
/// The object identifier of any extended key usage, 2.5.29.37.0.
const ANY_USAGE: [u8; 4] = [0x55, 0x1d, 0x25, 0x00];

/// Returns a truststore in DER with these certificates.
#[must_use]
pub fn truststore(certificates: &[CertificateDer<'_>]) -> Vec<u8> {
    let bags: Vec<u8> =
        certificates.iter().enumerate().flat_map(|(n, certificate)| bag(certificate, &format!("root{n}"))).collect();
    let safe = content(&write(SEQUENCE, &bags));
    // The format's version is always 3 (RFC 7292 §4).
    let pfx = [write(INTEGER, &[3]), content(&write(SEQUENCE, &safe))].concat();
    write(SEQUENCE, &pfx)
}

fn bag(certificate: &CertificateDer<'_>, name: &str) -> Vec<u8> {
    let value = write(CONTEXT_0, &write(OCTET_STRING, certificate));
    let value = write(SEQUENCE, &[oid(&X509_CERTIFICATE), value].concat());
    let name: Vec<u8> = name.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let attributes =
        [attribute(&FRIENDLY_NAME, &write(BMP_STRING, &name)), attribute(&TRUSTED_KEY_USAGE, &oid(&ANY_USAGE))];
    write(SEQUENCE, &[oid(&CERTIFICATE_BAG), write(CONTEXT_0, &value), write(SET, &attributes.concat())].concat())
}

fn attribute(kind: &[u8], value: &[u8]) -> Vec<u8> {
    write(SEQUENCE, &[oid(kind), write(SET, value)].concat())
}

fn content(bytes: &[u8]) -> Vec<u8> {
    write(SEQUENCE, &[oid(&DATA), write(CONTEXT_0, &write(OCTET_STRING, bytes))].concat())
}

fn oid(arcs: &[u8]) -> Vec<u8> {
    write(OBJECT_IDENTIFIER, arcs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_truststore_contains_each_certificate_unchanged() {
        let certificates = [CertificateDer::from(vec![7; 300]), CertificateDer::from(vec![8; 20])];
        let store = truststore(&certificates);
        assert_eq!((store[0], &store[4..7]), (SEQUENCE, &[INTEGER, 1, 3][..]), "version 3");
        for certificate in &certificates {
            assert!(store.windows(certificate.len()).any(|window| window == &**certificate));
        }
    }
}
