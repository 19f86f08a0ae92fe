//! The stand-in for the CA if the `tls` feature is off: a type without values, so that nothing can be signed.

use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::{CaError, Identity};

/// A CA that can't be created.
#[derive(Debug)]
pub enum Authority {}

impl Authority {
    /// Returns the certificate, in DER.
    #[must_use]
    pub const fn certificate(&self) -> &CertificateDer<'static> {
        match *self {}
    }

    /// Returns the certificate, in PEM.
    #[must_use]
    pub const fn pem(&self) -> &str {
        match *self {}
    }

    /// Signs a certificate for an identity.
    ///
    /// # Errors
    /// Never fails: no value of this type exists.
    pub const fn sign(&self, _: &Identity) -> Result<(CertificateDer<'static>, PrivateKeyDer<'static>), CaError> {
        match *self {}
    }
}
