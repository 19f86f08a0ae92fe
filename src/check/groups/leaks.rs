//! Finds in a response what an app should not show to strangers.

/// Texts that only stack traces and debug pages contain, each with what it shows.
const TRACES: [(&str, &str); 14] = [
    ("Traceback (most recent call last)", "a Python stack trace"),
    ("Werkzeug Debugger", "the debugger of Werkzeug"),
    ("You're seeing this error because you have <code>DEBUG = True</code>", "the debug page of Django"),
    ("    at Object.<anonymous>", "a JavaScript stack trace"),
    ("/node_modules/", "a JavaScript stack trace"),
    ("&nbsp; &nbsp;at ", "a JavaScript stack trace"),
    ("thread 'main' panicked at", "a Rust panic"),
    ("stack backtrace:", "a Rust stack trace"),
    ("goroutine 1 [running]", "a Go stack trace"),
    ("java.lang.", "a Java stack trace"),
    ("   at System.", "a .NET stack trace"),
    ("Stack trace:\n#0", "a PHP stack trace"),
    ("Fatal error: Uncaught", "a PHP stack trace"),
    ("app/controllers/", "a Ruby stack trace"),
];
/// The beginnings of paths that tell where an app is installed.
const FOLDERS: [&str; 7] = ["/home/", "/Users/", "/usr/src/", "/var/www/", "/opt/app", "/root/", "C:\\Users\\"];

/// Returns what a response shows that strangers should not see, if anything.
pub(super) fn leak(text: &str, secret: &str) -> Option<&'static str> {
    if !secret.is_empty() && text.contains(secret) {
        return Some("the account's token");
    }
    let trace = TRACES.iter().find(|(mark, _)| text.contains(mark)).map(|(_, what)| *what);
    trace.or_else(|| FOLDERS.iter().any(|folder| text.contains(folder)).then_some("a path on the server"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stack_traces_paths_and_secrets_are_found_and_short_errors_are_not() {
        for (text, expected) in [
            ("Traceback (most recent call last):\n  File \"x.py\"", Some("a Python stack trace")),
            ("Error: x\n    at Object.<anonymous> (file.js:1)", Some("a JavaScript stack trace")),
            ("open /home/joe/app/config.yml: no such file", Some("a path on the server")),
            ("token s3cret is wrong", Some("the account's token")),
            ("Forbidden", None),
            ("<html><body>Internal Server Error</body></html>", None),
        ] {
            assert_eq!(leak(text, "s3cret"), expected, "{text}");
        }
        assert_eq!(leak("x", ""), None);
    }
}
