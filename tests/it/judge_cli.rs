//! Tests `fauxfax check FILE`: its output for people, for programs and for CI, its exit statuses, how it distinguishes a file
//! from the URL of an app, its documentation, and what it says about real documents.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use fauxfax::document::judge::{self, Check, Report, Verdict};
use fauxfax::model::fax::Quality;
use serde_json::Value;

use crate::codes::qr;
use crate::judge::{letter, report};
use crate::pdfs::{file, stream};

const FAUXFAX: &str = env!("CARGO_BIN_EXE_fauxfax");
const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/documents");
const PAGE: &str = include_str!("../../docs/check-document.md");

/// Builds a page whose small print is too small, and whose QR code has too few pels.
fn two_faults() -> Vec<u8> {
    let print = "BT /F 2.5 Tf 72 120 Td (Payment is due within 30 days of the date of this invoice.) Tj ET";
    let text = "BT /F 12 Tf 72 700 Td (Invoice 4711) Tj 0 -20 Td (Please scan the code to pay.) Tj ET";
    letter(&format!("{text} {print} {}", qr(72.0, 560.0, 0.5)))
}

/// Runs the command in a folder.
fn check(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(FAUXFAX).arg("check").args(arguments).current_dir(folder).output().expect("it runs")
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
    assert!(PAGE.contains(&format!("\n```text hand\n{printed}```\n")), "{printed}");
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

#[cfg(unix)]
#[test]
fn a_reader_that_stops_does_not_change_the_verdict() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("two-faults.pdf"), two_faults()).expect("written");
    fs::write(folder.path().join("good.pdf"), letter("BT /F 12 Tf 72 700 Td (Invoice 4711) Tj ET")).expect("written");
    for (file, more, code) in [
        ("two-faults.pdf", &[][..], 1),
        ("two-faults.pdf", &["--json"], 1),
        ("two-faults.pdf", &["--junit", "-"], 1),
        ("good.pdf", &[], 0),
    ] {
        let mut command = Command::new(FAUXFAX);
        // Nobody reads this pipe, so writing fails at once, as it does after `head` in a pipeline has ended.
        command.args(["check", file]).args(more).current_dir(&folder).stdout(std::io::pipe().expect("a pipe").1);
        let output = command.stderr(Stdio::piped()).spawn().expect("it starts").wait_with_output().expect("it ends");
        assert_eq!((output.status.code(), text(&output.stderr).as_str()), (Some(code), ""), "{file} {more:?}");
    }
}

#[test]
fn an_account_that_can_not_exist_is_incorrect_usage() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = check(folder.path(), &["http://127.0.0.1:9/fax", "--listen", "127.0.0.1:0", "--account", "AC1"]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("--account: \"AC1\" is neither"), "{}", text(&output.stderr));
}

#[test]
fn the_worst_findings_are_printed_first_and_the_rest_is_counted() {
    let lines = |points: f64| {
        let line = |at: u32| format!("BT /F {points} Tf 72 {} Td (far too small) Tj ET ", 100 + at * 50);
        stream("", (0..4).map(line).collect::<String>().as_bytes())
    };
    let leaf = |content: u32| {
        let entries = "/MediaBox [0 0 612 792] /Resources << /Font << /F 7 0 R >> >>";
        format!("<< /Type /Page /Parent 2 0 R {entries} /Contents {content} 0 R >>").into_bytes()
    };
    let pages = b"<< /Type /Pages /Kids [3 0 R 5 0 R] /Count 2 >>".to_vec();
    let font = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_vec();
    let catalog = b"<< /Type /Catalog /Pages 2 0 R >>".to_vec();
    let bytes = file(&[catalog, pages, leaf(4), lines(3.5), leaf(6), lines(2.5), font]);
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("a.pdf"), bytes).expect("written");
    let printed = text(&check(folder.path(), &["a.pdf", "--only", "type-size"]).stdout);
    let seen: Vec<&str> = printed.lines().filter(|line| line.contains("seen")).collect();
    assert!(seen.len() == 5 && seen[..4].iter().all(|line| line.contains("too small to be read")), "{printed}");
    assert!(printed.contains("and 3 more findings on page 1; --json lists them\n"), "{printed}");
    assert!(
        printed.contains("; a page takes ") && printed.contains(" s and $0.0035 on average, at most "),
        "{printed}"
    );
}

