//! Replaces fonts that a PDF doesn't embed, or embeds in an unreadable file: finds out which characters the text needs,
//! and which available font has them.
//!
//! The renderer's built-in fonts have only the characters of western European languages. For text with other
//! characters, a font that has as many of them as possible is selected from a directory. In the rewritten PDF, the font
//! is then named `FauxfaxFont` followed by its index in the directory, so that the renderer can find it. Characters
//! that the selected font lacks are reported.

use std::collections::{BTreeMap, BTreeSet};

use hayro::hayro_interpret::hayro_cmap::{BfString, CMap, CMapName, CidFamily, load_embedded};
use skrifa::FontRef;

use super::value::{Id, Store, Value};
use super::{names, streams};
use crate::document::fonts::Fonts;

/// The maximum number of glyphs that are examined in a Type 3 font, whose glyphs are content streams.
pub(super) const GLYPHS_MAX: usize = 2_000;
/// The maximum number of pages on which the loss of one font is reported; the text on further pages is not examined.
const PAGES_MAX: usize = 200;
/// The maximum number of codes examined per font.
const CODES_MAX: usize = 70_000;
/// The width of glyphs for which a font states none, in thousandths of an em.
const WIDTH: f64 = 556.0;
/// The maximum number of missing characters that a loss lists.
const LISTED_MAX: usize = 8;

/// The strings that are shown in fonts that are separate objects but have no readable font file.
#[derive(Default)]
pub(super) struct Texts<'a> {
    uses: BTreeMap<Id, Use<'a>>,
    /// The fonts that need no replacement, because they are embedded or don't exist.
    fine: BTreeSet<Id>,
}

/// A font without a readable file, the strings that are shown in it, and the indexes of the pages that show them. A
/// form's strings count only for the first page that draws the form.
struct Use<'a> {
    font: Value<'a>,
    texts: BTreeSet<Vec<u8>>,
    pages: BTreeSet<usize>,
}

/// What a font's dictionary says about the text that is shown in it.
struct Described<'a> {
    font: Value<'a>,
    name: String,
    is_composite: bool,
    /// The character collection of a composite font, if it is known.
    family: Option<CidFamily>,
    /// The character of each code that is shown; `None` if the character is unknown.
    characters: BTreeMap<u32, Option<char>>,
}

/// What becomes of a font: it may be replaced, and characters may be missing all the same.
#[derive(Default)]
pub(super) struct Replacement<'a> {
    /// The font to use instead, if the font must be replaced.
    pub(super) font: Option<Value<'a>>,
    /// A description of what is missing, if anything is.
    pub(super) loss: Option<String>,
}

impl<'a> Texts<'a> {
    /// Records the strings that a page shows in a font.
    pub(super) fn note(&mut self, store: &mut Store<'a>, page: usize, id: Id, texts: &[Vec<u8>]) {
        if self.fine.contains(&id) {
            return;
        }
        let font = Value::Ref(id);
        let resolved = store.resolve(&font);
        if !self.uses.contains_key(&id) && (resolved.is_null() || is_embedded(store, &resolved)) {
            self.fine.insert(id);
            return;
        }
        let known = self.uses.entry(id).or_insert_with(|| Use { font, texts: BTreeSet::new(), pages: BTreeSet::new() });
        if known.pages.len() < PAGES_MAX {
            known.pages.insert(page);
        }
        if known.pages.contains(&page) {
            known.texts.extend(texts.iter().cloned());
        }
    }

    /// Replaces fonts so that the recorded strings can be shown, and returns the losses, each with the index of its
    /// page.
    pub(super) fn replace_fonts(self, store: &mut Store<'a>, fonts: &Fonts) -> Vec<(usize, String)> {
        let mut losses = Vec::new();
        for used in self.uses.into_values() {
            let replacement = described(store, &used.font, &used.texts).replacement(store, fonts);
            if let Some(font) = replacement.font {
                store.replaced(&used.font, font);
            }
            if let Some(loss) = replacement.loss {
                losses.extend(used.pages.iter().map(|page| (*page, loss.clone())));
            }
        }
        losses
    }
}

/// Determines the replacement for a font that is not a separate object. Such a font belongs to one resource dictionary,
/// so it need only show the strings of one content stream.
pub(super) fn replacement<'a>(
    store: &mut Store<'a>,
    fonts: &Fonts,
    font: &Value<'a>,
    texts: &[Vec<u8>],
) -> Replacement<'a> {
    if is_embedded(store, font) {
        return Replacement::default();
    }
    described(store, font, &texts.iter().cloned().collect()).replacement(store, fonts)
}

