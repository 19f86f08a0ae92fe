//! Judges QR codes and bar codes: whether they have a white margin, and whether their modules have enough pels and are
//! not dots.
//!
//! A code that is drawn as small shapes, or that is in a small image, is measured in the document itself, at a finer
//! resolution than the fax's. Any other code is measured on the fax page, where it is found only if its modules are at
//! least about one and a half pels. A code that isn't found is not judged: a missed code is better than a false alarm.

mod bars;
mod qr;
mod runs;

use super::cluster::groups;
use super::dots::Dots;
use super::finding::{Measure, Severity};
use super::page::{Page, Remark};
use crate::document::bitmap::Bitmap;
use crate::document::marks::{Marks, Place};
use crate::document::original::{Region, Rgb};
use crate::document::picture::luma;

/// The number of pels per module below which a code fails: neither zbar nor ZXing reads such a code from a fax page,
/// unless the edges of its modules happen to coincide with those of the pels (docs/check-document.md).
pub(in crate::document::judge) const PELS_FAIL: f64 = 1.5;
/// The number of pels per module below which a QR code is doubtful: from 2.8 pels on, zbar reads every code.
pub(in crate::document::judge) const PELS_WARN: f64 = 2.75;
/// The number of pels per module below which a bar code is doubtful: zbar reads every Code 128 from 2.2 pels on, but
/// ZXing does not read every Code 39. EAN in its nominal size has 2.65.
pub(in crate::document::judge) const BARS_PELS_WARN: f64 = 2.5;
/// The minimum share of isolated pels in a code whose modules are dots, in percent.
const DOTS_PERCENT: f64 = 6.0;
/// The white margin of a bar code below which there is a warning, in modules. It is the margin that EAN and UPC require
/// to the right of the code (ISO/IEC 15420), because the judge can't tell which kind of bar code it sees.
pub(in crate::document::judge) const BARS_MARGIN_WARN: f64 = 7.0;
/// How much narrower a margin may be because its edges are not at whole pels, in modules.
const BARS_MARGIN_TOLERANCE: f64 = 0.5;
/// The resolution at which codes are measured in the document, in pixels per inch: three per pel across.
const PER_INCH: f64 = 612.0;
/// The grey below which a pixel belongs to a module. Grey modules count, so that the dots that they become are judged.
const THRESHOLD: u8 = 192;
/// The largest image or group of shapes in which a code is measured in the document, in inches per side.
const INCHES_MAX: f64 = 4.0;
/// The smallest image or group of shapes in which a code is measured, in inches per side: a QR code of version 1 with
/// two pixels per module.
const INCHES_MIN: f64 = 0.068;
/// The largest gap between shapes that belong to the same code, in inches, across and down: a few modules.
const SHAPES_INCHES: (f64, f64) = (0.15, 0.15);
/// The minimum number of shapes in a code.
const SHAPES_MIN: usize = 12;
/// The thickest shape that may be a part of a code, in inches.
const SHAPE_INCHES_MAX: f64 = 0.1;
/// The margin around a code that is examined, in inches: 4 modules of a large code.
const MARGIN_INCHES: f64 = 0.15;
/// The minimum number of pels per module of a code that is recognised on the fax page.
const PAGE_PELS_MIN: f64 = 1.4;
/// The maximum number of places per page in which codes are measured in the document.
const PLACES_MAX: usize = 12;

/// A code on a page.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Code {
    kind: Kind,
    place: Place,
    /// The size of a module in inches, across and down; for a bar code, the width of its narrowest bars and spaces.
    module: Module,
    /// The white margin, in modules.
    margin: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Qr,
    Bars,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Module {
    Both(f64, f64),
    Across(f64),
    Down(f64),
}

