//! The local CA: made when TLS or the proxy is first used, kept in the user's data directory, or in memory where that
//! can't be written. A plain `serve` never touches it.

#[cfg(feature = "tls")]
mod authority;
#[cfg(not(feature = "tls"))]
#[path = "without.rs"]
mod authority;
mod bundle;
#[cfg(feature = "tls")]
mod der;
#[cfg(feature = "tls")]
mod pkcs12;
#[cfg(feature = "tls")]
mod store;

use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

pub use self::authority::Authority;
#[cfg(feature = "tls")]
pub use self::authority::LIFETIME;
pub use self::bundle::Roots;
#[cfg(feature = "tls")]
pub use self::pkcs12::truststore;
#[cfg(feature = "tls")]
pub use self::store::{CERTIFICATE_FILE, KEY_FILE};
use super::policy::PERMITTED;
#[cfg(feature = "tls")]
use crate::clock::RealTime;
use crate::model::time::Timestamp;

/// Whose certificate a client wants to see.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Identity {
    /// A host by its name, in lower case.
    Host(Box<str>),
    /// This machine, as localhost, by its loopback addresses and by the address that the client used.
    Machine(IpAddr),
}

/// Why there is no CA, or no certificate.
#[derive(Debug, thiserror::Error)]
pub enum CaError {
    /// The program was built without the feature `tls`.
    #[error("this emulator was built without TLS")]
    NotBuiltIn,
    /// Making a key or a certificate failed.
    #[cfg(feature = "tls")]
    #[error("can't make a certificate: {0}")]
    Making(#[from] rcgen::Error),
    /// The folder's certificate can't be read as one.
    #[error("its certificate is damaged")]
    NoCertificate,
    /// The folder's key can't be read as one.
    #[error("its key is damaged")]
    NoKey,
    /// The folder has the certificate of one CA and the key of another.
    #[error("its certificate and its key don't belong together")]
    KeyOfAnother,
    /// Somebody else's CA.
    #[error("its CA was not made by fauxfax, and might sign for any host")]
    Foreign,
    /// A CA of fauxfax that may sign for other names than this version's.
    #[error("its CA was made by another version of fauxfax, and may sign for other names")]
    OtherLimits,
    /// The CA's time is over.
    #[error("its CA expired on {}", day(*.0))]
    Expired(Timestamp),
    /// A name that this CA may not sign for.
    #[error("the local CA signs only for {permitted} and names below them, not for {0:?}", permitted = PERMITTED.join(", "))]
    NotPermitted(String),
    /// A file can't be read or written.
    #[error("{}: {error}", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The folder holds no CA that can be used.
    #[error("the CA in {} can't be used: {why}; remove that folder for a new one (which clients must trust again), or name another with --ca-dir", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// Why.
        #[source]
        why: Box<Self>,
    },
}

/// A handle on the CA, which is loaded or made when first asked for; clones are the same.
#[derive(Clone)]
pub struct LocalCa(Arc<Shared>);

struct Shared {
    folder: Option<PathBuf>,
    loaded: Mutex<Option<Arc<Authority>>>,
}

impl LocalCa {
    /// The CA of a folder, which may not exist yet; or, without one, a CA for the life of this handle.
    #[must_use]
    pub fn new(folder: Option<PathBuf>) -> Self {
        Self(Arc::new(Shared { folder, loaded: Mutex::default() }))
    }

    /// The CA.
    ///
    /// # Errors
    /// The folder holds what is no CA of ours, or one that has expired. An error is not remembered: once the folder is
    /// put right, the next call succeeds.
    pub fn authority(&self) -> Result<Arc<Authority>, CaError> {
        let mut loaded = self.0.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(authority) = &*loaded {
            return Ok(Arc::clone(authority));
        }
        let authority = Arc::new(load(self.folder())?);
        *loaded = Some(Arc::clone(&authority));
        Ok(authority)
    }

    /// Where it is kept; none where it is in memory by choice.
    #[must_use]
    pub fn folder(&self) -> Option<&Path> {
        self.0.folder.as_deref()
    }
}

#[cfg(not(feature = "tls"))]
const fn load(_: Option<&Path>) -> Result<Authority, CaError> {
    Err(CaError::NotBuiltIn)
}

/// The folder's CA; a new one in memory where there is no folder, or where it can't be made or written.
#[cfg(feature = "tls")]
fn load(folder: Option<&Path>) -> Result<Authority, CaError> {
    let now = RealTime::start().now();
    let Some(folder) = folder else { return Ok(Authority::create(now)?.0) };
    match store::open(folder, now) {
        Err(CaError::File { path, error }) => {
            tracing::warn!(
                path = %path.display(), %error,
                "the local CA can't be kept, so it lasts until this process ends; choose a folder with --ca-dir"
            );
            Ok(Authority::create(now)?.0)
        }
        Err(error @ CaError::Making(_)) => Err(error),
        Err(why) => Err(CaError::Folder { folder: folder.to_owned(), why: Box::new(why) }),
        Ok(authority) => Ok(authority),
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host(name) => f.write_str(name),
            Self::Machine(ip) => write!(f, "{ip}"),
        }
    }
}

fn day(moment: Timestamp) -> String {
    let moment = jiff::Timestamp::from_second(moment.seconds()).unwrap_or_default();
    moment.to_zoned(jiff::tz::TimeZone::UTC).date().to_string()
}
