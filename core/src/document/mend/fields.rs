//! Draws the values of form fields, the text of notes and the names of stamps in plain Helvetica, and the crosses of
//! ticked buttons.

use super::value::{Store, Value, plain};
use super::{Findings, colors, lexer, names};

/// The maximum depth of nested fields, which also ends a chain of parents that leads back to itself.
const LEVELS_MAX: usize = 12;
/// The maximum number of characters that are drawn per value, more than fit on a page.
const CHARACTERS_MAX: usize = 20_000;
/// The flags of text fields (ISO 32000-1, table 228) and of buttons (table 226) that matter here.
const MULTILINE: u32 = 1 << 12;
const PASSWORD: u32 = 1 << 13;
const COMB: u32 = 1 << 24;
const PUSHBUTTON: u32 = 1 << 16;
/// The limits for the size of text whose size isn't stated, in points. If such text may have several lines, it always
/// has the maximum size.
const SIZE_MAX: f64 = 12.0;
const SIZE_MIN: f64 = 4.0;
/// The distance between a field's edge and its text, in points.
const PADDING: f64 = 2.0;
/// The widths of Helvetica's letters in thousandths of an em, beginning with the space; all letters beyond this table
/// are assumed to have the most common width.
const WIDTHS: [u16; 95] = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556,
    556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833,
    722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556,
    556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334,
    260, 334, 584,
];

/// The appearance with which an annotation is drawn.
pub(super) enum Look<'a> {
    /// The appearance that the annotation has in the file, if any.
    AsItIs,
    /// The annotation's own appearance for this state, which must be selected first.
    State(Vec<u8>),
    /// A new appearance that replaces the annotation's own.
    Drawn(Value<'a>),
}

/// The interactive form of a document (ISO 32000-1, 12.7.2).
pub(super) struct Form<'a> {
    /// Whether viewers must draw the values of fields even if the fields have appearances.
    needs_appearances: bool,
    /// The default appearance of fields, such as `/Helv 12 Tf 0 g`.
    default: Value<'a>,
}

impl<'a> Form<'a> {
    /// Reads the form that a document's catalog refers to.
    pub(super) fn of(store: &mut Store<'a>, catalog: &Value<'a>) -> Self {
        let form = store.get(catalog, "AcroForm");
        let needs_appearances = matches!(store.get(&form, "NeedAppearances"), Value::Bool(true));
        Self { needs_appearances, default: store.get(&form, "DA") }
    }
}

/// Looks up an entry in a field or its ancestors.
fn inherited<'a>(store: &mut Store<'a>, field: &Value<'a>, key: &str) -> Value<'a> {
    let mut field = field.clone();
    for _ in 0..LEVELS_MAX {
        let value = store.get(&field, key);
        if !value.is_null() {
            return value;
        }
        field = store.get(&field, "Parent");
    }
    Value::Null
}

/// Determines the look of a field's widget. If the widget has no appearance of its own, or one that may be older than
/// the field's value, the value is drawn.
pub(super) fn look<'a>(
    store: &mut Store<'a>,
    form: &Form<'a>,
    widget: &Value<'a>,
    findings: &mut Findings,
) -> Look<'a> {
    let kind = inherited(store, widget, "FT");
    let raw = widget.entries().and_then(|entries| entries.get(b"Rect".as_slice())).cloned();
    let Some(rectangle) = raw.and_then(|raw| super::pages::rectangle(store, &raw)) else { return Look::AsItIs };
    let flags = inherited(store, widget, "Ff").number().unwrap_or(0.0) as u32;
    match kind.as_name() {
        Some(b"Btn") if flags & PUSHBUTTON == 0 => button(store, widget, rectangle),
        Some(b"Tx" | b"Ch") => {
            let appearance = store.get(widget, "AP");
            // With NeedAppearances, an appearance may be older than the value (ISO 32000-1, table 218).
            let has_look = matches!(store.get(&appearance, "N"), Value::Stream(_));
            let text = shown(store, widget);
            // A password must not be shown (ISO 32000-1, table 228).
            if text.trim().is_empty() || flags & PASSWORD != 0 || has_look && !form.needs_appearances {
                return Look::AsItIs;
            }
            let default = inherited(store, widget, "DA");
            let default = if default.is_null() { form.default.clone() } else { default };
            let mut text = Text { style: Style::of(&default), text, rectangle, flags, align: 0, places: 0 };
            text.align = inherited(store, widget, "Q").number().unwrap_or(0.0) as u32;
            let is_comb = flags & COMB != 0 && kind.is_name("Tx");
            text.places = inherited(store, widget, "MaxLen").number().filter(|_| is_comb).unwrap_or(0.0) as u32;
            if kind.is_name("Ch") {
                text.flags &= !MULTILINE;
            }
            let frame = frame(store, widget, rectangle);
            Look::Drawn(text.drawn(&frame, findings))
        }
        _ => Look::AsItIs,
    }
}

