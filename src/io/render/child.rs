//! Renders a document in a separate process. This module contains both the parent's part and the child's. A child that
//! takes too long is killed and, on Linux, one that takes too much memory crashes; neither harms the parent.

use std::io::{self, Read, Write};
use std::path::Path;
use std::process::{ExitCode, ExitStatus, Stdio};
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command};

use super::frame::Frame;
use super::{
    CHILD_ARGUMENT, Drawing, Job, Made, PAGES_BYTES_MAX, RenderOptions, options, pictures_bytes, too_large, too_slow,
    unreadable,
};
use crate::document;
use crate::document::dither::Tone;
use crate::document::fonts::Fonts;
use crate::document::judge::{self, Pictures};
use crate::document::page::Counting;
use crate::model::fax::Quality;
use crate::model::media::UnreadableDocument;

/// The memory that a child may use on Linux, in bytes. The largest page that is accepted needs about half of that.
pub const MEMORY_BYTES_MAX: u64 = 384 * 1024 * 1024;
/// The address space that a child may use on Linux, in bytes: its memory, plus the space that its allocator and program
/// reserve without using it.
pub const ADDRESS_SPACE_BYTES_MAX: u64 = 1_536 * 1024 * 1024;
/// Variables that make the child's allocator reserve memory in small parts. A large reservation would count as used
/// memory.
const ALLOCATOR: [(&str, &str); 2] = [("MIMALLOC_ARENA_EAGER_COMMIT", "0"), ("MIMALLOC_ARENA_RESERVE", "32768")];
/// The maximum length of the first line of a request to a child, in bytes.
const REQUEST_BYTES_MAX: usize = 64 * 1024;

/// Starts a child, gives it the job and returns its output, within the time limits in `options`.
pub(super) async fn make(
    program: &Path,
    options: &RenderOptions,
    bytes: Arc<[u8]>,
    job: Job,
) -> Result<Made, UnreadableDocument> {
    let spawned = Command::new(program)
        .arg(CHILD_ARGUMENT)
        // The child needs no environment variables, some of which may hold tokens.
        .env_clear()
        .envs(ALLOCATOR)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        // When the time limit expires, the future is dropped, and then the child must be killed.
        .kill_on_drop(true)
        .spawn();
    let mut child = spawned.map_err(|error| unreadable(&format!("no renderer can be started: {error}")))?;
    let request = request(job, options.font_directory.as_deref());
    let talk = talk(&mut child, &request, &bytes, options);
    let Ok(made) = tokio::time::timeout(options.document_limit, talk).await else {
        return Err(too_slow(options.document_limit));
    };
    made
}

