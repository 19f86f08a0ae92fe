//! Resolves relative references, such as a `<Receive action>` or a `Location`, against the URL of the response that
//! contained them (RFC 3986 §5.2). Except for dot segments, URLs are kept as written: nothing is encoded or validated.

/// Resolves a reference. An absolute reference is returned unchanged; for any other, returns `None` if the base
/// contains no `://`. A reference without a host inherits the base's user and password (RFC 3986 §5.2.2).
#[must_use]
pub fn resolve(base: &str, reference: &str) -> Option<String> {
    if has_scheme(reference) {
        return Some(reference.to_owned());
    }
    let (scheme, rest) = base.split_once("://")?;
    if reference.starts_with("//") {
        return Some(format!("{scheme}:{reference}"));
    }
    // The fragment of the base is never inherited (RFC 3986 §5.2.2).
    let rest = rest.split('#').next().unwrap_or_default();
    // A backslash ends the host, because it does so in the URL parser of the HTTP client: if the two found different
    // hosts, the user and password could be sent to the wrong one.
    let (authority, base_target) = rest.split_at(rest.find(['/', '?', '\\']).unwrap_or(rest.len()));
    let (base_path, base_query) = parts(base_target, '?');
    let (target, fragment) = parts(reference, '#');
    let (path, query) = parts(target, '?');
    let (path, query) = if path.is_empty() {
        let query = if query.is_empty() { base_query } else { query };
        (base_path.to_owned(), query)
    } else if path.starts_with('/') {
        (without_dot_segments(path), query)
    } else {
        let folder = &base_path[..base_path.rfind('/').map_or(0, |slash| slash + 1)];
        let folder = if folder.is_empty() { "/" } else { folder };
        (without_dot_segments(&format!("{folder}{path}")), query)
    };
    Some(format!("{scheme}://{authority}{path}{query}{fragment}"))
}

/// Removes user and password, so that the URL can be logged or shown.
#[must_use]
pub fn without_userinfo(url: &str) -> String {
    let begin = if url.starts_with("//") { 0 } else { url.find("://").map_or(url.len(), |colon| colon + 1) };
    let Some(rest) = url[begin..].strip_prefix("//") else { return url.to_owned() };
    let (authority, target) = rest.split_at(rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len()));
    // The last @ ends the userinfo: a password may contain others.
    let place = authority.rsplit_once('@').map_or(authority, |(_, place)| place);
    format!("{}//{place}{target}", &url[..begin])
}

fn has_scheme(reference: &str) -> bool {
    let Some((scheme, _)) = reference.split_once(':') else { return false };
    let is_of_scheme = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    // A colon may also be in a path, so the part before it must have the form of a scheme (RFC 3986 §3.1).
    scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && scheme.chars().all(is_of_scheme)
}

/// Splits before the first separator, so that the second part begins with it.
fn parts(text: &str, separator: char) -> (&str, &str) {
    text.split_at(text.find(separator).unwrap_or(text.len()))
}

/// Removes dot segments (RFC 3986 §5.2.4) from a path that begins with a slash.
fn without_dot_segments(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path[1..].split('/').peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        match segment {
            "." | ".." => {
                if segment == ".." {
                    kept.pop();
                }
                // A path that ends in a dot segment denotes a folder, so it keeps its slash (RFC 3986 §5.4.1).
                if is_last {
                    kept.push("");
                }
            }
            other => kept.push(other),
        }
    }
    format!("/{}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(reference: &str) -> String {
        resolve("http://a/b/c/d;p?q", reference).expect("a base with a host")
    }

    /// Examples from RFC 3986 §5.4, and a few others.
    #[test]
    fn references_resolve_as_in_the_rfc() {
        for (reference, target) in [
            ("g", "http://a/b/c/g"),
            ("./g", "http://a/b/c/g"),
            ("g/", "http://a/b/c/g/"),
            ("/g", "http://a/g"),
            ("//g", "http://g"),
            ("?y", "http://a/b/c/d;p?y"),
            ("g?y", "http://a/b/c/g?y"),
            ("#s", "http://a/b/c/d;p?q#s"),
            ("g?y#s", "http://a/b/c/g?y#s"),
            (";x", "http://a/b/c/;x"),
            ("", "http://a/b/c/d;p?q"),
            (".", "http://a/b/c/"),
            ("..", "http://a/b/"),
            ("../g", "http://a/b/g"),
            ("../..", "http://a/"),
            ("../../../g", "http://a/g"),
            ("/./g", "http://a/g"),
            ("/../g", "http://a/g"),
            ("g.", "http://a/b/c/g."),
            ("..g", "http://a/b/c/..g"),
            ("./g/.", "http://a/b/c/g/"),
            ("g;x=1/../y", "http://a/b/c/y"),
            ("g?y/../x", "http://a/b/c/g?y/../x"),
            ("https://g/h/../i", "https://g/h/../i"),
        ] {
            assert_eq!(resolved(reference), target, "{reference}");
        }
        assert_eq!(resolve("http://h", "done").as_deref(), Some("http://h/done"));
        assert_eq!(resolve("http://h?x=1", "?y").as_deref(), Some("http://h?y"));
        assert_eq!(resolve("mailto:someone", "done"), None);
    }

    #[test]
    fn displayed_urls_contain_no_password() {
        for (url, seen) in [
            ("https://u:p@h/x@y?z@", "https://h/x@y?z@"),
            ("//u:p@h/x", "//h/x"),
            ("ftp://u:p@ss@h", "ftp://h"),
            ("/done?to=a@b", "/done?to=a@b"),
            ("http://", "http://"),
            ("", ""),
        ] {
            assert_eq!(without_userinfo(url), seen);
        }
    }

    #[test]
    fn a_password_is_kept_only_for_its_own_host() {
        let base = "https://user:p%40ss@h:8443/app/fax?x=1#rc=2";
        for (reference, target) in [
            ("/done", "https://user:p%40ss@h:8443/done"),
            ("done?n=o'brien#rc=1", "https://user:p%40ss@h:8443/app/done?n=o'brien#rc=1"),
            ("?again", "https://user:p%40ss@h:8443/app/fax?again"),
            ("//h:8443/done", "https://h:8443/done"),
            ("//other/done", "https://other/done"),
            ("https://h:8443/done", "https://h:8443/done"),
            ("\\\\other\\done", "https://user:p%40ss@h:8443/app/\\\\other\\done"),
        ] {
            assert_eq!(resolve(base, reference).as_deref(), Some(target), "{reference}");
        }
    }
}
