//! Checks what a reader of the source code relies on, such as which module imports which, a header in each file, and
//! the length of files. The tests read the sources as text.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The maximum number of lines in a file, tests included; a longer file probably covers two subjects.
const LINES_MAX: usize = 600;

/// Each module and the modules that it may import. The list goes from the core outwards.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("twiml", &["model"]),
    ("document", &["model"]),
    ("engine", &["model", "twiml"]),
    ("dialect", &["engine", "model", "twiml"]),
    ("docs", &[]),
    ("junit", &[]),
    ("io", &["dialect", "document", "engine", "model", "twiml"]),
    ("client", &["dialect", "io", "model"]),
    ("check", &["client", "dialect", "io", "junit", "model", "twiml"]),
    ("clock", &["model"]),
    ("world", &["clock", "engine", "model"]),
    ("driver", &["engine", "io", "model", "world"]),
    ("emulator", &["clock", "driver", "engine", "io", "model", "world"]),
    ("config", &["dialect", "engine", "io", "model"]),
    (
        "http",
        &[
            "check", "client", "clock", "dialect", "docs", "document", "emulator", "engine", "io", "model", "twiml",
            "world",
        ],
    ),
    ("mcp", &["check", "client", "dialect", "docs", "http", "io", "model"]),
    (
        "server",
        &["check", "client", "clock", "config", "dialect", "emulator", "engine", "http", "io", "mcp", "model", "world"],
    ),
    ("scenario", &["check", "client", "config", "dialect", "document", "io", "junit", "model"]),
    (
        "testing",
        &[
            "check", "client", "clock", "config", "dialect", "document", "emulator", "engine", "http", "io", "model",
            "server", "world",
        ],
    ),
    (
        "cli",
        &[
            "check", "client", "config", "dialect", "document", "http", "io", "junit", "mcp", "model", "scenario",
            "server",
        ],
    ),
];
/// The source folders of the two packages. The core depends on no crate for I/O, so the compiler enforces that border.
pub(crate) const PACKAGES: [&str; 2] = ["core/src", "src"];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Lists the path, from the project's root, and the text of every Rust file under a folder of the project.
pub(crate) fn sources(folder: &str) -> Vec<(String, String)> {
    fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
            if entry.is_dir() {
                walk(&entry, files);
            } else if entry.extension().is_some_and(|extension| extension == "rs") {
                files.push(entry);
            }
        }
    }
    let mut files = Vec::new();
    walk(&root().join(folder), &mut files);
    files.sort();
    let named = |path: PathBuf| {
        let name = path.strip_prefix(root()).expect("below the root").display().to_string();
        (name, fs::read_to_string(path).expect("readable"))
    };
    files.into_iter().map(named).collect()
}

/// Lists the paths and texts of the source files of both packages.
fn packages() -> Vec<(String, String)> {
    PACKAGES.iter().flat_map(|folder| sources(folder)).collect()
}

/// Returns the top-level module of a file: `engine` for `core/src/engine/mod.rs` and `core/src/engine.rs`.
fn module_of(path: &str) -> &str {
    let path = PACKAGES.iter().find_map(|folder| path.strip_prefix(folder)?.strip_prefix('/')).unwrap_or(path);
    path.split('/').next().unwrap_or(path).trim_end_matches(".rs")
}

