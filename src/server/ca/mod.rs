//! The local CA. It is created when TLS is first used, when its certificate is first downloaded, or when a command such
//! as `fauxfax ca` first needs it; until then, `serve` doesn't touch it. It is kept in a folder, or in memory if there
//! is no folder or the folder can't be read or written.

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

/// The identity that a client expects a certificate for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Identity {
    /// A host name, in lower case.
    Host(Box<str>),
    /// This machine: `localhost`, its loopback addresses and, if it is private, the address that the client used.
    Machine(IpAddr),
}

/// The reason the CA, or a certificate signed by it, is not available.
#[derive(Debug, thiserror::Error)]
pub enum CaError {
    /// The program was built without the `tls` feature.
    #[error("this emulator was built without TLS")]
    NotBuiltIn,
    /// A key or certificate couldn't be created.
    #[cfg(feature = "tls")]
    #[error("can't create a certificate: {0}")]
    Making(#[from] rcgen::Error),
    /// The folder's certificate file can't be parsed.
    #[error("its certificate is damaged")]
    NoCertificate,
    /// The folder's key file is missing or can't be parsed.
    #[error("its key is missing or damaged")]
    NoKey,
    /// The folder contains one CA's certificate and a different CA's key.
    #[error("its certificate and its key don't belong together")]
    KeyOfAnother,
    /// The CA in the folder was not made by fauxfax.
    #[error("its CA was not made by fauxfax, and might sign for any host")]
    Foreign,
    /// The CA may sign for names other than those that this version allows.
    #[error("its CA was made by another version of fauxfax, and may sign for other names")]
    OtherLimits,
    /// The CA has expired.
    #[error("its CA expired on {}", day(*.0))]
    Expired(Timestamp),
    /// The CA may not sign for this name.
    #[error("the local CA signs only for {permitted} and names below them, not for {0:?}", permitted = PERMITTED.join(", "))]
    NotPermitted(String),
    /// A file can't be read or written.
    #[error("{}: {error}", path.display())]
    File {
        /// The path of the file.
        path: PathBuf,
        /// The system error.
        error: std::io::Error,
    },
    /// The folder contains no usable CA.
    #[error("the CA in {} can't be used: {why}; remove that folder to get a new CA (which clients must trust again), or choose another with --ca-dir", folder.display())]
    Folder {
        /// The CA's folder.
        folder: PathBuf,
        /// The reason the CA can't be used.
        #[source]
        why: Box<Self>,
    },
}

/// A handle to the CA, which is loaded or created on first use; clones share the CA.
#[derive(Clone)]
pub struct LocalCa(Arc<Shared>);

struct Shared {
    folder: Option<PathBuf>,
    loaded: Mutex<Option<Arc<Authority>>>,
}

impl LocalCa {
    /// Returns the CA in a folder, which need not exist yet. Without a folder, the CA lives as long as this handle.
    #[must_use]
    pub fn new(folder: Option<PathBuf>) -> Self {
        Self(Arc::new(Shared { folder, loaded: Mutex::default() }))
    }

    /// Loads the CA, or creates it if there is none.
    ///
    /// # Errors
    /// Fails if the folder contains a CA that can't be used. Errors are not cached: once the folder is repaired, the
    /// next call succeeds.
    pub fn authority(&self) -> Result<Arc<Authority>, CaError> {
        // Held while the CA is loaded, so that simultaneous connections don't each create one.
        let mut loaded = self.0.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(authority) = &*loaded {
            return Ok(Arc::clone(authority));
        }
        let authority = Arc::new(load(self.folder())?);
        *loaded = Some(Arc::clone(&authority));
        Ok(authority)
    }

    /// Returns the CA's folder; `None` if the CA is kept only in memory.
    #[must_use]
    pub fn folder(&self) -> Option<&Path> {
        self.0.folder.as_deref()
    }
}

#[cfg(not(feature = "tls"))]
const fn load(_: Option<&Path>) -> Result<Authority, CaError> {
    Err(CaError::NotBuiltIn)
}

/// Loads or creates the CA in the folder. Without a folder, or if the folder can't be read or written, creates
/// one in memory.
#[cfg(feature = "tls")]
fn load(folder: Option<&Path>) -> Result<Authority, CaError> {
    let now = RealTime::start().now();
    let Some(folder) = folder else { return Ok(Authority::create(now)?.0) };
    match store::open(folder, now) {
        Err(CaError::File { path, error }) => {
            tracing::warn!(
                path = %path.display(), %error,
                "the local CA can't be read from or written to its folder, so a new one is used until this process ends; choose another folder with --ca-dir"
            );
            Ok(Authority::create(now)?.0)
        }
        // This isn't the folder's fault, so showing its path would mislead.
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
