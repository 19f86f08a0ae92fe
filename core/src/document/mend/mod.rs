//! Repairs what the renderer is known to leave out or to draw wrongly: pages that are listed twice, boxes without an
//! area, incomplete streams, annotations without an appearance, fonts that are not embedded, black ink that would
//! become grey. What can't be repaired is reported. A document in which there is nothing to repair is drawn unchanged;
//! any other is rewritten.

mod colors;
mod content;
pub(super) mod faxes;
mod fields;
mod fonts;
mod images;
mod lexer;
mod marks;
mod masks;
mod names;
mod operands;
mod pages;
pub(super) mod prepare;
mod resources;
mod streams;
mod value;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;

use hayro::hayro_syntax::Pdf;

use self::pages::Leaf;
use self::value::{Id, Store, Value};
use super::fonts::Fonts;

/// The loss that is noted for a page whose content can't be read.
const CONTENT_MISSING: &str = "the page's content is missing: it can't be read";
/// The loss that is noted for a page whose content ends too early.
const CONTENT_CUT: &str = "the page's content is incomplete: the rest can't be read";
/// The maximum number of bytes of a document's images that may be decoded before drawing, because all of them are in
/// memory at once.
const IMAGE_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// The loss that is noted for forms that draw each other over and over. A few kilobytes of them could keep the renderer
/// busy for years.
const ENDLESS: &str = "a part of the page is missing: its forms draw each other too many times";
/// The maximum number of forms and images that a page or a form may draw. The contents of a form count each time that
/// it is drawn.
const DRAWS_MAX: u64 = 500_000;
/// The maximum number of content streams per page; a page with more is cut off.
const CONTENTS_MAX: usize = 10_000;

/// A document that is ready to be drawn.
pub(super) struct Mended {
    /// The rewritten document, if rewriting was necessary.
    pub(super) bytes: Option<Vec<u8>>,
    /// Notes on each page, in page order.
    pub(super) pages: Vec<PageNotes>,
    /// Losses that concern the whole document.
    pub(super) losses: Vec<String>,
}

/// Notes on a page, made before it is drawn.
#[derive(Debug, Clone)]
pub(super) struct PageNotes {
    /// The size of a unit of the page's user space, in points.
    pub(super) unit: f64,
    /// Whether anything other than white is painted on the page.
    pub(super) paints: bool,
    /// Descriptions of the parts that are missing from the page.
    pub(super) losses: Vec<String>,
    /// The fax image, if the page consists of nothing else.
    pub(super) fax: Option<faxes::FaxImage>,
}

/// The findings from a page, a form or an image.
#[derive(Debug, Clone, Default)]
struct Findings {
    losses: Vec<String>,
    /// Whether anything other than white is painted.
    paints: bool,
    /// The number of forms and images that are drawn, counting repetitions.
    draws: u64,
}

impl Findings {
    /// Adds the findings from a part. Its draws are not added, because they count each time that the part is drawn.
    fn add(&mut self, other: &Self) {
        self.paints |= other.paints;
        for loss in &other.losses {
            self.note(loss.clone());
        }
    }

    /// Adds a loss, unless it has been noted already.
    fn note(&mut self, loss: impl Into<String>) {
        let loss = loss.into();
        if !self.losses.contains(&loss) {
            self.losses.push(loss);
        }
    }
}

/// Returns the number of pages in a document, including those in damaged page trees.
pub(super) fn count(pdf: &Pdf) -> usize {
    pages::found(&mut Store::new(pdf)).leaves.len()
}

/// Checks a document and repairs it.
pub(super) fn mended(pdf: &Pdf, fonts: &Fonts) -> Mended {
    let mut store = Store::new(pdf);
    let found = pages::found(&mut store);
    let catalog = store.catalog();
    let form = fields::Form::of(&mut store, &catalog);
    let cmyk = colors::cmyk(&mut store);
    let mut mender = Mender {
        store,
        cmyk,
        form,
        fonts,
        known: HashMap::new(),
        open: HashSet::new(),
        texts: fonts::Texts::default(),
        image_bytes_left: IMAGE_BYTES_MAX,
        number: 0,
    };
    mender.store.changed = differs(pdf, &found.leaves);
    let mut notes = Vec::new();
    let mut leaves = Vec::new();
    for (number, leaf) in (0..).zip(&found.leaves) {
        mender.number = number;
        let (page, findings, fax) = mender.page(leaf);
        leaves.push(page);
        notes.push(PageNotes { unit: leaf.unit, paints: findings.paints, losses: findings.losses, fax });
    }
    // Fonts come last, because a replacement font must have the characters that all pages need.
    let texts = std::mem::take(&mut mender.texts);
    for (page, loss) in texts.replace_fonts(&mut mender.store, fonts) {
        if let Some(notes) = notes.get_mut(page)
            && !notes.losses.contains(&loss)
        {
            notes.losses.push(loss);
        }
    }
    let bytes = mender.store.changed.then(|| mender.written(&catalog, leaves));
    Mended { bytes, pages: notes, losses: found.losses }
}

