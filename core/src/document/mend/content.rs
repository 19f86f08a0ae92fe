//! Finds out what a content stream names, shows and paints, and what must be changed in it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::colors::{self, Components};
use super::lexer::{Kind, Lexer, Token};
use super::operands::{Edit, Operands};

/// The maximum depth of nested graphics states.
const STATES_MAX: usize = 1_000;
/// The maximum number of bytes of text collected per font; the text determines which characters a replacement font must
/// have.
const TEXT_BYTES_MAX: usize = 256 * 1024;

/// Colour spaces that need no entry in the resources.
const BUILT_IN_SPACES: [&str; 6] = ["DeviceGray", "DeviceRGB", "G", "RGB", "Pattern", "CalRGB"];

/// The findings from a content stream.
#[derive(Default)]
pub(super) struct Survey {
    /// The names of the forms and images that are drawn, each with the number of times that it is drawn.
    pub(super) objects: BTreeMap<Vec<u8>, u64>,
    /// Other names that are used, with their category in the resources.
    pub(super) named: BTreeSet<(&'static str, Vec<u8>)>,
    /// The strings shown in each font, by the font's name.
    pub(super) texts: BTreeMap<Vec<u8>, Vec<Vec<u8>>>,
    /// Whether anything is painted by the stream itself, rather than by a form or an image that it names. White fills
    /// and white text don't count.
    pub(super) paints: bool,
    /// The colour spaces that decide whether more is painted, by name, each with the components with which something
    /// is filled in it.
    pub(super) fills: BTreeSet<(Vec<u8>, Components)>,
    /// Whether the stream ends within a string or an image.
    pub(super) open: bool,
    /// Whether the replacement for CMYK must be added to the resources.
    pub(super) names_cmyk: bool,
    /// The necessary changes, in the order of their places.
    pub(super) edits: Vec<Edit>,
}

/// What showing text does, according to its rendering mode (ISO 32000-1, table 106).
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum TextUse {
    /// The text is painted (all modes but 3 and 7).
    #[default]
    Painted,
    /// The text isn't painted, but whatever is painted later shows only within its letters (mode 7).
    Clips,
    /// The text is invisible (mode 3).
    Invisible,
}

/// The colour of fills, as far as the stream shows it.
#[derive(Clone, Default)]
enum Fill {
    /// A colour other than white.
    #[default]
    Dark,
    White,
    /// A colour that may be white, which depends on the colour space with this name.
    Depends(Vec<u8>, Components),
}

/// The relevant parts of the graphics state.
#[derive(Clone, Default)]
struct State {
    font: Option<Vec<u8>>,
    text_use: TextUse,
    /// The name of the colour space of fills; `None` at the start and after `g` or `rg`, when full components are
    /// white.
    space: Option<Vec<u8>>,
    fill: Fill,
}

/// Reads a content stream and returns the findings.
pub(super) fn survey(content: &[u8]) -> Survey {
    let mut reader = Reader { content, survey: Survey::default(), state: State::default(), states: Vec::new() };
    let mut operands = Operands::default();
    for token in Lexer::new(content) {
        match token.kind {
            Kind::Operator => {
                reader.operator(&operands, token.place);
                operands.clear();
            }
            // The operands since `BI` form the inline image's dictionary.
            Kind::Data => {
                reader.survey.paints = true;
                reader.inline_image(&operands);
                operands.clear();
            }
            Kind::Open => reader.survey.open = true,
            Kind::Number(_) | Kind::Name(_) | Kind::Text(_) | Kind::Bracket => {
                operands.push(token);
            }
        }
    }
    reader.survey
}

fn text_use(mode: Option<f64>) -> TextUse {
    match mode {
        Some(3.0) => TextUse::Invisible,
        Some(7.0) => TextUse::Clips,
        Some(_) | None => TextUse::Painted,
    }
}

/// Applies edits to a content stream; the edits must be in the order of their places and must not overlap.
pub(super) fn edited(content: &[u8], edits: &[Edit]) -> Vec<u8> {
    let mut changed = Vec::with_capacity(content.len() + edits.len() * 8);
    let mut at = 0;
    for (place, instead) in edits {
        changed.extend(content.get(at..place.start).unwrap_or_default());
        changed.extend(instead);
        at = place.end;
    }
    changed.extend(content.get(at..).unwrap_or_default());
    changed
}

/// Follows the graphics state through a content stream.
struct Reader<'c> {
    content: &'c [u8],
    survey: Survey,
    state: State,
    states: Vec<State>,
}

