//! Settings that name files and folders, looked at once when they are read. It writes nothing.

use std::path::{Path, PathBuf};

use super::{TRUST_CA_BYTES_MAX, file};

/// A file of certificates that webhooks trust besides the public roots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedCa {
    /// Where it was read.
    pub path: PathBuf,
    /// What was in it; it names at least one certificate in PEM.
    pub pem: Vec<u8>,
}

/// A file that can be made.
pub(super) fn file_to_write(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() || path.is_dir() {
        return Err("be a file in a folder that exists".to_owned());
    }
    Ok(path)
}

/// A folder, there already or to be made.
pub(super) fn folder(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    if path.exists() && !path.is_dir() {
        return Err("be a folder, or a name where one can be made".to_owned());
    }
    Ok(path)
}

/// A folder that is there.
pub(super) fn existing_folder(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    if path.is_dir() { Ok(path) } else { Err("be a folder that exists".to_owned()) }
}

/// A file with certificates, and what is in it.
pub(super) fn trusted_ca(text: &str) -> Result<TrustedCa, String> {
    let path = PathBuf::from(text);
    let pem = file::read_bounded(&path, TRUST_CA_BYTES_MAX)
        .map_err(|reason| format!("be a readable file of certificates ({reason})"))?;
    let begin = b"-----BEGIN CERTIFICATE-----";
    let has_certificate = pem.windows(begin.len()).any(|window| window == begin);
    has_certificate.then_some(TrustedCa { path, pem }).ok_or_else(|| "be a file with certificates in PEM".to_owned())
}
