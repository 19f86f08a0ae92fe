//! Writes the planned files: all of them or none, only within the project's folder, and never over another file.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};

use super::plan::Planned;
use crate::io::file;

/// Checks that each file's folder is in the project, or can be created there.
pub(super) fn check<'a>(project: &Path, files: impl Iterator<Item = &'a Planned>) -> anyhow::Result<()> {
    // The project's own folder may be reached through links.
    let project = project.canonicalize().with_context(|| format!("can't read {}", project.display()))?;
    files.into_iter().try_for_each(|planned| check_folders(&project, planned))
}

/// Writes the files. If one of them can't be written, removes those that have been written, and the folders that were created
/// for them.
pub(super) fn write<'a>(project: &Path, files: impl Iterator<Item = &'a Planned> + Clone) -> anyhow::Result<()> {
    // Checked again, because the user may have taken a while to agree.
    check(project, files.clone())?;
    let mut made = Vec::new();
    for planned in files {
        let Err(error) = write_one(planned, &mut made) else { continue };
        if made.is_empty() {
            return Err(error.context("nothing was written"));
        }
        let left = removed(&made);
        if left.is_empty() {
            bail!("{error:#}; what had been written was removed again");
        }
        let left: Vec<String> = left.iter().map(|path| path.display().to_string()).collect();
        bail!("{error:#}; these could not be removed again: {}", left.join(", "));
    }
    Ok(())
}

/// Returns the folders between the project and the file, from the outermost to the innermost.
fn folders(planned: &Planned) -> Vec<&Path> {
    let depth = Path::new(planned.name).components().count();
    let mut folders: Vec<&Path> = planned.path.ancestors().take(depth).skip(1).collect();
    folders.reverse();
    folders
}

fn check_folders(project: &Path, planned: &Planned) -> anyhow::Result<()> {
    for folder in folders(planned) {
        let shown = folder.display();
        let metadata = match folder.symlink_metadata() {
            Ok(metadata) => metadata,
            // So the folders within it are missing too.
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(anyhow!(error).context(format!("can't read {shown}"))),
        };
        if metadata.is_symlink() {
            match folder.canonicalize() {
                Ok(target) if target.starts_with(project) => {}
                Ok(target) => bail!(
                    "{shown} is a symbolic link that leads out of the project, to {}; nothing is written there, so replace it \
                     with a folder",
                    target.display()
                ),
                Err(_) => bail!("{shown} is a symbolic link that leads nowhere; remove it, or create what it leads to"),
            }
        }
        if !folder.is_dir() {
            bail!("{shown} is a file, but a folder is needed for {}; rename the file", planned.path.display());
        }
    }
    Ok(())
}

/// Writes a file, and adds to `made` what it has created.
fn write_one(planned: &Planned, made: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let shown = planned.path.display();
    for folder in folders(planned) {
        match fs::create_dir(folder) {
            Ok(()) => made.push(folder.to_owned()),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(anyhow!(error).context(format!("can't write {shown}"))),
        }
    }
    match file::create_new(&planned.path, planned.text.as_bytes()) {
        Ok(()) => made.push(planned.path.clone()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            bail!("{shown} has just been created by another program, and stays as it is")
        }
        Err(error) => return Err(anyhow!(error).context(format!("can't write {shown}"))),
    }
    Ok(())
}

/// Removes files and folders, the latest first, and returns those that could not be removed. A folder in which somebody else has
/// created something stays.
fn removed(made: &[PathBuf]) -> Vec<&PathBuf> {
    let remains = |path: &&PathBuf| {
        let removed = if path.is_dir() { fs::remove_dir(path) } else { fs::remove_file(path) };
        removed.is_err_and(|error| !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::DirectoryNotEmpty))
    };
    made.iter().rev().filter(remains).collect()
}
