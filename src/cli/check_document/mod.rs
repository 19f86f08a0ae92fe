//! `fauxfax check FILE`: judges a document before it is faxed, without an emulator.

mod junit;
mod print;
mod told;

use std::io::{IsTerminal, Write, stderr, stdin};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, ValueHint};

pub(super) use self::print::{described, explanation, list};
use self::told::{Cost, Told};
use super::convert::{read, read_from, tell_progress};
use super::out::{self, stdout};
use super::serve::isolated;
use super::values::words;
use super::{files, table};
use crate::config::Config;
use crate::document::dither::Tone;
use crate::document::judge::{Check, Pictures, Report};
use crate::document::page::Counting;
use crate::io::render::{Drawing, RenderOptions, Renderer};
use crate::model::fax::Quality;
use crate::model::media::UnreadableDocument;
use crate::model::page::FaxPage;

/// The exit status for a file that can't be read, and for incorrect usage.
const EXIT_UNREADABLE: u8 = 2;

/// The flags that apply only to documents, not to apps.
#[derive(Debug, Args)]
pub(super) struct DocumentFlags {
    /// Vertical resolution for which the document is judged [default: fine]
    #[arg(
        long, value_name = "QUALITY", value_parser = words(Quality::ALL, Quality::as_str),
        help_heading = "Your document"
    )]
    quality: Option<String>,
    /// Folder to write a picture of each finding to: the place on the fax page, and in the document
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, help_heading = "Your document")]
    pictures: Option<PathBuf>,
    /// Also say what the document costs at the other qualities, which takes up to three times as long
    #[arg(long, help_heading = "Your document")]
    costs: bool,
    /// Folder of fonts for PDFs that don't embed theirs
    #[arg(long, value_name = "PATH", value_hint = ValueHint::DirPath, help_heading = "Your document")]
    font_dir: Option<PathBuf>,
}

/// The qualities at which a document is converted, to say what it costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Costs {
    /// The quality for which it is judged.
    Own,
    /// All qualities.
    All,
}

/// The options of a check, as they are given on the command line.
#[derive(Debug, Clone)]
pub(super) struct DocumentOptions<'a> {
    /// The document; `-` is standard input.
    pub(super) file: &'a Path,
    pub(super) checks: Vec<Check>,
    pub(super) quality: Quality,
    pub(super) costs: Costs,
    pub(super) pictures: Option<&'a Path>,
    pub(super) font_directory: Option<&'a Path>,
    pub(super) json: bool,
    pub(super) junit: Option<&'a Path>,
}

impl DocumentFlags {
    /// Returns the names of the flags that were given.
    pub(super) fn given(&self) -> Vec<&'static str> {
        let given = [
            (self.quality.is_some(), "--quality"),
            (self.pictures.is_some(), "--pictures"),
            (self.costs, "--costs"),
            (self.font_dir.is_some(), "--font-dir"),
        ];
        given.into_iter().filter_map(|(is_given, name)| is_given.then_some(name)).collect()
    }

    /// Returns the options of a check whose results people read.
    pub(super) fn options<'a>(&'a self, file: &'a Path, checks: Vec<Check>) -> DocumentOptions<'a> {
        DocumentOptions {
            file,
            checks,
            quality: self.quality.as_deref().and_then(Quality::from_word).unwrap_or(Quality::Fine),
            costs: if self.costs { Costs::All } else { Costs::Own },
            pictures: self.pictures.as_deref(),
            font_directory: self.font_dir.as_deref(),
            json: false,
            junit: None,
        }
    }
}

/// Judges a document and prints the results.
pub(super) fn check(options: &DocumentOptions<'_>) -> anyhow::Result<ExitCode> {
    let judged = match judged(options) {
        Ok(judged) => judged,
        Err(error) => {
            super::print_error(&format!("{error:#}"));
            return Ok(ExitCode::from(EXIT_UNREADABLE));
        }
    };
    let Judgement { pages, mut report, costs } = judged;
    report.results.retain(|result| options.checks.contains(&result.check));
    let name = if is_standard_input(options.file) { Path::new("standard input") } else { options.file };
    let told = Told::new(name, &pages, &report, &costs, options.pictures);
    if let Some(folder) = options.pictures {
        std::fs::create_dir_all(folder).with_context(|| format!("can't create {}", folder.display()))?;
        told.pictures().try_for_each(|(path, png)| files::write(&path, png))?;
    }
    if let Some(path) = options.junit {
        out::even_if_unread(files::write(path, junit::junit(&told).as_bytes()))?;
    }
    let takes_output = options.junit.is_some_and(|path| path.as_os_str() == "-");
    if options.json {
        out::even_if_unread(table::json(&told.json()))?;
    } else if !takes_output {
        out::even_if_unread(print::report(&told, &mut stdout()))?;
    }
    Ok(if report.summary().fail > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn is_standard_input(file: &Path) -> bool {
    file.as_os_str() == "-"
}

/// What is known about a document.
struct Judgement {
    pages: Vec<FaxPage>,
    report: Report,
    costs: Vec<Cost>,
}

/// Judges a document at one quality, and converts it at the others if their costs are wanted.
fn judged(options: &DocumentOptions<'_>) -> anyhow::Result<Judgement> {
    let bytes =
        if is_standard_input(options.file) { read_from(stdin(), "standard input")? } else { read(options.file)? };
    let is_shown = stderr().is_terminal();
    let quiet = RenderOptions {
        program: isolated(Config::default()).render_program,
        font_directory: options.font_directory.map(Path::to_path_buf),
        ..RenderOptions::default()
    };
    let shown = RenderOptions { progress: is_shown.then_some(tell_progress), ..quiet.clone() };
    let (judge, converter) = (Renderer::new(shown), Renderer::new(quiet));
    let (judge, converter) = judge.and_then(|judge| Ok((judge, converter?))).context("can't read the fonts")?;
    let drawing = |quality| Drawing { quality, tone: Tone::Dither, counting: Counting::Mmr };
    let pictures = if options.pictures.is_some() { Pictures::Drawn } else { Pictures::None };
    // Each document is drawn by a process of its own, so one thread is enough to wait for these processes.
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().context("can't start the runtime")?;
    let is_other = |quality: &&Quality| options.costs == Costs::All && **quality != options.quality;
    let others: Vec<Quality> = Quality::ALL.iter().filter(is_other).copied().collect();
    let (judged, others) = runtime.block_on(async {
        let own = judge.judged(bytes.clone(), drawing(options.quality), pictures);
        let converted = async |quality| (quality, converter.pages(bytes.clone(), drawing(quality)).await);
        let others = futures_util::future::join_all(others.into_iter().map(converted));
        futures_util::future::join(own, others).await
    });
    if is_shown {
        // Return to the start of the line, so that the next output overwrites the progress.
        let _ = write!(anstream::stderr(), "\r");
    }
    let unreadable = |fault: UnreadableDocument| anyhow::anyhow!("{}: {}", options.file.display(), fault.reason);
    let (pages, report) = judged.map_err(unreadable)?;
    // A quality at which the document takes too much time or memory has no cost.
    let known = others.into_iter().filter_map(|(quality, converted)| Some(Cost::of(quality, &converted.ok()?.0)));
    let mut costs: Vec<Cost> = known.chain([Cost::of(options.quality, &pages)]).collect();
    costs.sort_by_key(|cost| cost.quality);
    Ok(Judgement { pages, report, costs })
}
