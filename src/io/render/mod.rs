//! Rendering documents: so many at once, each within limits, in a process of its own where one can be had. What a
//! document does to its renderer costs that document alone. It fetches nothing.

mod child;
mod frame;
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
use crate::document::page::Counting;
use crate::document::printed::Printed;
use crate::document::receive;
use crate::document::{self, Kind, Options, Probe, Summary, file};
use crate::engine::effect::RenderRequest;
use crate::model::account::Documents;
use crate::model::fax::{MediaType, PageSize, Quality};
use crate::model::media::{Document, UnreadableDocument};
use crate::model::page::{FaxPage, PageLoss};
use crate::model::reception::{HeaderLine, Reception};

/// Wall-clock time for one document, and for one page of it, where nothing else is said.
const DOCUMENT_LIMIT: Duration = Duration::from_secs(120);
const PAGE_LIMIT: Duration = Duration::from_secs(30);
/// Forms in which a page is kept: drawn, in the file that is sent, and on paper.
const FORMS: usize = 3;
/// Bytes that the pages of one document may have; a thousand dithered photographs have about as many.
const PAGES_BYTES_MAX: usize = 512 * 1024 * 1024;

/// How documents are rendered.
#[derive(Debug, Clone)]
pub struct RenderOptions {
    /// The program that renders one document when it is called with `CHILD_ARGUMENT`; none: threads of this process.
    pub program: Option<PathBuf>,
    /// Documents at once; as many as there are processors where it is none.
    pub at_once: Option<usize>,
    /// Where further fonts are.
    pub font_directory: Option<PathBuf>,
    /// Whether incoming pages carry the sender's header line.
    pub header_line: HeaderLine,
    /// Wall-clock time for one document.
    pub document_limit: Duration,
    /// Wall-clock time for one page of it, where it has a process of its own.
    pub page_limit: Duration,
    /// Is told how many pages have been drawn, after each.
    pub progress: Option<fn(usize)>,
}

impl Default for RenderOptions {
    /// Threads of this process, the fonts inside.
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

/// What a program is called with to be a renderer.
pub const CHILD_ARGUMENT: &str = "render-child";

/// The pool; clones are the same one.
#[derive(Clone)]
pub struct Renderer(Arc<Pool>);

struct Pool {
    options: RenderOptions,
    fonts: Fonts,
    places: Semaphore,
    pictures: Pictures,
    recent: Recent,
}

/// The threads of this process are one pool, however many emulators a test founds.
static THREADS: OnceLock<Renderer> = OnceLock::new();

/// How pages are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drawing {
    /// How close the rows lie.
    pub quality: Quality,
    /// What becomes of greys.
    pub tone: Tone,
    /// Which codings are counted.
    pub counting: Counting,
}

impl Drawing {
    /// As faxes are drawn.
    const fn of_a_fax(quality: Quality) -> Self {
        Self { quality, tone: Tone::Dither, counting: Counting::All }
    }
}

/// What is wanted of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    /// Its kind and the number of its pages.
    Probe,
    /// Its fax pages.
    Pages(Drawing),
    /// The pages that it holds; it is a file of the emulator's own.
    Held,
}

/// What came of it.
pub(super) struct Made {
    probe: Option<Probe>,
    pages: Vec<FaxPage>,
    summary: Summary,
    /// The file that is sent, once somebody has sent it.
    sent: OnceLock<Document>,
    /// The pages on paper, once somebody has received them.
    printed: Mutex<Option<(PageSize, Arc<PrintedPages>)>>,
}

/// Pages as they are printed; none of those that the header line alone doesn't make.
type PrintedPages = [Option<Arc<Printed>>];

impl Made {
    fn probed(probe: Probe) -> Self {
        let summary = Summary { document_pages: probe.pages, losses: Vec::new() };
        Self { probe: Some(probe), pages: Vec::new(), summary, sent: OnceLock::new(), printed: Mutex::default() }
    }

    fn drawn(pages: Vec<FaxPage>, summary: Summary) -> Self {
        Self { probe: None, pages, summary, sent: OnceLock::new(), printed: Mutex::default() }
    }

    /// About what it takes: its pages, their file, and the pages on paper of one size.
    fn size_bytes(&self) -> usize {
        self.pages.iter().map(|page| (page.mmr.len() + size_of::<FaxPage>()) * FORMS).sum()
    }

    /// The file of these pages as they come in.
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
        // Few apps receive on paper of several sizes, so that one is kept. Who needs the same meanwhile had better wait.
        let made: Arc<PrintedPages> =
            self.pages.iter().map(|page| Printed::new(page, header_line, size).map(Arc::new)).collect();
        *kept = Some((size, Arc::clone(&made)));
        made
    }
}