/// Returns a field's value as text. For a choice field, this is the text that is displayed for each chosen option.
fn shown<'a>(store: &mut Store<'a>, widget: &Value<'a>) -> String {
    let value = inherited(store, widget, "V");
    let values = if value.items().is_empty() { vec![value] } else { value.items().to_vec() };
    let options = inherited(store, widget, "Opt");
    let mut lines = Vec::new();
    for value in values {
        let Value::Text(value) = store.resolve(&value) else { continue };
        let mut words = value.clone();
        for option in options.items() {
            let option = store.resolve(option);
            if let [export, shown] = option.items()
                && let (Value::Text(export), Value::Text(shown)) = (store.resolve(export), store.resolve(shown))
                && export == value
            {
                words = shown;
            }
        }
        lines.push(text_of(&words));
    }
    lines.join(", ")
}

/// Determines the look of a checkbox or radio button. If the button is ticked but has no appearance for its state, it
/// is drawn as a cross, unless another button of the same field may be the ticked one.
fn button<'a>(store: &mut Store<'a>, widget: &Value<'a>, rectangle: [f64; 4]) -> Look<'a> {
    let appearances = store.get(widget, "AP");
    let states = store.get(&appearances, "N");
    if matches!(states, Value::Stream(_)) {
        return Look::AsItIs;
    }
    let stated = store.get(widget, "AS");
    let state = if stated.is_null() { inherited(store, widget, "V") } else { stated.clone() };
    let Some(state) = state.as_name().filter(|state| *state != b"Off") else { return Look::AsItIs };
    // If the state has an appearance, nothing needs to be drawn. If the button itself names no state, it is switched to
    // the state that the field's value names.
    let known = states.entries().is_some_and(|states| states.contains_key(state));
    if known {
        return if stated.is_null() { Look::State(state.to_vec()) } else { Look::AsItIs };
    }
    // The field's value names the state of one button in a group. A button with other states is not ticked; without
    // states, it is unknown which button of the group is ticked.
    let belongs = states.entries().is_none_or(|states| states.keys().all(|key| key == b"Off"));
    if stated.is_null() && !belongs
        || states.entries().is_none() && stated.is_null() && is_one_of_several(store, widget)
    {
        return Look::AsItIs;
    }
    let [x0, y0, x1, y1] = rectangle;
    let (across, up) = ((x1 - x0) * 0.2, (y1 - y0) * 0.2);
    let frame = frame(store, widget, rectangle);
    let at = |x: f64, y: f64| format!("{} {}", plain(x), plain(y));
    let cross = format!(
        "0 G {} w {} m {} l {} m {} l S",
        plain(((x1 - x0).min(y1 - y0) * 0.1).clamp(0.5, 3.0)),
        at(x0 + across, y0 + up),
        at(x1 - across, y1 - up),
        at(x0 + across, y1 - up),
        at(x1 - across, y0 + up)
    );
    Look::Drawn(form(rectangle, Value::dict([]), format!("{frame}{cross}")))
}

/// Returns whether a widget is one of several that belong to the same field.
fn is_one_of_several<'a>(store: &mut Store<'a>, widget: &Value<'a>) -> bool {
    let parent = store.get(widget, "Parent");
    let kids = store.get(&parent, "Kids");
    kids.items().len() > 1 && store.get(widget, "T").is_null()
}

