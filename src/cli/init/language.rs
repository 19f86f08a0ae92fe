//! Finds out what kinds of projects are in a folder, by the files that such projects have.

use std::path::Path;

use super::Language;
use crate::config::read_bounded;

/// The files that indicate a project, each with its language. If there are several files of one language, the first one
/// counts.
const FILES: [(&str, Language); 6] = [
    ("pyproject.toml", Language::Python),
    ("requirements.txt", Language::Python),
    ("setup.py", Language::Python),
    ("setup.cfg", Language::Python),
    ("package.json", Language::Node),
    ("Cargo.toml", Language::Rust),
];
/// The size of the largest such file that is searched for the name of the package, in bytes.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// A project that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) language: Language,
    /// The file that indicates the project.
    pub(super) file: &'static str,
    /// Whether one of the language's files names the package `fauxfax`.
    pub(super) names_package: bool,
}

impl Language {
    /// Returns the flag's word for the language.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Python => "python",
            Self::Node => "node",
            Self::Rust => "rust",
            Self::Scenario => "scenario",
        }
    }

    /// Returns the name of the language.
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Python => "Python",
            Self::Node => "JavaScript",
            Self::Rust => "Rust",
            Self::Scenario => "no language, as a scenario",
        }
    }
}

/// Returns the projects in a folder, at most one of each language.
pub(super) fn detect(folder: &Path) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    for (file, language) in FILES {
        let path = folder.join(file);
        if !path.is_file() {
            continue;
        }
        let names_package = read_bounded(&path, FILE_BYTES_MAX).is_ok_and(|bytes| names_package(&bytes));
        match found.iter_mut().find(|found| found.language == language) {
            Some(found) => found.names_package |= names_package,
            None => found.push(Found { language, file, names_package }),
        }
    }
    found
}

/// Returns whether a file contains the word `fauxfax`, as it does if the project depends on the package.
fn names_package(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    text.split(|c: char| !c.is_alphanumeric() && !['-', '_', '.', '/'].contains(&c)).any(|word| word == "fauxfax")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn projects_are_found_by_their_files_and_the_package_by_its_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("written");
        assert_eq!(detect(folder.path()), []);
        write("requirements.txt", "flask\nmy-fauxfax==1\n");
        let python = |file, names_package| Found { language: Language::Python, file, names_package };
        assert_eq!(detect(folder.path()), [python("requirements.txt", false)]);
        write("pyproject.toml", "dependencies = [\"fauxfax[pytest]>=0.1\"]");
        assert_eq!(detect(folder.path()), [python("pyproject.toml", true)]);
        write("package.json", "{}");
        write("Cargo.toml", "[package]");
        let languages: Vec<_> = detect(folder.path()).iter().map(|found| found.language).collect();
        assert_eq!(languages, [Language::Python, Language::Node, Language::Rust]);
    }
}