/// Returns the code before a file's own tests, without comments.
pub(crate) fn code(text: &str) -> String {
    let code = text.split("mod tests {").next().unwrap_or(text);
    code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// Lists the top-level modules that this code names after `crate::`.
fn imports(code: &str) -> BTreeSet<&str> {
    let after = code.match_indices("crate::").map(|(at, found)| &code[at + found.len()..]);
    after.map(|rest| rest.split(|c: char| !c.is_ascii_lowercase() && c != '_').next().unwrap_or("")).collect()
}

/// Lists, as messages, those imports of a file that the table forbids.
fn breaches(path: &str, text: &str) -> Vec<String> {
    let module = module_of(path);
    let Some((_, allowed)) = MAY_IMPORT.iter().find(|(name, _)| *name == module) else {
        return vec![format!("{path}: the module {module} is not in the import table")];
    };
    let code = code(text);
    let is_test_file = path.ends_with("_tests.rs");
    let foreign =
        |name: &&str| *name != module && !allowed.contains(name) && MAY_IMPORT.iter().any(|(own, _)| own == name);
    if is_test_file {
        return Vec::new();
    }
    imports(&code).into_iter().filter(foreign).map(|name| format!("{path} may not import {name}")).collect()
}

#[test]
fn modules_import_only_downwards() {
    let files = packages();
    let entry = ["core/src/lib.rs", "src/lib.rs", "src/main.rs"];
    let found: Vec<String> = files
        .iter()
        .filter(|(path, _)| !entry.contains(&path.as_str()))
        .flat_map(|(path, text)| breaches(path, text))
        .collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// The modules that know neither Twilio's codes nor its headers; a dialect adds them to faults and requests.
const WITHOUT_WIRE_WORDS: [&str; 5] = ["model", "twiml", "document", "engine", "io"];
/// Files with five-digit numbers that are not error codes: numbers for sale, bit patterns, and values from older
/// states.
const OTHER_NUMBERS: [&str; 3] =
    ["model/inventory/places.rs", "document/ccitt/codes.rs", "engine/export/upgrade/faults.rs"];

/// Lists the numbers in this Rust code that look like Twilio's error codes.
fn error_codes(code: &str) -> Vec<&str> {
    let numbers = code.split(|character: char| !character.is_ascii_alphanumeric() && character != '_');
    let families = ["11", "12", "20", "21", "34"];
    numbers
        .filter(|word| word.len() == 5 && word.bytes().all(|byte| byte.is_ascii_digit()))
        .filter(|word| families.iter().any(|family| word.starts_with(family)))
        .collect()
}

#[test]
fn twilios_codes_and_headers_are_confined_to_the_dialect() {
    let inner = |(path, _): &&(String, String)| {
        WITHOUT_WIRE_WORDS.contains(&module_of(path))
            && !OTHER_NUMBERS.iter().any(|other| path.ends_with(other))
            && !path.ends_with("tests.rs")
    };
    let files = packages();
    for (path, text) in files.iter().filter(inner) {
        let code = code(text);
        assert_eq!(error_codes(&code), Vec::<&str>::new(), "{path} has an error code; name a Fault instead");
        for word in ["X-Twilio", "I-Twilio", "TwilioProxy"] {
            assert!(!code.contains(word), "{path} has {word}; the dialect gives requests their headers");
        }
    }
    assert_eq!(error_codes("const A: u32 = 34004; f(11_200, 99999, 123)"), ["34004"]);
}

#[test]
fn only_one_file_writes_files() {
    for (path, text) in packages().iter().filter(|(path, _)| path != "src/io/file.rs" && !path.ends_with("tests.rs")) {
        let code = code(text);
        for call in ["fs::write(", "fs::rename(", "File::create", ".persist(", "with_extension("] {
            assert!(!code.contains(call), "{path} calls {call}…): files are written by io::file::write");
        }
    }
}

#[test]
fn an_engine_that_imports_the_dialect_is_detected() {
    let text = "//! x\nuse crate::dialect::form;\n";
    assert_eq!(breaches("core/src/engine/mod.rs", text), ["core/src/engine/mod.rs may not import dialect"]);
    assert_eq!(breaches("src/new.rs", "").len(), 1);
}

#[test]
fn every_file_says_in_its_header_what_it_is_for() {
    for folder in ["core", "src", "tests", "benches", "examples", "fuzz"] {
        if !root().join(folder).is_dir() {
            continue;
        }
        for (path, text) in
            sources(folder).iter().filter(|(path, _)| !path.contains("/node_modules/") && !path.contains("/target/"))
        {
            assert!(text.starts_with("//! "), "{path} has no header");
        }
    }
}

#[test]
fn no_file_is_too_long_to_read() {
    for (path, text) in packages().iter().chain(&sources("tests/it")) {
        let lines = text.lines().count();
        assert!(lines <= LINES_MAX, "{path} has {lines} lines; split files longer than {LINES_MAX} by subject");
    }
}

#[test]
fn no_engine_or_model_struct_is_serialized() {
    let is_inside = |path: &str| ["engine", "model", "twiml"].contains(&module_of(path)) && !path.contains("/export/");
    for (path, text) in packages().iter().filter(|(path, _)| is_inside(path)) {
        let code = code(text);
        let mut derives = code.match_indices("derive(").filter_map(|(at, _)| code[at..].split(')').next());
        assert!(
            !derives.any(|derive| derive.contains("ialize")),
            "{path} derives serde's traits: see engine/export/form.rs"
        );
    }
}

#[test]
fn no_open_tasks_or_ignored_tests_remain() {
    for (path, text) in packages().iter().chain(&sources("tests")).filter(|(path, _)| path != "tests/it/tidy.rs") {
        for mark in ["TODO", "FIXME", "XXX", "#[ignore"] {
            assert!(!text.contains(mark), "{path} has a {mark}");
        }
    }
}
