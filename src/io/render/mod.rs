//! Renders documents: a limited number at a time, each within a time limit. If a renderer program is configured, each
//! is rendered in a separate process, whose memory is limited on Linux. A document that crashes such a process affects
//! no other document.

mod child;
mod frame;
mod judged;
mod pictures;
mod recent;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{Semaphore, SemaphorePermit};

pub use self::child::{ADDRESS_SPACE_BYTES_MAX, MEMORY_BYTES_MAX, run as run_child};

use self::pictures::{Key, Pictures};
use self::recent::{Name, Recent};

use crate::document::dither::Tone;
use crate::document::fonts::Fonts;
use crate::document::judge::{self, PageJudgement, Report};
use crate::document::page::Counting;
use crate::document::printed::Printed;
use crate::document::receive;
use crate::document::{self, Kind, Options, Probe, Summary, file};
use crate::engine::effect::RenderRequest;
use crate::model::account::DocumentPolicy;
use crate::model::fax::{MediaType, PageSize, Quality};
use crate::model::media::{Document, UnreadableDocument};
use crate::model::page::{FaxPage, PageLoss};
use crate::model::reception::{HeaderLine, Reception};

/// The default time limit for one document, in real time.
const DOCUMENT_LIMIT: Duration = Duration::from_secs(120);
/// The default time limit for one page of a document.
const PAGE_LIMIT: Duration = Duration::from_secs(30);
/// The number of forms in which each page is kept: as drawn, in the file that is sent, and on paper.
const FORMS: usize = 3;
/// The maximum size of one document's coded pages, their text and the pictures of findings, in bytes: about a thousand
/// dithered photographs.
const PAGES_BYTES_MAX: usize = 512 * 1024 * 1024;

/// The options and limits for rendering documents.
#[derive(Debug, Clone)]
pub struct RenderOptions {
    /// The program that renders one document when it is called with [`CHILD_ARGUMENT`]. `None` renders on this
    /// process's threads.
    pub program: Option<PathBuf>,
    /// How many documents are rendered in parallel; the number of processors if absent.
    pub at_once: Option<usize>,
    /// The font folder for PDFs that don't embed their fonts.
    pub font_directory: Option<PathBuf>,
    /// Whether pages of incoming faxes carry the sender's header line.
    pub header_line: HeaderLine,
    /// The time limit for one document, in real time.
    pub document_limit: Duration,
    /// The time limit for one page, in real time. It can be enforced only on a separate process.
    pub page_limit: Duration,
    /// Called with the number of pages drawn so far, after each page that a separate process has drawn.
    pub progress: Option<fn(usize)>,
}

impl Default for RenderOptions {
    /// Renders on this process's threads, with the built-in fonts only.
    fn default() -> Self {
        Self {
            program: None,
            at_once: None,
            font_directory: None,
            header_line: HeaderLine::On,
            document_limit: DOCUMENT_LIMIT,
            page_limit: PAGE_LIMIT,
            progress: None,
        }
    }
}

/// The command-line argument that makes the binary render a single document.
pub const CHILD_ARGUMENT: &str = "render-child";

/// A handle to a pool of renderers; clones share the pool.
#[derive(Clone)]
pub struct Renderer(Arc<Pool>);

struct Pool {
    options: RenderOptions,
    fonts: Fonts,
    places: Semaphore,
    pictures: Pictures,
    recent: Recent,
}

/// The pool of threads. All emulators of a process share it, because a test may create many emulators.
static THREADS: OnceLock<Renderer> = OnceLock::new();

/// The way in which a document's pages are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drawing {
    /// The resolution, which sets how many rows a page has.
    pub quality: Quality,
    /// The method of converting greys to black and white.
    pub tone: Tone,
    /// The codings whose size is counted for each page.
    pub counting: Counting,
}

impl Drawing {
    /// Returns the drawing options for sent faxes: dithered, with all codings counted.
    const fn of_a_fax(quality: Quality) -> Self {
        Self { quality, tone: Tone::Dither, counting: Counting::All }
    }
}

/// A task to perform on a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Job {
    /// Determine the document's kind and number of pages.
    Probe,
    /// Draw the document's fax pages.
    Pages(Drawing),
    /// Draw the document's fax pages and judge them.
    Judge(Drawing, judge::Pictures),
    /// Take the pages that the document already contains, since the emulator made the file.
    Held,
}

/// The output of a job, and the files later made from it.
pub(super) struct Made {
    probe: Option<Probe>,
    pages: Vec<FaxPage>,
    summary: Summary,
    /// What was found on each page, if the document was judged.
    judgements: Vec<PageJudgement>,
    /// The file that is sent, made when it is first needed.
    sent: OnceLock<Document>,
    /// The pages as printed on paper of the size used last, made when they are first needed.
    printed: Mutex<Option<(PageSize, Arc<PrintedPages>)>>,
}

