//! Decides what `fauxfax check` judges, an app at a URL or a document in a file, and refuses flags that make no sense
//! for it.

use std::ffi::OsStr;
use std::path::Path;

use super::CheckFlags;
use crate::check::RunError;

/// The extensions of documents that can be faxed.
const EXTENSIONS: [&str; 6] = ["pdf", "tif", "tiff", "png", "jpg", "jpeg"];

/// What is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject<'a> {
    /// The app at a URL.
    App(&'a str),
    /// The document in a file; `-` is standard input.
    Document(&'a Path),
}

impl<'a> Subject<'a> {
    /// Tells a URL from a file.
    ///
    /// # Errors
    /// Fails, and says what to do, if the text is neither, or could be both.
    pub(super) fn of(text: &'a OsStr) -> Result<Self, String> {
        let (path, shown) = (Path::new(text), text.to_string_lossy());
        let url = text.to_str().filter(|text| !text.is_empty() && *text != "-");
        let scheme = url.and_then(|url| url.split_once("://")).map(|(scheme, _)| scheme.to_ascii_lowercase());
        match (scheme.as_deref(), url) {
            (Some("http" | "https"), Some(_)) if path.exists() => Err(format!(
                "{shown} is both a URL and a file in this folder; give the file as ./{shown}, or check the app from \
                 another folder"
            )),
            (Some("http" | "https"), Some(url)) => Ok(Self::App(url)),
            _ if path.is_dir() => Err(format!("{shown} is a folder; give a PDF, TIFF, PNG or JPEG file")),
            _ if path.exists() || text == "-" => Ok(Self::Document(path)),
            (Some("file"), _) => Err(format!("{shown} must be the path of a file, without file://")),
            (Some(_), _) => Err(format!("{shown} must be a URL that begins with http:// or https://, or a file")),
            (None, Some(url)) if url.contains(':') && !is_document(path) => {
                Err(RunError::NotUrl(url.to_owned()).to_string())
            }
            (None, _) => Err(format!("there is no file {shown:?}; the URL of an app begins with http:// or https://")),
        }
    }

    /// Checks that all flags make sense for this subject.
    ///
    /// # Errors
    /// Fails, and says what to do, if a flag doesn't.
    pub(super) fn takes(&self, flags: &CheckFlags) -> Result<(), String> {
        let misplaced = match self {
            Self::App(_) => flags.document.given(),
            Self::Document(_) => of_apps(flags),
        };
        let Some(flag) = misplaced.first() else { return Ok(()) };
        Err(match self {
            Self::App(url) => {
                format!("{flag} is for documents, and {url} is the URL of an app; leave it out, or give a file")
            }
            Self::Document(path) => format!(
                "{flag} is for apps, and {} is a document; leave it out, or give the URL of an app",
                path.display()
            ),
        })
    }
}

fn is_document(path: &Path) -> bool {
    let extension = path.extension().and_then(OsStr::to_str).map(str::to_ascii_lowercase);
    extension.is_some_and(|extension| EXTENSIONS.contains(&extension.as_str()))
}

/// Returns those of the given flags that are only for apps.
fn of_apps(flags: &CheckFlags) -> Vec<&'static str> {
    let given = [
        (flags.action.is_some(), "--action"),
        (flags.status_callback.is_some(), "--status-callback"),
        (flags.send.is_some(), "--send"),
        (flags.probe.is_some(), "--probe"),
        (flags.patience.is_some(), "--patience"),
        (flags.auth_token.is_some(), "--auth-token"),
        (flags.i_own_this_host, "--i-own-this-host"),
        (flags.listen.is_some(), "--listen"),
        (flags.dialect.is_some(), "--dialect"),
        (flags.profile.is_some(), "--profile"),
        (flags.quick, "--quick"),
    ];
    let own = given.into_iter().filter_map(|(is_given, name)| is_given.then_some(name));
    own.chain(flags.target.given()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_told_from_a_file() {
        let of = |text: &'static str| Subject::of(OsStr::new(text));
        for url in ["http://localhost:3000/fax", "HTTPS://example.com"] {
            assert_eq!(of(url), Ok(Subject::App(url)));
        }
        for file in ["-", "Cargo.toml", "./Cargo.toml"] {
            assert_eq!(of(file), Ok(Subject::Document(Path::new(file))));
        }
        for (text, expected) in [
            ("missing.pdf", "there is no file \"missing.pdf\"; the URL of an app begins with http://"),
            ("C:\\missing.pdf", "there is no file"),
            ("example.com/fax", "there is no file"),
            ("localhost:3000/fax", "write it like http://localhost:3000/fax"),
            ("", "there is no file \"\""),
            ("src", "src is a folder; give a PDF"),
            ("ftp://localhost/a.pdf", "must be a URL that begins with http:// or https://, or a file"),
            ("file:///a.pdf", "must be the path of a file, without file://"),
        ] {
            assert!(of(text).is_err_and(|error| error.contains(expected)), "{text}: {:?}", of(text));
        }
    }
}
