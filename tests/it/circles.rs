//! Checks that no two files of a package import each other, directly or through others; only a module and the modules
//! within it may. The check leaves out unit tests.

use std::collections::{BTreeMap, BTreeSet};

use super::tidy::{PACKAGES, code, sources};

/// A module, as its package and its path in the package.
type Module = (&'static str, Vec<String>);

/// Returns the module that a file defines.
fn module_of(package: &'static str, path: &str) -> Module {
    let inner = path.trim_start_matches(package).trim_start_matches('/').trim_end_matches(".rs");
    let mut names: Vec<String> = inner.split('/').map(str::to_owned).collect();
    if names.last().is_some_and(|last| last == "mod" || last == "lib") {
        names.pop();
    }
    (package, names)
}

/// Lists the paths in a `use` tree: `a::{b, c::d}` stands for `a::b` and `a::c::d`.
fn leaves(tree: &str) -> Vec<String> {
    let Some((stem, inner)) = tree.split_once('{') else { return vec![tree.to_owned()] };
    let inner = inner.strip_suffix('}').unwrap_or(inner);
    let (mut parts, mut depth, mut part) = (Vec::new(), 0_usize, String::new());
    for character in inner.chars() {
        match character {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if character == ',' && depth == 0 {
            parts.push(std::mem::take(&mut part));
        } else {
            part.push(character);
        }
    }
    parts.push(part);
    parts.iter().filter(|part| !part.is_empty()).flat_map(|part| leaves(&format!("{stem}{part}"))).collect()
}

/// Lists every path that a file names.
fn paths(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for statement in code.split(';') {
        // The text since the last semicolon may begin with other code, so the last `use` counts.
        let Some(at) = statement.rfind("use ") else { continue };
        let tree: String = statement[at + 4..].split_whitespace().collect();
        found.extend(leaves(&tree));
    }
    let is_name = |character: char| character.is_ascii_alphanumeric() || character == '_' || character == ':';
    for word in code.split(|character| !is_name(character)) {
        if word.contains("::") {
            found.push(word.to_owned());
        }
    }
    found
}

/// Returns the module that a path in the file `from` leads to, if that module is a file of the same package.
fn target(from: &Module, path: &str, modules: &BTreeSet<Module>) -> Option<Module> {
    let mut names = path.split("::");
    let mut place = from.1.clone();
    let mut rest: Vec<&str> = match names.next()? {
        "crate" => {
            place.clear();
            names.collect()
        }
        "self" => names.collect(),
        "super" => {
            place.pop();
            names.collect()
        }
        _ => return None,
    };
    while rest.first() == Some(&"super") {
        place.pop();
        rest.remove(0);
    }
    place.extend(rest.into_iter().map(str::to_owned));
    // The path may lead to an item inside a file, so the longest prefix that is a file counts.
    (0..=place.len()).rev().map(|length| (from.0, place[..length].to_vec())).find(|module| modules.contains(module))
}

/// Returns whether one of two modules is within the other.
fn is_family(one: &Module, other: &Module) -> bool {
    one.1.starts_with(&other.1) || other.1.starts_with(&one.1)
}

/// Repeatedly removes the files that import no other file or that no other file imports, and returns the rest.
fn circular(mut imports: BTreeMap<Module, BTreeSet<Module>>) -> BTreeMap<Module, BTreeSet<Module>> {
    loop {
        let left: BTreeSet<Module> = imports.keys().cloned().collect();
        let imported: BTreeSet<Module> = imports.values().flatten().cloned().collect();
        imports.retain(|module, targets| {
            targets.retain(|target| left.contains(target));
            !targets.is_empty() && imported.contains(module)
        });
        if imports.len() == left.len() {
            return imports;
        }
    }
}

/// Lists the modules that each file imports, except itself and the modules around and within it.
fn imports(files: &[(Module, String)]) -> BTreeMap<Module, BTreeSet<Module>> {
    let modules: BTreeSet<Module> = files.iter().map(|(module, _)| module.clone()).collect();
    let of = |(module, text): &(Module, String)| {
        let named = paths(&code(text)).into_iter().filter_map(|path| target(module, &path, &modules));
        (module.clone(), named.filter(|target| !is_family(module, target)).collect())
    };
    files.iter().map(of).collect()
}

#[test]
fn no_files_import_each_other() {
    for package in PACKAGES {
        let files: Vec<_> = sources(package)
            .into_iter()
            .filter(|(path, _)| !path.ends_with("tests.rs"))
            .map(|(path, text)| (module_of(package, &path), text))
            .collect();
        let imports = imports(&files);
        assert!(
            imports.values().filter(|targets| !targets.is_empty()).count() > 50,
            "only a few files of {package} were found to import others"
        );
        let circular = circular(imports);
        assert!(circular.is_empty(), "these files import one another: {circular:#?}");
    }
}

#[test]
fn a_circle_of_imports_is_detected_however_it_is_written() {
    let file = |path: &str, text: &str| (module_of("src", path), text.to_owned());
    let circle = [
        file("src/a.rs", "use crate::b::{self, C};"),
        file("src/b/mod.rs", "fn f() { super::d::g() }"),
        file("src/d.rs", "use super::{x, a::{B,\n c}};"),
        file("src/e.rs", "use crate::a;"),
    ];
    assert_eq!(circular(imports(&circle)).len(), 3);
    let family = [file("src/b/mod.rs", "use self::c::D;"), file("src/b/c.rs", "use super::E;")];
    assert!(circular(imports(&family)).is_empty());
}
