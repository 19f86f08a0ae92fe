//! Finds in a response what an app should not show to strangers.

/// Texts that only stack traces and debug pages contain, each with what it shows.
const TRACES: [(&str, &str); 20] = [
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
    ("SQLSTATE[", "an error of the database"),
    ("psycopg2.errors.", "an error of the database"),
    ("sqlite3.OperationalError", "an error of the database"),
    ("sqlite3.IntegrityError", "an error of the database"),
    ("SQLITE_ERROR", "an error of the database"),
    ("SQLITE_CONSTRAINT", "an error of the database"),
];
/// What is between the file and the line in a PHP error as HTML.
const PHP_LINE: &str = "</b> on line <b>";
/// The beginning of a line of a JavaScript stack trace.
const FRAME: &str = "    at ";
/// The beginnings of paths that only a server has.
const SERVER_FOLDERS: [&str; 4] = ["/usr/src/", "/var/www/", "/opt/app", "C:\\Users\\"];
/// The beginnings of paths that a server has, but a web page may have, too.
const SHARED_FOLDERS: [&str; 3] = ["/home/", "/Users/", "/root/"];
/// The beginnings of further such paths, before which a word such as "at" proves nothing: "at /app/login" is usual
/// text.
const COMMON_FOLDERS: [&str; 7] = ["/srv/", "/app/", "/usr/", "/tmp/", "/etc/", "/var/lib/", "/data/"];
/// The attributes whose values are paths of web pages.
const LINKS: [&str; 3] = ["href=", "src=", "action="];
/// The words before a path in stack traces.
const TRACE_WORDS: [&str; 3] = ["File", "at", "in"];
/// The extensions that paths of web pages have. Files with these extensions count only if the number of a line follows.
const PAGE_EXTENSIONS: [&str; 14] =
    ["asp", "aspx", "css", "gif", "htm", "html", "ico", "jpg", "js", "jsp", "pdf", "php", "png", "svg"];
/// The characters around a path, such as quotation marks.
const QUOTES: &[char] = &['"', '\'', '`', '\\', '(', ' '];
/// The quotation marks as character references of HTML.
const HTML_QUOTES: [&str; 4] = ["&quot;", "&#34;", "&#39;", "&#x27;"];
/// The maximum number of characters in the extension of a file's name.
const EXTENSION_CHARS_MAX: usize = 5;
/// How many characters before a path are examined.
const TAIL_CHARS: usize = 32;

/// Returns what a response shows that strangers should not see, if anything.
pub(super) fn leak(text: &str, secret: &str) -> Option<&'static str> {
    if shows_secret(text, secret) {
        return Some("the account's token");
    }
    let trace = TRACES.iter().find(|(mark, _)| text.contains(mark)).map(|(_, what)| *what);
    let trace = trace.or_else(|| shows_frame(text).then_some("a JavaScript stack trace"));
    let trace = trace.or_else(|| text.contains(PHP_LINE).then_some("a PHP error with its file and line"));
    trace.or_else(|| shows_path(text).then_some("a path on the server"))
}

/// Returns whether a text contains the account's token.
pub(super) fn shows_secret(text: &str, secret: &str) -> bool {
    !secret.is_empty() && text.match_indices(secret).any(|(at, _)| !is_after_prefix(&text[..at]))
}

/// Returns whether a text ends with the prefix of a SID, two capital letters. An app may show its account's SID, and the
/// rest of the default account's SID is the same as its token.
fn is_after_prefix(before: &str) -> bool {
    before.chars().rev().take(2).filter(char::is_ascii_uppercase).count() == 2
}

/// Returns whether a text contains a line such as `    at handler (file:///srv/app.js:10:5)`, also with its line break escaped
/// as in JSON.
fn shows_frame(text: &str) -> bool {
    let is_number = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit());
    text.split(FRAME).skip(1).any(|frame| {
        let frame = frame.split(['\n', '\r', '\\', '"', '<']).next().unwrap_or_default();
        let mut parts = frame.trim_end().trim_end_matches(')').rsplitn(3, ':');
        let has_place = parts.next().is_some_and(is_number) && parts.next().is_some_and(is_number);
        has_place && parts.next().is_some_and(|file| file.contains(char::is_alphabetic))
    })
}

fn shows_path(text: &str) -> bool {
    let is_any = |folders: &[&str], is_path: &dyn Fn(&str, &str) -> bool| {
        let places = folders.iter().flat_map(|folder| text.match_indices(folder));
        places.map(|(at, _)| text.split_at(at)).any(|(before, path)| !is_linked(before) && is_path(before, path))
    };
    is_any(&SERVER_FOLDERS, &|_, _| true)
        || is_any(&SHARED_FOLDERS, &|before, path| follows_trace_word(before) || is_file(path))
        || is_any(&COMMON_FOLDERS, &|_, path| is_file(path))
}

/// Returns whether what follows this text is the path of a URL, or the value of an attribute that links to a page.
fn is_linked(before: &str) -> bool {
    let is_after_host = before.ends_with(|c: char| c.is_alphanumeric() || "-._~%]".contains(c));
    let name = unquoted(before).to_ascii_lowercase();
    is_after_host || LINKS.iter().any(|link| name.ends_with(link))
}

