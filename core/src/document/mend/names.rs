//! Maps glyph names and one-byte codes to characters, for fonts that are not embedded.

/// The characters beyond ISO 8859-1 that the renderer's built-in fonts have (the Adobe standard Latin set).
const LATIN_MORE: &str = "ıŁłŒœŠšŸŽžƒˆˇ˘˙˚˛˜˝–—‘’‚“”„†‡•…‰‹›⁄€™−ﬁﬂ";
/// The characters of Windows code page 1252 from 0x80 on, with a space for each undefined code.
const WINDOWS: &str = "€ ‚ƒ„…†‡ˆ‰Š‹Œ Ž  ‘’“”•–—˜™š›œ žŸ";
/// The characters of Mac OS Roman from 0x80 on.
const MAC: &str = "ÄÅÇÉÑÖÜáàâäãåçéèêëíìîïñóòôöõúùûü†°¢£§•¶ß®©™´¨≠ÆØ∞±≤≥¥µ∂∑∏π∫ªºΩæø¿¡¬√ƒ≈∆«»… ÀÃÕŒœ–—“”‘’÷◊ÿŸ⁄€‹›ﬁﬂ‡·‚„‰ÂÊÁËÈÍÎÏÌÓÔ\u{f8ff}ÒÚÛÙıˆ˜¯˘˙˚¸˝˛ˇ";
/// The names of the glyphs in the standard Latin set, each directly followed by its character. Letters with an accent
/// are in `ACCENTED` instead. Plain letters, which are their own names, and the space, which separates the entries, are
/// not listed.
const MARKS: &str = "exclam! quotedbl\" numbersign# dollar$ percent% ampersand& quotesingle' quoteright’ parenleft( parenright) asterisk* plus+ comma, hyphen- minus− period. slash/ zero0 one1 two2 three3 four4 five5 six6 seven7 eight8 nine9 colon: semicolon; less< equal= greater> question? at@ bracketleft[ backslash\\ bracketright] asciicircum^ underscore_ grave` quoteleft‘ braceleft{ bar| braceright} asciitilde~ exclamdown¡ cent¢ sterling£ fraction⁄ yen¥ florinƒ section§ currency¤ quotedblleft“ guillemotleft« guilsinglleft‹ guilsinglright› fiﬁ flﬂ endash– dagger† daggerdbl‡ periodcentered· middot· paragraph¶ bullet• quotesinglbase‚ quotedblbase„ quotedblright” guillemotright» ellipsis… perthousand‰ questiondown¿ acute´ circumflexˆ tilde˜ macron¯ breve˘ dotaccent˙ dieresis¨ ring˚ cedilla¸ hungarumlaut˝ ogonek˛ caronˇ emdash— AEÆ ordfeminineª LslashŁ OslashØ OEŒ ordmasculineº aeæ dotlessiı lslashł oslashø oeœ germandblsß onesuperior¹ twosuperior² threesuperior³ onehalf½ onequarter¼ threequarters¾ copyright© registered® trademark™ degree° logicalnot¬ plusminus± multiply× divide÷ brokenbar¦ muµ Eth\u{d0} ethð ThornÞ thornþ Euro€ nbspace\u{a0} nonbreakingspace\u{a0} sfthyphen\u{ad} softhyphen\u{ad} DcroatĐ dcroatđ";
/// The letters with an accent, by the name of the accent; each follows its base letter.
const ACCENTED: [(&str, &str); 14] = [
    ("grave", "AÀEÈIÌOÒUÙaàeèiìoòuù"),
    ("acute", "AÁCĆEÉIÍLĹNŃOÓRŔSŚUÚYÝZŹaácćeéiílĺnńoórŕsśuúyýzź"),
    ("circumflex", "AÂCĈEÊGĜHĤIÎJĴOÔSŜUÛWŴYŶaâcĉeêgĝhĥiîjĵoôsŝuûwŵyŷ"),
    ("tilde", "AÃIĨNÑOÕUŨaãiĩnñoõuũ"),
    ("dieresis", "AÄEËIÏOÖUÜYŸaäeëiïoöuüyÿ"),
    ("ring", "AÅUŮaåuů"),
    ("cedilla", "CÇGĢKĶLĻNŅRŖSŞTŢcçgģkķlļnņrŗsştţ"),
    ("caron", "CČDĎEĚLĽNŇRŘSŠTŤZŽcčdďeělľnňrřsštťzž"),
    ("breve", "AĂEĔGĞIĬOŎUŬaăeĕgğiĭoŏuŭ"),
    ("ogonek", "AĄEĘIĮUŲaąeęiįuų"),
    ("macron", "AĀEĒIĪOŌUŪaāeēiīoōuū"),
    ("dotaccent", "CĊEĖGĠIİZŻcċeėgġzż"),
    ("hungarumlaut", "OŐUŰoőuű"),
    ("commaaccent", "GĢKĶLĻNŅRŖSȘTŢgģkķlļnņrŗsștţ"),
];
/// The names of the Greek capital letters in Unicode order from U+0391 on, with an empty name for the unassigned
/// U+03A2. Small letters have the same order.
const GREEK: [&str; 25] = [
    "Alpha", "Beta", "Gamma", "Delta", "Epsilon", "Zeta", "Eta", "Theta", "Iota", "Kappa", "Lambda", "Mu", "Nu", "Xi",
    "Omicron", "Pi", "Rho", "", "Sigma", "Tau", "Upsilon", "Phi", "Chi", "Psi", "Omega",
];