impl Renderer {
    /// A pool.
    ///
    /// # Errors
    /// The directory of fonts can't be read.
    pub fn new(options: RenderOptions) -> std::io::Result<Self> {
        let fonts = options.font_directory.as_deref().map(Fonts::of_directory).transpose()?.unwrap_or_default();
        let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let places = Semaphore::new(options.at_once.unwrap_or(processors).max(1));
        Ok(Self(Arc::new(Pool { options, fonts, places, pictures: Pictures::default(), recent: Recent::default() })))
    }

    /// A pool of threads, with the fonts inside alone.
    #[must_use]
    pub fn threads() -> Self {
        let pool = || {
            let places = Semaphore::new(std::thread::available_parallelism().map_or(1, std::num::NonZero::get));
            let (options, fonts, pictures) = (RenderOptions::default(), Fonts::default(), Pictures::default());
            Self(Arc::new(Pool { options, fonts, places, pictures, recent: Recent::default() }))
        };
        THREADS.get_or_init(pool).clone()
    }

    /// `process` or `thread`: whether a document that goes wrong can take the emulator's memory with it.
    #[must_use]
    pub fn mode(&self) -> &'static str {
        if self.0.options.program.is_some() { "process" } else { "thread" }
    }

    /// Recognises a document and counts its pages.
    ///
    /// # Errors
    /// It is nothing that can be faxed.
    pub async fn probe(&self, bytes: Arc<[u8]>) -> Result<Document, UnreadableDocument> {
        document::kind(&bytes)?;
        let made = self.make(Arc::clone(&bytes), Wish::Probe).await?;
        let probe = made.probe.as_ref().ok_or_else(|| unreadable("the document's pages could not be counted"))?;
        Ok(Document::unrendered(probe.pages, bytes))
    }

    /// The file of the fax pages that are sent of a document.
    ///
    /// # Errors
    /// It can't be rendered, or may not be sent.
    pub async fn to_send(
        &self,
        bytes: Arc<[u8]>,
        quality: Quality,
        documents: Documents,
    ) -> Result<Document, UnreadableDocument> {
        let kind = document::kind(&bytes)?;
        if documents == Documents::Strict && kind != Kind::Pdf {
            let reason = format!("only PDF can be sent with --documents strict, this is a {}", kind.name());
            return Err(UnreadableDocument { reason });
        }
        let made = self.make(bytes, Wish::Pages(Drawing::of_a_fax(quality))).await?;
        let file = move |_: &Pool| {
            let file = || file::document(&made.pages, MediaType::Pdf, &made.summary.losses);
            made.sent.get_or_init(file).clone()
        };
        self.blocking(file).await
    }

    /// The file of the pages that come in.
    ///
    /// # Errors
    /// The document can't be rendered.
    pub async fn received(&self, request: RenderRequest) -> Result<Document, UnreadableDocument> {
        let RenderRequest { document, quality, reception } = request;
        if !document.sheets.is_empty() {
            let received = move |pool: &Pool| {
                let made = pool.held(&document);
                made.received(&reception, pool.options.header_line, &document.losses)
            };
            return self.blocking(received).await;
        }
        let made = self.make(Arc::clone(&document.bytes), Wish::Pages(Drawing::of_a_fax(quality))).await?;
        self.blocking(move |pool| made.received(&reception, pool.options.header_line, &made.summary.losses)).await
    }

    /// The fax pages of a document. They are not kept: who asks for them has them.
    ///
    /// # Errors
    /// It can't be rendered.
    pub async fn pages(
        &self,
        bytes: Arc<[u8]>,
        drawing: Drawing,
    ) -> Result<(Vec<FaxPage>, Summary), UnreadableDocument> {
        document::kind(&bytes)?;
        let made = self.make_anew(bytes, Wish::Pages(drawing)).await?;
        Ok((made.pages, made.summary))
    }

    /// One page of a rendered document, from 0, as a PNG; none where it has no such page.
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

    /// Renders in a process or on a thread, when a place is free; what was rendered lately is taken as it is.
    async fn make(&self, bytes: Arc<[u8]>, wish: Wish) -> Result<Arc<Made>, UnreadableDocument> {
        let name = Name::of(&bytes, wish);
        if let Some(made) = self.0.recent.get(name) {
            return Ok(made);
        }
        let _place = self.place().await?;
        // Another may have made it while this one waited.
        if let Some(made) = self.0.recent.get(name) {
            return Ok(made);
        }
        let made = Arc::new(self.make_in_place(bytes, wish).await?);
        self.0.recent.put(name, Arc::clone(&made));
        Ok(made)
    }

    /// Renders when a place is free, and keeps nothing.
    async fn make_anew(&self, bytes: Arc<[u8]>, wish: Wish) -> Result<Made, UnreadableDocument> {
        let _place = self.place().await?;
        self.make_in_place(bytes, wish).await
    }

    async fn place(&self) -> Result<SemaphorePermit<'_>, UnreadableDocument> {
        self.0.places.acquire().await.map_err(|_| unreadable("the renderer is shut down"))
    }

    async fn make_in_place(&self, bytes: Arc<[u8]>, wish: Wish) -> Result<Made, UnreadableDocument> {
        match &self.0.options.program {
            Some(program) => child::make(program, &self.0.options, bytes, wish).await,
            None => self.on_a_thread(bytes, wish).await,
        }
    }

    /// A thread can't be stopped: one that is too slow is left to end by itself after its page.
    async fn on_a_thread(&self, bytes: Arc<[u8]>, wish: Wish) -> Result<Made, UnreadableDocument> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let made = self.blocking(move |pool| {
            let take = || if stopped.load(Ordering::Relaxed) { Err(()) } else { Ok(()) };
            make_here(&bytes, wish, &pool.fonts, take)
        });
        let Ok(made) = tokio::time::timeout(self.0.options.document_limit, made).await else {
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
        let failed = |_| unreadable("drawing the document failed within the emulator; please report it");
        started(|| tokio::task::spawn_blocking(move || work(&pool)))?.await.map_err(failed)
    }
}