/// Judges the codes of a page.
pub(super) fn codes(page: &mut Page<'_>, dots: &Dots) -> Vec<Remark> {
    let mut found: Vec<Code> = Vec::new();
    let mut add = |codes: Vec<Code>| {
        for code in codes {
            if !found.iter().any(|known| known.place.overlaps(&code.place)) {
                found.push(code);
            }
        }
    };
    for place in page.marks.map(places).unwrap_or_default() {
        let region = region(&place);
        let bits = bits(&(page.original)(&region));
        add(of_image(&bits, (PER_INCH, PER_INCH), (region.left, region.top), Turns::Both));
    }
    // On the fax page, the modules of a code can't be told from noise if they are too small, or if they are dots.
    let mut on_page = of_image(page.bits, page.per_inch(), (0.0, 0.0), Turns::Upright);
    let (across, down) = page.per_inch();
    on_page.retain(|code| {
        let is_large = match code.module {
            Module::Both(x, y) => x * across >= PAGE_PELS_MIN && y * down >= PAGE_PELS_MIN,
            Module::Across(x) => x * across >= PAGE_PELS_MIN,
            Module::Down(y) => y * down >= PAGE_PELS_MIN,
        };
        is_large && dots.percent(&page.area(&code.place)) < DOTS_PERCENT
    });
    add(on_page);
    found.iter().filter_map(|code| judged(page, code, dots)).collect()
}

/// Returns the places in the document that may be codes.
fn places(marks: &Marks) -> Vec<Place> {
    let is_thin = |shape: &&Place| shape.width().min(shape.height()) <= SHAPE_INCHES_MAX;
    let shapes = groups(marks.shapes.iter().filter(is_thin).map(|shape| (*shape, ())), SHAPES_INCHES);
    let drawn = shapes.into_iter().filter(|group| group.members.len() >= SHAPES_MIN).map(|group| group.place);
    let is_size = |place: &Place| {
        let size = INCHES_MIN..=INCHES_MAX;
        size.contains(&place.width()) && size.contains(&place.height())
    };
    let mut places: Vec<Place> = Vec::new();
    for place in marks.images.iter().copied().chain(drawn).filter(is_size) {
        if places.len() < PLACES_MAX && !places.contains(&place) {
            places.push(place);
        }
    }
    places
}

/// Returns the region of a place with a margin.
fn region(place: &Place) -> Region {
    let Place { left, top, right, bottom } = place.grown((MARGIN_INCHES, MARGIN_INCHES));
    // The sides are at most INCHES_MAX and two margins.
    let pixels = |inches: f64| (inches * PER_INCH).ceil() as u16;
    Region { left, top, per_inch: PER_INCH, width: pixels(right - left), height: pixels(bottom - top) }
}

/// Returns an image in black and white.
fn bits(image: &Rgb) -> Bitmap {
    let mut bits = Bitmap::white(image.width, image.height);
    for (y, row) in (0..).zip(image.pixels.chunks_exact(image.width.max(1) as usize)) {
        for (x, [red, green, blue]) in (0..).zip(row) {
            if luma(*red, *green, *blue) < THRESHOLD {
                bits.blacken(x, y);
            }
        }
    }
    bits
}

/// The directions in which bar codes are looked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turns {
    Upright,
    Both,
}

/// Finds the codes in an image. `left` and `top` are the place of the image's top left corner on the page.
fn of_image(bits: &Bitmap, (across, down): (f64, f64), (left, top): (f64, f64), turns: Turns) -> Vec<Code> {
    let place = |x0: f64, y0: f64, x1: f64, y1: f64| Place {
        left: left + x0 / across,
        top: top + y0 / down,
        right: left + x1 / across,
        bottom: top + y1 / down,
    };
    let qr = qr::find(bits).into_iter().map(|qr| Code {
        kind: Kind::Qr,
        place: place(qr.left, qr.top, qr.right, qr.bottom),
        module: Module::Both(qr.module.0 / across, qr.module.1 / down),
        margin: qr.margin.into(),
    });
    let upright = bars::find(bits, down).into_iter().map(|bars| Code {
        kind: Kind::Bars,
        place: place(bars.left, bars.top, bars.right, bars.bottom),
        module: Module::Across(bars.module / across),
        margin: bars.margin,
    });
    let mut codes: Vec<Code> = qr.chain(upright).collect();
    if turns == Turns::Both {
        codes.extend(bars::find(&runs::transposed(bits), across).into_iter().map(|bars| Code {
            kind: Kind::Bars,
            place: place(bars.top, bars.left, bars.bottom, bars.right),
            module: Module::Down(bars.module / down),
            margin: bars.margin,
        }));
    }
    codes
}

