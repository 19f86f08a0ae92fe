//! Repairs soft masks that lack an entry that the renderer requires. If a mask has no kind, no group or no colour
//! space, the renderer ignores it and paints what the mask should hide (hayro-interpret 0.9.0). CMYK backdrops are
//! converted to RGB as in `colors.rs`.

use super::colors;
use super::value::{Store, Value};

/// Returns the replacement for a mask; `None` if the mask can stay unchanged. `form` is the mask's group, which is
/// replaced separately if necessary.
pub(super) fn mended<'a>(store: &mut Store<'a>, mask: &Value<'a>, form: &Value<'a>) -> Option<Value<'a>> {
    let kind = store.get(mask, "S");
    let group = store.resolve(form);
    if kind.is_name("Alpha") || !matches!(group, Value::Stream(_)) {
        return None;
    }
    let backdrop = store.numbers(mask, "BC");
    let attributes = store.get(&group, "Group");
    let has_space = !store.get(&attributes, "CS").is_null();
    // The group's colour space may be changed freely: it matters only for the backdrop, because colours within the
    // group name their own spaces.
    let space = match backdrop.len() {
        4 => Some("DeviceRGB"),
        _ if has_space => None,
        3 => Some("DeviceRGB"),
        _ => Some("DeviceGray"),
    };
    if let Some(space) = space {
        let none = Value::dict([("S", Value::name("Transparency"))]);
        let attributes = if attributes.entries().is_some() { attributes } else { none };
        store.replaced(form, group.with("Group", attributes.with("CS", Value::name(space))));
    }
    let mut mended = mask.clone();
    if let [cyan, magenta, yellow, black] = *backdrop {
        mended = mended.with("BC", Value::numbers(&colors::rgb([cyan, magenta, yellow, black])));
    }
    if !kind.is_name("Luminosity") {
        mended = mended.with("S", Value::name("Luminosity"));
    }
    let stays = backdrop.len() != 4 && kind.is_name("Luminosity");
    (!stays).then_some(mended)
}
