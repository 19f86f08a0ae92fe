//! Replaces fonts that a PDF doesn't embed: finds out which characters the text needs, and which available font has
//! them.
//!
//! The renderer's built-in fonts contain only the Latin letters of western Europe. For text with other letters, a font
//! that has them is selected from a directory; the PDF then refers to this font by a name that contains the font's
//! index. Characters that no font has are reported.

use std::collections::{BTreeMap, BTreeSet};

use hayro::hayro_interpret::hayro_cmap::{BfString, CMap, CMapName, CidFamily, load_embedded};
use skrifa::FontRef;

use super::value::{Id, Store, Value};
use super::{names, streams};
use crate::document::fonts::Fonts;

/// The maximum number of letters that are examined in a Type 3 font, whose letters are content streams.
pub(super) const LETTERS_MAX: usize = 2_000;
/// The maximum number of pages on which the loss of one font is reported; the text on further pages is not examined.
const PAGES_MAX: usize = 200;
/// The maximum number of codes examined per font.
const CODES_MAX: usize = 70_000;
/// The width of letters for which a font states none, in thousandths of an em.
const WIDTH: f64 = 556.0;

/// The strings that are shown in fonts that are not embedded.
#[derive(Default)]
pub(super) struct Texts<'a> {
    uses: BTreeMap<Id, Use<'a>>,
    /// The fonts that need no replacement, because they are embedded or don't exist.
    fine: BTreeSet<Id>,
}

/// A font that is not embedded, the strings that are shown in it, and the indexes of the pages that show them.
struct Use<'a> {
    font: Value<'a>,
    texts: BTreeSet<Vec<u8>>,
    pages: BTreeSet<usize>,
}

/// The description of a font in its dictionary.
struct Described<'a> {
    font: Value<'a>,
    name: String,
    is_composite: bool,
    /// The character collection of a composite font, if it is known.
    family: Option<CidFamily>,
    /// The character of each code that is shown; `None` if the character is unknown.
    letters: BTreeMap<u32, Option<char>>,
}

impl<'a> Texts<'a> {
    /// Records the strings that a page shows in a font.
    pub(super) fn note(&mut self, store: &mut Store<'a>, page: usize, font: &Value<'a>, texts: &[Vec<u8>]) {
        let Value::Ref(id) = *font else {
            // A font that is not a separate object becomes one, so that it can be recorded and replaced like others.
            let font = store.add(font.clone());
            return self.note(store, page, &font, texts);
        };
        if self.fine.contains(&id) {
            return;
        }
        let resolved = store.resolve(font);
        if !self.uses.contains_key(&id) && (resolved.is_null() || is_embedded(store, &resolved)) {
            self.fine.insert(id);
            return;
        }
        let known = self.uses.entry(id).or_insert_with(|| Use {
            font: font.clone(),
            texts: BTreeSet::new(),
            pages: BTreeSet::new(),
        });
        if known.pages.len() < PAGES_MAX {
            known.pages.insert(page);
        }
        known.texts.extend(texts.iter().filter(|_| known.pages.len() < PAGES_MAX).cloned());
    }

    /// Replaces fonts so that the recorded strings can be shown, and returns the losses, each with the index of its
    /// page.
    pub(super) fn settle(self, store: &mut Store<'a>, fonts: &Fonts) -> Vec<(usize, String)> {
        let mut losses = Vec::new();
        for used in self.uses.into_values() {
            let described = described(store, &used);
            if let Some(loss) = described.settled(store, fonts, &used.font) {
                losses.extend(used.pages.iter().map(|page| (*page, loss.clone())));
            }
        }
        losses
    }
}

/// Returns whether a font embeds its letters in a readable file.
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

/// Returns the descendant of a composite font, which describes its letters; `None` for other fonts.
fn descendant<'a>(store: &mut Store<'a>, font: &Value<'a>) -> Option<Value<'a>> {
    let descendants = store.get(font, "DescendantFonts");
    descendants.items().first().map(|first| store.resolve(first))
}