/// Pages as printed on paper. `None` for a page that takes more than one sheet, or that is shortened to fit on one.
type PrintedPages = [Option<Arc<Printed>>];

impl Made {
    fn probed(probe: Probe) -> Self {
        let summary = Summary { document_pages: probe.pages, losses: Vec::new() };
        Self { probe: Some(probe), ..Self::drawn(Vec::new(), summary) }
    }

    fn drawn(pages: Vec<FaxPage>, summary: Summary) -> Self {
        let judgements = Vec::new();
        Self { probe: None, pages, summary, judgements, sent: OnceLock::new(), printed: Mutex::default() }
    }

    /// Returns the approximate size in memory: the pages, the file made from them, and the pages on one size of paper.
    fn size_bytes(&self) -> usize {
        self.pages.iter().map(|page| (page.size_bytes() + size_of::<FaxPage>()) * FORMS).sum()
    }

    /// Returns the file that the receiver gets: these pages, printed according to `reception`.
    fn received(&self, reception: &Reception, header_line: HeaderLine, losses: &[PageLoss]) -> Document {
        let printed = self.printed(reception.page_size, header_line);
        let before = |number: u64| usize::try_from(number - 1).ok().and_then(|at| printed.get(at)?.clone());
        receive::received(self.pages.iter().cloned(), reception, header_line, losses, before)
    }

    fn printed(&self, size: PageSize, header_line: HeaderLine) -> Arc<PrintedPages> {
        let mut kept = self.printed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, printed)) = kept.as_ref().filter(|(own, _)| *own == size) {
            return Arc::clone(printed);
        }
        // Few apps receive on several paper sizes, so the pages are kept for only one. The lock is held while pages are
        // printed: a second caller would only repeat the work.
        let made: Arc<PrintedPages> =
            self.pages.iter().map(|page| Printed::new(page, header_line, size).map(Arc::new)).collect();
        *kept = Some((size, Arc::clone(&made)));
        made
    }
}

impl Renderer {
    /// Creates a pool with these options, and reads the fonts.
    ///
    /// # Errors
    /// Fails if the font folder can't be read.
    pub fn new(options: RenderOptions) -> std::io::Result<Self> {
        let fonts = options.font_directory.as_deref().map(Fonts::of_directory).transpose()?.unwrap_or_default();
        let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        // There is at least one permit, or no document would ever be rendered.
        let places = Semaphore::new(options.at_once.unwrap_or(processors).max(1));
        Ok(Self(Arc::new(Pool { options, fonts, places, pictures: Pictures::default(), recent: Recent::default() })))
    }

    /// Returns this process's thread pool, with the built-in fonts only.
    #[must_use]
    pub fn threads() -> Self {
        let pool = || {
            let places = Semaphore::new(std::thread::available_parallelism().map_or(1, std::num::NonZero::get));
            let (options, fonts, pictures) = (RenderOptions::default(), Fonts::default(), Pictures::default());
            Self(Arc::new(Pool { options, fonts, places, pictures, recent: Recent::default() }))
        };
        THREADS.get_or_init(pool).clone()
    }

