//! What stands for the CA where the program is built without it: nothing that could sign.

use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::{CaError, Identity};

/// A CA that can't exist.
#[derive(Debug)]
pub enum Authority {}

impl Authority {
    /// The CA's certificate.
    #[must_use]
    pub const fn certificate(&self) -> &CertificateDer<'static> {
        match *self {}
    }

    /// The CA's certificate in PEM.
    #[must_use]
    pub const fn pem(&self) -> &str {
        match *self {}
    }

    /// A certificate for an identity and its key.
    ///
    /// # Errors
    /// Never, since there is none that could be asked.
    pub const fn sign(&self, _: &Identity) -> Result<(CertificateDer<'static>, PrivateKeyDer<'static>), CaError> {
        match *self {}
    }
}