/// Reads the dictionary of a font, and determines the characters of the codes that are shown.
fn described<'a>(store: &mut Store<'a>, used: &Use<'a>) -> Described<'a> {
    let font = store.resolve(&used.font);
    let name = store.get(&font, "BaseFont");
    let name = String::from_utf8_lossy(name.as_name().unwrap_or(b"an unnamed font")).into_owned();
    let is_composite = store.get(&font, "Subtype").is_name("Type0");
    let to_unicode = store.get(&font, "ToUnicode");
    let to_unicode = streams::decoded(store, &to_unicode).and_then(|map| CMap::parse(&map.bytes, |_| None));
    let mut described = Described { font, name, is_composite, family: None, letters: BTreeMap::new() };
    if is_composite {
        described.read_composite(store, &used.texts, to_unicode.as_ref());
    } else {
        described.read_simple(store, &used.texts, to_unicode.as_ref());
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
            if self.letters.len() >= CODES_MAX {
                break;
            }
            // A code that an existing ToUnicode map lacks is unknown, so the collection is consulted only if there is
            // no such map.
            let letter = to_unicode.and_then(|map| looked_up(map, code.0)).or_else(|| {
                to_unicode.is_none().then(|| by_cid.as_ref().and_then(|map| looked_up(map, code.1))).flatten()
            });
            self.letters.insert(code.0, letter);
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
            let by_name = differences.get(&code).map(|name| names::letter(name));
            let by_encoding =
                by_name.unwrap_or_else(|| if is_mac { names::of_mac(*byte) } else { names::of_windows(*byte) });
            let letter = to_unicode.and_then(|map| looked_up(map, code)).or(by_encoding);
            // In a symbol font, the names of letters denote symbols.
            self.letters.insert(code, letter.filter(|_| !is_symbols));
        }
    }

    /// Replaces the font with one that has the letters of its text, if necessary, and describes what is still missing.
    fn settled(&self, store: &mut Store<'a>, fonts: &Fonts, font: &Value<'a>) -> Option<String> {
        if names::is_standard_symbols(&self.name) {
            return None;
        }
        let needed: BTreeSet<char> = self
            .letters
            .values()
            .flatten()
            .copied()
            .filter(|letter| !letter.is_whitespace() && !letter.is_control())
            .collect();
        // Code 0 of a composite font is `.notdef`, which shows no character.
        let unknown = self.letters.iter().any(|(code, letter)| letter.is_none() && !(self.is_composite && *code == 0));
        // The renderer's built-in fonts have all of these letters.
        if needed.iter().all(|letter| names::is_latin(*letter)) {
            let named = fonts.has_named(&self.name);
            return (unknown && !named).then(|| self.unknown());
        }
        let wanted: Vec<char> = needed.iter().copied().collect();
        let Some((place, missing)) = fonts.covering(&wanted, &self.name) else {
            let strange = needed.iter().copied().filter(|letter| !names::is_latin(*letter)).collect();
            return Some(self.missing(&strange));
        };
        let name = Fonts::name_of(place);
        let instead = if self.is_composite { self.renamed(store, &name) } else { self.composite(store, &name) };
        store.replaced(font, instead);
        if missing > 0 {
            let letters = fonts.missing(place, &wanted);
            return Some(self.missing(&letters.into_iter().collect()));
        }
        unknown.then(|| self.unknown())
    }

    /// Describes, for users, that the characters of some codes are unknown.
    fn unknown(&self) -> String {
        let name = &self.name;
        format!(
            "text may be missing or wrong: the PDF doesn't embed its font, {name}, and doesn't say which characters it shows"
        )
    }

    /// Describes, for users, that no font has these letters.
    fn missing(&self, letters: &BTreeSet<char>) -> String {
        let what = match &self.family {
            Some(CidFamily::AdobeJapan1) => "Japanese text is".to_owned(),
            Some(CidFamily::AdobeGB1) => "Chinese (simplified) text is".to_owned(),
            Some(CidFamily::AdobeKorea1) => "Korean text is".to_owned(),
            Some(CidFamily::AdobeCNS1) => "Chinese (traditional) text is".to_owned(),
            Some(CidFamily::AdobeIdentity | CidFamily::Custom { .. }) | None => {
                let some: String = letters.iter().take(8).collect();
                format!("text ({some}{}) is", if letters.len() > 8 { "…" } else { "" })
            }
        };
        let name = &self.name;
        format!(
            "{what} missing: the PDF doesn't embed its font, {name}, and no available font has its characters \
             (--font-dir)"
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
        for (code, letter) in self.letters.iter().filter_map(|(code, letter)| letter.map(|letter| (code, letter))) {
            let units: String = letter.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("{unit:04X}")).collect();
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
        Some(BfString::Char(letter)) => Some(letter),
        Some(BfString::String(letters)) => letters.chars().next(),
        None => (1..=4).find_map(|length| map.lookup_cid_code(code, length)).and_then(char::from_u32),
    }
}
