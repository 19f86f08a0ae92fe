//! The pages of the documentation that are part of the program, as they are in the repository.

/// A page.
#[derive(Debug)]
pub struct Page {
    /// The path in the repository, such as `docs/how-to/rules.md`.
    pub path: &'static str,
    /// The Markdown.
    pub text: &'static str,
}

macro_rules! pages {
    ($($path:literal),+ $(,)?) => { &[$(Page { path: $path, text: include_str!(concat!("../../", $path)) }),+] };
}

// In the order of docs/SUMMARY.md, with which a test compares them.
static PAGES: &[Page] = pages![
    "README.md",
    "docs/README.md",
    "docs/install.md",
    "docs/guides/test-an-app.md",
    "docs/guides/demo-an-app.md",
    "docs/guides/embed-in-rust.md",
    "docs/how-to/start-a-project.md",
    "docs/how-to/scenarios.md",
    "docs/how-to/rules.md",
    "docs/how-to/busy-line.md",
    "docs/how-to/duplicate-callbacks.md",
    "docs/how-to/signatures.md",
    "docs/how-to/pedantic.md",
    "docs/how-to/clock.md",
    "docs/how-to/media-expiry.md",
    "docs/check.md",
    "docs/how-to/parallel-tests.md",
    "docs/how-to/snapshots.md",
    "docs/how-to/ci.md",
    "docs/check-document.md",
    "docs/how-to/assistants.md",
    "docs/how-to/debug-a-fax.md",
    "docs/recipes/which-callbacks.md",
    "docs/recipes/behind-https.md",
    "docs/recipes/twiml-bins.md",
    "docs/recipes/texts-and-lookups.md",
    "docs/recipes/README.md",
    "docs/recipes/python.md",
    "docs/recipes/pytest-plugin.md",
    "docs/recipes/node.md",
    "docs/recipes/node-package.md",
    "docs/recipes/ruby.md",
    "docs/recipes/php.md",
    "docs/recipes/java.md",
    "docs/recipes/csharp.md",
    "docs/recipes/go.md",
    "docs/recipes/rust.md",
    "docs/recipes/curl.md",
    "docs/recipes/twilio-cli.md",
    "docs/recipes/signalwire.md",
    "docs/recipes/testing.md",
    "docs/recipes/docker.md",
    "docs/recipes/testcontainers.md",
    "docs/dialects/twilio.md",
    "docs/dialects/signalwire.md",
    "docs/coverage.md",
    "docs/fidelity.md",
    "docs/control-api.md",
    "docs/cli.md",
    "SECURITY.md",
];

/// The pages of docs/SUMMARY.md that are not embedded: the program prints its own help, and the others are about the
/// project and not about its use.
pub const LEFT_OUT: [&str; 5] =
    ["docs/cli-reference.md", "docs/benchmarks.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"];

/// Returns all pages: the README, and then the others in the order of docs/SUMMARY.md.
#[must_use]
pub fn all() -> &'static [Page] {
    PAGES
}

/// Finds a page by its path in the repository; the folder `docs/` may be left out.
#[must_use]
pub fn find(path: &str) -> Option<&'static Page> {
    let path = path.trim().trim_start_matches("./").trim_start_matches('/');
    let exact = PAGES.iter().find(|page| page.path == path);
    exact.or_else(|| PAGES.iter().find(|page| page.path.strip_prefix("docs/") == Some(path)))
}

/// Returns the path of the page whose path is most like this one.
#[must_use]
pub fn nearest(path: &str) -> &'static str {
    let distance =
        |page: &&Page| strsim::levenshtein(page.path.trim_start_matches("docs/"), path.trim_start_matches("docs/"));
    PAGES.iter().min_by_key(distance).map_or("README.md", |page| page.path)
}

#[cfg(test)]
mod tests {
    use super::super::chapters;
    use super::*;

    #[test]
    fn every_page_of_the_summary_is_embedded_in_its_order_or_left_out_on_purpose() {
        let listed = chapters().into_iter().flat_map(|chapter| chapter.entries).map(|entry| entry.path);
        let listed: Vec<String> = listed.filter(|path| !LEFT_OUT.contains(&path.as_str())).collect();
        let embedded: Vec<&str> = PAGES.iter().map(|page| page.path).filter(|path| *path != "README.md").collect();
        assert_eq!(embedded, listed);
    }

    #[test]
    fn a_page_is_found_by_its_path_with_or_without_the_folder() {
        for path in ["docs/how-to/rules.md", "how-to/rules.md", " /docs/how-to/rules.md", "./how-to/rules.md"] {
            assert_eq!(find(path).map(|page| page.path), Some("docs/how-to/rules.md"), "{path}");
        }
        assert_eq!(find("README.md").map(|page| page.path), Some("README.md"));
        assert!(find("how-to/../../Cargo.toml").is_none() && find("").is_none());
        assert_eq!(nearest("how-to/rule.md"), "docs/how-to/rules.md");
    }
}
