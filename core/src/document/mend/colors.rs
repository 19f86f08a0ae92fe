//! Replaces print colours so that black ink is black on a fax.
//!
//! The renderer converts CMYK with the profile of a printing press, in which black ink is a dark grey (hayro-interpret
//! 0.9.0). On a fax, this grey would become dots. So `DeviceCMYK` and CMYK profiles are replaced with a function that
//! interpolates between sixteen colours, one for each combination of inks. The colours are poppler's, except that every
//! combination with black ink is black, and so is the combination of the three coloured inks. The separations Black and
//! All are replaced with grey.

use super::operands::{Edit, Operands};
use super::value::{Store, Value, plain};

/// The name of the replacement for CMYK in resources.
pub(super) const CMYK_NAME: &str = "FauxfaxCMYK";
/// The maximum depth of nested colour spaces.
const DEPTH_MAX: usize = 8;

/// The colours of the combinations of inks. In the index of a combination, cyan is the lowest bit, followed by magenta,
/// yellow and black.
const CORNERS: [[u8; 3]; 16] = [
    [255, 255, 255],
    [0, 173, 239],
    [236, 0, 140],
    [46, 49, 146],
    [255, 242, 0],
    [0, 166, 80],
    [237, 28, 36],
    [0, 0, 0],
    [0, 0, 0],
    [0, 0, 0],
    [0, 0, 0],
    [0, 0, 0],
    [0, 0, 0],
    [0, 0, 0],
    [0, 0, 0],
    [0, 0, 0],
];

/// The components of a colour that is white in some colour spaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Components {
    /// All components are 0.
    Zero,
    /// All components are 1.
    Full,
}

impl Components {
    /// Returns `None` for components that are neither all 0 nor all 1, and if there are none. As in drawing, components
    /// below 0 or above 1 count as 0 or 1.
    pub(super) fn of(components: impl Iterator<Item = f64>) -> Option<Self> {
        let kind = |component: f64| match component {
            full if full >= 1.0 => Some(Self::Full),
            zero if zero <= 0.0 => Some(Self::Zero),
            _ => None,
        };
        let mut kinds = components.map(kind);
        let first = kinds.next()??;
        kinds.all(|kind| kind == Some(first)).then_some(first)
    }
}

/// Converts the amounts of cyan, magenta, yellow and black, each from 0 to 1, to red, green and blue.
pub(super) fn rgb(inks: [f64; 4]) -> [f64; 3] {
    let mut sum = [0.0; 3];
    for (corner, color) in CORNERS.iter().enumerate() {
        let weight: f64 = inks
            .iter()
            .enumerate()
            .map(|(ink, part)| if corner >> ink & 1 == 1 { part.clamp(0.0, 1.0) } else { 1.0 - part.clamp(0.0, 1.0) })
            .product();
        for (sum, part) in sum.iter_mut().zip(color) {
            *sum += weight * f64::from(*part) / 255.0;
        }
    }
    sum
}

/// Computes the luma of a combination of inks, given in bytes, by interpolation between `CORNERS`. Every corner with
/// black ink is black, so black ink only darkens the colour of the other inks.
pub(super) fn luma([cyan, magenta, yellow, black]: [u8; 4]) -> u8 {
    const LUMA: [i32; 8] = {
        let mut all = [0; 8];
        let mut corner = 0;
        while corner < all.len() {
            let [red, green, blue] = CORNERS[corner];
            // The weights of red, green and blue add up to 256.
            all[corner] = red as i32 * 77 + green as i32 * 150 + blue as i32 * 29;
            corner += 1;
        }
        all
    };
    let mix = |without: i32, with: i32, ink: u8| without + (with - without) * i32::from(ink) / 255;
    let [paper, green, red, dark] = [0, 2, 4, 6].map(|corner| mix(LUMA[corner], LUMA[corner + 1], cyan));
    let light = mix(mix(paper, green, magenta), mix(red, dark, magenta), yellow);
    ((mix(light, 0, black) + 128) >> 8) as u8
}

