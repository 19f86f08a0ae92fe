//! Writes files for all other modules. A reader of a file that is replaced sees either the old file or the new one,
//! never a mixture or a part of one. Concurrent writers never share a temporary file.
//!
//! A symbolic link is followed and its target replaced. Files that can't be replaced are written in place: mount
//! points, files in a folder without write permission, pipes and devices.

use std::fs::{self, File, FileType, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// The prefix of temporary file names. A temporary file is left behind only if the process is killed while writing.
const DRAFT_PREFIX: &str = ".fauxfax-";
/// The maximum number of symbolic links that are followed, as on Linux.
const LINKS_MAX: usize = 40;

/// The kind of contents in a file, which decides who may read the file and whether it must survive a power failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contents {
    /// Tokens or keys. Only the owner may read the file, and it is on disk when the write returns. On Windows, the file
    /// inherits the permissions of its folder instead.
    Secret,
    /// Data that can't be reproduced. The umask decides who may read the file, and it is on disk when the write
    /// returns.
    Kept,
    /// Data that can be reproduced. The umask decides who may read the file.
    Derived,
}

/// Replaces or creates a file.
///
/// # Errors
/// Fails if the file can't be written. The old file is then unchanged, unless it had to be written in place.
pub fn write(path: &Path, bytes: &[u8], contents: Contents) -> io::Result<()> {
    let target = resolved(path)?;
    // A file that doesn't exist yet can't be written in place, so there is no fallback.
    let Some(kind) = kind(&target)? else { return replace(&target, bytes, contents) };
    if !kind.is_file() || is_open_file(&target) {
        return write_special(&target, bytes);
    }
    let replaced = replace(&target, bytes, contents);
    match &replaced {
        // On a full disk, writing in place would destroy the old file too.
        Err(error) if !is_full(error) => {
            // If writing in place fails as well, report why the file couldn't be replaced, because that is the actual
            // cause.
            write_in_place(&target, bytes, contents).or(replaced)
        }
        Ok(()) | Err(_) => replaced,
    }
}

/// Creates a file with data that can be reproduced. Never replaces a file, not even one that appears at the same time.
///
/// # Errors
/// Fails if the file can't be written, or exists already; a symbolic link counts as a file. No part of the file is
/// left.
pub fn create_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut draft = draft(path, Contents::Derived)?;
    draft.write_all(bytes)?;
    match draft.persist_noclobber(path) {
        Ok(_) => Ok(()),
        Err(error) if error.error.kind() == ErrorKind::AlreadyExists => Err(error.error),
        // Some file systems can't rename a file unless it may replace another one.
        Err(_) => {
            let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
            file.write_all(bytes).inspect_err(|_| drop(fs::remove_file(path)))
        }
    }
}

/// Checks whether [`write()`] would succeed on a regular file, as far as that can be known. The file keeps its
/// contents.
///
/// # Errors
/// Returns the error with which a write would fail, or an error if the path leads to a pipe, a device or a folder.
pub fn check_writable(path: &Path, contents: Contents) -> io::Result<()> {
    let target = resolved(path)?;
    // If there is no file yet, check that one can be created.
    let Some(kind) = kind(&target)? else { return draft(&target, contents).map(drop) };
    if !kind.is_file() || is_open_file(&target) {
        return Err(io::Error::new(ErrorKind::InvalidInput, "it is not a regular file"));
    }
    if OpenOptions::new().write(true).open(&target).is_ok() {
        return Ok(());
    }
    // The file can't be written in place, so it must be replaceable. The only way to find out is to replace it with its
    // own contents.
    replace(&target, &fs::read(&target)?, contents)
}

/// Returns whether a path leads to a pipe or a device, on which a write may block, or to an open file of this process.
#[must_use]
pub fn is_special(path: &Path) -> bool {
    let is_special = |metadata: fs::Metadata| !metadata.is_file() && !metadata.is_dir();
    fs::metadata(path).is_ok_and(is_special) || resolved(path).is_ok_and(|target| is_open_file(&target))
}

/// Returns whether a path names an open file of this process, as `/dev/stdout` does. Other writers may have the file
/// open, so it is appended to instead of replaced.
fn is_open_file(target: &Path) -> bool {
    target.starts_with("/proc")
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge)
}