/// Returns the operators that draw the background and the border of a widget.
fn frame<'a>(store: &mut Store<'a>, widget: &Value<'a>, [x0, y0, x1, y1]: [f64; 4]) -> String {
    let look = store.get(widget, "MK");
    let style = store.get(widget, "BS");
    let width = store.number(&style, "W").unwrap_or(1.0).clamp(0.0, 20.0);
    let mut frame = String::new();
    let (background, border) = (store.numbers(&look, "BG"), store.numbers(&look, "BC"));
    if let Some(color) = color_operator(&background, false) {
        frame.push_str(&format!("{color}{} {} {} {} re f ", plain(x0), plain(y0), plain(x1 - x0), plain(y1 - y0)));
    }
    if let Some(color) = color_operator(&border, true).filter(|_| width > 0.0) {
        let inset = width / 2.0;
        let sides = [x0 + inset, y0 + inset, (x1 - x0 - width).max(0.0), (y1 - y0 - width).max(0.0)].map(plain);
        frame.push_str(&format!("{color}{} w {} re S ", plain(width), sides.join(" ")));
    }
    frame
}

/// Returns the operators that set a colour of one, three or four components; `None` for any other number, which means
/// transparent.
pub(super) fn color_operator(color: &[f64], stroke: bool) -> Option<String> {
    let numbers = || color.iter().map(|part| plain(part.clamp(0.0, 1.0))).collect::<Vec<_>>().join(" ");
    match (color, stroke) {
        ([_], true) => Some(format!("{} G ", numbers())),
        ([_], false) => Some(format!("{} g ", numbers())),
        ([_, _, _], true) => Some(format!("{} RG ", numbers())),
        ([_, _, _], false) => Some(format!("{} rg ", numbers())),
        ([c, m, y, k], stroke) => {
            let [red, green, blue] = colors::rgb([*c, *m, *y, *k]).map(plain);
            Some(format!("{red} {green} {blue} {} ", if stroke { "RG" } else { "rg" }))
        }
        _ => None,
    }
}

/// Creates a form XObject that uses the coordinates of the page.
pub(super) fn form<'a>(bounds: [f64; 4], resources: Value<'a>, content: String) -> Value<'a> {
    Value::stream(
        [
            ("Type", Value::name("XObject")),
            ("Subtype", Value::name("Form")),
            ("BBox", Value::numbers(&bounds)),
            ("Resources", resources),
        ],
        content.into_bytes(),
    )
}

/// Draws a note whose text is shown on the page itself (a free text annotation).
pub(super) fn free_text<'a>(
    store: &mut Store<'a>,
    annotation: &Value<'a>,
    rectangle: [f64; 4],
    findings: &mut Findings,
) -> Look<'a> {
    let Value::Text(text) = store.get(annotation, "Contents") else { return Look::AsItIs };
    let style = Style::of(&store.get(annotation, "DA"));
    let align = store.number(annotation, "Q").unwrap_or(0.0) as u32;
    let text = Text { style, text: text_of(&text), rectangle, flags: MULTILINE, align, places: 0 };
    if text.text.trim().is_empty() {
        return Look::AsItIs;
    }
    let [x0, y0, x1, y1] = rectangle;
    let background = store.numbers(annotation, "C");
    let mut frame = color_operator(&background, false)
        .map(|color| format!("{color}{} {} {} {} re f ", plain(x0), plain(y0), plain(x1 - x0), plain(y1 - y0)))
        .unwrap_or_default();
    let style = store.get(annotation, "BS");
    let border = store.numbers(annotation, "Border");
    // The third number of a Border is its width (ISO 32000-1, table 164).
    let width = store.number(&style, "W").or_else(|| border.get(2).copied()).unwrap_or(1.0).clamp(0.0, 100.0);
    if width > 0.0 {
        let sides =
            [x0 + width / 2.0, y0 + width / 2.0, (x1 - x0 - width).max(0.0), (y1 - y0 - width).max(0.0)].map(plain);
        frame.push_str(&format!("0 G {} w {} re S ", plain(width), sides.join(" ")));
    }
    Look::Drawn(text.drawn(&frame, findings))
}