/// Returns the worst that is wrong with a code: its size if it is too small to be scanned, otherwise its dots if there
/// are too many, otherwise its size if that is doubtful, otherwise its margin. Returns `None` if it can be scanned.
fn judged(page: &Page<'_>, code: &Code, dots: &Dots) -> Option<Remark> {
    let (across, down) = page.per_inch();
    let (value, unit) = match code.module {
        Module::Both(x, y) if x * across <= y * down => (x * across, "pels"),
        Module::Across(x) => (x * across, "pels"),
        Module::Both(_, y) | Module::Down(y) => (y * down, "rows"),
    };
    let (name, pels_warn) = match code.kind {
        Kind::Qr => ("QR code", PELS_WARN),
        Kind::Bars => ("bar code", BARS_PELS_WARN),
    };
    let (margin, margin_limit, sides) = match code.kind {
        Kind::Qr => (f64::from(qr::MARGIN_MODULES), f64::from(qr::MARGIN_MODULES), "on all sides"),
        Kind::Bars => (bars::MARGIN_MODULES, BARS_MARGIN_WARN, "on either side"),
    };
    let share = dots.percent(&page.area(&code.place));
    let is_narrow = match code.kind {
        Kind::Qr => code.margin < margin,
        Kind::Bars => code.margin < BARS_MARGIN_WARN - BARS_MARGIN_TOLERANCE,
    };
    let remark =
        |severity, measured, seen, fix| Some(Remark { severity, place: Some(code.place), measured, seen, fix });
    let is_dots = share >= DOTS_PERCENT;
    if value < PELS_FAIL || (value < pels_warn && !is_dots) {
        let (severity, limit, verb) = if value < PELS_FAIL {
            (Severity::Fail, PELS_FAIL, "is too small to be scanned")
        } else {
            (Severity::Warn, pels_warn, "may be too small to be scanned")
        };
        let seen = format!("a {name} {verb} at {} quality: its modules have {value:.1} {unit}", page.quality);
        let fix = format!("print it {:.1} times as large", (pels_warn / value * 10.0).ceil() / 10.0);
        return remark(severity, Measure { value, limit: Some(limit), unit }, seen, fix);
    }
    if is_dots {
        let measured = Measure { value: share, limit: Some(DOTS_PERCENT), unit: "percent" };
        let seen = format!("a {name} can't be scanned: it is printed in grey or colour, so that its modules are dots");
        return remark(Severity::Fail, measured, seen, "print it in black on white".to_owned());
    }
    if is_narrow {
        let measured = Measure { value: code.margin, limit: Some(margin_limit), unit: "modules" };
        let seen = format!("a {name} has a white margin of {:.0} modules instead of {margin}", code.margin.floor());
        return remark(Severity::Warn, measured, seen, format!("leave {margin} modules white {sides}"));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::dither::{self, Tone};
    use crate::document::gray::Gray;
    use crate::model::fax::Quality;

    /// Judges a QR code with modules of `pels` pels, whose area has this grey.
    fn judged_at(pels: f64, level: u8) -> Option<Remark> {
        let mut greys = Gray::white(1_728, 800);
        for row in greys.pels_mut().chunks_exact_mut(1_728).skip(200).take(400) {
            row[320..960].fill(level);
        }
        let bits = dither::bits(&greys, Tone::Dither);
        let mut original = |_: &_| Rgb::white(1, 1);
        let page = Page { quality: Quality::Fine, bits: &bits, marks: None, original: &mut original };
        let (across, down) = page.per_inch();
        let place = Place { left: 400.0 / across, top: 300.0 / down, right: 600.0 / across, bottom: 500.0 / down };
        let module = Module::Both(pels / across, pels / down);
        judged(&page, &Code { kind: Kind::Qr, place, module, margin: 4.0 }, &Dots::of(&page))
    }

    #[test]
    fn of_a_doubtful_size_and_dots_the_worse_finding_is_reported() {
        for (pels, level, severity, unit) in [
            (1.4, 128, Severity::Fail, "pels"),
            (1.4, 0, Severity::Fail, "pels"),
            (1.6, 128, Severity::Fail, "percent"),
            (1.6, 0, Severity::Warn, "pels"),
            (2.7, 128, Severity::Fail, "percent"),
            (2.8, 128, Severity::Fail, "percent"),
        ] {
            let remark = judged_at(pels, level).unwrap();
            assert_eq!((remark.severity, remark.measured.unit), (severity, unit), "{pels} {level}: {}", remark.seen);
        }
        assert!(judged_at(2.8, 0).is_none());
    }
}
