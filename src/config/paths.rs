//! Settings that name files and folders. They are checked when read, so that mistakes surface at startup.

use std::path::{Path, PathBuf};

use super::TRUST_CA_BYTES_MAX;
use super::read::read_bounded;

/// A file of certificates that are trusted in requests to apps, in addition to the public roots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedCa {
    /// The path that the file was read from.
    pub path: PathBuf,
    /// The file's contents: one or more certificates in PEM.
    pub pem: Vec<u8>,
}

/// Parses the path of a file to be created or overwritten, in an existing folder.
pub(super) fn file_to_write(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    // The parent of a bare file name is empty, which stands for the working directory.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() || path.is_dir() {
        return Err("be a file in a folder that exists".to_owned());
    }
    Ok(path)
}

/// Parses the path of a folder that exists or may be created.
pub(super) fn folder(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    if text.is_empty() || (path.exists() && !path.is_dir()) {
        return Err("be a folder, or a path where one can be created".to_owned());
    }
    Ok(path)
}

/// Parses the path of an existing folder.
pub(super) fn existing_folder(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    if path.is_dir() { Ok(path) } else { Err("be a folder that exists".to_owned()) }
}

/// Reads a certificate file and checks that it contains the first line of at least one certificate.
pub(super) fn trusted_ca(text: &str) -> Result<TrustedCa, String> {
    let path = PathBuf::from(text);
    let pem = read_bounded(&path, TRUST_CA_BYTES_MAX)
        .map_err(|reason| format!("be a readable file of certificates ({reason})"))?;
    let begin = b"-----BEGIN CERTIFICATE-----";
    let has_certificate = pem.windows(begin.len()).any(|window| window == begin);
    has_certificate.then_some(TrustedCa { path, pem }).ok_or_else(|| "be a file with certificates in PEM".to_owned())
}