/// Draws a stamp as its name in a frame.
pub(super) fn stamp<'a>(
    store: &mut Store<'a>,
    annotation: &Value<'a>,
    rectangle: [f64; 4],
    findings: &mut Findings,
) -> Look<'a> {
    // A stamp without a name is a Draft stamp (ISO 32000-1, 12.5.6.12).
    let name = store.get(annotation, "Name");
    let name = String::from_utf8_lossy(name.as_name().unwrap_or(b"Draft")).to_uppercase();
    let [x0, y0, x1, y1] = rectangle;
    let sides = [x0 + 1.0, y0 + 1.0, (x1 - x0 - 2.0).max(0.0), (y1 - y0 - 2.0).max(0.0)].map(plain);
    let frame = format!("0 G 2 w {} re S ", sides.join(" "));
    let style = Style { size: 0.0, most: (y1 - y0) * 0.6, color: "0 g ".to_owned() };
    let text = Text { style, text: name, rectangle, flags: 0, align: 1, places: 0 };
    Look::Drawn(text.drawn(&frame, findings))
}

/// Decodes a text string in UTF-16, UTF-8 or `PDFDocEncoding` (ISO 32000-1, 7.9.2.2). `PDFDocEncoding` is read as
/// Windows-1252, which has the same letters in most places.
fn text_of(bytes: &[u8]) -> String {
    let units = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
        String::from_utf16_lossy(&units)
    };
    let text = match bytes {
        [0xfe, 0xff, rest @ ..] => units(rest, u16::from_be_bytes),
        [0xff, 0xfe, rest @ ..] => units(rest, u16::from_le_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        _ => bytes
            .iter()
            .map(|byte| match byte {
                b'\r' | b'\n' | b'\t' => char::from(*byte),
                _ => names::of_windows(*byte).unwrap_or(' '),
            })
            .collect(),
    };
    text.chars().take(CHARACTERS_MAX).collect()
}

/// The colour and the size of text.
struct Style {
    /// The size in points; 0 if the text is to be as large as fits.
    size: f64,
    /// The maximum size of text that is to be as large as fits.
    most: f64,
    /// The operators that set the colour.
    color: String,
}

impl Style {
    /// Reads a default appearance such as `/Helv 12 Tf 0 g`.
    fn of(default: &Value<'_>) -> Self {
        let Value::Text(default) = default else {
            return Self { size: 0.0, most: SIZE_MAX, color: "0 g ".to_owned() };
        };
        let (mut numbers, mut size, mut color) = (Vec::new(), 0.0, "0 g ".to_owned());
        for token in lexer::Lexer::new(default) {
            match token.kind {
                lexer::Kind::Number(number) => numbers.push(number),
                lexer::Kind::Operator => {
                    match &default[token.place] {
                        b"Tf" => size = numbers.last().copied().unwrap_or(0.0),
                        b"g" | b"rg" | b"k" => color = color_operator(&numbers, false).unwrap_or(color),
                        _ => {}
                    }
                    numbers.clear();
                }
                lexer::Kind::Name(_)
                | lexer::Kind::Text(_)
                | lexer::Kind::Bracket
                | lexer::Kind::Data
                | lexer::Kind::Open => {}
            }
        }
        Self { size: size.abs().min(300.0), most: SIZE_MAX, color }
    }
}

/// Text to be drawn in a rectangle.
struct Text {
    style: Style,
    text: String,
    rectangle: [f64; 4],
    flags: u32,
    /// The alignment: 0 for left, 1 for centred, 2 for right.
    align: u32,
    /// The number of equally wide cells for one letter each; 0 for running text.
    places: u32,
}