/// Returns an edit with the RGB colour and operator to use instead of a CMYK colour (`k` or `K`). Its place is that of
/// the four operands alone; the caller extends it by the operator.
pub(super) fn operator(operands: &Operands, stroke: bool) -> Option<Edit> {
    let (numbers, place) = operands.last_numbers::<4>()?;
    let [red, green, blue] = rgb(numbers).map(plain);
    Some((place, format!("{red} {green} {blue} {} ", if stroke { "RG" } else { "rg" }).into_bytes()))
}

/// Adds the replacement for CMYK to the document as a colour space, and returns a reference to it.
pub(super) fn cmyk<'a>(store: &mut Store<'a>) -> Value<'a> {
    let unit = |count: usize| Value::numbers(&[0.0, 1.0].repeat(count));
    let function = Value::stream(
        [
            ("FunctionType", Value::Number(0.0)),
            ("Domain", unit(4)),
            ("Range", unit(3)),
            ("Size", Value::numbers(&[2.0; 4])),
            ("BitsPerSample", Value::Number(8.0)),
        ],
        CORNERS.concat(),
    );
    let function = store.add(function);
    let names = ["Cyan", "Magenta", "Yellow", "Black"].map(Value::name).to_vec();
    let space = vec![Value::name("DeviceN"), Value::array(names), Value::name("DeviceRGB"), function];
    store.add(Value::array(space))
}

/// Creates a separation that shows one ink as grey, from white without ink to black with full ink.
fn grey_of_ink<'a>(name: &str) -> Value<'a> {
    let function = Value::dict([
        ("FunctionType", Value::Number(2.0)),
        ("Domain", Value::numbers(&[0.0, 1.0])),
        ("C0", Value::numbers(&[1.0])),
        ("C1", Value::numbers(&[0.0])),
        ("N", Value::Number(1.0)),
    ]);
    Value::array(vec![Value::name("Separation"), Value::name(name), Value::name("DeviceGray"), function])
}

/// Returns whether a name denotes CMYK as a device colour space.
pub(super) fn is_cmyk_name(name: &[u8]) -> bool {
    matches!(name, b"DeviceCMYK" | b"CMYK" | b"CalCMYK")
}

/// Returns the replacement for a colour space; `None` if it can stay unchanged.
pub(super) fn mended<'a>(store: &mut Store<'a>, space: &Value<'a>, cmyk: &Value<'a>) -> Option<Value<'a>> {
    mended_within(store, space, cmyk, 0)
}

fn mended_within<'a>(store: &mut Store<'a>, space: &Value<'a>, cmyk: &Value<'a>, depth: usize) -> Option<Value<'a>> {
    // The depth is limited because a space may contain itself.
    if depth > DEPTH_MAX || space.is_null() {
        return None;
    }
    let resolved = store.resolve(space);
    if resolved.as_name().is_some_and(is_cmyk_name) {
        return Some(cmyk.clone());
    }
    let items = resolved.items();
    let kind = items.first().map(|kind| store.resolve(kind))?;
    let kind = kind.as_name()?;
    let with = |place: usize, item: Value<'a>| {
        let mut items = items.to_vec();
        items[place] = item;
        Value::array(items)
    };
    match kind {
        name if is_cmyk_name(name) => Some(cmyk.clone()),
        b"ICCBased" => {
            let profile = store.resolve(items.get(1)?);
            (store.number(&profile, "N") == Some(4.0)).then(|| cmyk.clone())
        }
        b"Indexed" | b"I" | b"Pattern" => {
            let base = mended_within(store, items.get(1)?, cmyk, depth + 1)?;
            Some(with(1, base))
        }
        b"Separation" => {
            let ink = store.resolve(items.get(1)?);
            match ink.as_name()? {
                b"Black" => Some(grey_of_ink("Black")),
                b"All" => Some(grey_of_ink("All")),
                _ => {
                    let alternate = mended_within(store, items.get(2)?, cmyk, depth + 1)?;
                    Some(with(2, alternate))
                }
            }
        }
        b"DeviceN" => {
            let inks = store.resolve(items.get(1)?);
            let names: Vec<Value<'a>> = inks.items().iter().map(|ink| store.resolve(ink)).collect();
            match names.as_slice() {
                [ink] if ink.is_name("Black") => return Some(grey_of_ink("Black")),
                [c, m, y, k]
                    if c.is_name("Cyan") && m.is_name("Magenta") && y.is_name("Yellow") && k.is_name("Black") =>
                {
                    return Some(cmyk.clone());
                }
                _ => {}
            }
            let alternate = mended_within(store, items.get(2)?, cmyk, depth + 1)?;
            Some(with(2, alternate))
        }
        _ => None,
    }
}