/// Returns whether the pages that the renderer would find in the file differ from these.
fn differs(pdf: &Pdf, leaves: &[Leaf<'_>]) -> bool {
    let near = |a: f64, b: f64| (a - b).abs() < 0.01;
    let same = |leaf: &Leaf<'_>, page: &hayro::hayro_syntax::page::Page<'_>| {
        let shown = page.intersected_crop_box();
        let [x0, y0, x1, y1] = leaf.crop;
        leaf.losses.is_empty() && near(shown.x0, x0) && near(shown.y0, y0) && near(shown.x1, x1) && near(shown.y1, y1)
    };
    let pages = pdf.pages();
    pages.len() != leaves.len() || leaves.iter().zip(pages.iter()).any(|(leaf, page)| !same(leaf, page))
}

/// Walks everything that pages show, visiting each object once.
struct Mender<'a> {
    store: Store<'a>,
    cmyk: Value<'a>,
    form: fields::Form<'a>,
    /// The fonts that can replace those that aren't embedded.
    fonts: &'a Fonts,
    /// The findings from the objects that have been visited.
    known: HashMap<Id, Rc<Findings>>,
    /// The objects that are being visited, so that an object that contains itself is recognised.
    open: HashSet<Id>,
    texts: fonts::Texts<'a>,
    /// The number of bytes of images that may still be decoded before drawing.
    image_bytes_left: u64,
    /// The current page's index, from 0.
    number: usize,
}

impl<'a> Mender<'a> {
    /// Returns a page that is ready to be drawn, the findings from it, and the fax image if the page consists of
    /// nothing else.
    fn page(&mut self, leaf: &Leaf<'a>) -> (Value<'a>, Findings, Option<faxes::FaxImage>) {
        let mut findings = Findings { losses: leaf.losses.clone(), paints: false, draws: 0 };
        // The reference is used, not the value, so that an unchanged stream is not copied.
        let contents = leaf.page.entries().and_then(|entries| entries.get(b"Contents".as_slice())).cloned();
        let (content, mut is_new) = self.content(&contents.clone().unwrap_or(Value::Null), &mut findings);
        let survey = content::survey(&content);
        // A stream that could be decoded only in part may also leave the content open, but has been noted already.
        if survey.open && findings.losses.is_empty() {
            findings.note(CONTENT_CUT);
        }
        findings.paints |= survey.paints;
        let resources = self.resources(&leaf.resources, &survey, &mut findings);
        is_new |= !survey.edits.is_empty();
        let is_endless = findings.draws > DRAWS_MAX;
        let contents = if is_new || is_endless {
            self.store.changed = true;
            let content = if is_endless {
                findings.note(ENDLESS);
                Vec::new()
            } else {
                content::edited(&content, &survey.edits)
            };
            let stream = Value::stream([], content);
            self.store.add(stream)
        } else {
            contents.unwrap_or(Value::Null)
        };
        let annotations = self.annotations(&leaf.page, &mut findings);
        let fax = faxes::image(&mut self.store, leaf, &content, &annotations);
        let page = Value::dict([
            ("Type", Value::name("Page")),
            ("MediaBox", Value::numbers(&leaf.media)),
            ("CropBox", Value::numbers(&leaf.crop)),
            ("Rotate", Value::Number(leaf.rotate)),
            ("Resources", resources),
            ("Contents", contents),
            ("Annots", annotations),
        ]);
        (page, findings, fax)
    }

    /// Joins the content streams of a page, and returns whether the result differs from what the file says.
    fn content(&mut self, contents: &Value<'a>, findings: &mut Findings) -> (Vec<u8>, bool) {
        let resolved = self.store.resolve(contents);
        let parts = if contents.is_null() {
            Vec::new()
        } else if let Value::Array(parts) = &resolved {
            parts.iter().take(CONTENTS_MAX).cloned().collect()
        } else {
            vec![contents.clone()]
        };
        let (mut content, mut is_new) = (Vec::new(), false);
        if resolved.items().len() > CONTENTS_MAX {
            findings.note(CONTENT_CUT);
            is_new = true;
        }
        for part in parts {
            let part = self.store.resolve(&part);
            match streams::decoded(&mut self.store, &part) {
                Some(decoded) => {
                    if !decoded.whole {
                        let nothing = decoded.bytes.trim_ascii().is_empty();
                        findings.note(if nothing { CONTENT_MISSING } else { CONTENT_CUT });
                    }
                    is_new |= !decoded.whole;
                    content.extend(decoded.bytes);
                    // Tokens must not run together at the border between two streams (ISO 32000-1, 7.8.2).
                    content.push(b'\n');
                }
                None => {
                    findings.note(CONTENT_MISSING);
                    is_new = true;
                }
            }
        }
        (content, is_new)
    }