/// Returns the path that the symbolic links of `path` lead to, whether or not it exists.
fn resolved(path: &Path) -> io::Result<PathBuf> {
    let mut target = path.to_owned();
    for _ in 0..LINKS_MAX {
        let link = match fs::symlink_metadata(&target) {
            Ok(metadata) if metadata.is_symlink() => metadata,
            Ok(_) => return Ok(target),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(target),
            Err(error) => return Err(error),
        };
        if is_strangers(&link, folder_of(&target)) {
            let reason = "it is a symbolic link that another user has put into a shared folder; name the file itself";
            return Err(io::Error::new(ErrorKind::PermissionDenied, reason));
        }
        match fs::metadata(&target) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            // The link leads to a pipe, a device or a folder, which can't be replaced, so the link needn't be resolved.
            Ok(metadata) if !metadata.is_file() => return Ok(target),
            Ok(_) if is_open_file(&target) => return Ok(target),
            Ok(_) | Err(_) => {}
        }
        let link = fs::read_link(&target)?;
        // A relative link starts from its own folder; joining an absolute one replaces the path.
        target = folder_of(&target).join(link);
    }
    Err(io::Error::other("too many symbolic links"))
}

/// Returns whether a link in a shared folder such as `/tmp` belongs to neither this user nor the folder's owner. Such a
/// link could make this process overwrite a file. Linux itself refuses to follow it if `fs.protected_symlinks` is on.
#[cfg(unix)]
fn is_strangers(link: &fs::Metadata, folder: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    /// Sticky and writable by everyone: anyone may create files there, and only their owners may remove them.
    const SHARED: u32 = 0o1002;
    let own = rustix::process::geteuid().as_raw();
    let shared = fs::metadata(folder).ok().filter(|folder| folder.mode() & SHARED == SHARED);
    shared.is_some_and(|folder| link.uid() != own && link.uid() != folder.uid())
}

#[cfg(not(unix))]
const fn is_strangers(_: &fs::Metadata, _: &Path) -> bool {
    false
}

/// Returns the type of the file at a path, or `None` if there is no file.
fn kind(path: &Path) -> io::Result<Option<FileType>> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(Some(metadata.file_type())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn folder_of(path: &Path) -> &Path {
    // The parent of a bare file name is empty, which stands for the working directory.
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Creates an empty temporary file in the target's folder, with a unique name. Dropping it removes it.
fn draft(target: &Path, contents: Contents) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(DRAFT_PREFIX);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(contents.mode()));
    #[cfg(not(unix))]
    // Only Unix has these permissions.
    let _ = contents;
    let folder = folder_of(target);
    if !folder.is_dir() {
        return Err(io::Error::new(ErrorKind::NotFound, format!("there is no folder {}", folder.display())));
    }
    // In the same folder, because a rename can't cross file systems.
    builder.tempfile_in(folder).map_err(without_path)
}

/// Removes the name of the temporary file from an error, since nobody knows it.
fn without_path(error: io::Error) -> io::Error {
    let cause = error.get_ref().and_then(std::error::Error::source);
    let code = cause.and_then(|cause| cause.downcast_ref::<io::Error>()).and_then(io::Error::raw_os_error);
    code.map_or(error, io::Error::from_raw_os_error)
}

/// Writes a temporary file and renames it to the target.
fn replace(target: &Path, bytes: &[u8], contents: Contents) -> io::Result<()> {
    let mut draft = draft(target, contents)?;
    draft.write_all(bytes)?;
    // A secret keeps the permissions that the draft was created with.
    if contents != Contents::Secret
        && let Ok(metadata) = fs::metadata(target)
    {
        // Keep the old file's permissions. Some file systems have none to set, so ignore errors.
        let _ = draft.as_file().set_permissions(metadata.permissions());
    }
    if contents.is_synced() {
        draft.as_file().sync_all()?;
    }
    draft.persist(target).map_err(|error| error.error)?;
    if contents.is_synced() {
        // A rename is on disk only once the folder has been synced. Some file systems can't sync folders, but by now
        // the file itself has been written, so ignore errors.
        let _ = File::open(folder_of(target)).and_then(|folder| folder.sync_all());
    }
    Ok(())
}

/// Overwrites the bytes of an existing file, which keeps its inode.
fn write_in_place(target: &Path, bytes: &[u8], contents: Contents) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).open(target)?;
    if contents == Contents::Secret {
        keep_from_others(&file);
    }
    file.write_all(bytes)?;
    // Truncated last, so that the file is never empty.
    file.set_len(bytes.len() as u64)?;
    if contents.is_synced() { file.sync_all() } else { Ok(()) }
}