impl Reader<'_> {
    /// Handles an operator and the operands before it.
    fn operator(&mut self, operands: &Operands, place: Range<usize>) {
        match &self.content[place.clone()] {
            b"q" if self.states.len() < STATES_MAX => self.states.push(self.state.clone()),
            // A `Q` without a `q` restores the initial state.
            b"Q" => self.state = self.states.pop().unwrap_or_default(),
            b"Tf" => self.state.font = operands.last_name().map(|(name, _)| name.to_vec()),
            b"Tr" => self.state.text_use = text_use(operands.numbers().last()),
            b"Tj" | b"TJ" | b"'" | b"\"" => self.show(operands),
            b"SCN" => self.name("Pattern", operands),
            b"sc" | b"scn" => {
                self.name("Pattern", operands);
                self.fill(operands);
            }
            b"g" | b"rg" => {
                self.state.space = None;
                self.fill(operands);
            }
            b"k" => {
                self.state.space = Some(b"DeviceCMYK".to_vec());
                self.fill(operands);
                self.color(operands, &place, false);
            }
            b"K" => self.color(operands, &place, true),
            operator @ (b"cs" | b"CS") => {
                if operator == b"cs" {
                    self.state.space = operands.last_name().map(|(name, _)| name.to_vec());
                    // The initial colour of a space is not white: it is black, or the full amount of each ink.
                    self.state.fill = Fill::Dark;
                }
                if let Some((_, place)) = operands.last_name().filter(|(name, _)| colors::is_cmyk_name(name)) {
                    self.survey.names_cmyk = true;
                    self.survey.edits.push((place, format!("/{}", colors::CMYK_NAME).into_bytes()));
                } else {
                    self.name("ColorSpace", operands);
                }
            }
            b"sh" => {
                self.survey.paints = true;
                self.name("Shading", operands);
            }
            b"f" | b"F" | b"f*" => self.paint(),
            b"S" | b"s" | b"B" | b"B*" | b"b" | b"b*" => self.survey.paints = true,
            b"Do" => {
                if let Some((name, _)) = operands.last_name() {
                    *self.survey.objects.entry(name.to_vec()).or_default() += 1;
                }
            }
            _ => {}
        }
    }

    /// Records the last name among the operands, if it must be in the resources.
    fn name(&mut self, category: &'static str, operands: &Operands) {
        if let Some((name, _)) = operands.last_name()
            && !BUILT_IN_SPACES.iter().any(|space| space.as_bytes() == name)
        {
            self.survey.named.insert((category, name.to_vec()));
        }
    }

    /// Sets the colour of fills to the colour with these components.
    fn fill(&mut self, operands: &Operands) {
        let components = Components::of(operands.numbers());
        self.state.fill = match (components, &self.state.space) {
            (Some(components), Some(space)) => Fill::Depends(space.clone(), components),
            (Some(Components::Full), None) => Fill::White,
            (Some(Components::Zero) | None, _) => Fill::Dark,
        };
    }

    /// Records that something is filled.
    fn paint(&mut self) {
        match &self.state.fill {
            Fill::Dark => self.survey.paints = true,
            Fill::White => {}
            Fill::Depends(space, components) => {
                self.survey.fills.insert((space.clone(), *components));
            }
        }
    }

    /// Replaces a CMYK colour, including its operator.
    fn color(&mut self, operands: &Operands, operator: &Range<usize>, stroke: bool) {
        if let Some((numbers, instead)) = colors::operator(operands, stroke) {
            self.survey.edits.push((numbers.start..operator.end, instead));
        }
    }

    /// Records the strings that are shown in the current font.
    fn show(&mut self, operands: &Operands) {
        // Letters that only clip must have their shapes, although they paint nothing.
        let (is_painted, has_shape) = match self.state.text_use {
            TextUse::Painted => (true, true),
            TextUse::Clips => (false, true),
            TextUse::Invisible => (false, false),
        };
        for text in operands.texts() {
            // In composite fonts, 0 and 3 are common codes for spaces.
            let is_blank = text.iter().all(|byte| matches!(byte, 0 | 3 | b' ' | 0xa0));
            if is_painted && !is_blank {
                self.paint();
            }
            if let Some(font) = self.state.font.as_ref().filter(|_| has_shape && !is_blank) {
                let texts = self.survey.texts.entry(font.clone()).or_default();
                if texts.iter().map(Vec::len).sum::<usize>() < TEXT_BYTES_MAX {
                    texts.push(text.to_vec());
                }
            }
        }
    }

    /// Replaces CMYK in an inline image's dictionary, which consists of these operands.
    fn inline_image(&mut self, operands: &Operands) {
        for pair in operands.tokens().windows(2) {
            if let [Token { kind: Kind::Name(key), .. }, Token { kind: Kind::Name(value), place }] = pair
                && matches!(key.as_slice(), b"CS" | b"ColorSpace")
                && colors::is_cmyk_name(value)
            {
                self.survey.names_cmyk = true;
                self.survey.edits.push((place.clone(), format!("/{}", colors::CMYK_NAME).into_bytes()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_shown_and_painted_things_are_found() {
        let found = survey(b"q BT /F1 12 Tf (a) Tj [(b) -20 <63>] TJ ET Q /X Do 1 g 0 0 5 5 re f");
        assert_eq!(found.texts[b"F1".as_slice()], [b"a".to_vec(), b"b".to_vec(), b"c".to_vec()]);
        assert!(found.objects.contains_key(b"X".as_slice()) && found.paints && !found.open && found.edits.is_empty());
        assert!(!survey(b"1 g 0 0 5 5 re f BT 3 Tr /F 1 Tf (hidden) Tj ET").paints);
        assert!(survey(b"BT (breaks off").open);
    }

    #[test]
    fn text_that_only_clips_paints_nothing_but_needs_the_shapes_of_its_letters() {
        for (mode, paints, needs_shapes) in [(0, true, true), (3, false, false), (5, true, true), (7, false, true)] {
            let found = survey(format!("BT {mode} Tr /F 1 Tf (text) Tj ET").as_bytes());
            assert_eq!((found.paints, found.texts.contains_key(b"F".as_slice())), (paints, needs_shapes), "{mode}");
        }
    }

    #[test]
    fn cmyk_is_replaced_in_place() {
        let content = b"0 0 0 1 k 0 0 9 9 re f /DeviceCMYK CS 0 0 0 1 SCN 0 0 0 0 K";
        let found = survey(content);
        assert!(found.names_cmyk);
        let changed = edited(content, &found.edits);
        let text = String::from_utf8(changed).unwrap();
        assert_eq!(text, "0 0 0 rg  0 0 9 9 re f /FauxfaxCMYK CS 0 0 0 1 SCN 1 1 1 RG ");
    }
}
