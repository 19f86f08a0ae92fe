//! Reads documents and writes files by the names that users give; as a file to write, `-` is standard output.

use std::io::Write;
use std::path::Path;

use anyhow::{Context, bail};

use super::out;
use crate::io::file::{self, Contents};

/// Reads a document to fax.
pub(super) fn document(path: &Path) -> anyhow::Result<Vec<u8>> {
    if path.is_dir() {
        bail!("{} is a folder; give a PDF, TIFF, PNG or JPEG file", path.display());
    }
    std::fs::read(path).with_context(|| format!("can't read {}", path.display()))
}

/// Writes a file, replacing an existing one as `curl -o` does. `-` writes to standard output.
pub(super) fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    if path.as_os_str() == "-" {
        let mut out = out::bytes();
        return Ok(out.write_all(bytes).and_then(|()| out.flush())?);
    }
    file::write(path, bytes, Contents::Derived).with_context(|| format!("can't write {}", path.display()))
}
