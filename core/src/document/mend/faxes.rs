//! Recognises pages that consist only of a fax image: an image that has the width and the coding of a fax and covers
//! the page. Such an image is decoded instead of drawn, so that no pel changes.

use super::lexer::{Kind, Lexer};
use super::pages::Leaf;
use super::streams;
use super::value::{Store, Value};
use crate::model::page::{PELS_PER_INCH, ROW_PELS};

/// The maximum length of the content of a page that draws only one image.
const CONTENT_BYTES_MAX: usize = 400;
/// The tolerance for the resolution, in pels per inch.
const OFF_MAX: f64 = 2.0;

/// The fax image that a page consists of.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::document) struct FaxImage {
    /// The data of the image, coded as MMR (T.6).
    pub(in crate::document) mmr: Vec<u8>,
    pub(in crate::document) height: u32,
    pub(in crate::document) rows_an_inch: f64,
}

/// Returns the fax image that a page consists of; `None` for any other page. `drawn` is the array of the annotations
/// that are drawn on the page.
pub(super) fn image<'a>(store: &mut Store<'a>, leaf: &Leaf<'a>, content: &[u8], drawn: &Value<'a>) -> Option<FaxImage> {
    let [x0, y0, x1, y1] = leaf.crop;
    let is_plain = leaf.rotate == 0.0 && leaf.unit == 1.0 && drawn.items().is_empty();
    if !is_plain || content.len() > CONTENT_BYTES_MAX {
        return None;
    }
    let (name, matrix) = only_image(content)?;
    let near = |a: f64, b: f64| (a - b).abs() < 0.5;
    let covers = near(matrix[0], x1 - x0) && near(matrix[3], y1 - y0) && near(matrix[4], x0) && near(matrix[5], y0);
    if !covers || matrix[1] != 0.0 || matrix[2] != 0.0 {
        return None;
    }
    let resources = store.resolve(&leaf.resources);
    let objects = store.get(&resources, "XObject");
    let image = store.get(&objects, std::str::from_utf8(&name).ok()?);
    let is_grey = store.get(&image, "ColorSpace").is_name("DeviceGray");
    // Each of these entries may change the pels.
    let other = ["Decode", "SMask", "Mask", "ImageMask"].iter().any(|key| !store.get(&image, key).is_null());
    if !is_grey || other || store.number(&image, "Width") != Some(f64::from(ROW_PELS)) {
        return None;
    }
    let steps = streams::steps(store, &image);
    let [(filter, parameters)] = steps.as_slice() else { return None };
    let is_mmr = filter.as_slice() == b"CCITTFaxDecode" && store.number(parameters, "K").is_some_and(|k| k < 0.0);
    let columns = store.number(parameters, "Columns");
    // With either of these options, the data would have to be decoded differently than on a fax.
    let turned =
        ["BlackIs1", "EncodedByteAlign"].iter().any(|key| matches!(store.get(parameters, key), Value::Bool(true)));
    if !is_mmr || columns != Some(f64::from(ROW_PELS)) || turned {
        return None;
    }
    let height = store.number(&image, "Height").filter(|height| (1.0..=100_000.0).contains(height))?;
    let pels_an_inch = f64::from(ROW_PELS) * 72.0 / matrix[0];
    let rows_an_inch = height * 72.0 / matrix[3];
    let Value::Stream(flow) = &image else { return None };
    ((pels_an_inch - f64::from(PELS_PER_INCH)).abs() < OFF_MAX).then(|| FaxImage {
        mmr: flow.data.to_vec(),
        height: height as u32,
        rows_an_inch,
    })
}

/// Returns the name and the matrix of the image that a content stream draws; `None` if the stream contains other
/// operators than `q`, `cm`, `Do` and `Q`, once each and in this order.
fn only_image(content: &[u8]) -> Option<(Vec<u8>, [f64; 6])> {
    let (mut numbers, mut operators, mut name, mut matrix) = (Vec::new(), Vec::new(), None, None);
    for token in Lexer::new(content) {
        match token.kind {
            Kind::Number(number) => numbers.push(number),
            Kind::Name(found) => name = Some(found),
            Kind::Operator => {
                let operator = content.get(token.place)?;
                if operator == b"cm" {
                    matrix = Some(<[f64; 6]>::try_from(std::mem::take(&mut numbers)).ok()?);
                }
                operators.push(operator);
            }
            Kind::Text(_) | Kind::Bracket | Kind::Data | Kind::Open => return None,
        }
    }
    let is_one = operators == [&b"q"[..], b"cm", b"Do", b"Q"] && numbers.is_empty();
    is_one.then_some((name?, matrix?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_draws_only_one_image_is_recognised() {
        let image = only_image(b"q 610 0 0 792 0 0 cm /Fax Do Q\n").unwrap();
        assert_eq!(image, (b"Fax".to_vec(), [610.0, 0.0, 0.0, 792.0, 0.0, 0.0]));
        for other in
            [&b"q 610 0 0 792 0 0 cm /Fax Do Q BT (a) Tj ET"[..], b"/Fax Do", b"0 g q 1 0 0 1 0 0 cm /Fax Do Q"]
        {
            assert_eq!(only_image(other), None);
        }
    }
}