    /// Writes a document that consists of these pages.
    fn written(&mut self, catalog: &Value<'a>, leaves: Vec<Value<'a>>) -> Vec<u8> {
        let count = leaves.len() as f64;
        let kids = leaves.into_iter().map(|leaf| self.store.add(leaf)).collect();
        let tree = Value::dict([
            ("Type", Value::name("Pages")),
            ("Count", Value::Number(count)),
            ("Kids", Value::array(kids)),
        ]);
        let tree = self.store.add(tree);
        let mut root = Value::dict([("Type", Value::name("Catalog")), ("Pages", tree)]);
        // The layers are kept, because they determine which parts of a page are visible.
        if let Some(layers) = catalog.entries().and_then(|entries| entries.get(b"OCProperties".as_slice())) {
            root = root.with("OCProperties", layers.clone());
        }
        self.store.written(&root)
    }
}

/// Replacements for entries of a dictionary, by name.
type Changes<'a> = BTreeMap<Vec<u8>, Value<'a>>;

/// Returns a dictionary with the changes applied; if there are none, returns the original.
fn changed<'a>(store: &mut Store<'a>, dict: &Value<'a>, changes: Changes<'a>) -> Value<'a> {
    if changes.is_empty() {
        return dict.clone();
    }
    store.changed = true;
    let resolved = store.resolve(dict);
    let mut entries = resolved.entries().cloned().unwrap_or_default();
    entries.extend(changes);
    Value::Dict(Rc::new(entries))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns whether a page that fills a shape with this colour paints anything but white, as far as the PDF shows.
    fn paints(space: &str, color: &str) -> bool {
        let content = format!("{color} -50 -50 20 20 re f");
        let resources = format!("<< /ColorSpace << /Space {space} >> >>");
        let file = format!(
            "%PDF-1.7\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n\
             2 0 obj\n<< /Type /Pages /Kids [3 0 R] /Count 1 >>\nendobj\n\
             3 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources {resources} >>\n\
             endobj\n4 0 obj\n<< /Length {} >>\nstream\n{content}\nendstream\nendobj\n\
             5 0 obj\n<< /N 3 /Length 0 >>\nstream\n\nendstream\nendobj\n\
             6 0 obj\n<< /N 4 /Length 0 >>\nstream\n\nendstream\nendobj\n\
             trailer\n<< /Root 1 0 R >>\n",
            content.len()
        );
        let pdf = Pdf::new(file.into_bytes()).unwrap();
        mended(&pdf, &Fonts::default()).pages[0].paints
    }

    #[test]
    fn the_colour_space_decides_whether_full_components_are_white() {
        let function = "<< /FunctionType 2 /N 1 /Domain [0 1] /C0 [1] /C1 [0] >>";
        let spot = format!("[/Separation /Spot /DeviceGray {function}]");
        let spots = format!("[/DeviceN [/One /Two] /DeviceGray {function}]");
        for (space, color, is_white) in [
            ("null", "1 g", true),
            ("null", "0 g", false),
            ("null", "1 1 1 rg", true),
            ("null", "1 0 1 rg", false),
            ("null", "1 sc", true),
            ("null", "0 0 0 0 k", true),
            ("null", "0 0 0 1 k", false),
            ("null", "/DeviceRGB cs 1 1 1 sc", true),
            ("null", "/DeviceRGB cs 0 0 0 sc", false),
            ("null", "/DeviceCMYK cs 0 0 0 0 scn", true),
            ("null", "/DeviceCMYK cs 1 1 1 1 scn", false),
            ("null", "/DeviceCMYK cs 0 0 0 0 scn 1 g", true),
            ("/DeviceGray", "/Space cs 1 scn", true),
            ("[/CalRGB << /WhitePoint [0.95 1 1.09] >>]", "/Space cs 1 1 1 scn", true),
            ("[/ICCBased 5 0 R]", "/Space cs 1 1 1 scn", true),
            ("[/ICCBased 5 0 R]", "/Space cs 0 0 0 scn", false),
            ("[/ICCBased 6 0 R]", "/Space cs 0 0 0 0 scn", true),
            ("[/ICCBased 6 0 R]", "/Space cs 1 1 1 1 scn", false),
            (&spot, "/Space cs 0 scn", true),
            (&spot, "/Space cs 1 scn", false),
            (&spot, "/Space cs", false),
            (&spots, "/Space cs 0 0 scn", true),
            (&spots, "/Space cs 1 1 scn", false),
            ("[/Indexed /DeviceGray 1 <ff00>]", "/Space cs 1 scn", false),
            (&spot, "1 g q /Space cs 1 scn Q", true),
        ] {
            assert_eq!(paints(space, color), !is_white, "{space} {color}");
        }
    }
}
