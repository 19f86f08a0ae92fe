//! Fonts for text whose PDF brings none: the fourteen standard ones inside, further ones from a directory. Text that
//! no font has is noted. A file is read when its font is first needed.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use hayro::hayro_interpret::font::{FallbackFontQuery, FontData, FontQuery};
use hayro::hayro_interpret::hayro_cmap::CidFamily;

use super::loss::Losses;

/// Fonts of a directory that are known.
const FONTS_MAX: usize = 500;
/// The largest font file that is read; the complete East Asian ones are about 20 MB.
const FONT_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Tables of a font; real ones have about twenty.
const TABLES_MAX: u16 = 100;

/// Fonts of a directory.
#[derive(Clone, Default)]
pub struct Fonts {
    fonts: Arc<[Font]>,
}

struct Font {
    path: PathBuf,
    /// The file's name without extension, letters and digits only, in lower case.
    name: String,
    /// The code page ranges of the font's OS/2 table.
    code_pages: u32,
    data: OnceLock<Option<FontData>>,
}

impl std::fmt::Debug for Fonts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} fonts", self.fonts.len())
    }
}

impl Fonts {
    /// The `.ttf`, `.otf` and `.ttc` files of a directory.
    ///
    /// # Errors
    /// The directory can't be read.
    pub fn of_directory(directory: &Path) -> std::io::Result<Self> {
        let entries = std::fs::read_dir(directory)?.map(|entry| entry.map(|entry| entry.path()));
        let mut paths: Vec<PathBuf> = entries.collect::<Result<_, _>>()?;
        paths.sort();
        let is_font = |path: &PathBuf| {
            let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
            ["ttf", "otf", "ttc"].iter().any(|known| extension.eq_ignore_ascii_case(known))
        };
        let fonts = paths.into_iter().filter(is_font).take(FONTS_MAX).map(|path| {
            let name = plain(&path.file_stem().unwrap_or_default().to_string_lossy());
            let code_pages = code_pages(&path).ok().flatten().unwrap_or(0);
            Font { path, name, code_pages, data: OnceLock::new() }
        });
        Ok(Self { fonts: fonts.collect() })
    }

    /// The font that stands for one that is missing; what can't be shown at all is noted.
    pub(super) fn resolve(&self, query: &FontQuery, losses: &Losses) -> (FontData, u32) {
        match query {
            FontQuery::Standard(font) => font.get_font_data(),
            FontQuery::Fallback(query) => self.fallback(query, losses),
        }
    }

    fn fallback(&self, query: &FallbackFontQuery, losses: &Losses) -> (FontData, u32) {
        let script = query.character_collection.as_ref().and_then(|collection| script(&collection.family));
        let names = [&query.post_script_name, &query.font_name, &query.font_family].into_iter().flatten();
        let mut wanted: Vec<String> = names.map(|name| plain(name)).filter(|name| !name.is_empty()).collect();
        wanted.dedup();
        let named = self.fonts.iter().filter(|font| wanted.contains(&font.name));
        let of_script = self.fonts.iter().filter(|font| script.is_some_and(|(_, page)| font.code_pages & page != 0));
        if let Some(data) = named.chain(of_script).find_map(Font::data) {
            return (data, 0);
        }
        if let Some((language, _)) = script {
            let name = query.post_script_name.as_deref().unwrap_or("an unnamed font");
            losses.note(format!(
                "{language} text is missing: the PDF doesn't embed its font, {name}, and none was found in a font \
                 directory (--font-dir)"
            ));
        }
        query.pick_standard_font().get_font_data()
    }
}

impl Font {
    fn data(&self) -> Option<FontData> {
        let read = || {
            let within = std::fs::metadata(&self.path).is_ok_and(|metadata| metadata.len() <= FONT_BYTES_MAX);
            let bytes = within.then(|| std::fs::read(&self.path).ok()).flatten()?;
            Some(Arc::new(bytes) as FontData)
        };
        self.data.get_or_init(read).clone()
    }
}

/// The language of a character collection, and the bit of its code page in OS/2 `ulCodePageRange1`.
const fn script(family: &CidFamily) -> Option<(&'static str, u32)> {
    match family {
        CidFamily::AdobeJapan1 => Some(("Japanese", 1 << 17)),
        CidFamily::AdobeGB1 => Some(("Chinese (simplified)", 1 << 18)),
        CidFamily::AdobeKorea1 => Some(("Korean", 1 << 19)),
        CidFamily::AdobeCNS1 => Some(("Chinese (traditional)", 1 << 20)),
        CidFamily::AdobeIdentity | CidFamily::Custom { .. } => None,
    }
}

/// `ulCodePageRange1` of a font's OS/2 table (OpenType, OS/2: byte 78), of the first font of a collection.
fn code_pages(path: &Path) -> std::io::Result<Option<u32>> {
    let mut file = File::open(path)?;
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

fn long(file: &mut File, at: u64) -> std::io::Result<u32> {
    let mut bytes = [0; 4];
    file.seek(SeekFrom::Start(at))?;
    file.read_exact(&mut bytes)?;
    Ok(u32::from_be_bytes(bytes))
}

fn plain(name: &str) -> String {
    name.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use hayro::hayro_interpret::hayro_cmap::CharacterCollection;

    use super::*;

    /// A font file with nothing but an OS/2 table, whose code pages are these.
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
    fn a_missing_font_is_found_by_its_name_or_by_its_script() {
        let folder = tempfile::tempdir().unwrap();
        let (japanese, named) = (file(1 << 17), file(0));
        std::fs::write(folder.path().join("Any.otf"), &japanese).unwrap();
        std::fs::write(folder.path().join("Nowhere-Sans.ttf"), &named).unwrap();
        std::fs::write(folder.path().join("notes.txt"), file(1 << 18)).unwrap();
        let (fonts, losses) = (Fonts::of_directory(folder.path()).unwrap(), Losses::default());
        let found = |query: &FontQuery| (*fonts.resolve(query, &losses).0).as_ref().to_vec();
        assert_eq!(found(&query("NowhereSans", None)), named);
        assert_eq!(found(&query("Nowhere-Gothic", Some(CidFamily::AdobeJapan1))), japanese);
        assert!(losses.take().is_empty());
        let standard = found(&query("Nowhere-Gothic", Some(CidFamily::AdobeGB1)));
        assert!(standard != japanese && standard != named);
        assert!(losses.take()[0].what.contains("Chinese"));
    }
}
