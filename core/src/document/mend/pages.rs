//! Finds the pages of a PDF in its page tree or, if that has none, among all objects. A page that the tree lists
//! several times is found several times.

use super::value::{Id, Store, Value};
use crate::model::page::PAGES_MAX;

/// The maximum number of nodes that are visited in a page tree.
const NODES_MAX: usize = 20_000;
/// The maximum depth of a page tree.
const LEVELS_MAX: usize = 60;
/// The box of a page that states no size, in points: US letter.
const LETTER: [f64; 4] = [0.0, 0.0, 612.0, 792.0];
/// The length, in points, below which a side of a box counts as zero.
const POINTS_MIN: f64 = 0.001;
/// Plausible sizes of a unit of user space, in points (ISO 32000-1, table 30); Acrobat's limit is 75,000.
const UNITS: std::ops::RangeInclusive<f64> = 0.000_1..=75_000.0;

/// A page with its attributes, including inherited ones.
pub(super) struct Leaf<'a> {
    pub(super) page: Value<'a>,
    pub(super) resources: Value<'a>,
    pub(super) media: [f64; 4],
    pub(super) crop: [f64; 4],
    pub(super) rotate: f64,
    pub(super) unit: f64,
    /// The losses that are due to the page's boxes.
    pub(super) losses: Vec<String>,
}

/// The pages of a document, and the losses that concern the whole document.
pub(super) struct Pages<'a> {
    pub(super) leaves: Vec<Leaf<'a>>,
    pub(super) losses: Vec<String>,
}

/// The attributes that a page inherits from its ancestors.
#[derive(Clone)]
struct Inherited<'a> {
    resources: Value<'a>,
    media: Value<'a>,
    crop: Value<'a>,
    rotate: Value<'a>,
}

/// Finds the pages in the page tree or, if the tree has none, by searching all objects.
pub(super) fn found<'a>(store: &mut Store<'a>) -> Pages<'a> {
    let catalog = store.catalog();
    let root = store.get(&catalog, "Pages");
    let id = catalog.entries().and_then(|entries| entries.get(b"Pages".as_slice()));
    let id = if let Some(Value::Ref(id)) = id { Some(*id) } else { None };
    let mut walk = Walk { leaves: Vec::new(), nodes: 0, path: id.into_iter().collect(), missing: 0 };
    let nothing = Inherited { resources: Value::Null, media: Value::Null, crop: Value::Null, rotate: Value::Null };
    walk.node(store, &root, &nothing);
    let mut losses = Vec::new();
    if walk.leaves.is_empty() {
        let dicts: Vec<Value<'a>> = store.all_dicts().collect();
        for dict in dicts {
            if store.get(&dict, "Type").is_name("Page") && walk.leaves.len() <= PAGES_MAX as usize {
                walk.leaf(store, &dict, &nothing);
            }
        }
        if !walk.leaves.is_empty() {
            losses.push("the PDF is damaged: its list of pages can't be read, and pages may be missing".to_owned());
        }
        return Pages { leaves: walk.leaves, losses };
    }
    let (found, count) = (walk.leaves.len(), store.number(&root, "Count"));
    if let Some(count) = count.filter(|count| (*count - found as f64).abs() > 0.5)
        && found <= PAGES_MAX as usize
    {
        losses.push(format!("the PDF says that it has {count:.0} pages, but {found} can be found in it"));
    } else if walk.missing > 0 {
        losses.push(format!("the PDF doesn't contain {} of the pages that it lists", walk.missing));
    }
    Pages { leaves: walk.leaves, losses }
}

/// The state of a walk through the page tree.
struct Walk<'a> {
    /// The pages found so far, in order.
    leaves: Vec<Leaf<'a>>,
    /// The number of nodes visited so far.
    nodes: usize,
    /// The nodes from the root to the current one.
    path: Vec<Id>,
    /// The number of entries that refer to nothing.
    missing: usize,
}