impl Pool {
    /// The pages of a file of the emulator's own.
    fn held(&self, document: &Document) -> Arc<Made> {
        let name = Name::of(&document.bytes, Wish::Held);
        let pages: Vec<FaxPage> = file::pages(document).collect();
        // The same bytes may be told to hold other pages.
        if let Some(made) = self.recent.get(name).filter(|made| made.pages == pages) {
            return made;
        }
        let summary = Summary { document_pages: document.pages, losses: Vec::new() };
        let made = Arc::new(Made::drawn(pages, summary));
        self.recent.put(name, Arc::clone(&made));
        made
    }
}

/// What has been started on a thread. Where the machine has no further thread, the runtime panics.
fn started<T>(start: impl FnOnce() -> T) -> Result<T, UnreadableDocument> {
    catch_unwind(AssertUnwindSafe(start)).map_err(|panic| {
        let why = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
        unreadable(&format!("no thread can be started to draw it: {}", why.unwrap_or("the machine says no more")))
    })
}

/// Does what is wished, here and now; `goes_on` is asked before each page.
fn make_here(
    bytes: &Arc<[u8]>,
    wish: Wish,
    fonts: &Fonts,
    goes_on: impl Fn() -> Result<(), ()>,
) -> Result<Made, UnreadableDocument> {
    match wish {
        Wish::Held => Err(unreadable("a file of the emulator's own is not drawn")),
        Wish::Probe => {
            let probe = document::probe(bytes)?;
            Ok(Made::probed(probe))
        }
        Wish::Pages(drawing) => {
            let (mut pages, mut size) = (Vec::new(), 0);
            let summary = document::pages(bytes, &options(drawing, fonts.clone()), |page: FaxPage| {
                size += page.mmr.len();
                pages.push(page);
                if size > PAGES_BYTES_MAX || goes_on().is_err() {
                    std::ops::ControlFlow::Break(())
                } else {
                    std::ops::ControlFlow::Continue(())
                }
            })?;
            if size > PAGES_BYTES_MAX {
                return Err(too_large());
            }
            Ok(Made::drawn(pages, summary))
        }
    }
}

fn options(Drawing { quality, tone, counting }: Drawing, fonts: Fonts) -> Options {
    Options { quality: Some(quality), tone, counting, fonts }
}

fn too_slow(limit: Duration) -> UnreadableDocument {
    unreadable(&format!("the document takes longer to draw than {} s", limit.as_secs()))
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
    fn a_thread_that_can_not_be_started_is_told_with_the_machines_reason() {
        let refused = started(|| -> () { panic!("OS can't spawn worker thread: out of them") });
        let reason = refused.expect_err("it can't be started").reason;
        assert!(reason.contains("no thread") && reason.contains("out of them"), "{reason}");
    }

    #[tokio::test]
    async fn a_renderer_that_can_not_be_started_is_told_with_the_machines_reason() {
        let options = RenderOptions { program: Some("/nowhere/fauxfax".into()), ..RenderOptions::default() };
        let renderer = Renderer::new(options).expect("a pool");
        let document = document::sample::test_pages(1);
        let refused = renderer.to_send(document.into(), Quality::Fine, Documents::Lenient).await;
        let reason = refused.expect_err("it can't be started").reason;
        assert!(reason.contains("no renderer can be started") && reason.contains("os error 2"), "{reason}");
    }
}