#[test]
fn the_results_are_also_available_as_json_and_junit() {
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
fn findings_and_unreadable_files_have_different_exit_statuses() {
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
    // A file that can't be read is reported as `convert` reports it.
    for file in ["page.html", &format!("{FIXTURES}/password.pdf")] {
        let convert = Command::new(FAUXFAX).args(["convert", file, "out.tiff"]).current_dir(folder.path()).output();
        let (convert, checked) = (convert.expect("it runs"), check(folder.path(), &[file]));
        assert_eq!(text(&checked.stderr), text(&convert.stderr), "{file}");
        assert!(!checked.stderr.is_empty() && checked.stdout.is_empty(), "{file}");
    }
}

#[test]
fn the_command_tells_files_and_urls_apart_and_refuses_flags_that_are_for_the_other() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("good.pdf"), letter("BT /F 12 Tf 72 700 Td (Good) Tj ET")).expect("written");
    fs::create_dir_all(folder.path().join("http:/localhost")).expect("a folder");
    fs::copy(folder.path().join("good.pdf"), folder.path().join("http:/localhost/fax")).expect("copied");
    let url = "http://127.0.0.1:9/fax";
    let cases: [(&[&str], &str); 15] = [
        (&[url, "--quality", "fine"], "--quality is for documents, and http://127.0.0.1:9/fax is the URL of an app"),
        (&[url, "--pictures", "found"], "--pictures is for documents"),
        (&[url, "--only", "type-size"], "type-size is a check of documents, and http://127.0.0.1:9/fax is an app"),
        (
            &["good.pdf", "--probe", url],
            "--probe is for apps, and good.pdf is a document; leave it out, or give the URL",
        ),
        (&["good.pdf", "--url", "8329"], "--url is for apps"),
        (&["good.pdf", "--profile", "all"], "--profile is for apps"),
        (&["good.pdf", "--skip", "s2"], "s2 is a check of apps, and good.pdf is a document; leave it out"),
        (&["good.pdf", "--only", "typesize"], "there is no check \"typesize\"; did you mean type-size?"),
        (&["good.pdf", "--only", "codes", "--skip", "codes"], "this selection leaves no checks to run"),
        (&["."], ". is a folder; give a PDF, TIFF, PNG or JPEG file"),
        (&["none.pdf"], "there is no file \"none.pdf\"; the URL of an app begins with http:// or https://"),
        (&["http://localhost/fax"], "is both a URL and a file in this folder; give the file as ./http://localhost/fax"),
        (&["ftp://localhost/a.pdf"], "must be a URL that begins with http:// or https://, or a file"),
        (&["localhost:3000/fax"], "write it like http://localhost:3000/fax"),
        (&["--explain", "type-sise"], "did you mean type-size?"),
    ];
    for (arguments, expected) in cases {
        let output = check(folder.path(), arguments);
        let errors = text(&output.stderr);
        assert!(errors.contains(expected), "{arguments:?}: {errors}");
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{arguments:?}: {errors}");
    }
    assert_eq!(check(folder.path(), &["./http://localhost/fax"]).status.code(), Some(0));
}

#[test]
fn checks_of_apps_and_documents_are_listed_and_explained_by_name() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("a.pdf"), two_faults()).expect("written");
    let stdout = |arguments: &[&str]| text(&check(folder.path(), arguments).stdout);
    let all = stdout(&["--list"]);
    assert!(
        all.starts_with("Reach and speak\n") && all.contains("\n\nA document before it is faxed\n  type-size "),
        "{all}"
    );
    assert!(stdout(&["--list", "a.pdf"]).starts_with("A document before it is faxed\n  type-size "));
    assert!(!stdout(&["--list", "http://localhost/fax"]).contains("type-size"));
    assert!(!stdout(&["--list", "--quick"]).contains("type-size"));
    let two = stdout(&["--list", "--only", "codes,S2", "--json"]);
    let two: Value = serde_json::from_str(&two).expect("JSON");
    assert_eq!((&two["checks"][0]["id"], &two["checks"][1]["id"]), (&"signature-missing".into(), &"codes".into()));
    let json: Value = serde_json::from_str(&stdout(&["--list", "--json"])).expect("JSON");
    let checks = json["checks"].as_array().expect("a list");
    let mut ids: Vec<&str> = checks.iter().filter_map(|check| check["id"].as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), checks.len(), "no two checks have the same name");
    let explained = stdout(&["--explain", "codes"]);
    assert!(explained.starts_with("codes (A document before it is faxed): QR codes and bar codes"), "{explained}");
    assert!(explained.contains("\nLimits:  a module below 1.5 pels"), "{explained}");
    let explained: Value = serde_json::from_str(&stdout(&["--explain", "codes", "--json"])).expect("JSON");
    assert_eq!((&explained["id"], &explained["group"]), (&"codes".into(), &"A document before it is faxed".into()));
}