/// Does the child's part: renders the document that it reads from standard input. `limit` is called before any byte of
/// the document is read, to limit the process's memory.
#[must_use]
pub fn run(limit: impl FnOnce() -> io::Result<()>) -> ExitCode {
    let answered = limit().and_then(|()| answer(&mut io::stdin().lock(), &mut io::stdout().lock()));
    if answered.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Sends the request and the document, and reads frames until the last one.
async fn talk(
    child: &mut Child,
    request: &str,
    bytes: &[u8],
    RenderOptions { page_limit, progress, .. }: &RenderOptions,
) -> Result<Made, UnreadableDocument> {
    // Both were set up as pipes, so neither is missing.
    let (Some(mut input), Some(mut output)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(unreadable("the renderer's input and output can't be opened"));
    };
    // Dropping `input` at the end marks the document as complete for the child.
    let hand_over = async move {
        // A child that has read enough closes its end, so errors are expected. Its frames show whether it succeeded.
        let _ = input.write_all(request.as_bytes()).await;
        let _ = input.write_all(bytes).await;
    };
    let listen = async {
        let (mut pages, mut judgements, mut size) = (Vec::new(), Vec::new(), 0);
        loop {
            let frame = tokio::time::timeout(*page_limit, Frame::read(&mut output)).await.map_err(|_| {
                let number = pages.len() + 1;
                unreadable(&format!(
                    "page {number} of the document takes longer than {} s to draw",
                    page_limit.as_secs()
                ))
            })?;
            match frame {
                Ok(Some(Frame::Page(page))) => {
                    size += page.size_bytes();
                    // Checked here, because the pages are collected in this process.
                    if size > PAGES_BYTES_MAX {
                        return Err(too_large());
                    }
                    pages.push(page);
                    if let Some(progress) = progress {
                        progress(pages.len());
                    }
                }
                Ok(Some(Frame::Judged(judgement))) => {
                    size += pictures_bytes(&judgement);
                    if size > PAGES_BYTES_MAX {
                        return Err(too_large());
                    }
                    judgements.push(judgement);
                }
                Ok(Some(Frame::Probed(probe))) => {
                    return Ok(Some(Made::probed(probe)));
                }
                Ok(Some(Frame::Done(summary))) => return Ok(Some(Made { judgements, ..Made::drawn(pages, summary) })),
                Ok(Some(Frame::Failed(reason))) => return Err(UnreadableDocument { reason }),
                // A bad frame or a closed pipe: the exit status is more informative.
                Ok(None) | Err(_) => return Ok(None),
            }
        }
    };
    let ((), made) = tokio::join!(hand_over, listen);
    match made? {
        Some(made) => Ok(made),
        None => Err(died(child.wait().await.ok())),
    }
}

/// Returns the reason a child ended without a last frame, as far as its exit status shows.
fn died(status: Option<ExitStatus>) -> UnreadableDocument {
    #[cfg(unix)]
    let aborted = status.is_some_and(|status| std::os::unix::process::ExitStatusExt::signal(&status).is_some());
    #[cfg(not(unix))]
    let aborted = status.is_some_and(|status| !status.success());
    if aborted {
        let limit = MEMORY_BYTES_MAX / 1024 / 1024;
        return unreadable(&format!(
            "the document takes more than {limit} MiB of memory to draw, or makes the renderer crash"
        ));
    }
    unreadable("the document makes the renderer fail")
}

fn request(job: Job, fonts: Option<&Path>) -> String {
    let (drawing, pictures) = match job {
        Job::Pages(drawing) => (Some(drawing), None),
        Job::Judge(drawing, pictures) => (Some(drawing), Some(pictures == Pictures::Drawn)),
        Job::Probe | Job::Held => (None, None),
    };
    let order = json!({
        "quality": drawing.map(|drawing| drawing.quality.as_str()),
        "text": drawing.is_some_and(|drawing| drawing.tone == Tone::Text),
        "mmr_alone": drawing.is_some_and(|drawing| drawing.counting == Counting::Mmr),
        "fonts": fonts,
        // Null if the document isn't judged; otherwise whether the findings are drawn as pictures.
        "pictures": pictures,
    });
    format!("{order}\n")
}

fn answer(input: &mut impl Read, output: &mut impl Write) -> io::Result<()> {
    let mut bytes = Vec::new();
    input.read_to_end(&mut bytes)?;
    let end = bytes.iter().take(REQUEST_BYTES_MAX).position(|byte| *byte == b'\n').ok_or(io::ErrorKind::InvalidData)?;
    let request: Value = serde_json::from_slice(&bytes[..end])?;
    bytes.drain(..=end);
    let bytes: Arc<[u8]> = bytes.into();
    let failed = |fault: UnreadableDocument| Frame::Failed(fault.reason);
    // A request without a resolution is a probe: it asks only for the kind and the number of pages.
    let Some(quality) = request["quality"].as_str().and_then(Quality::from_word) else {
        return document::probe(&bytes).map_or_else(failed, Frame::Probed).write(output);
    };
    // The parent read this folder when it started. If the folder has disappeared since, use the built-in fonts.
    let fonts =
        request["fonts"].as_str().and_then(|path| Fonts::of_directory(Path::new(path)).ok()).unwrap_or_default();
    let said = |name: &str| request[name].as_bool().unwrap_or(false);
    let tone = if said("text") { Tone::Text } else { Tone::Dither };
    let counting = if said("mmr_alone") { Counting::Mmr } else { Counting::All };
    let drawing = options(Drawing { quality, tone, counting }, fonts);
    let pictures = request["pictures"].as_bool().map(|drawn| if drawn { Pictures::Drawn } else { Pictures::None });
    let mut written = Ok(());
    // If a frame can't be written, the parent has read enough or is gone, so drawing stops.
    let mut write = |frame: Frame| {
        written = frame.write(output);
        if written.is_ok() { std::ops::ControlFlow::Continue(()) } else { std::ops::ControlFlow::Break(()) }
    };
    let summary = match pictures {
        None => document::pages(&bytes, &drawing, |page| write(Frame::Page(page))),
        Some(pictures) => judge::pages(&bytes, &drawing, pictures, |page, judgement| {
            write(Frame::Page(page))?;
            write(Frame::Judged(judgement))
        }),
    };
    written?;
    summary.map_or_else(failed, Frame::Done).write(output)
}
