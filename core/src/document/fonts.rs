//! Fonts for PDFs that don't embed their own. The fourteen standard fonts are built in, and others come from a
//! directory. Apart from a few bytes, a file is read only when its font or the list of its characters is first needed.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use hayro::hayro_interpret::font::{FallbackFontQuery, FontData, FontQuery};
use hayro::hayro_interpret::hayro_cmap::CidFamily;

use skrifa::{FontRef, MetadataProvider};

/// The maximum number of fonts used from a directory, in the order of their file names.
const FONTS_MAX: usize = 500;
/// The largest font file that is read; complete East Asian fonts take about 20 MB.
const FONT_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// The maximum number of tables searched in a font; real fonts have about twenty.
const TABLES_MAX: u16 = 100;
/// The prefix of the name by which a rewritten PDF refers to a font in the directory; the font's index follows.
const PLACE_NAME: &str = "FauxfaxFont";

/// The fonts in a directory; the list is cheap to clone.
#[derive(Clone, Default)]
pub struct Fonts {
    fonts: Arc<[Font]>,
}

struct Font {
    path: PathBuf,
    /// The file name without extension, reduced to lower-case letters and digits.
    name: String,
    /// The field `ulCodePageRange1` of the font's OS/2 table, in which each bit stands for a script.
    code_pages: u32,
    data: OnceLock<Option<FontData>>,
    /// The font's characters, as inclusive ranges in ascending order.
    characters: OnceLock<Vec<(u32, u32)>>,
}

impl std::fmt::Debug for Fonts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} fonts", self.fonts.len())
    }
}

impl Fonts {
    /// Lists the `.ttf`, `.otf` and `.ttc` files of a directory.
    ///
    /// # Errors
    /// Fails if the directory can't be read.
    pub fn of_directory(directory: &Path) -> std::io::Result<Self> {
        let entries = std::fs::read_dir(directory)?.map(|entry| entry.map(|entry| entry.path()));
        let mut paths: Vec<PathBuf> = entries.collect::<Result<_, _>>()?;
        // The paths are sorted because the first fitting font is used, and systems list directories in different
        // orders.
        paths.sort();
        let is_font = |path: &PathBuf| {
            let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
            ["ttf", "otf", "ttc"].iter().any(|known| extension.eq_ignore_ascii_case(known))
        };
        let fonts = paths.into_iter().filter(is_font).take(FONTS_MAX).map(|path| {
            let name = plain(&path.file_stem().unwrap_or_default().to_string_lossy());
            // A font whose tables can't be read can still be found by name.
            let code_pages = code_pages(&path).ok().flatten().unwrap_or(0);
            Font { path, name, code_pages, data: OnceLock::new(), characters: OnceLock::new() }
        });
        Ok(Self { fonts: fonts.collect() })
    }

    /// Returns the name by which a rewritten PDF refers to the font with this index.
    pub(super) fn name_of(place: usize) -> String {
        format!("{PLACE_NAME}{place}")
    }

    /// Returns whether the directory has a font with this name, ignoring a subset prefix such as `ABCDEF+`.
    pub(super) fn has_named(&self, name: &str) -> bool {
        let wanted = plain(name.split('+').next_back().unwrap_or(name));
        self.fonts.iter().any(|font| font.name == wanted)
    }

    /// Returns the index of the font that has the most of these characters, and how many it lacks; `None` if no font
    /// has any of them. Among equally complete fonts, one called `name` is preferred, then one with the weight and
    /// slant that `name` states.
    pub(super) fn covering(&self, characters: &[char], name: &str) -> Option<(usize, usize)> {
        let wanted = plain(name.split('+').next_back().unwrap_or(name));
        let is_bold = wanted.contains("bold");
        let is_slanted = wanted.contains("italic") || wanted.contains("oblique");
        let lacking = self.fonts.iter().enumerate().map(|(place, font)| {
            let lacks = characters.iter().filter(|character| !font.has(**character)).count();
            let is_other = font.name != wanted;
            let is_slanted_otherwise = is_slanted != (font.name.contains("italic") || font.name.contains("oblique"));
            // The plainest font of a family has the shortest name.
            let plainness = font.name.len();
            // The smallest tuple wins: coverage outweighs the name, and the name outweighs weight and slant.
            (lacks, is_other, is_bold != font.name.contains("bold"), is_slanted_otherwise, plainness, place)
        });
        let (lacks, .., place) = lacking.min()?;
        (lacks < characters.len()).then_some((place, lacks))
    }

