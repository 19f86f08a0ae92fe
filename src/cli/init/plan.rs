//! What `init` writes: the templates, filled in, and what to do next.

use std::path::{Path, PathBuf};

use super::Language;
use crate::cli::shell::quoted;

/// The URL of the repository, whose GitHub Action the workflow uses.
const REPOSITORY: &str = env!("CARGO_PKG_REPOSITORY");
/// The major version, which is the Action's tag.
const MAJOR: &str = env!("CARGO_PKG_VERSION_MAJOR");
/// The major and minor version, which a dependency names.
const VERSION: &str = concat!(env!("CARGO_PKG_VERSION_MAJOR"), ".", env!("CARGO_PKG_VERSION_MINOR"));

/// What the user has asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wishes {
    pub(super) language: Language,
    /// Whether the test uses the package of the language.
    pub(super) package: bool,
    pub(super) compose: bool,
    pub(super) workflow: bool,
}

/// A file to write.
#[derive(Debug)]
pub(super) struct Planned {
    /// The path within the project.
    pub(super) name: &'static str,
    pub(super) path: PathBuf,
    pub(super) text: String,
    /// Whether the file exists already, in which case it stays unchanged.
    pub(super) exists: bool,
}

/// What to write, and what to do next.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) files: Vec<Planned>,
    /// What the user should know before the files are written.
    pub(super) notes: Vec<String>,
    /// The commands that follow.
    pub(super) next: Vec<String>,
}

/// A test: its path, its text, the commands that prepare and run it, and the one that runs it in CI.
struct Test {
    path: &'static str,
    text: &'static str,
    prepare: Vec<String>,
    run: &'static str,
}

impl Plan {
    /// Returns what to write in a folder.
    pub(super) fn of(folder: &Path, wishes: Wishes) -> Self {
        let test = test(wishes);
        let mut files = vec![("fauxfax.toml", include_str!("templates/fauxfax.toml").to_owned())];
        files.push((test.path, test.text.to_owned()));
        if wishes.compose {
            files.push(("compose.yaml", include_str!("templates/compose.yaml").to_owned()));
        }
        if wishes.workflow {
            files.push((".github/workflows/fauxfax.yml", workflow(&test)));
        }
        let planned = |(name, text): (&'static str, String)| {
            let path = if folder == Path::new(".") { PathBuf::from(name) } else { folder.join(name) };
            // A dangling link counts too: writing would create its target.
            let exists = path.symlink_metadata().is_ok();
            Planned { name, path, text, exists }
        };
        let files: Vec<Planned> = files.into_iter().map(planned).collect();
        let mut notes = Vec::new();
        let keeps_settings = files.first().is_some_and(|file| file.exists);
        if keeps_settings && test.run.starts_with("fauxfax exec") {
            notes.push(
                "The test passes if the number takes faxes: with fax_twiml in fauxfax.toml, or an app at its fax_url."
                    .to_owned(),
            );
        }
        let enter = (folder != Path::new(".")).then(|| format!("cd {}", quoted(&folder.to_string_lossy())));
        let next = enter.into_iter().chain(test.prepare).chain([test.run.to_owned()]).collect();
        Self { files, notes, next }
    }
}

fn test(Wishes { language, package, .. }: Wishes) -> Test {
    match (language, package) {
        (Language::Python, true) => Test {
            path: "tests/test_fax.py",
            text: include_str!("templates/test_fax_package.py"),
            prepare: vec!["pip install 'fauxfax[pytest]'".to_owned()],
            run: "pytest tests/test_fax.py",
        },
        (Language::Python, false) => Test {
            path: "tests/test_fax.py",
            text: include_str!("templates/test_fax.py"),
            prepare: vec!["pip install pytest".to_owned()],
            run: "fauxfax exec -- pytest tests/test_fax.py",
        },
        (Language::Node, true) => Test {
            path: "test/fax.test.mjs",
            text: include_str!("templates/fax_package.test.mjs"),
            prepare: vec!["npm install --save-dev fauxfax".to_owned()],
            run: "node --test",
        },
        (Language::Node, false) => Test {
            path: "test/fax.test.mjs",
            text: include_str!("templates/fax.test.mjs"),
            prepare: Vec::new(),
            run: "fauxfax exec -- node --test",
        },
        (Language::Rust, _) => Test {
            path: "tests/fax.rs",
            text: include_str!("templates/fax.rs"),
            prepare: vec![
                format!("cargo add --dev fauxfax@{VERSION} --no-default-features --features server"),
                "cargo add --dev tokio@1 --features macros,rt".to_owned(),
            ],
            run: "cargo test --test fax",
        },
        (Language::Scenario, _) => Test {
            path: "scenarios/incoming-fax.toml",
            text: include_str!("templates/incoming-fax.toml"),
            prepare: Vec::new(),
            run: "fauxfax run scenarios/incoming-fax.toml",
        },
    }
}

/// Returns the workflow that prepares and runs a test.
fn workflow(test: &Test) -> String {
    let owner = REPOSITORY.trim_start_matches("https://github.com/").split('/').next().unwrap_or_default();
    // The crate's dependencies are in Cargo.toml by then, and installed by Cargo.
    let prepare = test.prepare.iter().filter(|line| !line.starts_with("cargo"));
    let lines: Vec<&str> = prepare.map(String::as_str).chain([test.run]).collect();
    let text = include_str!("templates/workflow.yml").replace("@owner@", owner).replace("@major@", MAJOR);
    text.replace("@command@", &lines.join("\n      - run: "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_to_enter_is_quoted_for_the_shell() {
        let wishes = Wishes { language: Language::Scenario, package: false, compose: false, workflow: false };
        for (folder, expected) in [("fax/app", "cd fax/app"), ("my app; it's", r"cd 'my app; it'\''s'")] {
            assert_eq!(Plan::of(Path::new(folder), wishes).next[0], expected);
        }
    }

    #[test]
    fn a_workflow_has_the_commands_of_the_test() {
        for (language, package, expected) in [
            (
                Language::Python,
                true,
                "      - run: pip install 'fauxfax[pytest]'\n      - run: pytest tests/test_fax.py\n",
            ),
            (Language::Node, false, "start: false}\n      - run: fauxfax exec -- node --test\n"),
            (Language::Rust, false, "      - run: cargo test --test fax\n"),
        ] {
            let wishes = Wishes { language, package, compose: false, workflow: true };
            let text = workflow(&test(wishes));
            assert!(text.ends_with(expected) && !text.contains("@owner@"), "{text}");
        }
    }
}