fn follows_trace_word(before: &str) -> bool {
    let word = unquoted(before).rsplit(|c: char| !c.is_alphanumeric()).next();
    word.is_some_and(|word| TRACE_WORDS.contains(&word))
}

/// Returns a text without the quotation marks and spaces at its end. Only the end of a long text is looked at.
fn unquoted(before: &str) -> &str {
    let start = before.char_indices().rev().nth(TAIL_CHARS).map_or(0, |(at, _)| at);
    let trimmed = before[start..].trim_end_matches(QUOTES);
    let without = HTML_QUOTES.iter().find_map(|quote| trimmed.strip_suffix(quote));
    without.unwrap_or(trimmed).trim_end_matches(QUOTES)
}

/// Returns whether a text begins with the path of a file as error messages show it: with the number of a line, or with
/// an extension that pages don't have.
fn is_file(text: &str) -> bool {
    let is_end = |c: char| c.is_whitespace() || "\"'`<>()[]{},;&\\?#|".contains(c);
    let (path, rest) = text.split_at(text.find(is_end).unwrap_or(text.len()));
    let (file, line) = path.split_once(':').unwrap_or((path, ""));
    let starts_with_digit = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
    let after = HTML_QUOTES.iter().find_map(|quote| rest.strip_prefix(quote)).unwrap_or(rest);
    let after = after.trim_start_matches(['"', '\'', '\\', ',', ' ']);
    let has_line = starts_with_digit(line)
        || after.starts_with("line ")
        || after.starts_with("on line ")
        || after.strip_prefix('(').is_some_and(starts_with_digit);
    let name = file.trim_end_matches('.').rsplit('/').next().unwrap_or_default();
    let has_extension = name.rsplit_once('.').is_some_and(|(_, extension)| {
        let extension = extension.to_ascii_lowercase();
        let is_short = (1..=EXTENSION_CHARS_MAX).contains(&extension.len());
        is_short && !PAGE_EXTENSIONS.contains(&extension.as_str())
    });
    has_line || has_extension
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stack_traces_paths_and_secrets_are_found_and_short_errors_are_not() {
        for (text, expected) in [
            ("Traceback (most recent call last):\n  File \"x.py\"", Some("a Python stack trace")),
            ("Error: x\n    at Object.<anonymous> (file.js:1)", Some("a JavaScript stack trace")),
            ("Error: x\n    at handler (/srv/app.js:10:5)\n", Some("a JavaScript stack trace")),
            (r#"{"error":"x\n    at file:///app/x.mjs:1:22\n    at run"}"#, Some("a JavaScript stack trace")),
            ("We met\n    at 10:30:00", None),
            ("SQLSTATE[23000]: Integrity constraint violation", Some("an error of the database")),
            ("in <b>/srv/fax.php</b> on line <b>3</b>", Some("a PHP error with its file and line")),
            ("open /home/joe/app/config.yml: no such file", Some("a path on the server")),
            ("token s3cret is wrong", Some("the account's token")),
            ("Forbidden", None),
            ("<html><body>Internal Server Error</body></html>", None),
        ] {
            assert_eq!(leak(text, "s3cret"), expected, "{text}");
        }
        assert_eq!(leak("x", ""), None);
    }

    #[test]
    fn the_sid_of_the_account_is_not_its_token() {
        let token = "0".repeat(32);
        assert_eq!(leak(&format!("account AC{token} may not do this"), &token), None);
        assert_eq!(leak(&format!("{{\"AccountSid\":\"AC{token}\"}}"), &token), None);
        for text in [format!("the token of AC{token} is {token}"), token.clone(), format!("token%3D{token}")] {
            assert_eq!(leak(&text, &token), Some("the account's token"), "{text}");
        }
    }

    #[test]
    fn the_path_of_a_page_is_not_a_path_on_the_server() {
        for text in [
            "<a href=\"/home/start\">Start</a>",
            "<script src='/home/app.js'></script>",
            "<form action=\"/Users/new.do\">",
            "<a href=/home/report.docx>",
            "see http://localhost:3000/home/list.xml",
            "see https://example.com/Users/joe.json",
            "{\"url\":\"/home/x\"}",
            "Redirecting to /home/login.php",
            "sign in at /app/login",
            "see /data/list",
        ] {
            assert_eq!(leak(text, "s3cret"), None, "{text}");
        }
        for text in [
            "File \"/home/joe/fax\", line 3",
            "File &quot;/home/joe/fax.py&quot;, line 3",
            "at handler (/Users/joe/app.js:10:5)",
            "at file:///home/joe/app.js:10:5",
            "error in /home/joe/public/fax.php on line 12",
            "{\"stack\":\"x\\n at /root/fax\"}",
            "can't write /var/www/html",
            "NotNullViolation at /srv/app/db.py:33",
            "ENOENT: no such file or directory, open '/app/data/faxes.json'",
            "C:\\Users\\joe\\fax",
            "<a href=\"/home/start\">, and /home/joe/.env is missing",
        ] {
            assert_eq!(leak(text, "s3cret"), Some("a path on the server"), "{text}");
        }
    }
}