impl<'a> Walk<'a> {
    /// Visits a node and everything below it.
    fn node(&mut self, store: &mut Store<'a>, node: &Value<'a>, above: &Inherited<'a>) {
        self.nodes += 1;
        // One page more than the limit is enough to report that there are too many.
        let is_enough = self.nodes > NODES_MAX || self.leaves.len() > PAGES_MAX as usize;
        if is_enough || self.path.len() > LEVELS_MAX {
            return;
        }
        let inherited = above.narrowed(store, node);
        let kids = store.get(node, "Kids");
        for kid in kids.items() {
            let id = if let Value::Ref(id) = kid { Some(*id) } else { None };
            // A node that contains itself would have an infinite number of pages.
            if id.is_some_and(|id| self.path.contains(&id)) {
                continue;
            }
            let value = store.resolve(kid);
            if value.entries().is_none() {
                self.missing += 1;
                continue;
            }
            // If the type is missing or wrong, kids distinguish a node from a page.
            let is_node = store.get(&value, "Type").is_name("Pages")
                || !store.get(&value, "Type").is_name("Page") && !store.get(&value, "Kids").is_null();
            if is_node {
                self.path.extend(id);
                self.node(store, &value, &inherited);
                if id.is_some() {
                    self.path.pop();
                }
            } else if self.leaves.len() <= PAGES_MAX as usize {
                self.leaf(store, &value, &inherited);
            }
        }
    }

    /// Adds a page, with a replacement for each box that is missing or has no area.
    fn leaf(&mut self, store: &mut Store<'a>, page: &Value<'a>, above: &Inherited<'a>) {
        let own = above.narrowed(store, page);
        let mut losses = Vec::new();
        let media = rectangle(store, &own.media).unwrap_or_else(|| {
            let what = if own.media.is_null() { "has no size" } else { "has no valid size" };
            losses.push(format!("the page {what}: it is sent in letter size"));
            LETTER
        });
        let crop = if own.crop.is_null() {
            media
        } else {
            let inside = rectangle(store, &own.crop).and_then(|crop| common(crop, media));
            inside.unwrap_or_else(|| {
                losses.push(
                    "the page's CropBox is invalid or doesn't overlap the page: the whole page is sent".to_owned(),
                );
                media
            })
        };
        let unit = store.number(page, "UserUnit").filter(|unit| UNITS.contains(unit)).unwrap_or(1.0);
        let rotate = store.resolve(&own.rotate).number().unwrap_or(0.0);
        let page = page.clone();
        self.leaves.push(Leaf { page, resources: own.resources, media, crop, rotate, unit, losses });
    }
}

impl<'a> Inherited<'a> {
    /// Returns the attributes that apply to a node: its own where it has them, otherwise the inherited ones.
    fn narrowed(&self, store: &mut Store<'a>, node: &Value<'a>) -> Self {
        let mut own = |key: &str, above: &Value<'a>| {
            let raw = node.entries().and_then(|entries| entries.get(key.as_bytes())).cloned();
            raw.filter(|raw| !store.resolve(raw).is_null()).unwrap_or_else(|| above.clone())
        };
        Self {
            resources: own("Resources", &self.resources),
            media: own("MediaBox", &self.media),
            crop: own("CropBox", &self.crop),
            rotate: own("Rotate", &self.rotate),
        }
    }
}

/// Returns a rectangle as left, bottom, right, top; `None` if it isn't four finite numbers, or has no area.
pub(super) fn rectangle<'a>(store: &mut Store<'a>, value: &Value<'a>) -> Option<[f64; 4]> {
    let array = store.resolve(value);
    let numbers: Vec<f64> = array.items().iter().filter_map(|item| store.resolve(item).number()).collect();
    let [a, b, c, d] = *numbers.first_chunk::<4>()?;
    let sides = [a.min(c), b.min(d), a.max(c), b.max(d)];
    let has_area = sides[2] - sides[0] > POINTS_MIN && sides[3] - sides[1] > POINTS_MIN;
    (has_area && sides.iter().all(|side| side.is_finite())).then_some(sides)
}

/// Returns the area that two rectangles have in common; `None` if there is none.
fn common(a: [f64; 4], b: [f64; 4]) -> Option<[f64; 4]> {
    let both = [a[0].max(b[0]), a[1].max(b[1]), a[2].min(b[2]), a[3].min(b[3])];
    (both[2] - both[0] > POINTS_MIN && both[3] - both[1] > POINTS_MIN).then_some(both)
}