/// Returns whether a font embeds its glyphs in a readable file.
fn is_embedded<'a>(store: &mut Store<'a>, font: &Value<'a>) -> bool {
    let inner = descendant(store, font);
    let descriptor = store.get(inner.as_ref().unwrap_or(font), "FontDescriptor");
    ["FontFile", "FontFile2", "FontFile3"].iter().any(|key| {
        let file = store.get(&descriptor, key);
        streams::decoded(store, &file).is_some_and(|file| is_font(&file.bytes))
    })
}

/// Returns whether a font's file seems readable.
fn is_font(file: &[u8]) -> bool {
    let is_sfnt = [&b"\0\x01\0\0"[..], b"true", b"OTTO", b"ttcf"].iter().any(|start| file.starts_with(start));
    // Files in formats other than TrueType and OpenType are left to the renderer.
    file.len() > 4 && (!is_sfnt || FontRef::from_index(file, 0).is_ok())
}

/// Returns the descendant of a composite font, which has its glyphs; `None` for other fonts.
fn descendant<'a>(store: &mut Store<'a>, font: &Value<'a>) -> Option<Value<'a>> {
    let descendants = store.get(font, "DescendantFonts");
    descendants.items().first().map(|first| store.resolve(first))
}

/// Reads the dictionary of a font, and determines the characters of the codes that are shown.
fn described<'a>(store: &mut Store<'a>, font: &Value<'a>, texts: &BTreeSet<Vec<u8>>) -> Described<'a> {
    let font = store.resolve(font);
    let name = store.get(&font, "BaseFont");
    let name = String::from_utf8_lossy(name.as_name().unwrap_or(b"an unnamed font")).into_owned();
    let is_composite = store.get(&font, "Subtype").is_name("Type0");
    let to_unicode = store.get(&font, "ToUnicode");
    let to_unicode = streams::decoded(store, &to_unicode).and_then(|map| CMap::parse(&map.bytes, |_| None));
    let mut described = Described { font, name, is_composite, family: None, characters: BTreeMap::new() };
    if is_composite {
        described.read_composite(store, texts, to_unicode.as_ref());
    } else {
        described.read_simple(store, texts, to_unicode.as_ref());
    }
    described
}

impl<'a> Described<'a> {
    /// Determines the characters of a composite font, whose codes may have several bytes.
    fn read_composite(&mut self, store: &mut Store<'a>, texts: &BTreeSet<Vec<u8>>, to_unicode: Option<&CMap>) {
        let encoding = store.get(&self.font, "Encoding");
        let encoding = match encoding.as_name() {
            Some(b"Identity-V") => Some(CMap::identity_v()),
            Some(b"Identity-H") => Some(CMap::identity_h()),
            Some(name) => load_embedded(CMapName::from_bytes(name)).and_then(|map| CMap::parse(map, load_embedded)),
            None => streams::decoded(store, &encoding).and_then(|map| CMap::parse(&map.bytes, load_embedded)),
        };
        let Some(encoding) = encoding else { return };
        let inner = descendant(store, &self.font);
        let system = inner.map_or(Value::Null, |inner| store.get(&inner, "CIDSystemInfo"));
        let text = |value: Value<'a>| if let Value::Text(text) = value { text.to_vec() } else { Vec::new() };
        let (registry, ordering) = (text(store.get(&system, "Registry")), text(store.get(&system, "Ordering")));
        // The encoding names the character collection unless it is Identity, in which case the font names it.
        let family = encoding
            .metadata()
            .character_collection
            .clone()
            .map(|collection| collection.family)
            .filter(|family| *family != CidFamily::AdobeIdentity)
            .unwrap_or_else(|| CidFamily::from_registry_ordering(&registry, &ordering));
        let by_cid = family.ucs2_cmap().and_then(load_embedded).and_then(|map| CMap::parse(map, load_embedded));
        self.family = Some(family);
        for code in texts.iter().flat_map(|text| codes(text, &encoding)) {
            if self.characters.len() >= CODES_MAX {
                break;
            }
            // A code that an existing ToUnicode map lacks is unknown, so the collection is consulted only if there is
            // no such map.
            let character = to_unicode.and_then(|map| looked_up(map, code.0)).or_else(|| {
                to_unicode.is_none().then(|| by_cid.as_ref().and_then(|map| looked_up(map, code.1))).flatten()
            });
            // CID 0 is `.notdef`, which shows no character.
            if character.is_some() || code.1 != 0 {
                self.characters.insert(code.0, character);
            }
        }
    }

