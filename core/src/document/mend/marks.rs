//! Prepares annotations for drawing. The appearance of an annotation is checked like the rest of the page. An
//! annotation without an appearance gets a simple one, if its kind is one that this file can draw.

use super::fields::{self, Look};
use super::value::{Value, plain};
use super::{Findings, Mender};

/// The maximum number of annotations that are drawn per page. If a page has more, this is reported.
const ANNOTATIONS_MAX: usize = 5_000;
/// The maximum number of points per line, and of strokes or pieces of text, that are read from an annotation.
const PARTS_MAX: usize = 100_000;
/// The flags Hidden and NoView, either of which keeps an annotation off the page (ISO 32000-1, table 165).
const HIDDEN: u32 = 1 << 1 | 1 << 5;
/// The distance of a control point from the end of its curve, if a circle of radius 1 is drawn as four curves.
const CIRCLE: f64 = 0.552_284_75;

impl<'a> Mender<'a> {
    /// Returns an array of the annotations of a page, with appearances for annotations that lack one.
    pub(super) fn annotations(&mut self, page: &Value<'a>, findings: &mut Findings) -> Value<'a> {
        let raw = page.entries().and_then(|entries| entries.get(b"Annots".as_slice())).cloned().unwrap_or(Value::Null);
        let all = self.store.resolve(&raw);
        let mut annotations = Vec::new();
        if all.items().len() > ANNOTATIONS_MAX {
            self.store.changed = true;
            findings.note(format!("annotations are missing: only the first {ANNOTATIONS_MAX} of the page are drawn"));
        }
        for annotation in all.items().iter().take(ANNOTATIONS_MAX) {
            let resolved = self.store.resolve(annotation);
            if resolved.entries().is_none() {
                continue;
            }
            annotations.push(self.annotation(&resolved, findings));
        }
        Value::array(annotations)
    }

    /// Returns an annotation with only those entries that affect how it is drawn.
    fn annotation(&mut self, annotation: &Value<'a>, findings: &mut Findings) -> Value<'a> {
        let entries = annotation.entries().cloned().unwrap_or_default();
        let kept = ["Subtype", "Rect", "F", "AP", "AS", "OC"];
        let kept = entries.into_iter().filter(|(key, _)| kept.iter().any(|kept| kept.as_bytes() == key.as_slice()));
        let mut drawn = Value::Dict(std::rc::Rc::new(kept.collect()));
        let flags = self.store.number(annotation, "F").unwrap_or(0.0) as u32;
        if flags & HIDDEN != 0 || self.store.get(annotation, "Subtype").is_name("Popup") {
            return drawn;
        }
        match self.look(annotation, findings) {
            Look::AsItIs => {}
            Look::State(state) => {
                self.store.changed = true;
                drawn = drawn.with("AS", Value::Name(state.as_slice().into()));
            }
            Look::Drawn(form) => {
                self.store.changed = true;
                findings.paints = true;
                let form = self.store.add(form);
                let resolved = self.store.resolve(&form);
                let rectangle = self.store.get(&resolved, "BBox");
                drawn = drawn.with("AP", Value::dict([("N", form)]));
                if !rectangle.is_null() {
                    drawn = drawn.with("Rect", rectangle);
                }
            }
        }
        drawn
    }

    /// Determines the look of an annotation, and checks its appearance if it has one.
    fn look(&mut self, annotation: &Value<'a>, findings: &mut Findings) -> Look<'a> {
        if self.store.get(annotation, "Subtype").is_name("Widget") {
            let look = fields::look(&mut self.store, &self.form, annotation, findings);
            if !matches!(look, Look::AsItIs) {
                return look;
            }
        }
        let appearances = self.store.get(annotation, "AP");
        let normal = appearances.entries().and_then(|entries| entries.get(b"N".as_slice())).cloned();
        let Some(normal) = normal else { return self.simple(annotation, findings) };
        let resolved = self.store.resolve(&normal);
        if matches!(resolved, Value::Stream(_)) {
            self.appearance(&normal, findings);
        } else if let Some(states) = resolved.entries() {
            // A state without an appearance shows nothing, like the state of an unticked checkbox.
            let state = self.store.get(annotation, "AS");
            if let Some(stream) = state.as_name().and_then(|state| states.get(state)).cloned() {
                self.appearance(&stream, findings);
            }
        } else {
            return self.simple(annotation, findings);
        }
        Look::AsItIs
    }

    /// Checks the stream of an appearance, unless it has been checked already, and adds the findings.
    fn appearance(&mut self, appearance: &Value<'a>, findings: &mut Findings) {
        // A stream is always a separate object (ISO 32000-1, 7.3.8.1).
        let Value::Ref(id) = *appearance else { return };
        let known = self.known.get(&id).cloned();
        let found = known.unwrap_or_else(|| {
            let resolved = self.store.resolve(appearance);
            let mut found = Findings::default();
            if self.open.insert(id) {
                if matches!(resolved, Value::Stream(_)) {
                    self.form(appearance, &resolved, &Value::Null, &mut found);
                } else {
                    found.note("an annotation is missing: the PDF names its appearance, but doesn't contain it");
                }
                self.open.remove(&id);
            }
            let found = std::rc::Rc::new(found);
            self.known.insert(id, std::rc::Rc::clone(&found));
            found
        });
        findings.add(&found);
    }

    /// Creates a simple appearance for an annotation that has none, if its kind can be drawn.
    fn simple(&mut self, annotation: &Value<'a>, findings: &mut Findings) -> Look<'a> {
        let kind = self.store.get(annotation, "Subtype");
        let raw = annotation.entries().and_then(|entries| entries.get(b"Rect".as_slice())).cloned();
        let Some(rectangle) = raw.and_then(|raw| super::pages::rectangle(&mut self.store, &raw)) else {
            return Look::AsItIs;
        };
        let content = match kind.as_name() {
            Some(b"FreeText") => return fields::free_text(&mut self.store, annotation, rectangle, findings),
            Some(b"Stamp") => return fields::stamp(&mut self.store, annotation, rectangle, findings),
            Some(b"Square") => self.framed(annotation, rectangle, false),
            Some(b"Circle") => self.framed(annotation, rectangle, true),
            Some(b"Line") => self.lines(annotation, "L", false),
            Some(b"Ink") => self.ink(annotation),
            Some(b"Polygon") => self.lines(annotation, "Vertices", true),
            Some(b"PolyLine") => self.lines(annotation, "Vertices", false),
            Some(b"Highlight") => self.marked(annotation, rectangle, Mark::Over),
            Some(b"Underline" | b"Squiggly") => self.marked(annotation, rectangle, Mark::Under),
            Some(b"StrikeOut") => self.marked(annotation, rectangle, Mark::Through),
            _ => None,
        };
        let Some((content, bounds)) = content else { return Look::AsItIs };
        let mut resources = Value::dict([]);
        // Multiplying keeps the text under the marker legible.
        if kind.is_name("Highlight") {
            let state = Value::dict([("BM", Value::name("Multiply"))]);
            resources = Value::dict([("ExtGState", Value::dict([("Mark", state)]))]);
        }
        Look::Drawn(fields::form(bounds, resources, content))
    }

    /// Returns the operators that set a colour of an annotation; `None` if the colour is transparent.
    fn ink_of(&mut self, annotation: &Value<'a>, key: &str, stroke: bool) -> Option<String> {
        let color = self.store.numbers(annotation, key);
        fields::color_operator(&color, stroke)
    }

    /// Returns the width of an annotation's lines, and the operators that set the width and the dashes.
    fn pen(&mut self, annotation: &Value<'a>) -> (f64, String) {
        let style = self.store.get(annotation, "BS");
        let border = self.store.numbers(annotation, "Border");
        let width = self.store.number(&style, "W").or_else(|| border.get(2).copied()).unwrap_or(1.0).clamp(0.0, 100.0);
        let mut pen = format!("{} w ", plain(width));
        if self.store.get(&style, "S").is_name("D") {
            let dashes = self.store.numbers(&style, "D");
            let dashes = if dashes.is_empty() { vec![3.0] } else { dashes };
            let dashes: Vec<String> = dashes.iter().take(10).map(|dash| plain(dash.max(0.0))).collect();
            pen.push_str(&format!("[{}] 0 d ", dashes.join(" ")));
        }
        (width, pen)
    }

    /// Draws a rectangle or an ellipse; `None` if it has neither a fill colour nor a visible line.
    fn framed(&mut self, annotation: &Value<'a>, rectangle: [f64; 4], round: bool) -> Drawing {
        let (width, pen) = self.pen(annotation);
        let fill = self.ink_of(annotation, "IC", false);
        let line = self.ink_of(annotation, "C", true).filter(|_| width > 0.0);
        let paint = match (&fill, &line) {
            (Some(_), Some(_)) => "B",
            (Some(_), None) => "f",
            (None, Some(_)) => "S",
            (None, None) => return None,
        };
        let [x0, y0, x1, y1] = rectangle;
        let inset = (width / 2.0).min((x1 - x0) / 2.0).min((y1 - y0) / 2.0);
        let sides = [x0 + inset, y0 + inset, x1 - inset, y1 - inset];
        let shape = if round { ellipse(sides) } else { upright(sides) };
        let colors = [fill, line].into_iter().flatten().collect::<String>();
        Some((format!("{colors}{pen}{shape} {paint}"), rectangle))
    }

    /// Draws lines between the points that the entry `key` lists.
    fn lines(&mut self, annotation: &Value<'a>, key: &str, closed: bool) -> Drawing {
        let points = self.store.numbers(annotation, key);
        let (width, pen) = self.pen(annotation);
        let line = self.ink_of(annotation, "C", true).unwrap_or_else(|| "0 G ".to_owned());
        let fill = if closed { self.ink_of(annotation, "IC", false) } else { None };
        let paint = match (closed, &fill) {
            (true, Some(_)) => "b",
            (true, None) => "s",
            (false, _) => "S",
        };
        let (path, bounds) = polyline(&points, width)?;
        Some((format!("{}{line}{pen}{path}{paint}", fill.unwrap_or_default()), bounds))
    }

    /// Draws the strokes of a freehand drawing.
    fn ink(&mut self, annotation: &Value<'a>) -> Drawing {
        let (width, pen) = self.pen(annotation);
        let line = self.ink_of(annotation, "C", true).unwrap_or_else(|| "0 G ".to_owned());
        let list = self.store.get(annotation, "InkList");
        let mut content = format!("{line}{pen}1 J 1 j ");
        let mut all: Option<[f64; 4]> = None;
        for stroke in list.items().iter().take(PARTS_MAX) {
            let stroke = self.store.resolve(stroke);
            let points: Vec<f64> =
                stroke.items().iter().take(PARTS_MAX).filter_map(|item| self.store.resolve(item).number()).collect();
            let Some((path, bounds)) = polyline(&points, width) else { continue };
            content.push_str(&format!("{path}S "));
            all = Some(all.map_or(bounds, |all| joined(all, bounds)));
        }
        all.map(|bounds| (content, bounds))
    }

    /// Draws marks over, under or through pieces of text.
    fn marked(&mut self, annotation: &Value<'a>, rectangle: [f64; 4], mark: Mark) -> Drawing {
        let points = self.store.numbers(annotation, "QuadPoints");
        // Each piece has eight numbers, which are the coordinates of its corners. Programs write the corners in
        // different orders, so only their bounds count.
        let mut pieces: Vec<[f64; 4]> = points
            .chunks_exact(8)
            .take(PARTS_MAX)
            .map(|quad| {
                let side = |from: usize, least: f64, pick: fn(f64, f64) -> f64| {
                    quad.iter().skip(from).step_by(2).copied().fold(least, pick)
                };
                [
                    side(0, f64::MAX, f64::min),
                    side(1, f64::MAX, f64::min),
                    side(0, f64::MIN, f64::max),
                    side(1, f64::MIN, f64::max),
                ]
            })
            .collect();
        if pieces.is_empty() {
            pieces.push(rectangle);
        }
        let stroke = mark != Mark::Over;
        let default = if stroke { "0 G " } else { "1 1 0 rg " };
        let color = self.ink_of(annotation, "C", stroke).unwrap_or_else(|| default.to_owned());
        let mut content = if stroke { format!("{color}1 w ") } else { format!("/Mark gs {color}") };
        let mut bounds = pieces.first().copied()?;
        for piece in pieces {
            let [x0, y0, x1, y1] = piece;
            let height = match mark {
                Mark::Over => {
                    content.push_str(&format!("{} f ", upright(piece)));
                    None
                }
                Mark::Under => Some(y0 + (y1 - y0) * 0.08),
                Mark::Through => Some(y0 + (y1 - y0) * 0.45),
            };
            if let Some(y) = height.map(plain) {
                content.push_str(&format!("{} {y} m {} {y} l S ", plain(x0), plain(x1)));
            }
            bounds = joined(bounds, piece);
        }
        bounds.iter().all(|side| side.is_finite()).then_some((content, grown(bounds, 1.0)))
    }
}

/// Operators, and the bounds of the area on which they draw; `None` if they would draw nothing.
type Drawing = Option<(String, [f64; 4])>;

/// The place of a mark relative to its text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Over,
    Under,
    Through,
}

/// Returns the operators that add a rectangle to the path.
fn upright([x0, y0, x1, y1]: [f64; 4]) -> String {
    format!("{} {} {} {} re", plain(x0), plain(y0), plain(x1 - x0), plain(y1 - y0))
}

/// Returns the operators that add an ellipse to the path, given the sides of the rectangle around it.
fn ellipse([x0, y0, x1, y1]: [f64; 4]) -> String {
    let (x, y) = ((x0 + x1) / 2.0, (y0 + y1) / 2.0);
    let (across, up) = ((x1 - x0) / 2.0 * CIRCLE, (y1 - y0) / 2.0 * CIRCLE);
    let curve = |points: [f64; 6]| format!("{} c ", points.map(plain).join(" "));
    [
        format!("{} {} m ", plain(x1), plain(y)),
        curve([x1, y + up, x + across, y1, x, y1]),
        curve([x - across, y1, x0, y + up, x0, y]),
        curve([x0, y - up, x - across, y0, x, y0]),
        curve([x + across, y0, x1, y - up, x1, y]),
        "h".to_owned(),
    ]
    .concat()
}

/// Returns the operators that extend the path with lines from point to point, and the bounds of the area that the lines
/// cover; `None` for fewer than two points, and for points that are infinitely far away.
fn polyline(points: &[f64], width: f64) -> Option<(String, [f64; 4])> {
    let mut path = String::new();
    let mut bounds: Option<[f64; 4]> = None;
    for point in points.chunks_exact(2).take(PARTS_MAX) {
        let [x, y] = [point[0], point[1]];
        let operator = if bounds.is_none() { "m" } else { "l" };
        path.push_str(&format!("{} {} {operator} ", plain(x), plain(y)));
        bounds = Some(bounds.map_or([x, y, x, y], |bounds| joined(bounds, [x, y, x, y])));
    }
    let bounds = bounds.filter(|_| points.len() >= 4)?;
    bounds.iter().all(|side| side.is_finite()).then(|| (path, grown(bounds, width + 1.0)))
}

/// Returns the smallest rectangle around two rectangles.
fn joined(a: [f64; 4], b: [f64; 4]) -> [f64; 4] {
    [a[0].min(b[0]), a[1].min(b[1]), a[2].max(b[2]), a[3].max(b[3])]
}

fn grown([x0, y0, x1, y1]: [f64; 4], by: f64) -> [f64; 4] {
    [x0 - by, y0 - by, x1 + by, y1 + by]
}