impl Text {
    /// Draws the text on a frame, which is given as operators, and notes if characters are missing.
    fn drawn<'a>(&self, frame: &str, findings: &mut Findings) -> Value<'a> {
        let [x0, y0, x1, y1] = self.rectangle;
        let (width, height) = (x1 - x0, y1 - y0);
        let several = self.flags & MULTILINE != 0;
        let mut lines: Vec<Vec<u8>> = Vec::new();
        let mut lost = false;
        for line in self.text.replace("\r\n", "\n").split(['\n', '\r']) {
            let line = line.replace('\t', "    ");
            lines.push(
                line.chars()
                    .map(|letter| {
                        names::to_windows(letter).unwrap_or_else(|| {
                            // Control characters are invisible anyway.
                            lost |= !letter.is_control();
                            b'?'
                        })
                    })
                    .collect(),
            );
        }
        if lost {
            findings.note("text of a field or a note is incomplete: it has characters that Helvetica lacks");
        }
        if !several {
            lines = vec![lines.join(&b' ')];
        }
        let widest = lines.iter().map(|line| width_of(line)).fold(0.0, f64::max);
        let size = if self.style.size > 0.0 {
            self.style.size
        } else if several {
            SIZE_MAX
        } else {
            let fits = (width - 2.0 * PADDING) / widest.max(0.001);
            (height * 0.67).min(fits).min(self.style.most).max(SIZE_MIN)
        };
        if several {
            lines = lines.iter().flat_map(|line| wrapped(line, (width - 2.0 * PADDING) / size)).collect();
        }
        let mut content = format!(
            "{frame}q {} {} {} {} re W n BT /F {} Tf {}",
            plain(x0),
            plain(y0),
            plain(width),
            plain(height),
            plain(size),
            self.style.color
        );
        // `y` is the baseline. On a single line, the em square is centred, and a part of it remains below the baseline
        // for descenders.
        let mut y = if several { y1 - PADDING - size } else { y0 + (height - size) / 2.0 + size * 0.22 };
        for line in &lines {
            self.line(line, size, y, &mut content);
            y -= size * 1.15;
        }
        content.push_str("ET Q");
        let font = Value::dict([
            ("Type", Value::name("Font")),
            ("Subtype", Value::name("Type1")),
            ("BaseFont", Value::name("Helvetica")),
            ("Encoding", Value::name("WinAnsiEncoding")),
        ]);
        let resources = Value::dict([("Font", Value::dict([("F", font)]))]);
        form(self.rectangle, resources, content)
    }

    /// Adds the operators that show one line with its baseline at `y`.
    fn line(&self, line: &[u8], size: f64, y: f64, content: &mut String) {
        let [x0, _, x1, _] = self.rectangle;
        let hex = |text: &[u8]| text.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        if self.places > 0 {
            let place = (x1 - x0) / f64::from(self.places);
            for (number, letter) in (0_u32..self.places).zip(line) {
                let x = x0 + place * (f64::from(number) + 0.5) - width_of(&[*letter]) * size / 2.0;
                content.push_str(&format!("1 0 0 1 {} {} Tm <{}> Tj ", plain(x), plain(y), hex(&[*letter])));
            }
            return;
        }
        let free = x1 - x0 - width_of(line) * size;
        let x = match self.align {
            1 => x0 + free / 2.0,
            2 => x1 - PADDING - width_of(line) * size,
            _ => x0 + PADDING,
        };
        content.push_str(&format!("1 0 0 1 {} {} Tm <{}> Tj ", plain(x), plain(y), hex(line)));
    }
}

/// Returns the width of a line, in ems.
fn width_of(line: &[u8]) -> f64 {
    let letter = |byte: &u8| {
        let width = usize::from(*byte).checked_sub(32).and_then(|place| WIDTHS.get(place));
        f64::from(width.copied().unwrap_or(556)) / 1_000.0
    };
    line.iter().map(letter).sum()
}

/// Breaks a line between words into parts of at most this many ems; a word that is longer is not broken.
fn wrapped(line: &[u8], ems: f64) -> Vec<Vec<u8>> {
    let (mut lines, mut last) = (Vec::new(), Vec::new());
    for word in line.split(|byte| *byte == b' ') {
        let mut longer: Vec<u8> = last.clone();
        if !longer.is_empty() {
            longer.push(b' ');
        }
        longer.extend(word);
        if !last.is_empty() && width_of(&longer) > ems {
            lines.push(std::mem::replace(&mut last, word.to_vec()));
        } else {
            last = longer;
        }
    }
    lines.push(last);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_strings_are_decoded_in_every_encoding() {
        assert_eq!(text_of(b"caf\xe9"), "café");
        assert_eq!(text_of(b"\xfe\xff\x04\x16\x00a"), "Жa");
        assert_eq!(text_of(b"\xff\xfe\x16\x04a\x00"), "Жa");
        assert_eq!(text_of("\u{feff}né".as_bytes()), "né");
    }

    #[test]
    fn lines_are_broken_between_words() {
        let lines = wrapped(b"one two three four", 4.0);
        assert!(lines.len() > 1 && lines.iter().all(|line| width_of(line) <= 4.0));
        assert_eq!(lines.join(&b' '), b"one two three four");
    }
}