#[test]
fn only_the_selected_checks_decide_and_a_document_may_come_from_standard_input() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("a.pdf"), two_faults()).expect("written");
    assert_eq!(check(folder.path(), &["a.pdf", "--skip", "type-size,codes"]).status.code(), Some(0));
    let input = fs::File::open(folder.path().join("a.pdf")).expect("readable");
    let mut command = Command::new(FAUXFAX);
    command.args(["check", "-", "--only", "codes", "--json"]).stdin(Stdio::from(input));
    let output = command.output().expect("it runs");
    let json: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((output.status.code(), &json["file"]), (Some(1), &"standard input".into()));
    let summary: Value = serde_json::json!({ "pass": 0, "fail": 1, "warn": 0, "not_judged": 0 });
    assert_eq!((&json["summary"], &json["checks"][0]["id"]), (&summary, &"codes".into()));
}

#[test]
fn real_documents_are_judged_sensibly() {
    let cases: [(&str, Quality, &[&str]); 12] = [
        // A letter with a table, and a page of lines, the thinnest of which are thinner than half a pel.
        ("two-pages.pdf", Quality::Fine, &["warn hairlines"]),
        ("tones.jpg", Quality::Fine, &["warn greys"]),
        ("cases/text-k-black.pdf", Quality::Fine, &[]),
        ("cases/text-k-black.pdf", Quality::Standard, &[]),
        ("cases/cmyk-black.pdf", Quality::Fine, &[]),
        ("cases/pdf-a-freetext.pdf", Quality::Fine, &[]),
        ("cases/pdf-k-text.pdf", Quality::Fine, &[]),
        ("cases/same-page-twice.pdf", Quality::Fine, &[]),
        ("cases/not-embedded-latin.pdf", Quality::Fine, &[]),
        ("cases/not-embedded-cyrillic.pdf", Quality::Fine, &["fail lost"]),
        ("cases/content-flate-damaged.pdf", Quality::Fine, &["warn blank", "fail lost"]),
        // Three quarters of the page are a light grey, and the page takes more than eight minutes to transmit.
        ("cases/watermark-and-image.pdf", Quality::Fine, &["warn greys", "warn time"]),
    ];
    for (name, quality, expected) in cases {
        let bytes = fs::read(Path::new(FIXTURES).join(name)).expect("readable");
        let report = report(&bytes, quality);
        let (not_passed, seen) = not_passed(&report);
        assert_eq!(not_passed, expected, "{name}: {seen:?}");
    }
}

/// Returns the checks that fail or warn, each with its verdict, and what they found in the document.
fn not_passed(report: &Report) -> (Vec<String>, Vec<&str>) {
    let is_found = |verdict| matches!(verdict, Verdict::Fail | Verdict::Warn);
    let found = report.results.iter().filter(|result| is_found(result.verdict));
    let seen = found.clone().flat_map(|result| &result.findings).map(|finding| finding.seen.as_str()).collect();
    (found.map(|result| format!("{} {}", result.verdict, result.check)).collect(), seen)
}

#[test]
fn the_emulators_own_test_page_is_judged_sensibly() {
    let page = fauxfax::document::sample::test_pages(1);
    for quality in Quality::ALL {
        let report = report(&page, *quality);
        let (not_passed, _) = not_passed(&report);
        // Its smallest type has 6 points. Its thinnest line has a thickness of a tenth of a point: half a row at
        // superfine quality.
        let expected: &[&str] = match quality {
            Quality::Standard => &["warn type-size", "warn hairlines"],
            Quality::Fine => &["warn hairlines"],
            Quality::Superfine => &[],
        };
        assert_eq!(not_passed, expected, "{quality}");
    }
}
