//! Keeps the CA in two files in a folder. If there is no certificate, both are created, by one process at a time; only
//! the owner can read the key. A CA from an earlier version that may sign for other names is replaced.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use super::{Authority, CaError};
use crate::io::file::{self, Contents};
use crate::model::time::Timestamp;

/// The name of the certificate file, which clients are configured to trust.
pub const CERTIFICATE_FILE: &str = "ca.pem";
/// The name of the key file, readable only by its owner.
pub const KEY_FILE: &str = "ca-key.pem";
/// The name of the lock file. It is locked while a process looks for the other two once more and creates them, so that
/// only one process creates a CA.
const LOCK_FILE: &str = "lock";
/// The number of bytes at the beginning of a file that are read. Files written here are smaller than 1 KB.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// Loads the CA from a folder, or creates it there.
pub(super) fn open(folder: &Path, now: Timestamp) -> Result<Authority, CaError> {
    let files = Files { certificate: folder.join(CERTIFICATE_FILE), key: folder.join(KEY_FILE) };
    // Try without the lock first: a read-only folder, such as a mounted secret, can't hold a lock file and needs none.
    let found = files.load(now);
    match found {
        Ok(Some(authority)) => {
            warn_if_others_may_read(&files.key);
            return Ok(authority);
        }
        // `KeyOfAnother` may mean that another process is replacing the files, one after the other.
        Ok(None) | Err(CaError::NoKey | CaError::OtherLimits | CaError::KeyOfAnother) => {}
        Err(error) => return Err(error),
    }
    let _lock = match lock(folder) {
        Ok(lock) => lock,
        // A folder that can't be written can't be repaired either, so report the first error.
        Err(error) => return Err(found.err().unwrap_or(error)),
    };
    match files.load(now) {
        // Another process created the CA while this one waited for the lock.
        Ok(Some(authority)) => Ok(authority),
        Ok(None) => {
            let authority = files.make(now)?;
            tracing::info!(path = %files.certificate.display(), "created a local CA; see `fauxfax ca trust-hint` for how to make clients trust it");
            Ok(authority)
        }
        Err(CaError::OtherLimits) => {
            let authority = files.make(now)?;
            tracing::warn!(
                path = %files.certificate.display(),
                "replaced the local CA of an earlier version, which was allowed to sign for other names than this version's; \
                 remove it from your clients' truststores and add the new one: see `fauxfax ca trust-hint`"
            );
            Ok(authority)
        }
        Err(error) => Err(error),
    }
}

/// The paths of the CA's two files.
struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

impl Files {
    /// Loads the CA from the files, if they exist. A key without a certificate was left by a killed process; it doesn't
    /// count as a CA, because no client can trust it yet.
    fn load(&self, now: Timestamp) -> Result<Option<Authority>, CaError> {
        match (read(&self.certificate)?, read(&self.key)?) {
            (Some(certificate), Some(key)) => Authority::load(&certificate, &key, now).map(Some),
            (Some(_), None) => Err(CaError::NoKey),
            (None, _) => Ok(None),
        }
    }

    fn make(&self, now: Timestamp) -> Result<Authority, CaError> {
        let (authority, key_pem) = Authority::create(now)?;
        let write =
            |path: &Path, text: &str, contents| file::write(path, text.as_bytes(), contents).map_err(failed(path));
        // Write the key first: if the process is killed in between, a key alone doesn't count as a CA.
        write(&self.key, &key_pem, Contents::Secret)?;
        write(&self.certificate, authority.pem(), Contents::Kept)?;
        Ok(authority)
    }
}

/// Waits for the lock on the folder. It is held until the returned file is dropped.
fn lock(folder: &Path) -> Result<File, CaError> {
    make_folder(folder)?;
    let path = folder.join(LOCK_FILE);
    let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(failed(&path))?;
    lock.lock().map_err(failed(&path))?;
    Ok(lock)
}

fn read(path: &Path) -> Result<Option<String>, CaError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(path)(error)),
    };
    let mut bytes = Vec::new();
    // Bounded, because the path may lead to anything.
    file.take(FILE_BYTES_MAX).read_to_end(&mut bytes).map_err(failed(path))?;
    // Bytes that are not UTF-8 are not PEM either; the parser reports that.
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

fn make_folder(folder: &Path) -> Result<(), CaError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(failed(folder))
}

#[cfg(unix)]
fn warn_if_others_may_read(key: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::metadata(key).map(|metadata| metadata.permissions().mode());
    if mode.is_ok_and(|mode| mode & 0o077 != 0) {
        tracing::warn!(path = %key.display(), "other users can read the CA's key; chmod 600 it");
    }
}