    /// Returns those of the given characters that the font with this index lacks.
    pub(super) fn missing(&self, place: usize, characters: &[char]) -> Vec<char> {
        let lacks = |character: &char| self.fonts.get(place).is_none_or(|font| !font.has(*character));
        characters.iter().copied().filter(lacks).collect()
    }

    /// Finds a substitute for a font that the PDF doesn't embed; the number is the substitute's index within its file,
    /// which may be a collection of fonts.
    pub(super) fn resolve(&self, query: &FontQuery) -> (FontData, u32) {
        match query {
            FontQuery::Standard(font) => font.get_font_data(),
            FontQuery::Fallback(query) => self.fallback(query),
        }
    }

    fn fallback(&self, query: &FallbackFontQuery) -> (FontData, u32) {
        let place = query.post_script_name.as_deref().and_then(|name| name.strip_prefix(PLACE_NAME)?.parse().ok());
        let placed = place.and_then(|place: usize| self.fonts.get(place));
        let script = query.character_collection.as_ref().and_then(|collection| script(&collection.family));
        let names = [&query.post_script_name, &query.font_name, &query.font_family].into_iter().flatten();
        let mut wanted: Vec<String> = names.map(|name| plain(name)).filter(|name| !name.is_empty()).collect();
        wanted.dedup();
        let named = self.fonts.iter().filter(|font| wanted.contains(&font.name));
        let of_script = self.fonts.iter().filter(|font| script.is_some_and(|page| font.code_pages & page != 0));
        // A font selected by its index comes first, then fonts with the right name, then fonts for the right script.
        if let Some(data) = placed.into_iter().chain(named).chain(of_script).find_map(Font::data) {
            return (data, 0);
        }
        query.pick_standard_font().get_font_data()
    }
}

impl Font {
    /// Returns the contents of the font file, which are then kept in memory; `None` if it is unreadable or too large.
    fn data(&self) -> Option<FontData> {
        let read = || {
            // The size is checked first, so that a huge file is never read.
            let within = std::fs::metadata(&self.path).is_ok_and(|metadata| metadata.len() <= FONT_BYTES_MAX);
            let bytes = within.then(|| std::fs::read(&self.path).ok()).flatten()?;
            Some(Arc::new(bytes) as FontData)
        };
        self.data.get_or_init(read).clone()
    }

    /// Returns whether the font has a character. For the first check, the file is read, but it isn't kept in memory.
    fn has(&self, character: char) -> bool {
        let characters = self.characters.get_or_init(|| {
            let within = std::fs::metadata(&self.path).is_ok_and(|metadata| metadata.len() <= FONT_BYTES_MAX);
            let bytes = within.then(|| std::fs::read(&self.path).ok()).flatten().unwrap_or_default();
            ranges(&bytes)
        });
        let code = u32::from(character);
        let after = characters.partition_point(|(_, last)| *last < code);
        characters.get(after).is_some_and(|(first, _)| *first <= code)
    }
}

/// Returns the characters of a font, as inclusive ranges in ascending order.
fn ranges(bytes: &[u8]) -> Vec<(u32, u32)> {
    let Ok(font) = FontRef::from_index(bytes, 0) else { return Vec::new() };
    let mut codes: Vec<u32> = font.charmap().mappings().map(|(code, _)| code).collect();
    codes.sort_unstable();
    codes.dedup();
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for code in codes {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == code => *last = code,
            _ => ranges.push((code, code)),
        }
    }
    ranges
}

