//! Tests `fauxfax check FILE`: its output for people, for programs and for CI, its exit statuses, and its documentation;
//! and what it says about real documents.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use fauxfax::document::judge::{self, Check, Verdict};
use fauxfax::model::fax::Quality;
use serde_json::Value;

use crate::codes::qr;
use crate::judge::{letter, report};

const FAUXFAX: &str = env!("CARGO_BIN_EXE_fauxfax");
const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/documents");
const PAGE: &str = include_str!("../../docs/check-document.md");

/// Builds a page whose small print is too small, and whose QR code has too few pels.
fn two_faults() -> Vec<u8> {
    let print = "BT /F 3.2 Tf 72 120 Td (Payment is due within 30 days of the date of this invoice.) Tj ET";
    let text = "BT /F 12 Tf 72 700 Td (Invoice 4711) Tj 0 -20 Td (Please scan the code to pay.) Tj ET";
    letter(&format!("{text} {print} {}", qr(72.0, 560.0, 0.55)))
}

/// Runs the command in a folder.
fn check(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(FAUXFAX).arg("check-document").args(arguments).current_dir(folder).output().expect("it runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

#[test]
fn the_documentation_shows_what_the_command_prints() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("two-faults.pdf"), two_faults()).expect("written");
    let output = check(folder.path(), &["two-faults.pdf", "--pictures", "found"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let printed = text(&output.stdout);
    assert!(PAGE.contains(&format!("\n```\n{printed}```\n")), "{printed}");
    for name in ["page-1-type-size-1.png", "page-1-codes-1.png"] {
        let png = fs::read(folder.path().join("found").join(name)).expect("a picture");
        assert!(png.starts_with(b"\x89PNG") && printed.contains(&format!("found/{name}")), "{name}");
    }
    for check in Check::ALL {
        let source = check.about().source;
        let row =
            format!("| `{check}` | {} | {} |", judge::limits(*check), if source.is_empty() { "–" } else { source });
        assert!(PAGE.contains(&row), "{row}");
    }
}

#[test]
fn the_results_are_json_and_junit_too() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("a.pdf"), two_faults()).expect("written");
    let output = check(folder.path(), &["a.pdf", "--json", "--costs", "--junit", "a.xml"]);
    let json: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((&json["file"], &json["quality"], &json["pages"]), (&"a.pdf".into(), &"fine".into(), &1.into()));
    let summary: Value = serde_json::json!({ "pass": 8, "fail": 2, "warn": 0, "not_judged": 0 });
    assert_eq!(json["summary"], summary);
    let checks = json["checks"].as_array().expect("a list");
    assert_eq!(checks.len(), Check::ALL.len());
    let size = &checks[0];
    assert_eq!(
        (&size["id"], &size["verdict"], &size["pages"]),
        (&"type-size".into(), &"fail".into(), &serde_json::json!([1]))
    );
    assert!(size["why"].is_string() && size["fix"].is_string() && size["source"].is_string(), "{size}");
    let finding = &size["findings"][0];
    assert_eq!((&finding["severity"], &finding["page"]), (&"fail".into(), &1.into()));
    assert_eq!((&finding["measured"]["unit"], &finding["picture"]), (&"rows".into(), &Value::Null));
    let (pels, mm) = (&finding["place"]["pels"], &finding["place"]["mm"]);
    // The page's first column is 3 pels to the right of the paper's edge, and 72 points are 204 pels.
    assert_eq!(pels["left"], 201, "{finding}");
    assert!((mm["left"].as_f64().expect("a number") - 25.1).abs() < 0.2, "{finding}");
    let costs = json["transmission"].as_array().expect("a list");
    let qualities: Vec<&str> = costs.iter().filter_map(|cost| cost["quality"].as_str()).collect();
    assert_eq!(qualities, ["standard", "fine", "superfine"]);
    assert!(costs.windows(2).all(|pair| pair[0]["seconds"].as_u64() <= pair[1]["seconds"].as_u64()), "{costs:?}");
    assert!(costs[1]["price"] == 0.007 && costs[1]["page_seconds"].as_array().is_some_and(|pages| pages.len() == 1));

    let xml = fs::read_to_string(folder.path().join("a.xml")).expect("a file");
    let xml = roxmltree::Document::parse(&xml).expect("XML");
    let named = |name: &'static str| xml.descendants().filter(move |node| node.has_tag_name(name));
    assert_eq!((named("testcase").count(), named("failure").count()), (Check::ALL.len(), 2));
    let message = named("failure").next().and_then(|node| node.attribute("message")).expect("a message");
    assert!(message.contains("is too small to be read at fine quality"), "{message}");
}