/// Returns whether the renderer's built-in fonts have a character, or the character is invisible.
pub(super) fn is_latin(character: char) -> bool {
    matches!(character, ' '..='~' | '\u{a0}'..='\u{ff}') || LATIN_MORE.contains(character) || is_invisible(character)
}

/// Returns whether a character beyond ISO 8859-1 is a space, a separator, a joiner, a direction mark or the byte order
/// mark.
const fn is_invisible(character: char) -> bool {
    matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{feff}' | '\u{2000}'..='\u{200a}')
}

/// Returns whether a name denotes a standard symbol font, which is built into the renderer.
pub(super) fn is_standard_symbols(name: &str) -> bool {
    // The name of a subset begins with a tag, as in `ABCDEF+Symbol` (ISO 32000-1, 9.6.4).
    let name = name.split('+').next_back().unwrap_or(name);
    name.starts_with("Symbol") || name.contains("ZapfDingbats") || name.starts_with("Dingbats")
}

/// Returns whether a name denotes another font whose codes are symbols rather than letters.
pub(super) fn is_of_symbols(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["wingdings", "webdings", "marlett", "dingbats"].iter().any(|known| name.contains(known))
}

/// Returns the character for a code in Windows code page 1252.
pub(super) fn of_windows(code: u8) -> Option<char> {
    match code {
        // In PDF, undefined codes show a bullet (ISO 32000-1, annex D.2).
        0x80..=0x9f => WINDOWS.chars().nth(usize::from(code - 0x80)).filter(|known| *known != ' ').or(Some('•')),
        0..=0x1f | 0x7f => Some(' '),
        _ => Some(char::from(code)),
    }
}

/// Returns the code of a character in Windows code page 1252, if it has one.
pub(super) fn to_windows(character: char) -> Option<u8> {
    match u32::from(character) {
        code @ (0x20..=0x7e | 0xa0..=0xff) => u8::try_from(code).ok(),
        _ => {
            let place = WINDOWS.chars().position(|known| known == character && known != ' ')?;
            u8::try_from(place + 0x80).ok()
        }
    }
}

/// Returns the character for a code in Mac OS Roman.
pub(super) fn of_mac(code: u8) -> Option<char> {
    match code {
        0x80.. => MAC.chars().nth(usize::from(code - 0x80)),
        _ => of_windows(code),
    }
}

/// Returns the character for a glyph name, according to the part of the Adobe Glyph List that is needed here.
pub(super) fn character(name: &[u8]) -> Option<char> {
    let name = std::str::from_utf8(name).ok()?;
    // A suffix distinguishes variants of the same character, as in `a.sc`.
    let plain = name.split('.').next().filter(|plain| !plain.is_empty()).unwrap_or(name);
    let mut characters = plain.chars();
    if let (Some(only), None) = (characters.next(), characters.next()) {
        return Some(only);
    }
    if plain == ".notdef" || name == ".notdef" {
        return Some(' ');
    }
    let by_number = |digits: &str| u32::from_str_radix(digits, 16).ok().and_then(char::from_u32);
    if let Some(digits) = plain.strip_prefix("uni").and_then(|digits| digits.get(..4)) {
        return by_number(digits);
    }
    if let Some(digits) = plain.strip_prefix('u').filter(|digits| (4..=6).contains(&digits.len())) {
        return by_number(digits);
    }
    if let Some(number) = plain.strip_prefix("afii").and_then(|digits| digits.parse::<u32>().ok()) {
        return cyrillic(number);
    }
    marks(plain).or_else(|| accented(plain)).or_else(|| greek(plain))
}

