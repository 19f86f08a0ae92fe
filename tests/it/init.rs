//! Tests `fauxfax init`: what it finds, shows, writes and leaves alone. `tests/packages/init.sh` runs the tests that it writes
//! for other languages.
#![cfg(target_os = "linux")]

use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::process::FAUXFAX;
use crate::terminal::{in_terminal_typing, in_terminal_with};

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(FAUXFAX);
    command.args(arguments).current_dir(folder).env("HOME", folder).stdin(Stdio::null());
    for name in ["FAUXFAX_URL", "FAUXFAX_ACCOUNT", "FAUXFAX_CONTROL_TOKEN", "NO_COLOR", "CLICOLOR_FORCE", "COLUMNS"] {
        command.env_remove(name);
    }
    command
}

fn fauxfax(folder: &Path, arguments: &[&str]) -> Output {
    command(folder, arguments).output().expect("it runs")
}

fn told(output: &Output) -> String {
    [output.stdout.as_slice(), &output.stderr].map(String::from_utf8_lossy).concat()
}

/// Makes a folder with these files, which are empty.
fn folder(files: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    files.iter().for_each(|name| fs::write(folder.path().join(name), "").expect("written"));
    folder
}

/// Lists the files below a folder by their paths.
fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).expect("a folder").map(|entry| entry.expect("an entry").path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else {
                found.push(entry.strip_prefix(folder).expect("below it").display().to_string());
            }
        }
    }
    found.sort();
    found
}

#[test]
fn with_yes_the_files_are_written_even_if_nobody_reads_what_they_contain() {
    let folder = folder(&[]);
    let mut init = command(folder.path(), &["init", "--yes"]);
    init.stdout(std::io::pipe().expect("a pipe").1);
    assert!(init.status().expect("it runs").success());
    assert!(!files(folder.path()).is_empty());
}

#[test]
fn in_an_empty_folder_a_scenario_is_written_that_passes() {
    let folder = folder(&[]);
    let output = fauxfax(folder.path(), &["init", "--yes"]);
    assert!(output.status.success(), "{}", told(&output));
    assert_eq!(files(folder.path()), ["fauxfax.toml", "scenarios/incoming-fax.toml"]);
    let last = told(&output).lines().last().expect("a line").trim().to_owned();
    let run: Vec<&str> = last.split(' ').skip(1).collect();
    let output = fauxfax(folder.path(), &run);
    assert!(told(&output).contains("4 passed, 0 failed"), "{last}: {}", told(&output));
    // The settings are valid too.
    let output = fauxfax(folder.path(), &["exec", "--", "true"]);
    assert!(output.status.success(), "{}", told(&output));
}

#[test]
fn the_test_fits_the_project() {
    for (name, written, run) in [
        ("pyproject.toml", "tests/test_fax.py", "fauxfax exec -- pytest tests/test_fax.py"),
        ("requirements.txt", "tests/test_fax.py", "fauxfax exec -- pytest tests/test_fax.py"),
        ("setup.py", "tests/test_fax.py", "fauxfax exec -- pytest tests/test_fax.py"),
        ("package.json", "test/fax.test.mjs", "fauxfax exec -- node --test"),
        ("Cargo.toml", "tests/fax.rs", "cargo test --test fax"),
        ("Gemfile", "scenarios/incoming-fax.toml", "fauxfax run scenarios/incoming-fax.toml"),
    ] {
        let folder = folder(&[name]);
        let output = fauxfax(folder.path(), &["init", "--yes"]);
        assert!(output.status.success(), "{name}: {}", told(&output));
        assert!(files(folder.path()).contains(&written.to_owned()), "{name}: {:?}", files(folder.path()));
        assert!(told(&output).trim_end().ends_with(run), "{name}: {}", told(&output));
        assert_eq!(fs::read_to_string(folder.path().join(name)).expect("still there"), "");
    }
}

