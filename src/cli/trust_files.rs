//! The files that make clients in several languages trust the local CA: a bundle, Java's truststore, and settings or
//! startup code for PHP, Python and Node.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::io::file::{self, Contents};
use crate::server::ca::{Roots, truststore};

/// The code that a Python program runs on startup.
const SITECUSTOMIZE: &str = include_str!("exec/sitecustomize.py");
/// The code that a Node program runs on startup.
const NODE_HOOK: &str = include_str!("exec/node.cjs");

/// The paths of the files.
pub(crate) struct TrustFiles {
    /// All certificates in one PEM file.
    pub(crate) bundle: PathBuf,
    /// All certificates in a PKCS #12 truststore.
    pub(crate) truststore: PathBuf,
    /// Settings for PHP, in a folder for `PHP_INI_SCAN_DIR`.
    pub(crate) php: PathBuf,
    /// Startup code for Python, in a folder for `PYTHONPATH`.
    pub(crate) python: PathBuf,
    /// Startup code for Node, for `--require`.
    pub(crate) node: PathBuf,
}

impl TrustFiles {
    /// Writes the files into a folder, whose path must be absolute, because PHP's settings contain the bundle's path.
    ///
    /// # Errors
    /// Fails if a file can't be written.
    pub(crate) fn write(folder: &Path, roots: &Roots) -> anyhow::Result<Self> {
        let bundle = write(folder, "bundle.pem", roots.pem().as_bytes())?;
        let php = format!("openssl.cafile=\"{0}\"\ncurl.cainfo=\"{0}\"\n", bundle.display());
        Ok(Self {
            bundle,
            truststore: write(folder, "truststore.p12", &truststore(roots.certificates()))?,
            php: write(folder, "php/fauxfax.ini", php.as_bytes())?,
            python: write(folder, "python/sitecustomize.py", SITECUSTOMIZE.as_bytes())?,
            node: write(folder, "node/fauxfax.cjs", NODE_HOOK.as_bytes())?,
        })
    }

    /// Returns all paths.
    pub(crate) fn paths(&self) -> [&Path; 5] {
        [&self.bundle, &self.truststore, &self.php, &self.python, &self.node]
    }
}

/// Writes a file into a folder, and returns its path.
///
/// # Errors
/// Fails if the file can't be written.
pub(crate) fn write(folder: &Path, name: &str, bytes: &[u8]) -> anyhow::Result<PathBuf> {
    let path = folder.join(name);
    let made = path.parent().map_or(Ok(()), fs::create_dir_all);
    let made = made.and_then(|()| file::write(&path, bytes, Contents::Derived));
    made.with_context(|| format!("can't write {}", path.display()))?;
    Ok(path)
}
