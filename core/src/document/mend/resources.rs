//! Checks the resources that content streams name: forms, images, patterns, colours and fonts. Each object is checked
//! only once.

use super::content::{self, Survey};
use super::value::Value;
use super::{Changes, DRAWS_MAX, ENDLESS, Findings, Mender, changed, colors, fonts, images, masks, streams};

/// The maximum depth of nested forms and patterns.
const DEPTH_MAX: usize = 40;
/// The bounds for a form that states none, which are large enough to cut off nothing.
const ANY_SIZE: [f64; 4] = [-32_000.0, -32_000.0, 32_000.0, 32_000.0];

impl<'a> Mender<'a> {
    /// Checks the resources of a content stream, and returns them with the necessary changes.
    pub(super) fn resources(&mut self, given: &Value<'a>, survey: &Survey, findings: &mut Findings) -> Value<'a> {
        let resources = self.store.resolve(given);
        let mut changes = Changes::new();
        self.objects(&resources, given, survey, findings);
        let fonts = self.shown(&resources, survey, findings);
        changes.extend(fonts.map(|fonts| (b"Font".to_vec(), fonts)));
        findings.paints |= self.paints(&resources, survey);
        let spaces = self.color_spaces(&resources, survey);
        changes.extend(spaces.map(|spaces| (b"ColorSpace".to_vec(), spaces)));
        for category in ["Pattern", "Shading"] {
            let patterns = self.patterns(&resources, given, category, findings);
            changes.extend(patterns.map(|patterns| (category.as_bytes().to_vec(), patterns)));
        }
        let states = self.masks(&resources, given, findings);
        changes.extend(states.map(|states| (b"ExtGState".to_vec(), states)));
        self.others(&resources, survey, findings);
        changed(&mut self.store, given, changes)
    }

    /// Checks the forms and images that are drawn.
    fn objects(&mut self, resources: &Value<'a>, given: &Value<'a>, survey: &Survey, findings: &mut Findings) {
        let objects = self.store.get(resources, "XObject");
        for (name, times) in &survey.objects {
            let object = objects.entries().and_then(|entries| entries.get(name)).cloned();
            let found = object.map(|object| self.object(&object, given)).unwrap_or_else(|| missing(name));
            findings.add(&found);
            // The numbers multiply with each level of nesting, so they could overflow.
            findings.draws = findings.draws.saturating_add(times.saturating_mul(found.draws.saturating_add(1)));
        }
    }

    /// Checks a form or an image, unless it has been checked already, and returns the findings.
    fn object(&mut self, object: &Value<'a>, resources: &Value<'a>) -> Findings {
        let resolved = self.store.resolve(object);
        // A stream is always a separate object (ISO 32000-1, 7.3.8.1).
        let Value::Ref(id) = object else { return Findings::default() };
        if let Some(known) = self.known.get(id) {
            return Findings::clone(known);
        }
        // A form that draws itself, directly or indirectly, is already being visited.
        if self.open.len() > DEPTH_MAX || !self.open.insert(*id) {
            return Findings::default();
        }
        let kind = self.store.get(&resolved, "Subtype");
        let mut findings = Findings::default();
        match (&resolved, kind.as_name()) {
            (Value::Stream(_), Some(b"Image")) => self.image(object, &resolved, &mut findings),
            (Value::Stream(_), Some(b"Form")) => self.form(object, &resolved, resources, &mut findings),
            // No reader draws PostScript objects, which are meant for printers.
            (Value::Stream(_), Some(b"PS")) => {}
            (Value::Stream(_), _) => {
                findings.note("an object is missing: the PDF marks it neither as an image nor as a form")
            }
            _ => findings.note("an image or a form is missing: the PDF names it, but doesn't contain it"),
        }
        if findings.draws > DRAWS_MAX {
            findings.note(ENDLESS);
            // The object is emptied below, so it no longer draws anything.
            findings.draws = 0;
            self.store.replaced(object, resolved.with_data(Vec::new()));
        }
        self.open.remove(id);
        self.known.insert(*id, findings.clone().into());
        findings
    }

    /// Checks an image, and replaces it if it must be drawn differently.
    fn image(&mut self, object: &Value<'a>, image: &Value<'a>, findings: &mut Findings) {
        findings.paints = true;
        let mut image = image.clone();
        let mut is_new = false;
        if let Some(space) = image.entries().and_then(|entries| entries.get(b"ColorSpace".as_slice())).cloned()
            && let Some(space) = colors::mended(&mut self.store, &space, &self.cmyk)
        {
            image = image.with("ColorSpace", space);
            is_new = true;
        }
        for mask in ["SMask", "Mask"] {
            if images::has_large(&mut self.store, &image, mask) {
                findings.note(images::TOO_LARGE);
                image = image.with(mask, Value::Null);
                is_new = true;
            }
        }
        // The conversion to greys comes before the check, because it decodes the image completely anyway.
        if let Some(greys) = images::greys_of_inks(&mut self.store, &image, &self.cmyk, &mut self.image_bytes_left) {
            self.store.replaced(object, greys);
            return;
        }
        let checked = images::checked(&mut self.store, &image, &self.cmyk, &mut self.image_bytes_left);
        if let Some(loss) = checked.loss {
            findings.note(loss);
        }
        if let Some(instead) = checked.instead {
            image = instead;
            is_new = true;
        }
        if is_new {
            self.store.replaced(object, image);
        }
    }

    /// Checks a form, an appearance or a pattern; all of them are drawn like forms.
    pub(super) fn form(
        &mut self,
        object: &Value<'a>,
        form: &Value<'a>,
        inherited: &Value<'a>,
        findings: &mut Findings,
    ) {
        let Some(decoded) = streams::decoded(&mut self.store, form) else {
            findings.note("a part of the page is missing: it can't be decoded");
            return;
        };
        if !decoded.whole {
            findings.note("a part of the page is incomplete: the rest can't be read");
        }
        let survey = content::survey(&decoded.bytes);
        findings.paints |= survey.paints;
        let own = form.entries().and_then(|entries| entries.get(b"Resources".as_slice())).cloned();
        let given = own.clone().filter(|own| !self.store.resolve(own).is_null()).unwrap_or_else(|| inherited.clone());
        // The flag is cleared during the visit, so that it shows afterwards whether these resources were changed.
        let before = std::mem::replace(&mut self.store.changed, false);
        let resources = self.resources(&given, &survey, findings);
        let resources_changed = std::mem::replace(&mut self.store.changed, before);
        self.store.changed |= resources_changed;
        let has_size = self.store.numbers(form, "BBox").len() >= 4;
        if decoded.whole && survey.edits.is_empty() && !resources_changed && has_size {
            return;
        }
        let mut form = form.clone();
        if !decoded.whole || !survey.edits.is_empty() {
            form = form.with_data(content::edited(&decoded.bytes, &survey.edits));
        }
        if resources_changed {
            form = form.with("Resources", resources);
        }
        if !has_size {
            form = form.with("BBox", Value::numbers(&ANY_SIZE));
        }
        self.store.replaced(object, form);
    }

    /// Records the strings that are shown in each font that is a separate object, replaces other fonts if necessary,
    /// and reports missing ones. Returns the changed fonts; `None` if none was replaced.
    fn shown(&mut self, resources: &Value<'a>, survey: &Survey, findings: &mut Findings) -> Option<Value<'a>> {
        let all = self.store.get(resources, "Font");
        let mut changes = Changes::new();
        for (name, texts) in &survey.texts {
            let font = all.entries().and_then(|entries| entries.get(name)).cloned().unwrap_or(Value::Null);
            let resolved = self.store.resolve(&font);
            if resolved.entries().is_none() {
                let name = String::from_utf8_lossy(name);
                findings
                    .note(format!("text may be wrong: the page names the font {name}, but the PDF doesn't contain it"));
            } else if self.store.get(&resolved, "Subtype").is_name("Type3") {
                self.glyphs(&font, &resolved, resources, findings);
            } else if let Value::Ref(id) = font {
                self.texts.note(&mut self.store, self.number, id, texts);
            } else {
                let replacement = fonts::replacement(&mut self.store, self.fonts, &font, texts);
                changes.extend(replacement.font.map(|font| (name.clone(), font)));
                if let Some(loss) = replacement.loss {
                    findings.note(loss);
                }
            }
        }
        (!changes.is_empty()).then(|| changed(&mut self.store, &all, changes))
    }

    /// Checks the content streams that draw the glyphs of a Type 3 font.
    fn glyphs(&mut self, font: &Value<'a>, resolved: &Value<'a>, inherited: &Value<'a>, findings: &mut Findings) {
        let id = if let Value::Ref(id) = font { Some(*id) } else { None };
        if let Some(known) = id.and_then(|id| self.known.get(&id)) {
            findings.add(known);
            return;
        }
        if self.open.len() > DEPTH_MAX || id.is_some_and(|id| !self.open.insert(id)) {
            return;
        }
        let own = self.store.get(resolved, "Resources");
        let given = if own.is_null() { inherited.clone() } else { own };
        let mut found = Findings::default();
        let glyphs = self.store.get(resolved, "CharProcs");
        for glyph in glyphs.entries().into_iter().flat_map(|entries| entries.values()).take(fonts::GLYPHS_MAX) {
            let content = self.store.resolve(glyph);
            let Some(decoded) = streams::decoded(&mut self.store, &content) else { continue };
            let survey = content::survey(&decoded.bytes);
            let resolved = self.store.resolve(&given);
            self.objects(&resolved, &given, &survey, &mut found);
            // A complete glyph that names the replacement for CMYK stays unchanged, because the font's resources don't
            // contain that replacement.
            let has_cmyk = !survey.names_cmyk && !survey.edits.is_empty();
            if has_cmyk || !decoded.whole {
                let instead = content.with_data(content::edited(&decoded.bytes, &survey.edits));
                self.store.replaced(glyph, instead);
            }
        }
        findings.add(&found);
        if let Some(id) = id {
            self.open.remove(&id);
            self.known.insert(id, found.into());
        }
    }

    /// Returns whether a fill is not white, among those for which this depends on the colour space.
    fn paints(&mut self, resources: &Value<'a>, survey: &Survey) -> bool {
        let spaces = self.store.get(resources, "ColorSpace");
        survey.fills.iter().any(|(name, components)| {
            let space = spaces.entries().and_then(|entries| entries.get(name)).cloned();
            // A name that isn't in the resources is that of a device colour space.
            let space = space.unwrap_or_else(|| Value::name(&String::from_utf8_lossy(name)));
            !colors::is_white(&mut self.store, &space, *components)
        })
    }

    /// Replaces CMYK among the colour spaces; `None` if they can stay unchanged.
    fn color_spaces(&mut self, resources: &Value<'a>, survey: &Survey) -> Option<Value<'a>> {
        let spaces = self.store.get(resources, "ColorSpace");
        let mut changes = Changes::new();
        for (name, space) in spaces.entries().into_iter().flatten() {
            if let Some(space) = colors::mended(&mut self.store, space, &self.cmyk) {
                changes.insert(name.clone(), space);
            }
        }
        if survey.names_cmyk {
            changes.insert(colors::CMYK_NAME.as_bytes().to_vec(), self.cmyk.clone());
        }
        (!changes.is_empty()).then(|| changed(&mut self.store, &spaces, changes))
    }

    /// Checks patterns or shadings, and replaces CMYK in them; `None` if the resources can stay unchanged.
    fn patterns(
        &mut self,
        resources: &Value<'a>,
        given: &Value<'a>,
        category: &str,
        findings: &mut Findings,
    ) -> Option<Value<'a>> {
        let patterns = self.store.get(resources, category);
        let mut changes = Changes::new();
        for (name, pattern) in patterns.entries().into_iter().flatten() {
            let resolved = self.store.resolve(pattern);
            if let Value::Ref(id) = pattern {
                if self.known.contains_key(id) || self.open.len() > DEPTH_MAX || !self.open.insert(*id) {
                    continue;
                }
                if matches!(resolved, Value::Stream(_)) && category == "Pattern" {
                    let mut found = Findings::default();
                    self.form(pattern, &resolved, given, &mut found);
                    findings.losses.extend(found.losses);
                } else if let Some(instead) = self.shading(&resolved) {
                    self.store.replaced(pattern, instead);
                }
                self.open.remove(id);
                // The pattern is recorded without findings, so its losses are reported only for the first page that
                // uses it.
                self.known.insert(*id, Findings::default().into());
            } else if let Some(instead) = self.shading(&resolved) {
                changes.insert(name.clone(), instead);
            }
        }
        (!changes.is_empty()).then(|| changed(&mut self.store, &patterns, changes))
    }

    /// Returns a shading or a shading pattern in which CMYK is replaced; `None` if it can stay unchanged.
    fn shading(&mut self, shading: &Value<'a>) -> Option<Value<'a>> {
        let entries = shading.entries()?;
        if let Some(inner) = entries.get(b"Shading".as_slice()) {
            let resolved = self.store.resolve(inner);
            let instead = self.shading(&resolved)?;
            let instead = self.store.replaced(inner, instead);
            return Some(shading.with("Shading", instead));
        }
        let space = colors::mended(&mut self.store, entries.get(b"ColorSpace".as_slice())?, &self.cmyk)?;
        Some(shading.with("ColorSpace", space))
    }

    /// Reports patterns, shadings and colours that are named but missing.
    fn others(&mut self, resources: &Value<'a>, survey: &Survey, findings: &mut Findings) {
        for (category, name) in &survey.named {
            let all = self.store.get(resources, category);
            let entry = all.entries().and_then(|entries| entries.get(name)).cloned();
            if entry.is_none_or(|entry| self.store.resolve(&entry).is_null()) {
                let (what, name) = (category.to_lowercase(), String::from_utf8_lossy(name));
                let what = if what == "colorspace" { "colour" } else { what.as_str() };
                findings.note(format!("a {what} is missing: the page names {name}, but the PDF doesn't contain it"));
            }
        }
    }

    /// Checks the forms that are used as masks, and repairs the graphics states that name them.
    fn masks(&mut self, resources: &Value<'a>, given: &Value<'a>, findings: &mut Findings) -> Option<Value<'a>> {
        let states = self.store.get(resources, "ExtGState");
        let mut changes = Changes::new();
        for (name, state) in states.entries().into_iter().flatten() {
            let resolved = self.store.resolve(state);
            let mask = self.store.get(&resolved, "SMask");
            let group = mask.entries().and_then(|entries| entries.get(b"G".as_slice())).cloned();
            let Some(group) = group else { continue };
            let found = self.object(&group, given);
            findings.losses.extend(found.losses);
            let Some(mask) = masks::mended(&mut self.store, &mask, &group) else { continue };
            let instead = resolved.with("SMask", mask);
            if matches!(state, Value::Ref(_)) {
                self.store.replaced(state, instead);
            } else {
                changes.insert(name.clone(), instead);
            }
        }
        (!changes.is_empty()).then(|| changed(&mut self.store, &states, changes))
    }
}

/// Returns the findings for a form or an image that the PDF doesn't contain.
fn missing(name: &[u8]) -> Findings {
    let name = String::from_utf8_lossy(name);
    let loss = format!("an image or a form is missing: the page names {name}, but the PDF doesn't contain it");
    Findings { losses: vec![loss], paints: true, draws: 0 }
}