    /// Returns `process` if each document is rendered in a separate process, and `thread` otherwise.
    #[must_use]
    pub fn mode(&self) -> &'static str {
        if self.0.options.program.is_some() { "process" } else { "thread" }
    }

    /// Recognises a document's kind and counts its pages.
    ///
    /// # Errors
    /// Fails if the document is not of a kind that can be faxed, or can't be read.
    pub async fn probe(&self, bytes: Arc<[u8]>) -> Result<Document, UnreadableDocument> {
        document::kind(&bytes)?;
        let made = self.make(Arc::clone(&bytes), Job::Probe).await?;
        let probe = made.probe.as_ref().ok_or_else(|| unreadable("the document's pages could not be counted"))?;
        Ok(Document::unrendered(probe.pages, bytes))
    }

    /// Returns a PDF of the fax pages that are sent for a document.
    ///
    /// # Errors
    /// Fails if the document can't be rendered, or `documents` doesn't allow its kind.
    pub async fn to_send(
        &self,
        bytes: Arc<[u8]>,
        quality: Quality,
        documents: DocumentPolicy,
    ) -> Result<Document, UnreadableDocument> {
        let kind = document::kind(&bytes)?;
        if documents == DocumentPolicy::Strict && kind != Kind::Pdf {
            let reason = format!("the document is a {}, and --documents strict allows only PDF", kind.name());
            return Err(UnreadableDocument { reason });
        }
        let made = self.make(bytes, Job::Pages(Drawing::of_a_fax(quality))).await?;
        let file = move |_: &Pool| {
            let file = || file::document(&made.pages, MediaType::Pdf, &made.summary.losses);
            made.sent.get_or_init(file).clone()
        };
        self.blocking(file).await
    }

    /// Returns a file with the pages that the receiver gets.
    ///
    /// # Errors
    /// Fails if the document can't be rendered.
    pub async fn received(&self, request: RenderRequest) -> Result<Document, UnreadableDocument> {
        let RenderRequest { document, quality, reception } = request;
        // A file that the emulator made holds fax pages already, so nothing needs to be drawn.
        if !document.sheets.is_empty() {
            let received = move |pool: &Pool| {
                let made = pool.held(&document);
                made.received(&reception, pool.options.header_line, &document.losses)
            };
            return self.blocking(received).await;
        }
        let made = self.make(Arc::clone(&document.bytes), Job::Pages(Drawing::of_a_fax(quality))).await?;
        self.blocking(move |pool| made.received(&reception, pool.options.header_line, &made.summary.losses)).await
    }

    /// Returns the fax pages of a document. They are not cached, because the caller keeps them.
    ///
    /// # Errors
    /// Fails if the document can't be rendered.
    pub async fn pages(
        &self,
        bytes: Arc<[u8]>,
        drawing: Drawing,
    ) -> Result<(Vec<FaxPage>, Summary), UnreadableDocument> {
        document::kind(&bytes)?;
        let made = self.make_anew(bytes, Job::Pages(drawing)).await?;
        Ok((made.pages, made.summary))
    }

    /// Returns the fax pages of a document, and what was found on them.
    ///
    /// # Errors
    /// Fails if the document can't be rendered.
    pub async fn judged(
        &self,
        bytes: Arc<[u8]>,
        drawing: Drawing,
        pictures: judge::Pictures,
    ) -> Result<(Vec<FaxPage>, Report), UnreadableDocument> {
        document::kind(&bytes)?;
        let made = self.make_anew(bytes, Job::Judge(drawing, pictures)).await?;
        Ok((made.pages, Report::new(drawing.quality, made.judgements, &made.summary)))
    }

    /// Returns page `page` of a rendered document, counted from 0, as a PNG `width` pixels wide; `None` if there is no
    /// such page.
    pub async fn png(&self, document: Document, page: usize, width: u32) -> Option<Bytes> {
        let key = Key::of(&document, page, width)?;
        if let Some(png) = self.0.pictures.get(&key) {
            return Some(png);
        }
        let drawn = self.blocking(move |_| file::page(&document, page).map(|page| document::png::page(&page, width)));
        let png = Bytes::from(drawn.await.ok()??.ok()?);
        self.0.pictures.put(key, png.clone());
        Some(png)
    }

    /// Does a job in a process or on a thread as soon as a slot is free, or returns the cached output of the same job.
    async fn make(&self, bytes: Arc<[u8]>, job: Job) -> Result<Arc<Made>, UnreadableDocument> {
        let name = Name::of(&bytes, job);
        if let Some(made) = self.0.recent.get(name) {
            return Ok(made);
        }
        let _place = self.place().await?;
        // Another call may have done the same job while this one was waiting.
        if let Some(made) = self.0.recent.get(name) {
            return Ok(made);
        }
        let made = Arc::new(self.make_in_place(bytes, job).await?);
        self.0.recent.put(name, Arc::clone(&made));
        Ok(made)
    }

    /// Does a job as soon as a slot is free, without caching the output.
    async fn make_anew(&self, bytes: Arc<[u8]>, job: Job) -> Result<Made, UnreadableDocument> {
        let _place = self.place().await?;
        self.make_in_place(bytes, job).await
    }

    async fn place(&self) -> Result<SemaphorePermit<'_>, UnreadableDocument> {
        self.0.places.acquire().await.map_err(|_| unreadable("the renderer has shut down"))
    }

    async fn make_in_place(&self, bytes: Arc<[u8]>, job: Job) -> Result<Made, UnreadableDocument> {
        match &self.0.options.program {
            Some(program) => child::make(program, &self.0.options, bytes, job).await,
            None => self.on_a_thread(bytes, job).await,
        }
    }

    /// Does a job on a thread. A thread can't be killed, so one that is too slow is asked to stop after the current
    /// page.
    async fn on_a_thread(&self, bytes: Arc<[u8]>, job: Job) -> Result<Made, UnreadableDocument> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let made = self.blocking(move |pool| {
            let take = || if stopped.load(Ordering::Relaxed) { Err(()) } else { Ok(()) };
            make_here(&bytes, job, &pool.fonts, take)
        });
        let Ok(made) = tokio::time::timeout(self.0.options.document_limit, made).await else {
            // Relaxed: the thread need only notice the flag before its next page.
            stop.store(true, Ordering::Relaxed);
            return Err(too_slow(self.0.options.document_limit));
        };
        made?
    }

    #[expect(clippy::disallowed_methods, reason = "the pool of renderers limits how many draw at once")]
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Pool) -> T + Send + 'static,
    ) -> Result<T, UnreadableDocument> {
        let pool = Arc::clone(&self.0);
        let failed = |_| unreadable("drawing the document failed because of a fault in the emulator; please report it");
        started(|| tokio::task::spawn_blocking(move || work(&pool)))?.await.map_err(failed)
    }
}

