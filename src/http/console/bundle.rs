//! Joins the console's scripts into one file, because 50 small files, each compressed separately, would take a third
//! more bytes. Each module becomes a function that runs when it is first used, so pages that nobody opens cost no time.
//!
//! This isn't a general bundler: it handles only the forms of `import` and `export` that the console uses, each on a
//! line of its own. A test below fails for most others, but not for a default import or an unusual `import()`. The
//! value of an export is the one that it had when its module finished running.

/// Runs modules: `use` returns a module's exports, and `later` returns them in a promise, as `import()` would.
const PRELUDE: &str = "const bodies = {}, made = {};\nconst use = (name) => (made[name] ??= bodies[name]());\n\
                       const later = async (name) => use(name);\n";

/// Joins modules, each with its name (as in `./NAME.js`) and text, and runs the one named `entry` at the end.
pub(super) fn joined<'a>(modules: impl Iterator<Item = (&'a str, &'a str)>, entry: &str) -> String {
    let mut script = PRELUDE.to_owned();
    for (name, text) in modules {
        let mut exports = Vec::new();
        script.push_str(&format!("bodies.{name} = () => {{\n"));
        for line in text.lines() {
            let line = line.strip_prefix("export ").map_or(line, |declaration| {
                exports.push(declared(declaration));
                declaration
            });
            script.push_str(&imported(line));
            script.push('\n');
        }
        script.push_str(&format!("return {{ {} }};\n}};\n", exports.join(", ")));
    }
    script.push_str(&format!("use(\"{entry}\");\n"));
    script
}

/// Returns the name that a declaration declares, such as `add` for `async function add(a, b) {`.
fn declared(declaration: &str) -> &str {
    let keywords = ["async", "function", "class", "const"];
    let named = declaration.split(' ').find(|word| !keywords.contains(word)).unwrap_or_default();
    named.split(|character: char| !character.is_alphanumeric()).next().unwrap_or_default()
}

/// Replaces the import in a line, if it has one.
fn imported(line: &str) -> String {
    let Some(import) = line.strip_prefix("import ").and_then(|rest| rest.strip_suffix(".js\";")) else {
        return match line.split_once("import(\"./") {
            Some((before, after)) => format!("{before}later(\"{}", after.replacen(".js\")", "\")", 1)),
            None => line.to_owned(),
        };
    };
    match import.split_once(" from \"./") {
        Some((names, module)) => format!("const {} = use(\"{module}\");", names.trim_start_matches("* as ")),
        None => format!("use(\"{}\");", import.trim_start_matches("\"./")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_become_functions_that_return_their_exports() {
        let modules = [
            ("sum", "export const ZERO = 0;\nexport async function add(a, b) {\n}\nconst own = 1;"),
            (
                "app",
                "import { add } from \"./sum.js\";\nimport * as sum from \"./sum.js\";\nimport \"./sum.js\";\nimport(\"./sum.js\");",
            ),
        ];
        let script = joined(modules.into_iter(), "app");
        let expected = "bodies.sum = () => {\nconst ZERO = 0;\nasync function add(a, b) {\n}\nconst own = 1;\n\
                        return { ZERO, add };\n};\nbodies.app = () => {\nconst { add } = use(\"sum\");\n\
                        const sum = use(\"sum\");\nuse(\"sum\");\nlater(\"sum\");\nreturn {  };\n};\nuse(\"app\");\n";
        assert_eq!(script.strip_prefix(PRELUDE), Some(expected));
    }

    #[test]
    fn the_console_imports_and_exports_only_in_the_forms_that_can_be_joined() {
        for (path, text) in super::super::files::scripts() {
            for line in text.lines().map(str::trim_start).filter(|line| !line.starts_with("//")) {
                let ends = !line.starts_with("import ") || line.ends_with(".js\";");
                let declares = line.strip_prefix("export ").is_none_or(|rest| {
                    ["function ", "async function ", "class ", "const "].iter().any(|kind| rest.starts_with(kind))
                        && !declared(rest).is_empty()
                });
                assert!(ends && declares, "{path}: {line}");
            }
        }
    }
}
