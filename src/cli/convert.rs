//! `fauxfax convert`: converts a document to fax pages without an emulator, and writes them as PDF, TIFF or one PNG per
//! page.

use std::io::{IsTerminal, Read, Write, stderr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::{Args, ValueHint};

use super::out::{self, note, stdout};
use super::serve::isolated;
use super::values::words;
use crate::config::Config;
use crate::document::dither::Tone;
use crate::document::page::Counting;
use crate::document::{file, png, receive};
use crate::io::fetch::DOCUMENT_BYTES_MAX;
use crate::io::file::{self as output, Contents};
use crate::io::render::{Drawing, RenderOptions, Renderer};
use crate::model::fax::{MediaType, PageSize, Quality};
use crate::model::line::{Coding, Line};
use crate::model::page::{FaxPage, LINE_RATES_BPS};

#[derive(Debug, Args)]
pub(super) struct ConvertFlags {
    /// Document to convert: PDF, TIFF, PNG or JPEG
    #[arg(value_name = "IN", value_hint = ValueHint::FilePath)]
    input: PathBuf,
    /// File to write, whose extension sets the format: .pdf, .tiff or .png; with several pages, page.png becomes
    /// page-1.png, page-2.png …
    #[arg(value_name = "OUT", value_hint = ValueHint::FilePath)]
    output: PathBuf,
    /// Vertical resolution; a finer one takes longer to send
    #[arg(long, value_name = "QUALITY", default_value = "fine", value_parser = words(Quality::ALL, Quality::as_str))]
    quality: String,
    /// Paper size to print on, as a receiving machine does; if left out, pages keep their length
    #[arg(long, value_name = "SIZE", value_parser = words(PageSize::ALL, PageSize::as_str))]
    page_size: Option<String>,
    /// Convert to pure black and white instead of dithering: smaller, but light colours are lost
    #[arg(long)]
    text: bool,
    /// Folder of fonts for PDFs that don't embed theirs
    #[arg(long, value_name = "PATH", value_hint = ValueHint::DirPath)]
    font_dir: Option<PathBuf>,
    /// Exit with status 1 if part of the document is missing on the fax pages
    #[arg(long)]
    fail_on_loss: bool,
    /// Print only errors and losses
    #[arg(long, short)]
    quiet: bool,
}

pub(super) fn run(flags: &ConvertFlags) -> anyhow::Result<ExitCode> {
    let target = Target::of(&flags.output)?;
    let bytes = read(&flags.input)?;
    let drawing = Drawing {
        // clap has checked the word, so the default is never used.
        quality: Quality::from_word(&flags.quality).unwrap_or(Quality::Fine),
        tone: if flags.text { Tone::Text } else { Tone::Dither },
        // Only the printed table needs the sizes in the other codings.
        counting: if flags.quiet { Counting::Mmr } else { Counting::All },
    };
    let page_size = flags.page_size.as_deref().and_then(PageSize::from_word);
    let progress = !flags.quiet && stderr().is_terminal();
    let options = RenderOptions {
        program: isolated(Config::default()).render_program,
        font_directory: flags.font_dir.clone(),
        progress: progress.then_some(tell_progress),
        ..RenderOptions::default()
    };
    let renderer = Renderer::new(options).context("can't read the fonts")?;
    // A single child process draws the document, so more threads would have nothing to do.
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().context("can't start the runtime")?;
    let drawn = runtime.block_on(renderer.pages(bytes, drawing));
    if progress {
        // Return to the start of the line, so that the next output overwrites the progress.
        let _ = write!(anstream::stderr(), "\r");
    }
    let (drawn, summary) = drawn.map_err(|fault| anyhow::anyhow!("{}: {}", flags.input.display(), fault.reason))?;
    let pages = match page_size {
        Some(size) => drawn.iter().flat_map(|page| receive::on_sheets(page, size)).collect(),
        None => drawn,
    };
    write_pages(&pages, target, &flags.output)?;
    if !flags.quiet {
        out::even_if_unread(tell(&pages, &mut stdout()))?;
    }
    summary.losses.iter().for_each(|loss| note(&format!("lost: {loss}")));
    Ok(if flags.fail_on_loss && !summary.losses.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Reads a document; fails if it is larger than the emulator accepts.
pub(super) fn read(path: &Path) -> anyhow::Result<Arc<[u8]>> {
    let file = std::fs::File::open(path).with_context(|| format!("can't read {}", path.display()))?;
    read_from(file, &path.display().to_string())
}

/// Reads a document from a source that users know by this name; fails if it is larger than the emulator accepts.
pub(super) fn read_from(source: impl Read, name: &str) -> anyhow::Result<Arc<[u8]>> {
    let mut bytes = Vec::new();
    // Read one byte more than allowed, to detect a document that is too long.
    source.take(DOCUMENT_BYTES_MAX + 1).read_to_end(&mut bytes).with_context(|| format!("can't read {name}"))?;
    if bytes.len() as u64 > DOCUMENT_BYTES_MAX {
        bail!("{name}: the document has more than {DOCUMENT_BYTES_MAX} bytes, the largest size that can be converted");
    }
    Ok(bytes.into())
}

pub(super) fn tell_progress(pages: usize) {
    // If the terminal is gone, nobody is waiting for progress.
    let _ = write!(anstream::stderr(), "\r{pages} pages");
}

/// The kind of output, determined by the file extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    File(MediaType),
    Pictures,
}

impl Target {
    fn of(path: &Path) -> anyhow::Result<Self> {
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        Ok(match extension.to_ascii_lowercase().as_str() {
            "pdf" => Self::File(MediaType::Pdf),
            "tif" | "tiff" => Self::File(MediaType::Tiff),
            "png" => Self::Pictures,
            _ => bail!("{} must end in .pdf, .tiff or .png", path.display()),
        })
    }
}

fn write_pages(pages: &[FaxPage], target: Target, output: &Path) -> anyhow::Result<()> {
    let write = |path: &Path, bytes: &[u8]| {
        output::write(path, bytes, Contents::Derived).with_context(|| format!("can't write {}", path.display()))
    };
    match target {
        Target::File(media_type) => write(output, &file::document(pages, media_type, &[]).bytes),
        Target::Pictures => {
            let stem = output.file_stem().unwrap_or_default().to_string_lossy();
            for (number, page) in (1..).zip(pages) {
                let name = if pages.len() == 1 { format!("{stem}.png") } else { format!("{stem}-{number}.png") };
                write(&output.with_file_name(name), &png::page(page, png::WIDTH_MAX)?)?;
            }
            Ok(())
        }
    }
}

/// Prints the number of pages and, for each coding, their size in bits and the transmission time. Only MMR is sent with
/// error correction.
fn tell(pages: &[FaxPage], out: &mut impl Write) -> anyhow::Result<()> {
    let count = pages.len();
    writeln!(out, "{count} page{} at {} bit/s:", if count == 1 { "" } else { "s" }, LINE_RATES_BPS[0])?;
    for coding in [Coding::Mmr, Coding::Mr, Coding::Mh] {
        let line = Line { coding, ..Line::default() };
        let bits: u64 = pages.iter().map(|page| line.bits(&page.bits)).sum();
        let line_ms =
            line.setup_ms() + pages.iter().map(|page| line.page_ms(&page.bits)).sum::<u64>() + line.release_ms();
        let ecm = if line.has_error_correction() { "with" } else { "without" };
        let seconds = line_ms.div_ceil(1_000);
        writeln!(out, "  {:3}  {bits:>12} bits  {seconds:>6} s  {ecm} error correction", coding.as_str())?;
    }
    Ok(())
}