impl Pool {
    /// Returns the pages in a file that the emulator made.
    fn held(&self, document: &Document) -> Arc<Made> {
        let name = Name::of(&document.bytes, Job::Held);
        let pages: Vec<FaxPage> = file::pages(document).collect();
        // The bytes alone don't identify the job: a document records separately which pages they contain.
        if let Some(made) = self.recent.get(name).filter(|made| made.pages == pages) {
            return made;
        }
        let summary = Summary { document_pages: document.pages, losses: Vec::new() };
        let made = Arc::new(Made::drawn(pages, summary));
        self.recent.put(name, Arc::clone(&made));
        made
    }
}

/// Starts a thread. If the system allows no further thread, the runtime panics; this function turns the panic into an
/// error.
fn started<T>(start: impl FnOnce() -> T) -> Result<T, UnreadableDocument> {
    catch_unwind(AssertUnwindSafe(start)).map_err(|panic| {
        let why = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
        unreadable(&format!(
            "no thread can be started to draw the document: {}",
            why.unwrap_or("the system gives no reason")
        ))
    })
}

/// Does a job on the current thread. `goes_on` is called after each page, and stops the job if it returns an error.
fn make_here(
    bytes: &Arc<[u8]>,
    job: Job,
    fonts: &Fonts,
    goes_on: impl Fn() -> Result<(), ()>,
) -> Result<Made, UnreadableDocument> {
    match job {
        Job::Held => Err(unreadable("a file that the emulator made is not drawn again")),
        Job::Probe => {
            let probe = document::probe(bytes)?;
            Ok(Made::probed(probe))
        }
        Job::Pages(drawing) | Job::Judge(drawing, _) => {
            let (mut pages, mut judgements, mut size) = (Vec::new(), Vec::new(), 0);
            let mut take = |page: FaxPage, judgement: Option<PageJudgement>| {
                size += page.size_bytes() + judgement.as_ref().map_or(0, pictures_bytes);
                pages.push(page);
                judgements.extend(judgement);
                if size > PAGES_BYTES_MAX || goes_on().is_err() {
                    std::ops::ControlFlow::Break(())
                } else {
                    std::ops::ControlFlow::Continue(())
                }
            };
            let options = options(drawing, fonts.clone());
            let summary = if let Job::Judge(_, pictures) = job {
                judge::pages(bytes, &options, pictures, |page, judgement| take(page, Some(judgement)))?
            } else {
                document::pages(bytes, &options, |page| take(page, None))?
            };
            if size > PAGES_BYTES_MAX {
                return Err(too_large());
            }
            Ok(Made { judgements, ..Made::drawn(pages, summary) })
        }
    }
}

/// Returns the size of the pictures of findings, in bytes.
fn pictures_bytes(judgement: &PageJudgement) -> usize {
    judgement.findings.iter().filter_map(|finding| finding.picture.as_ref()).map(Vec::len).sum()
}

fn options(Drawing { quality, tone, counting }: Drawing, fonts: Fonts) -> Options {
    Options { quality: Some(quality), tone, counting, fonts }
}

fn too_slow(limit: Duration) -> UnreadableDocument {
    unreadable(&format!("the document takes longer than {} s to draw", limit.as_secs()))
}

fn too_large() -> UnreadableDocument {
    unreadable(&format!("the document's fax pages have more than {PAGES_BYTES_MAX} bytes"))
}

fn unreadable(reason: &str) -> UnreadableDocument {
    UnreadableDocument { reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_cannot_be_started_is_an_error_with_the_systems_reason() {
        let refused = started(|| -> () { panic!("OS can't spawn worker thread: out of them") });
        let reason = refused.expect_err("it can't be started").reason;
        assert!(reason.contains("no thread") && reason.contains("out of them"), "{reason}");
    }

    #[tokio::test]
    async fn a_renderer_that_cannot_be_started_is_an_error_with_the_systems_reason() {
        let options = RenderOptions { program: Some("/nowhere/fauxfax".into()), ..RenderOptions::default() };
        let renderer = Renderer::new(options).expect("a pool");
        let document = document::sample::test_pages(1);
        let refused = renderer.to_send(document.into(), Quality::Fine, DocumentPolicy::Lenient).await;
        let reason = refused.expect_err("it can't be started").reason;
        assert!(reason.contains("no renderer can be started") && reason.contains("os error 2"), "{reason}");
    }
}