    /// Determines the characters of a simple font, in which each byte is a code.
    fn read_simple(&mut self, store: &mut Store<'a>, texts: &BTreeSet<Vec<u8>>, to_unicode: Option<&CMap>) {
        let encoding = store.get(&self.font, "Encoding");
        let is_mac =
            encoding.is_name("MacRomanEncoding") || store.get(&encoding, "BaseEncoding").is_name("MacRomanEncoding");
        let mut differences: BTreeMap<u32, Vec<u8>> = BTreeMap::new();
        let mut code = 0;
        for item in store.get(&encoding, "Differences").items() {
            let item = store.resolve(item);
            if let Some(number) = item.number() {
                code = number.clamp(0.0, 255.0) as u32;
            } else if let Some(name) = item.as_name() {
                differences.insert(code, name.to_vec());
                code += 1;
            }
        }
        let is_symbols = names::is_of_symbols(&self.name);
        for byte in texts.iter().flatten() {
            let code = u32::from(*byte);
            let by_name = differences.get(&code).map(|name| names::character(name));
            let by_encoding =
                by_name.unwrap_or_else(|| if is_mac { names::of_mac(*byte) } else { names::of_windows(*byte) });
            let character = to_unicode.and_then(|map| looked_up(map, code)).or(by_encoding);
            // In a symbol font, the names of the glyphs are those of the letters on the same keys, and a ToUnicode map
            // usually says the same, so neither tells which symbol is shown.
            self.characters.insert(code, character.filter(|_| !is_symbols));
        }
    }

