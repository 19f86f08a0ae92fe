//! The console's files, embedded in the binary: its scripts and its styles as one file each, with content type and
//! entity tag.

use std::io::Write;
use std::sync::LazyLock;

use axum::body::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

use super::{bundle, lean};
use crate::model::hex;

/// How many hexadecimal digits of a digest identify a version: 64 bits, so that a collision would take billions of
/// builds.
const DIGEST_CHARS: usize = 16;
/// The placeholder in `index.html` for the folder of this build's files.
const ASSETS_MARK: &str = "{assets}";

/// The path of the icon.
const ICON: &str = "favicon.svg";

/// One file, ready to be sent.
pub(super) struct File {
    pub(super) path: &'static str,
    pub(super) content_type: &'static str,
    pub(super) etag: String,
    pub(super) bytes: Bytes,
    /// The same bytes, compressed with gzip in advance.
    pub(super) gzipped: Bytes,
}

macro_rules! embedded {
    ($($path:literal)*) => {
        &[$(($path, include_bytes!(concat!("../../../console/", $path)).as_slice())),*]
    };
}

/// The files in `console/`. A test compares this list with the folder.
const EMBEDDED: &[(&str, &[u8])] = embedded!(
    "console.css"
    "css/traffic.css"
    "favicon.svg"
    "js/alerts.js"
    "js/all.js"
    "js/api.js"
    "js/app.js"
    "js/arriving.js"
    "js/bins.js"
    "js/body.js"
    "js/check.js"
    "js/clock.js"
    "js/compare.js"
    "js/connect.js"
    "js/conversation.js"
    "js/dom.js"
    "js/drop.js"
    "js/empty.js"
    "js/exchange.js"
    "js/explorer.js"
    "js/fax.js"
    "js/faxes.js"
    "js/format.js"
    "js/frame.js"
    "js/frozen.js"
    "js/icons.js"
    "js/keys.js"
    "js/late.js"
    "js/live.js"
    "js/makerule.js"
    "js/names.js"
    "js/number.js"
    "js/numbers.js"
    "js/print.js"
    "js/receive.js"
    "js/replay.js"
    "js/returning.js"
    "js/row.js"
    "js/rules.js"
    "js/search.js"
    "js/searchbox.js"
    "js/send.js"
    "js/sentence.js"
    "js/service.js"
    "js/signature.js"
    "js/snippets.js"
    "js/statistics.js"
    "js/switcher.js"
    "js/token.js"
    "js/traffic.js"
    "js/ui.js"
    "js/unseen.js"
    "js/viewer.js"
    "js/worlds.js"
    "js/zone.js"
);

/// The files that are served: all scripts as one, all styles as one, and the icon.
static FILES: LazyLock<Vec<File>> = LazyLock::new(|| {
    let script = bundle::joined(scripts().map(|(path, text)| (module(path), text)), "app");
    let styles: String = texts(".css").map(|(_, text)| text).collect();
    let icon =
        EMBEDDED.iter().find(|(path, _)| *path == ICON).map_or_else(Bytes::new, |(_, icon)| Bytes::from_static(icon));
    vec![
        File::of("console.js", lean::script(&script).into()),
        File::of("console.css", lean::styles(&styles).into()),
        File::of(ICON, icon),
    ]
});

/// The name of this build, which changes whenever one of the files changes.
pub(super) static BUILD: LazyLock<String> = LazyLock::new(|| digest(EMBEDDED.iter().map(|(_, bytes)| *bytes)));

/// The HTML page that is served at every console path.
pub(super) static SHELL: LazyLock<File> = LazyLock::new(|| {
    let text = include_str!("../../../console/index.html").replace(ASSETS_MARK, &format!("/console/assets/{}", *BUILD));
    File::of("index.html", text.into())
});

/// Lists the paths and texts of the scripts.
pub(super) fn scripts() -> impl Iterator<Item = (&'static str, &'static str)> {
    texts(".js")
}

/// Lists the paths and texts of the files whose path ends with `extension`.
fn texts(extension: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let named = EMBEDDED.iter().filter(move |(path, _)| path.ends_with(extension));
    // A test checks that each is UTF-8.
    named.map(|(path, bytes)| (*path, std::str::from_utf8(bytes).unwrap_or_default()))
}

/// Returns the name by which the module in a file is imported: `dom` for `js/dom.js`.
fn module(path: &'static str) -> &'static str {
    path.trim_start_matches("js/").trim_end_matches(".js")
}

/// Finds a file that is served, by its path below the folder of this build.
pub(super) fn find(path: &str) -> Option<&'static File> {
    FILES.iter().find(|file| file.path == path)
}

impl File {
    fn of(path: &'static str, bytes: Bytes) -> Self {
        let etag = format!("\"{}\"", digest(std::iter::once(bytes.as_ref())));
        Self { path, content_type: content_type(path), etag, gzipped: gzipped(&bytes), bytes }
    }
}

fn gzipped(bytes: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    // Writing to memory can't fail.
    encoder.write_all(bytes).and_then(|()| encoder.finish()).unwrap_or_default().into()
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

fn digest<'a>(parts: impl Iterator<Item = &'a [u8]>) -> String {
    let hash = parts.fold(Sha256::new(), Digest::chain_update).finalize();
    hex::encode(hash)[..DIGEST_CHARS].to_owned()
}

#[cfg(test)]
pub(super) fn embedded_paths() -> impl Iterator<Item = &'static str> {
    EMBEDDED.iter().map(|(path, _)| *path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_script_and_style_is_sent() {
        for (path, bytes) in EMBEDDED.iter().filter(|(path, _)| *path != ICON) {
            assert!(std::str::from_utf8(bytes).is_ok_and(|text| text.ends_with('\n')), "{path}");
        }
        let script = String::from_utf8(find("console.js").unwrap().bytes.to_vec()).unwrap();
        for (path, _) in scripts() {
            assert!(script.contains(&format!("bodies.{}=", module(path))), "{path}");
        }
    }
}