#[test]
fn a_project_of_several_languages_asks_for_one() {
    let folder = folder(&["package.json", "pyproject.toml"]);
    let output = fauxfax(folder.path(), &["init", "--yes"]);
    assert_eq!(output.status.code(), Some(2));
    let expected =
        "pyproject.toml (python) and package.json (node); choose one with --language python or --language node";
    assert!(told(&output).contains(expected), "{}", told(&output));
    assert_eq!(files(folder.path()), ["package.json", "pyproject.toml"]);
    let output = fauxfax(folder.path(), &["init", "--yes", "--language", "node", "--package"]);
    assert!(told(&output).contains("npm install --save-dev fauxfax"), "{}", told(&output));
    assert!(files(folder.path()).contains(&"test/fax.test.mjs".to_owned()));
}

#[test]
fn nothing_is_overwritten_and_everything_is_shown() {
    let folder = folder(&["requirements.txt", "fauxfax.toml", "compose.yaml"]);
    let arguments = ["init", "--compose", "--workflow"];
    let output = fauxfax(folder.path(), &[&arguments[..], &["--dry-run"]].concat());
    let shown = told(&output);
    assert!(output.status.success(), "{shown}");
    assert!(shown.contains("fauxfax.toml  is there already, and stays as it is"), "{shown}");
    assert!(shown.contains("  + def test_a_fax_is_received():") && shown.contains("uses: actions/checkout"), "{shown}");
    assert!(shown.contains("The test passes if the number takes faxes"), "{shown}");
    assert_eq!(files(folder.path()), ["compose.yaml", "fauxfax.toml", "requirements.txt"]);
    let output = fauxfax(folder.path(), &arguments);
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    assert!(told(&output).contains("write the files with --yes"), "{}", told(&output));
    assert_eq!(files(folder.path()).len(), 3);
    let output = fauxfax(folder.path(), &[&arguments[..], &["--yes"]].concat());
    assert!(output.status.success(), "{}", told(&output));
    let all =
        [".github/workflows/fauxfax.yml", "compose.yaml", "fauxfax.toml", "requirements.txt", "tests/test_fax.py"];
    assert_eq!(files(folder.path()), all);
    assert_eq!(fs::read_to_string(folder.path().join("compose.yaml")).expect("still there"), "");
    let output = fauxfax(folder.path(), &arguments);
    assert!(output.status.success() && told(&output).contains("Nothing is left to write."), "{}", told(&output));
    let output = fauxfax(folder.path(), &["init", "missing"]);
    assert_eq!(output.status.code(), Some(2), "{}", told(&output));
}

#[test]
fn on_a_terminal_it_asks_and_no_is_the_default() {
    for (answer, count) in [("n\n", 0), ("\n", 0), ("y\n", 2)] {
        let folder = folder(&[]);
        let printed = in_terminal_typing(command(folder.path(), &["init"]), "[y/N]", answer).text;
        assert!(printed.contains("Write these 2 files? [y/N]"), "{printed}");
        assert_eq!(files(folder.path()).len(), count, "{answer:?}: {printed}");
    }
}

#[test]
fn a_file_that_appears_meanwhile_is_kept_and_the_others_are_removed_again() {
    let folder = folder(&[]);
    let path = folder.path().join("compose.yaml");
    let printed = in_terminal_with(command(folder.path(), &["init", "--compose", "--workflow"]), "[y/N]", |terminal| {
        fs::write(&path, "theirs").expect("written");
        terminal.write_all(b"y\n").expect("typed");
    });
    assert_eq!(printed.code, 1, "{}", printed.text);
    // The terminal wraps the message.
    let text = printed.text.replace('\n', "");
    assert!(text.contains("compose.yaml has just been created by another program"), "{}", printed.text);
    assert!(text.contains("what had been written was removed again"), "{}", printed.text);
    assert_eq!(fs::read_to_string(&path).expect("still there"), "theirs");
    let left: Vec<_> = fs::read_dir(folder.path()).expect("a folder").map(|entry| entry.expect("one").path()).collect();
    assert_eq!(left, [path], "the folders are removed too");
}