    /// Selects a font that has the characters of the text, if the built-in fonts don't, and describes what is missing.
    fn replacement(&self, store: &mut Store<'a>, fonts: &Fonts) -> Replacement<'a> {
        let without = |loss: Option<String>| Replacement { font: None, loss };
        if names::is_standard_symbols(&self.name) {
            return Replacement::default();
        }
        let needed: BTreeSet<char> = self
            .characters
            .values()
            .flatten()
            .copied()
            .filter(|character| !character.is_whitespace() && !character.is_control())
            .collect();
        let unknown = self.characters.values().any(Option::is_none);
        // The renderer's built-in fonts have all of these characters.
        if needed.iter().all(|character| names::is_latin(*character)) {
            // A font that is found by its name is assumed to have the right glyphs for the codes.
            return without((unknown && !fonts.has_named(&self.name)).then(|| self.unknown()));
        }
        let wanted: Vec<char> = needed.iter().copied().collect();
        let Some((place, missing)) = fonts.covering(&wanted, &self.name) else {
            let others = needed.iter().copied().filter(|character| !names::is_latin(*character)).collect();
            return without(Some(self.missing(&others)));
        };
        let name = Fonts::name_of(place);
        let font = Some(if self.is_composite { self.renamed(store, &name) } else { self.composite(store, &name) });
        if missing > 0 {
            let missing = fonts.missing(place, &wanted).into_iter().collect();
            return Replacement { font, loss: Some(self.missing(&missing)) };
        }
        Replacement { font, loss: unknown.then(|| self.unknown()) }
    }

    /// Returns the description of the loss if the characters of some codes are unknown.
    fn unknown(&self) -> String {
        let name = &self.name;
        format!(
            "text may be missing or wrong: the PDF contains no readable copy of the font {name} and doesn't say which \
             characters the text consists of; embed the font in the PDF"
        )
    }

    /// Returns the description of the loss if no single font has all characters, and these are missing.
    fn missing(&self, characters: &BTreeSet<char>) -> String {
        let which = match &self.family {
            Some(CidFamily::AdobeJapan1) => "Japanese characters".to_owned(),
            Some(CidFamily::AdobeGB1) => "Chinese (simplified) characters".to_owned(),
            Some(CidFamily::AdobeKorea1) => "Korean characters".to_owned(),
            Some(CidFamily::AdobeCNS1) => "Chinese (traditional) characters".to_owned(),
            Some(CidFamily::AdobeIdentity | CidFamily::Custom { .. }) | None => {
                let some: String = characters.iter().take(LISTED_MAX).collect();
                format!("characters ({some}{})", if characters.len() > LISTED_MAX { "…" } else { "" })
            }
        };
        let name = &self.name;
        format!(
            "{which} are missing: the PDF contains no readable copy of the font {name}; embed it, or put a font that has \
             the characters into a folder and name the folder with --font-dir"
        )
    }

    /// Returns a copy of the font's dictionary with a different name.
    fn renamed(&self, store: &mut Store<'a>, name: &str) -> Value<'a> {
        let mut inner = descendant(store, &self.font).unwrap_or(Value::Null).with("BaseFont", Value::name(name));
        let descriptor = store.get(&inner, "FontDescriptor");
        if !descriptor.is_null() {
            inner = inner.with("FontDescriptor", descriptor.with("FontName", Value::name(name)));
        }
        self.font.with("BaseFont", Value::name(name)).with("DescendantFonts", Value::array(vec![inner]))
    }

    /// Builds a composite font that maps the one-byte codes of a simple font to the same characters.
    fn composite(&self, store: &mut Store<'a>, name: &str) -> Value<'a> {
        let first = store.number(&self.font, "FirstChar").unwrap_or(0.0);
        let widths = store.numbers(&self.font, "Widths");
        let mut inner = Value::dict([
            ("Type", Value::name("Font")),
            ("Subtype", Value::name("CIDFontType2")),
            ("BaseFont", Value::name(name)),
            ("DW", Value::Number(WIDTH)),
            (
                "CIDSystemInfo",
                Value::dict([
                    ("Registry", Value::Text(b"Adobe".as_slice().into())),
                    ("Ordering", Value::Text(b"Identity".as_slice().into())),
                    ("Supplement", Value::Number(0.0)),
                ]),
            ),
        ]);
        // The original font's widths are kept, so that the layout stays the same.
        if !widths.is_empty() {
            inner = inner.with("W", Value::array(vec![Value::Number(first), Value::numbers(&widths)]));
        }
        let head = "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /Fauxfax def";
        let codes = "1 begincodespacerange <00> <FF> endcodespacerange";
        let encoding =
            format!("{head} /CMapType 1 def {codes} 1 begincidrange <00> <FF> 0 endcidrange endcmap end end");
        let mut map = format!("{head} /CMapType 2 def {codes}\n");
        let known = self.characters.iter().filter_map(|(code, character)| character.map(|character| (code, character)));
        for (code, character) in known {
            let units: String = character.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("{unit:04X}")).collect();
            map.push_str(&format!("1 beginbfchar <{code:02X}> <{units}> endbfchar\n"));
        }
        map.push_str("endcmap end end");
        let cmap =
            Value::stream([("Type", Value::name("CMap")), ("CMapName", Value::name("Fauxfax"))], encoding.into_bytes());
        let (cmap, map) = (store.add(cmap), Value::stream([], map.into_bytes()));
        let map = store.add(map);
        Value::dict([
            ("Type", Value::name("Font")),
            ("Subtype", Value::name("Type0")),
            ("BaseFont", Value::name(name)),
            ("Encoding", cmap),
            ("DescendantFonts", Value::array(vec![inner])),
            ("ToUnicode", map),
        ])
    }
}

/// Splits a string into codes, each with its character's number in the collection (CID). Bytes that aren't part of a
/// code are skipped.
fn codes(text: &[u8], encoding: &CMap) -> Vec<(u32, u32)> {
    let (mut codes, mut at) = (Vec::new(), 0);
    while at < text.len() {
        let (mut code, mut length) = (0, 1);
        let mut found = None;
        for (count, byte) in (1_u8..=4).zip(&text[at..]) {
            code = code << 8 | u32::from(*byte);
            if let Some(cid) = encoding.lookup_cid_code(code, count) {
                found = Some((code, cid));
                length = usize::from(count);
                break;
            }
        }
        codes.extend(found);
        at += length;
    }
    codes
}

/// Returns the character of a code in a map to Unicode; if the code stands for several characters, returns the first.
fn looked_up(map: &CMap, code: u32) -> Option<char> {
    match map.lookup_bf_string(code) {
        Some(BfString::Char(character)) => Some(character),
        Some(BfString::String(text)) => text.chars().next(),
        None => (1..=4).find_map(|length| map.lookup_cid_code(code, length)).and_then(char::from_u32),
    }
}

#[cfg(test)]
mod tests {
    use hayro::hayro_syntax::Pdf;

    use super::*;

    #[test]
    fn a_loss_is_reported_on_as_many_pages_as_are_examined() {
        let file = super::super::prepare::with_a_root(b"%PDF-1.7\n");
        let pdf = Pdf::new(file).unwrap();
        let mut store = Store::new(&pdf);
        let differences = Value::array(vec![
            Value::Number(65.0),
            Value::name("afii10017"),
            Value::name("afii10018"),
            Value::name("afii10019"),
        ]);
        let font = Value::dict([
            ("Subtype", Value::name("TrueType")),
            ("BaseFont", Value::name("Nowhere")),
            ("Encoding", Value::dict([("Differences", differences)])),
        ]);
        let Value::Ref(font) = store.add(font) else { unreachable!("a reference") };
        let mut texts = Texts::default();
        for page in 0..PAGES_MAX - 1 {
            texts.note(&mut store, page, font, &[b"A".to_vec()]);
        }
        // The last page shows its text in two content streams, such as a form and the page itself.
        texts.note(&mut store, PAGES_MAX - 1, font, &[b"A".to_vec()]);
        texts.note(&mut store, PAGES_MAX - 1, font, &[b"B".to_vec()]);
        texts.note(&mut store, PAGES_MAX, font, &[b"C".to_vec()]);
        let losses = texts.replace_fonts(&mut store, &Fonts::default());
        let pages: Vec<usize> = losses.iter().map(|(page, _)| *page).collect();
        assert_eq!(pages, (0..PAGES_MAX).collect::<Vec<_>>());
        assert!(losses.iter().all(|(_, loss)| loss.contains("(АБ)")), "{:?}", losses.first());
    }
}