#[test]
fn the_exit_status_tells_findings_from_unreadable_files() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("good.pdf"), letter("BT /F 12 Tf 72 700 Td (Good) Tj ET")).expect("written");
    fs::write(folder.path().join("small.pdf"), two_faults()).expect("written");
    fs::write(folder.path().join("page.html"), "<html>").expect("written");
    for (file, quality, status) in [
        ("good.pdf", "fine", 0),
        ("small.pdf", "fine", 1),
        ("page.html", "fine", 2),
        ("none.pdf", "fine", 2),
        ("good.pdf", "coarse", 2),
    ] {
        let output = check(folder.path(), &[file, "--quality", quality]);
        assert_eq!(output.status.code(), Some(status), "{file} {quality}: {}", text(&output.stderr));
    }
    // A password or damage is reported as `convert` reports it.
    for file in ["page.html", "none.pdf", &format!("{FIXTURES}/password.pdf")] {
        let convert = Command::new(FAUXFAX).args(["convert", file, "out.tiff"]).current_dir(folder.path()).output();
        let (convert, checked) = (convert.expect("it runs"), check(folder.path(), &[file]));
        assert_eq!(text(&checked.stderr), text(&convert.stderr), "{file}");
        assert!(!checked.stderr.is_empty() && checked.stdout.is_empty(), "{file}");
    }
    let list = text(&check(folder.path(), &["--list"]).stdout);
    assert!(Check::ALL.iter().all(|check| list.contains(check.as_str())), "{list}");
}

/// Returns what the judge says about a document: the checks that don't pass, and all findings.
fn said(path: &Path, quality: Quality) -> String {
    let report = report(&fs::read(path).expect("readable"), quality);
    let mut said = String::new();
    for result in &report.results {
        if result.verdict != Verdict::Pass {
            write!(said, " {} {};", result.verdict, result.check).expect("in memory");
        }
    }
    for finding in report.results.iter().flat_map(|result| &result.findings) {
        let page = finding.page.map_or_else(|| "document".to_owned(), |page| format!("page {page}"));
        write!(said, "\n    {} {page}: {}", finding.severity, finding.seen).expect("in memory");
    }
    said
}

#[test]
fn real_documents_are_judged_sensibly() {
    let refused = ["password.pdf", "cut.jpg", "empty-mediabox.pdf"];
    let mut paths = Vec::new();
    for folder in [FIXTURES.to_owned(), format!("{FIXTURES}/cases")] {
        let entries = fs::read_dir(folder).expect("the folder").map(|entry| entry.expect("an entry").path());
        paths.extend(entries.filter(|path| path.is_file() && path.extension().is_some_and(|kind| kind != "py")));
    }
    paths.sort();
    let lines: Vec<String> = paths
        .iter()
        .filter(|path| !refused.iter().any(|name| path.ends_with(name)))
        .map(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            format!("{name}:{}", said(path, Quality::Fine))
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn the_emulators_own_test_page_is_judged_sensibly() {
    let page = fauxfax::document::sample::test_pages(1);
    for quality in Quality::ALL {
        let report = report(&page, *quality);
        let not_passed: Vec<String> = report
            .results
            .iter()
            .filter(|result| result.verdict != Verdict::Pass)
            .map(|result| format!("{} {}", result.verdict, result.check))
            .collect();
        // Its smallest type has 6 points, its thinnest rule a tenth of a point.
        let expected: &[&str] = match quality {
            Quality::Standard => &["fail type-size", "warn hairlines"],
            Quality::Fine | Quality::Superfine => &["warn hairlines"],
        };
        assert_eq!(not_passed, expected, "{quality}");
    }
}