#[test]
fn a_folder_that_is_a_link_out_of_the_project_is_refused() {
    let outside = tempfile::tempdir().expect("a folder");
    for (target, expected) in [
        (outside.path().to_owned(), "scenarios is a symbolic link that leads out of the project"),
        ("missing".into(), "scenarios is a symbolic link that leads nowhere"),
    ] {
        let folder = folder(&[]);
        symlink(&target, folder.path().join("scenarios")).expect("a link");
        for flag in ["--yes", "--dry-run"] {
            let output = fauxfax(folder.path(), &["init", flag]);
            assert_eq!(output.status.code(), Some(1), "{}", told(&output));
            assert!(told(&output).contains(expected), "{}", told(&output));
        }
        assert!(fs::read_dir(outside.path()).expect("a folder").next().is_none());
        assert!(!folder.path().join("fauxfax.toml").exists());
    }
    // A link within the project is followed, and so is one to the project itself.
    let project = folder(&[]);
    fs::create_dir(project.path().join("fax")).expect("a folder");
    symlink("fax", project.path().join("scenarios")).expect("a link");
    let link = outside.path().join("link");
    symlink(project.path(), &link).expect("a link");
    let output = fauxfax(outside.path(), &["init", "--yes", "link"]);
    assert!(output.status.success(), "{}", told(&output));
    assert_eq!(files(project.path()), ["fauxfax.toml", "fax/incoming-fax.toml", "scenarios/incoming-fax.toml"]);
}

#[test]
fn a_file_in_place_of_a_folder_is_an_error_and_nothing_is_written() {
    let folder = folder(&["scenarios"]);
    for flag in ["--yes", "--dry-run"] {
        let output = fauxfax(folder.path(), &["init", flag]);
        assert_eq!(output.status.code(), Some(1), "{}", told(&output));
        assert!(told(&output).contains("scenarios is a file, but a folder is needed"), "{}", told(&output));
        assert_eq!(files(folder.path()), ["scenarios"]);
    }
}

/// Panics unless each paragraph of a template's code is in a page.
fn assert_in(template: &str, page: &str) {
    let (template, page) = (file(&format!("src/cli/init/templates/{template}")), file(page));
    let is_comment = |line: &&str| line.starts_with("//") || line.starts_with("\"\"\"");
    for paragraph in template.split("\n\n") {
        let lines: Vec<&str> = paragraph.lines().filter(|line| !is_comment(line)).collect();
        let paragraph = lines.join("\n");
        assert!(page.contains(paragraph.trim()), "the docs don't have:\n{paragraph}");
    }
}

/// Reads a file of the project.
fn file(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).expect(name)
}

#[test]
fn the_templates_are_what_the_docs_say() {
    assert_in("test_fax_package.py", "docs/recipes/pytest-plugin.md");
    assert_in("fax_package.test.mjs", "packages/npm/README.md");
    assert_eq!(file("src/cli/init/templates/incoming-fax.toml"), file("examples/scenarios/incoming-fax.toml"));
    let services = |text: String| {
        let lines = text.lines().skip_while(|line| !line.starts_with("services:"));
        lines.filter(|line| !line.trim().starts_with("build:")).map(|line| format!("{line}\n")).collect::<String>()
    };
    assert_eq!(services(file("src/cli/init/templates/compose.yaml")), services(file("docs/recipes/compose.yaml")));
    // The body of the Rust test is part of the crate's documentation, except for the line that starts the emulator.
    let docs: String =
        file("src/lib.rs").lines().filter_map(|line| line.strip_prefix("//!")).fold(String::new(), |text, line| {
            text + line.strip_prefix(' ').unwrap_or(line).trim_start_matches("# ") + "\n"
        });
    let template = file("src/cli/init/templates/fax.rs");
    let body = template.lines().filter_map(|line| line.strip_prefix("    ")).filter(|line| *line != "Ok(())");
    for line in body.filter(|line| !line.contains("Emulator::builder")) {
        assert!(docs.contains(line), "the crate's documentation doesn't have: {line}");
    }
}
