//! Builds small PDFs for tests, and converts them to fax pages.

use std::io::Write;
use std::ops::ControlFlow;
use std::sync::Arc;

use fauxfax::document::bitmap::Bitmap;
use fauxfax::document::ccitt::{self, Stored};
use fauxfax::document::fonts::Fonts;
use fauxfax::document::{self, Options};
use fauxfax::model::fax::Quality;
use fauxfax::model::page::PageLoss;
use flate2::Compression;
use flate2::write::ZlibEncoder;

/// Builds a PDF from these objects, numbered from 1; the first is the catalog.
pub(crate) fn file(objects: &[Vec<u8>]) -> Vec<u8> {
    let mut file = b"%PDF-1.7\n".to_vec();
    let mut places = Vec::new();
    for (number, object) in (1..).zip(objects) {
        places.push(file.len());
        file.extend(format!("{number} 0 obj\n").into_bytes());
        file.extend(object);
        file.extend(b"\nendobj\n");
    }
    let start = file.len();
    file.extend(format!("xref\n0 {}\n0000000000 65535 f \n", places.len() + 1).into_bytes());
    places.iter().for_each(|place| file.extend(format!("{place:010} 00000 n \n").into_bytes()));
    let size = places.len() + 1;
    file.extend(format!("trailer << /Size {size} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n").into_bytes());
    file
}

/// Builds a stream object with these dictionary entries.
pub(crate) fn stream(entries: &str, data: &[u8]) -> Vec<u8> {
    let mut object = format!("<< {entries} /Length {} >>\nstream\n", data.len()).into_bytes();
    object.extend(data);
    object.extend(b"\nendstream");
    object
}

/// Compresses data into a zlib stream.
pub(crate) fn deflated(data: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(data).expect("in memory");
    encoder.finish().expect("in memory")
}

/// Builds a PDF with one letter-size page. `entries` are added to the page dictionary (such as `/Resources`), `content` is
/// the content stream, and `more` are the objects from number 5 up.
pub(crate) fn page(entries: &str, content: Vec<u8>, more: &[Vec<u8>]) -> Vec<u8> {
    let leaf = format!("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R {entries} >>");
    document("", &leaf, content, more)
}

/// Builds a one-page document. `catalog` holds extra entries for the catalog, `leaf` is the page dictionary, and `more` are the
/// objects from number 5 up.
pub(crate) fn document(catalog: &str, leaf: &str, content: Vec<u8>, more: &[Vec<u8>]) -> Vec<u8> {
    let mut objects = vec![
        format!("<< /Type /Catalog /Pages 2 0 R {catalog} >>").into_bytes(),
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_vec(),
        leaf.as_bytes().to_vec(),
        content,
    ];
    objects.extend(more.iter().cloned());
    file(&objects)
}

/// The fax pages made from a document, and the losses reported.
#[derive(Debug)]
pub(crate) struct Made {
    pub(crate) pages: Vec<Bitmap>,
    pub(crate) losses: Vec<PageLoss>,
    quality: Quality,
}

/// Converts a PDF to fax pages at fine quality.
pub(crate) fn made(bytes: &[u8]) -> Made {
    made_with(bytes, Quality::Fine, Fonts::default())
}

/// Converts a PDF to fax pages at this quality.
pub(crate) fn made_at(bytes: &[u8], quality: Quality) -> Made {
    made_with(bytes, quality, Fonts::default())
}

/// Converts a PDF to fax pages at this quality, with these fonts for text whose font isn't embedded.
pub(crate) fn made_with(bytes: &[u8], quality: Quality, fonts: Fonts) -> Made {
    let bytes: Arc<[u8]> = bytes.into();
    let options = Options { quality: Some(quality), fonts, ..Options::default() };
    let mut pages = Vec::new();
    let summary = document::pages(&bytes, &options, |page| {
        let decoded = ccitt::decode(&page.mmr, Stored::Mmr, page.width, page.height);
        assert!(decoded.is_whole());
        pages.push(decoded.image);
        ControlFlow::Continue(())
    });
    let losses = summary.expect("a document").losses;
    Made { pages, losses, quality }
}

impl Made {
    /// Returns the share of black pels in a rectangle of the first page. The rectangle is given in points from the lower
    /// left corner of letter paper.
    pub(crate) fn ink(&self, corners: [f64; 4]) -> f64 {
        self.ink_of(0, corners)
    }

    /// Returns the share of black pels in such a rectangle of the page with this index.
    pub(crate) fn ink_of(&self, page: usize, corners: [f64; 4]) -> f64 {
        let (black, all) = self.counted(page, corners);
        f64::from(black) / f64::from(all.max(1))
    }

    /// Counts the black pels in a rectangle of the first page.
    pub(crate) fn black_in(&self, corners: [f64; 4]) -> u32 {
        self.counted(0, corners).0
    }

    /// Counts the black pels and all pels in a rectangle of the page with this index.
    fn counted(&self, page: usize, [x0, y0, x1, y1]: [f64; 4]) -> (u32, u32) {
        let bits = &self.pages[page];
        let (across, down) = (204.0 / 72.0, f64::from(self.quality.rows_an_inch()) / 72.0);
        // Letter paper is 6 pels wider than a fax page, which lacks 3 on either side.
        let column = |x: f64| ((x * across - 3.0).round().max(0.0) as u32).min(bits.width());
        let row = |y: f64| (((792.0 - y) * down).round().max(0.0) as u32).min(bits.height());
        let (mut black, mut all) = (0_u32, 0_u32);
        for y in row(y1)..row(y0) {
            for x in column(x0)..column(x1) {
                black += u32::from(bits.is_black(x, y));
                all += 1;
            }
        }
        (black, all)
    }

    /// Counts the black pels on all pages.
    pub(crate) fn black(&self) -> u32 {
        self.pages.iter().flat_map(Bitmap::rows).flatten().map(|word| word.count_ones()).sum()
    }

    /// Checks that no loss was reported.
    pub(crate) fn is_whole(&self) -> &Self {
        assert!(self.losses.is_empty(), "{:?}", self.losses);
        self
    }

    /// Checks that a loss with these words is reported for this page (0 for the whole document).
    pub(crate) fn tells(&self, page: u32, words: &str) -> &Self {
        let wanted = (page > 0).then_some(page);
        let told = self.losses.iter().any(|loss| loss.page == wanted && loss.what.contains(words));
        assert!(told, "{words:?} on {page}: {:?}", self.losses);
        self
    }
}
