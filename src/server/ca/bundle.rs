//! A bundle of certificates for clients that can be given only a single file: the public roots and the local CA.

use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

/// The paths of the system's public roots: on Debian and Alpine; on Fedora; on SUSE; on macOS and also Alpine.
const SYSTEM_BUNDLES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];
/// The length of a line of PEM, in characters (RFC 7468 §2).
const LINE_LEN: usize = 64;

/// A list of trusted certificates, such as the system's public roots, to which others can be added.
#[derive(Debug, Clone, Default)]
pub struct Roots(Vec<CertificateDer<'static>>);

impl Roots {
    /// Returns the system's public roots, including those that an administrator has added, or Mozilla's if the system
    /// has none and the `tls` feature is on.
    #[must_use]
    pub fn of_system() -> Self {
        let system = SYSTEM_BUNDLES.iter().map(|path| Self::of_file(Path::new(path)));
        let found = system.into_iter().find(|roots| !roots.0.is_empty());
        found.unwrap_or_else(Self::of_mozilla)
    }

    #[cfg(feature = "tls")]
    fn of_mozilla() -> Self {
        Self(webpki_root_certs::TLS_SERVER_ROOT_CERTS.to_vec())
    }

    #[cfg(not(feature = "tls"))]
    const fn of_mozilla() -> Self {
        Self(Vec::new())
    }

    /// Returns the certificates in a PEM file. Certificates that can't be parsed are skipped, and a missing file counts
    /// as empty.
    #[must_use]
    pub fn of_file(path: &Path) -> Self {
        let certificates = std::fs::read(path).unwrap_or_default();
        Self(CertificateDer::pem_slice_iter(&certificates).filter_map(Result::ok).collect())
    }

    /// Adds the certificates from `others` that are not yet included.
    #[must_use]
    pub fn and(mut self, others: Self) -> Self {
        for certificate in others.0 {
            if !self.0.contains(&certificate) {
                self.0.push(certificate);
            }
        }
        self
    }

    /// Adds a certificate unless it is already included.
    #[must_use]
    pub fn with(self, certificate: &CertificateDer<'static>) -> Self {
        self.and(Self(vec![certificate.clone()]))
    }

    /// Returns the certificates in DER, in the order in which they were added.
    #[must_use]
    pub fn certificates(&self) -> &[CertificateDer<'static>] {
        &self.0
    }

    /// Returns all certificates in PEM, one after another.
    #[must_use]
    pub fn pem(&self) -> String {
        self.0.iter().map(pem_of).collect()
    }
}

fn pem_of(certificate: &CertificateDer<'_>) -> String {
    let text = BASE64_STANDARD.encode(certificate);
    let lines = text.as_bytes().chunks(LINE_LEN).map(String::from_utf8_lossy);
    let lines: Vec<_> = lines.collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}

#[cfg(all(test, feature = "tls"))]
mod tests {
    use super::*;

    #[test]
    fn public_roots_are_always_included_and_each_appears_once() {
        let roots = Roots::of_system();
        assert!(roots.0.len() > 50, "{}", roots.0.len());
        let mozillas = Roots(webpki_root_certs::TLS_SERVER_ROOT_CERTS.to_vec());
        let twice = mozillas.0.len();
        assert_eq!(Roots(mozillas.0.clone()).and(mozillas).0.len(), twice);
    }

    #[test]
    fn pem_round_trips() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("bundle.pem");
        let roots = Roots(webpki_root_certs::TLS_SERVER_ROOT_CERTS.to_vec());
        std::fs::write(&path, format!("# comment\n{}", roots.pem())).expect("written");
        assert_eq!(Roots::of_file(&path).0, roots.0);
        assert!(Roots::of_file(&folder.path().join("none")).0.is_empty());
    }
}
