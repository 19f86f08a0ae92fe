//! Reads files that the configuration names, within a limit.

use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Reads a whole file. The error gives the system's reason, or says that the file is longer than the limit.
pub(crate) fn read_bounded(path: &Path, limit_bytes: u64) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| error.to_string())?;
    // One byte more than the limit, to distinguish a file of that length from a longer one.
    let read = file.take(limit_bytes + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if read as u64 > limit_bytes {
        return Err(format!("longer than {limit_bytes} bytes"));
    }
    Ok(bytes)
}

/// Reads a regular file of at most `limit_bytes`. Opening a pipe would wait for its writer, possibly forever, so
/// a file of any other kind is refused before it is opened.
pub(crate) fn read_regular(path: &Path, limit_bytes: u64) -> Result<Vec<u8>, String> {
    let kind = path.metadata().map_err(|error| error.to_string())?.file_type();
    if kind.is_dir() {
        return Err("it is a folder; give a regular file".to_owned());
    }
    if !kind.is_file() {
        return Err("it is a pipe, a device or a socket; give a regular file".to_owned());
    }
    read_bounded(path, limit_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_over_its_limit_is_not_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x");
        std::fs::write(&path, "12345").expect("written");
        assert_eq!(read_bounded(&path, 5), Ok(b"12345".to_vec()));
        assert_eq!(read_bounded(&path, 4), Err("longer than 4 bytes".to_owned()));
    }
}