/// Windows files inherit the permissions of their folder; in the user's profile, only the user may read them.
#[cfg(not(unix))]
const fn warn_if_others_may_read(_: &Path) {}

fn failed(path: &Path) -> impl Fn(std::io::Error) -> CaError {
    let path = path.to_owned();
    move |error| CaError::File { path: path.clone(), error }
}

#[cfg(test)]
mod tests {
    use super::super::{CaError, LIFETIME, LocalCa};
    use super::*;

    const NOW: Timestamp = Timestamp::from_const_seconds(1_795_600_000);

    #[test]
    fn a_ca_is_created_once_and_found_again() {
        let home = tempfile::tempdir().expect("a folder");
        let folder = home.path().join("share/fauxfax/ca");
        let made = open(&folder, NOW).expect("made");
        let found = open(&folder, NOW).expect("found");
        assert_eq!(found.pem(), made.pem());
        assert_eq!(fs::read_to_string(folder.join(CERTIFICATE_FILE)).expect("readable"), made.pem());
    }

    #[test]
    #[cfg(unix)]
    fn only_its_owner_can_read_the_key() {
        use std::os::unix::fs::PermissionsExt;
        let home = tempfile::tempdir().expect("a folder");
        let folder = home.path().join("ca");
        open(&folder, NOW).expect("made");
        let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&folder.join(KEY_FILE))), (0o700, 0o600));
    }

    #[test]
    fn a_ca_of_an_earlier_version_is_replaced_with_its_key() {
        let home = tempfile::tempdir().expect("a folder");
        let folder = home.path().join("ca");
        fs::create_dir(&folder).expect("a folder");
        let (certificate, key) = super::super::authority::with_other_limits(&["internal", "twilio.com"]);
        fs::write(folder.join(CERTIFICATE_FILE), &certificate).expect("written");
        fs::write(folder.join(KEY_FILE), &key).expect("written");
        let made = open(&folder, NOW).expect("replaced");
        assert_ne!(made.pem(), certificate);
        assert_ne!(fs::read_to_string(folder.join(KEY_FILE)).expect("readable"), key, "the old key is replaced too");
        assert_eq!(open(&folder, NOW).expect("found").pem(), made.pem());
    }

    #[test]
    fn processes_that_start_together_create_one_ca() {
        let home = tempfile::tempdir().expect("a folder");
        let folder = home.path().join("ca");
        let pems = std::thread::scope(|scope| {
            let open = || open(&folder, NOW).map(|authority| authority.pem().to_owned()).expect("a CA");
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
            threads.into_iter().map(|thread| thread.join().expect("ended")).collect::<std::collections::BTreeSet<_>>()
        });
        assert_eq!(pems.len(), 1);
    }

    #[test]
    fn an_expired_or_damaged_ca_is_an_error_that_says_what_to_do() {
        let home = tempfile::tempdir().expect("a folder");
        let folder = home.path().join("ca");
        let long_ago = Timestamp::from_const_seconds(1_000_000_000);
        open(&folder, long_ago).expect("made");
        assert!(matches!(open(&folder, long_ago.after(LIFETIME)), Err(CaError::Expired(_))));
        let error = LocalCa::new(Some(folder.clone())).authority().expect_err("expired").to_string();
        assert!(error.contains("its CA expired on 2003-09-09; remove that folder"), "{error}");
        fs::write(folder.join(CERTIFICATE_FILE), "nonsense").expect("written");
        assert!(matches!(open(&folder, NOW), Err(CaError::NoCertificate)));
        fs::write(folder.join(KEY_FILE), [0xff; 9]).expect("written");
        fs::remove_file(folder.join(CERTIFICATE_FILE)).expect("removed");
        assert!(open(&folder, NOW).is_ok(), "a key alone is replaced");
        fs::remove_file(folder.join(KEY_FILE)).expect("removed");
        assert!(matches!(open(&folder, NOW), Err(CaError::NoKey)));
    }

    #[test]
    fn if_no_folder_can_be_created_the_ca_is_kept_in_memory() {
        let home = tempfile::tempdir().expect("a folder");
        let file = home.path().join("file");
        fs::write(&file, "").expect("written");
        let ca = LocalCa::new(Some(file.join("ca")));
        let pem = ca.authority().expect("a CA").pem().to_owned();
        assert_eq!(ca.authority().expect("the same").pem(), pem);
    }
}