/// Looks up a name in `MARKS`.
fn marks(name: &str) -> Option<char> {
    if name == "space" {
        return Some(' ');
    }
    MARKS.split(' ').find_map(|entry| {
        let mut characters = entry.chars();
        let last = characters.next_back()?;
        (characters.as_str() == name).then_some(last)
    })
}

/// Looks up a name that consists of a base letter and an accent, such as `Aacute`.
fn accented(name: &str) -> Option<char> {
    let mut letters = name.chars();
    let base = letters.next()?;
    let (_, pairs) = ACCENTED.iter().find(|(mark, _)| *mark == letters.as_str())?;
    let mut pairs = pairs.chars();
    while let (Some(known), Some(both)) = (pairs.next(), pairs.next()) {
        if known == base {
            return Some(both);
        }
    }
    None
}

/// Returns the character for the number in an `afii` name: a Cyrillic letter or the numero sign.
fn cyrillic(number: u32) -> Option<char> {
    let code = match number {
        10_017..=10_022 => 0x410 + number - 10_017,
        10_023 => 0x401,
        10_024..=10_049 => 0x416 + number - 10_024,
        10_065..=10_070 => 0x430 + number - 10_065,
        10_071 => 0x451,
        10_072..=10_097 => 0x436 + number - 10_072,
        10_050 => 0x490,
        10_098 => 0x491,
        10_051..=10_061 => 0x402 + number - 10_051,
        10_062 => 0x40e,
        10_145 => 0x40f,
        10_099..=10_109 => 0x452 + number - 10_099,
        10_110 => 0x45e,
        10_193 => 0x45f,
        61_352 => 0x2116,
        _ => return None,
    };
    char::from_u32(code)
}

/// Looks up the name of a Greek letter, such as `Omega` or `omega`.
fn greek(name: &str) -> Option<char> {
    let place = |name: &str| GREEK.iter().position(|known| !known.is_empty() && *known == name);
    let place_of = |name: &str| place(name).and_then(|place| u32::try_from(place).ok());
    let mut capital = name.to_owned();
    if let Some(first) = capital.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    match (place_of(name), place_of(&capital)) {
        (Some(place), _) => char::from_u32(0x391 + place),
        (None, Some(place)) => char::from_u32(0x3b1 + place),
        (None, None) if name == "sigma1" => Some('ς'),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn glyph_names_map_to_characters() {
        for (name, wanted) in [
            ("A", 'A'),
            ("Aacute", 'Á'),
            ("ccaron", 'č'),
            ("afii10017", 'А'),
            ("afii10097", 'я'),
            ("afii10071", 'ё'),
            ("uni0416", 'Ж'),
            ("u1F600", '😀'),
            ("Omega", 'Ω'),
            ("alpha", 'α'),
            ("sigma", 'σ'),
            ("germandbls", 'ß'),
            ("space", ' '),
            ("percent", '%'),
            ("quotedblleft", '“'),
            ("a.alt", 'a'),
            ("Dcroat", 'Đ'),
            ("dcroat", 'đ'),
            ("Scedilla", 'Ş'),
            // The Adobe Glyph List gives S a comma, but T a cedilla.
            ("Scommaaccent", 'Ș'),
            ("Tcommaaccent", 'Ţ'),
        ] {
            assert_eq!(character(name.as_bytes()), Some(wanted), "{name}");
        }
        for unknown in ["g23", "spac"] {
            assert_eq!(character(unknown.as_bytes()), None, "{unknown}");
        }
    }

    #[test]
    fn one_byte_encodings_map_to_characters() {
        assert_eq!((of_windows(0x80), of_windows(0xe9), of_mac(0x8e)), (Some('€'), Some('é'), Some('é')));
        assert_eq!((to_windows('€'), to_windows('é'), to_windows('Ж')), (Some(0x80), Some(0xe9), None));
        assert!(is_latin('ﬁ') && is_latin('Ÿ') && !is_latin('Ж') && !is_latin('č'));
    }
}
