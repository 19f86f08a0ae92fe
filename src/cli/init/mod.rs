//! `fauxfax init`: writes the first files of a project that tests faxes: settings, and one test that passes as it is.
//! The files are shown before they are written, and nothing is overwritten.

mod language;
mod plan;
mod write;

use std::io::{BufRead, IsTerminal, Write, stdin};
use std::path::PathBuf;
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use anyhow::bail;
use clap::{Args, ValueEnum, ValueHint};

use self::language::{Found, detect};
use self::plan::{Plan, Planned, Wishes};
use super::out::{lasting, stdout};

/// The exit status for incorrect usage, and for a choice that only the user can make.
const EXIT_USAGE: u8 = 2;
const HEADING: Style = Style::new().bold();
const NEW: Style = AnsiColor::Green.on_default();
const FAINT: Style = Style::new().dimmed();

const AFTER_HELP: &str = "\
What is written:
  fauxfax.toml                settings for fauxfax serve and exec
  tests/test_fax.py           a test for pytest            (pyproject.toml, requirements.txt, setup.py)
  test/fax.test.mjs           a test for node --test       (package.json)
  tests/fax.rs                a test with the crate        (Cargo.toml)
  scenarios/incoming-fax.toml a scenario for fauxfax run   (none of these)

The test passes as it is written; the last lines of the output say how to run it.

Exit status:
  0  done, or there was nothing to do
  1  nothing was written, because nobody agreed or a file could not be written
  2  incorrect usage, or the folder has projects of several languages";

#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct InitFlags {
    /// Folder of the project
    #[arg(default_value = ".", value_hint = ValueHint::DirPath)]
    folder: PathBuf,
    /// Language of the test; detected from the project's files if left out
    #[arg(long)]
    language: Option<Language>,
    /// Write the test for the package fauxfax of pytest or npm, even if the project doesn't name it yet
    #[arg(long)]
    package: bool,
    /// Write compose.yaml too, which runs the emulator in a container
    #[arg(long)]
    compose: bool,
    /// Write .github/workflows/fauxfax.yml too, which runs the test in GitHub Actions
    #[arg(long)]
    workflow: bool,
    /// Write without asking
    #[arg(long, conflicts_with = "dry_run")]
    yes: bool,
    /// Only show what would be written
    #[arg(long)]
    dry_run: bool,
}

/// The language of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Language {
    /// A test for pytest
    Python,
    /// A test for Node's own test runner
    Node,
    /// A test with the crate
    Rust,
    /// A scenario, which needs no language
    Scenario,
}

pub(super) fn run(flags: &InitFlags) -> anyhow::Result<ExitCode> {
    if !flags.folder.is_dir() {
        super::print_error(&format!("{} is not a folder", flags.folder.display()));
        return Ok(ExitCode::from(EXIT_USAGE));
    }
    let found = detect(&flags.folder);
    let language = match (flags.language, &found[..]) {
        (Some(language), _) => language,
        (None, []) => Language::Scenario,
        (None, [only]) => only.language,
        (None, several) => {
            super::print_error(&ambiguous(several));
            return Ok(ExitCode::from(EXIT_USAGE));
        }
    };
    let names_package = found.iter().any(|found| found.language == language && found.names_package);
    let wishes =
        Wishes { language, package: flags.package || names_package, compose: flags.compose, workflow: flags.workflow };
    let plan = Plan::of(&flags.folder, wishes);
    let missing = plan.files.iter().filter(|file| !file.exists);
    write::check(&flags.folder, missing.clone())?;
    // With --yes, the files are written even if nobody reads the output.
    let mut out = if flags.yes { lasting() } else { stdout() };
    shown(&plan, &found, wishes, &mut out)?;
    let fresh = missing.clone().count();
    if fresh == 0 {
        writeln!(out, "Nothing is left to write.")?;
        return Ok(ExitCode::SUCCESS);
    }
    if flags.dry_run {
        return Ok(ExitCode::SUCCESS);
    }
    if !flags.yes && !agreed(fresh, &mut out)? {
        bail!("nothing was written");
    }
    write::write(&flags.folder, missing)?;
    writeln!(out, "{NEW}Written.{NEW:#} Next:\n")?;
    for line in &plan.next {
        writeln!(out, "  {line}")?;
    }
    Ok(ExitCode::SUCCESS)
}

fn ambiguous(several: &[Found]) -> String {
    let each: Vec<String> = several.iter().map(|found| format!("{} ({})", found.file, found.language.word())).collect();
    let words: Vec<String> = several.iter().map(|found| format!("--language {}", found.language.word())).collect();
    format!("the folder has {}; choose one with {}", each.join(" and "), words.join(" or "))
}

/// Shows what was found, and each file with its contents.
fn shown(plan: &Plan, found: &[Found], wishes: Wishes, out: &mut impl Write) -> anyhow::Result<()> {
    let named = found.iter().find(|found| found.language == wishes.language);
    match named {
        Some(found) => writeln!(out, "{}: a project in {}.\n", found.file, found.language.title())?,
        None if wishes.language == Language::Scenario => {
            writeln!(out, "No project of a known language is here; a scenario needs none.\n")?;
        }
        None => writeln!(out, "A test in {}.\n", wishes.language.title())?,
    }
    for Planned { name: _, path, text, exists } in &plan.files {
        if *exists {
            writeln!(
                out,
                "{HEADING}{}{HEADING:#}  {FAINT}is there already, and stays as it is{FAINT:#}\n",
                path.display()
            )?;
            continue;
        }
        writeln!(out, "{HEADING}{}{HEADING:#}", path.display())?;
        for line in text.lines() {
            let gap = if line.is_empty() { "" } else { " " };
            writeln!(out, "  {NEW}+{NEW:#}{gap}{line}")?;
        }
        writeln!(out)?;
    }
    for note in &plan.notes {
        writeln!(out, "{note}\n")?;
    }
    Ok(())
}

/// Asks on the terminal whether to write the files.
fn agreed(fresh: usize, out: &mut impl Write) -> anyhow::Result<bool> {
    if !stdin().is_terminal() {
        bail!("nothing was written, because there is no terminal to ask on; write the files with --yes");
    }
    let files = if fresh == 1 { "this file".to_owned() } else { format!("these {fresh} files") };
    write!(out, "Write {files}? [y/N] ")?;
    out.flush()?;
    let mut answer = String::new();
    stdin().lock().read_line(&mut answer)?;
    Ok(["y", "yes"].contains(&answer.trim().to_lowercase().as_str()))
}