/// Removes other users' permissions from a file with secrets. Logs a warning if that fails, as it does if a different
/// user owns the file.
#[cfg(unix)]
fn keep_from_others(file: &File) {
    use std::os::unix::fs::PermissionsExt;
    let Ok(metadata) = file.metadata() else { return };
    let mode = metadata.permissions().mode();
    if mode & 0o077 != 0 && file.set_permissions(fs::Permissions::from_mode(mode & 0o700)).is_err() {
        tracing::warn!(
            "a file with tokens can be read by other users, and its permissions can't be changed; its owner should run \
             chmod 600 on it"
        );
    }
}

/// Windows files inherit the permissions of their folder; in the user's profile, only the user may read them.
#[cfg(not(unix))]
const fn keep_from_others(_: &File) {}

/// Appends to a pipe, a device or an open file, none of which can be replaced.
fn write_special(target: &Path, bytes: &[u8]) -> io::Result<()> {
    OpenOptions::new().append(true).open(target)?.write_all(bytes)
}

impl Contents {
    /// Returns the permissions of a new file before the umask is applied.
    #[cfg(unix)]
    const fn mode(self) -> u32 {
        match self {
            Self::Secret => 0o600,
            Self::Kept | Self::Derived => 0o666,
        }
    }

    const fn is_synced(self) -> bool {
        match self {
            Self::Secret | Self::Kept => true,
            Self::Derived => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").file_name());
        let mut names: Vec<String> = entries.map(|name| name.to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn files_whose_names_differ_only_in_their_extension_do_not_collide() {
        let folder = tempfile::tempdir().expect("a folder");
        let paths: Vec<PathBuf> = ["w.0", "w.1", "w.2", "w.tmp"].iter().map(|name| folder.path().join(name)).collect();
        std::thread::scope(|scope| {
            for (n, path) in paths.iter().enumerate() {
                scope.spawn(move || {
                    for _ in 0..50 {
                        write(path, n.to_string().repeat(2_000).as_bytes(), Contents::Derived).expect("written");
                    }
                });
            }
        });
        for (n, path) in paths.iter().enumerate() {
            assert_eq!(fs::read_to_string(path).expect("readable"), n.to_string().repeat(2_000));
        }
        assert_eq!(names(folder.path()), ["w.0", "w.1", "w.2", "w.tmp"], "no draft is left");
    }

    #[test]
    fn a_reader_always_sees_a_whole_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x.tmp");
        let texts = ["a".repeat(100_000), "b".repeat(50_000)];
        write(&path, texts[0].as_bytes(), Contents::Derived).expect("written");
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| {
                for n in 0..200 {
                    write(&path, texts[n % 2].as_bytes(), Contents::Derived).expect("written");
                }
            });
            while !writer.is_finished() {
                assert!(texts.contains(&fs::read_to_string(&path).expect("always there")));
            }
        });
    }

    #[test]
    fn a_failed_write_keeps_the_old_file_and_leaves_no_draft() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("full")).expect("a folder");
        fs::write(folder.path().join("full/file"), "").expect("written");
        for name in ["full", "gone/file"] {
            let path = folder.path().join(name);
            assert!(write(&path, b"new", Contents::Secret).is_err(), "{name}");
            let error = check_writable(&path, Contents::Secret).expect_err("it can't be written").to_string();
            assert!(!error.contains(DRAFT_PREFIX), "{error}");
        }
        assert_eq!(names(folder.path()), ["full"]);
        assert_eq!(names(&folder.path().join("full")), ["file"]);
    }

    #[test]
    fn a_new_file_never_replaces_one_and_only_one_of_several_writers_succeeds() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("new");
        let written = std::thread::scope(|scope| {
            let writers: Vec<_> = (0..8)
                .map(|n| {
                    scope.spawn({
                        let path = &path;
                        move || create_new(path, n.to_string().as_bytes())
                    })
                })
                .collect();
            writers.into_iter().map(|writer| writer.join().expect("no panic")).filter(Result::is_ok).count()
        });
        assert_eq!((written, names(folder.path())), (1, vec!["new".to_owned()]), "no draft is left");
        let text = fs::read_to_string(&path).expect("readable");
        let refused = create_new(&path, b"other").expect_err("it exists");
        assert_eq!(refused.kind(), ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&path).expect("readable"), text);
    }

    #[test]
    fn a_check_leaves_nothing_behind() {
        let folder = tempfile::tempdir().expect("a folder");
        check_writable(&folder.path().join("new"), Contents::Secret).expect("it could be created");
        assert_eq!(names(folder.path()), [""; 0]);
        let path = folder.path().join("old");
        fs::write(&path, "text").expect("written");
        check_writable(&path, Contents::Secret).expect("it could be written");
        assert_eq!((names(folder.path()).len(), fs::read_to_string(&path).expect("readable").as_str()), (1, "text"));
    }

    #[cfg(unix)]
    mod unix {
        use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

        use super::*;

        fn mode(path: &Path) -> u32 {
            fs::metadata(path).expect("it is there").permissions().mode() & 0o777
        }

        #[test]
        fn only_the_owner_can_read_secrets_whatever_the_old_permissions() {
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join("state.json");
            write(&path, b"1", Contents::Secret).expect("written");
            assert_eq!(mode(&path), 0o600);
            fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("allowed");
            write(&path, b"2", Contents::Secret).expect("written");
            assert_eq!(mode(&path), 0o600);
            fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("allowed");
            write_in_place(&path, b"3", Contents::Secret).expect("written");
            assert_eq!((mode(&path), fs::read_to_string(&path).expect("readable").as_str()), (0o600, "3"));
        }

        #[test]
        fn other_files_keep_their_permissions() {
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join("port");
            write(&path, b"1", Contents::Derived).expect("written");
            assert_eq!(mode(&path) & 0o600, 0o600);
            fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("allowed");
            write(&path, b"2", Contents::Kept).expect("written");
            assert_eq!(mode(&path), 0o640);
        }

        #[test]
        fn the_target_of_a_link_is_replaced_and_the_link_stays() {
            let folder = tempfile::tempdir().expect("a folder");
            let (data, link) = (folder.path().join("data"), folder.path().join("state.json"));
            fs::create_dir(&data).expect("a folder");
            symlink("data/real.json", &link).expect("a link");
            for text in ["into nothing", "over a file"] {
                write(&link, text.as_bytes(), Contents::Secret).expect("written");
                assert_eq!(fs::read_to_string(data.join("real.json")).expect("readable"), text);
            }
            assert!(fs::symlink_metadata(&link).expect("it is there").is_symlink());
            assert_eq!(names(&data), ["real.json"]);
            let ring = folder.path().join("ring");
            symlink("ring", &ring).expect("a link");
            assert!(write(&ring, b"1", Contents::Derived).is_err());
        }

        #[test]
        fn existing_files_and_links_named_like_drafts_are_left_alone() {
            let folder = tempfile::tempdir().expect("a folder");
            let victim = folder.path().join("victim");
            fs::write(&victim, "theirs").expect("written");
            symlink(&victim, folder.path().join("state.tmp")).expect("a link");
            fs::write(folder.path().join("state.json.tmp"), "left over").expect("written");
            write(&folder.path().join("state.json"), b"ours", Contents::Secret).expect("written");
            assert_eq!(fs::read_to_string(&victim).expect("readable"), "theirs");
            assert_eq!(names(folder.path()), ["state.json", "state.json.tmp", "state.tmp", "victim"]);
        }

        #[test]
        #[expect(clippy::disallowed_methods, reason = "the other end of the pipe")]
        fn a_pipe_and_a_device_are_written_in_place() {
            let folder = tempfile::tempdir().expect("a folder");
            let pipe = folder.path().join("pipe");
            let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo");
            assert!(made.success() && is_special(&pipe) && !is_special(folder.path()));
            let reader = std::thread::spawn({
                let pipe = pipe.clone();
                move || fs::read_to_string(pipe).expect("readable")
            });
            write(&pipe, b"8329\n", Contents::Derived).expect("written");
            assert_eq!(reader.join().expect("no panic"), "8329\n");
            assert_eq!(names(folder.path()), ["pipe"]);
            write(Path::new("/dev/null"), b"8329\n", Contents::Derived).expect("written");
            assert!(check_writable(Path::new("/dev/null"), Contents::Secret).is_err());
        }

        #[test]
        fn a_file_written_in_place_keeps_its_inode_but_no_old_bytes() {
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join("mounted");
            fs::write(&path, "a longer text").expect("written");
            let inode = fs::metadata(&path).expect("it is there").ino();
            write_in_place(&path, b"short", Contents::Kept).expect("written");
            assert_eq!(fs::read_to_string(&path).expect("readable"), "short");
            assert_eq!(fs::metadata(&path).expect("it is there").ino(), inode);
        }
    }
}