/// Returns the number of components of the colours in a colour space, if it is known.
pub(super) fn components<'a>(store: &mut Store<'a>, space: &Value<'a>) -> Option<u32> {
    let space = store.resolve(space);
    let first = space.items().first().map(|kind| store.resolve(kind));
    let name = first.as_ref().unwrap_or(&space).as_name()?;
    match name {
        b"DeviceGray" | b"G" | b"CalGray" | b"Indexed" | b"I" | b"Separation" => Some(1),
        b"DeviceRGB" | b"RGB" | b"CalRGB" | b"Lab" => Some(3),
        b"ICCBased" => {
            let profile = store.resolve(space.items().get(1)?);
            store.number(&profile, "N").map(|count| count as u32)
        }
        b"DeviceN" => {
            let inks = store.resolve(space.items().get(1)?);
            u32::try_from(inks.items().len()).ok()
        }
        name => is_cmyk_name(name).then_some(4),
    }
}

/// Returns whether a colour is white, as far as is known. More light is whiter, but more ink is darker.
pub(super) fn is_white<'a>(store: &mut Store<'a>, space: &Value<'a>, components: Components) -> bool {
    let space = store.resolve(space);
    let first = space.items().first().map(|kind| store.resolve(kind));
    let Some(name) = first.as_ref().unwrap_or(&space).as_name() else { return false };
    let white = match name {
        b"DeviceGray" | b"G" | b"CalGray" | b"DeviceRGB" | b"RGB" | b"CalRGB" => Components::Full,
        b"ICCBased" => {
            let profile = space.items().get(1).map(|profile| store.resolve(profile)).unwrap_or(Value::Null);
            if store.number(&profile, "N") == Some(4.0) { Components::Zero } else { Components::Full }
        }
        b"Separation" | b"DeviceN" => Components::Zero,
        name if is_cmyk_name(name) => Components::Zero,
        // In the other spaces, such as Indexed and Lab, white has other components.
        _ => return false,
    };
    components == white
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn black_ink_is_black_and_no_ink_is_white() {
        for rest in [[0.0; 3], [0.6, 0.4, 0.4], [1.0, 1.0, 1.0], [0.0, 1.0, 0.2]] {
            let [c, m, y] = rest;
            assert_eq!(rgb([c, m, y, 1.0]), [0.0; 3], "{rest:?}");
        }
        let sums = rgb([0.0; 4]).map(|part| (part * 1e6).round());
        assert_eq!(sums, [1e6; 3]);
        let grey = rgb([0.0, 0.0, 0.0, 0.2])[0];
        assert!((grey - 0.8).abs() < 0.001, "{grey}");
    }

    #[test]
    fn luma_from_bytes_equals_luma_from_fractions() {
        for inks in (0_u32..625).map(|number| [1, 5, 25, 125].map(|step| (number / step % 5 * 255 / 4) as u8)) {
            let [red, green, blue] = rgb(inks.map(|ink| f64::from(ink) / 255.0));
            let wanted = (red * 77.0 + green * 150.0 + blue * 29.0) / 256.0 * 255.0;
            assert!((f64::from(luma(inks)) - wanted).abs() < 1.0, "{inks:?}: {} {wanted}", luma(inks));
        }
    }
}