/// Returns the bit in `ulCodePageRange1` (OS/2 table) that stands for the script of a character collection.
const fn script(family: &CidFamily) -> Option<u32> {
    match family {
        CidFamily::AdobeJapan1 => Some(1 << 17),
        CidFamily::AdobeGB1 => Some(1 << 18),
        CidFamily::AdobeKorea1 => Some(1 << 19),
        CidFamily::AdobeCNS1 => Some(1 << 20),
        CidFamily::AdobeIdentity | CidFamily::Custom { .. } => None,
    }
}

/// Reads `ulCodePageRange1` from the OS/2 table of a font, or of a collection's first font (OpenType, OS/2: byte 78).
fn code_pages(path: &Path) -> std::io::Result<Option<u32>> {
    let mut file = File::open(path)?;
    // A font begins with its table directory; a collection begins with a header that has the first directory's offset
    // at byte 12. In the directory, the number of tables is at byte 4, and records of 16 bytes begin at byte 12.
    let start = if long(&mut file, 0)? == u32::from_be_bytes(*b"ttcf") { u64::from(long(&mut file, 12)?) } else { 0 };
    let tables = (long(&mut file, start + 4)? >> 16).min(u32::from(TABLES_MAX));
    for record in (0..u64::from(tables)).map(|table| start + 12 + table * 16) {
        if long(&mut file, record)? == u32::from_be_bytes(*b"OS/2") {
            let table = u64::from(long(&mut file, record + 8)?);
            return long(&mut file, table + 78).map(Some);
        }
    }
    Ok(None)
}

/// Reads four bytes at an offset as a big-endian number.
fn long(file: &mut File, at: u64) -> std::io::Result<u32> {
    let mut bytes = [0; 4];
    file.seek(SeekFrom::Start(at))?;
    file.read_exact(&mut bytes)?;
    Ok(u32::from_be_bytes(bytes))
}

/// Reduces a name to lower-case letters and digits, so that names match even if spaces, hyphens or case differ.
fn plain(name: &str) -> String {
    name.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use hayro::hayro_interpret::hayro_cmap::CharacterCollection;

    use super::*;

    /// Returns a font file that consists of an OS/2 table with these code pages.
    fn file(code_pages: u32) -> Vec<u8> {
        let mut bytes = vec![0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        bytes.extend(b"OS/2");
        bytes.extend([0_u32, 28, 86].iter().flat_map(|number| number.to_be_bytes()));
        bytes.extend([0; 78]);
        bytes.extend(code_pages.to_be_bytes());
        bytes.extend([0; 4]);
        bytes
    }

    fn query(name: &str, family: Option<CidFamily>) -> FontQuery {
        FontQuery::Fallback(FallbackFontQuery {
            post_script_name: Some(name.to_owned()),
            character_collection: family.map(|family| CharacterCollection { family, supplement: 2 }),
            ..FallbackFontQuery::default()
        })
    }

    #[test]
    fn substitutes_for_missing_fonts_are_found_by_name_or_script() {
        let folder = tempfile::tempdir().unwrap();
        let (japanese, named) = (file(1 << 17), file(0));
        std::fs::write(folder.path().join("Any.otf"), &japanese).unwrap();
        std::fs::write(folder.path().join("Nowhere-Sans.ttf"), &named).unwrap();
        std::fs::write(folder.path().join("notes.txt"), file(1 << 18)).unwrap();
        let fonts = Fonts::of_directory(folder.path()).unwrap();
        let found = |query: &FontQuery| (*fonts.resolve(query).0).as_ref().to_vec();
        assert_eq!(found(&query("NowhereSans", None)), named);
        assert_eq!(found(&query("Nowhere-Gothic", Some(CidFamily::AdobeJapan1))), japanese);
        let standard = found(&query("Nowhere-Gothic", Some(CidFamily::AdobeGB1)));
        assert!(standard != japanese && standard != named);
    }
}
