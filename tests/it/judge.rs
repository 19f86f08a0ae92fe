//! Tests the judge of documents: for each check, a page with a fault and a page that is just good enough, most of them
//! at each quality.

use std::ops::ControlFlow;
use std::sync::Arc;

use fauxfax::document::Options;
use fauxfax::document::judge::{self, Check, Finding, Judged, Pictures, Report, Severity, Verdict};
use fauxfax::model::fax::Quality;

use crate::codes::{bars, qr};
use crate::pdfs::{document, page, stream};

/// Judges a document, and draws pictures of the findings.
pub(crate) fn report(bytes: &[u8], quality: Quality) -> Report {
    let bytes: Arc<[u8]> = bytes.into();
    let options = Options { quality: Some(quality), ..Options::default() };
    let mut judgements = Vec::new();
    let summary = judge::pages(&bytes, &options, Pictures::Drawn, |_, judgement| {
        judgements.push(judgement);
        ControlFlow::Continue(())
    });
    Report::new(quality, judgements, &summary.expect("a document"))
}

/// Builds a letter-size page with this content and the font F, Helvetica.
pub(crate) fn letter(content: &str) -> Vec<u8> {
    let font = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_vec();
    page("/Resources << /Font << /F 5 0 R >> >>", stream("", content.as_bytes()), &[font])
}

fn result(report: &Report, check: Check) -> &Judged {
    report.results.iter().find(|result| result.check == check).expect("every check has a result")
}

/// Checks the verdict of one check on a page, and that no other check fails or warns. Returns that check's findings.
fn only(content: &str, quality: Quality, check: Check, verdict: Verdict) -> Vec<Finding> {
    let report = report(&letter(content), quality);
    for result in &report.results {
        let expected = if result.check == check { verdict } else { Verdict::Pass };
        let is_right = result.verdict == expected || result.check != check && result.verdict == Verdict::NotJudged;
        assert!(is_right, "{quality} {content}: {} {} {:?}", result.verdict, result.check, seen(&result.findings));
    }
    result(&report, check).findings.clone()
}

/// Returns what findings say, without their pictures.
fn seen(findings: &[Finding]) -> Vec<&str> {
    findings.iter().map(|finding| finding.seen.as_str()).collect()
}

/// Returns content that shows a few words in a font of this size. In `font`, which names the font, SIZE stands for the
/// size.
fn text(points: f64, font: &str) -> String {
    format!("BT {font} Tf 1 0 0 1 100 400 Tm (Sphinx of black quartz) Tj ET").replace("SIZE", &points.to_string())
}

#[test]
fn type_is_judged_by_the_rows_and_pels_of_its_x_height() {
    // The x-height of Helvetica is 0.52 ems. At standard and fine quality the rows decide, at superfine the pels.
    for (quality, fail, warn, pass, unit) in [
        (Quality::Standard, 5.0, 8.0, 9.0, "rows"),
        (Quality::Fine, 2.5, 4.0, 4.5, "rows"),
        (Quality::Superfine, 1.9, 3.0, 3.6, "pels"),
    ] {
        for (points, verdict) in [(fail, Verdict::Fail), (warn, Verdict::Warn), (pass, Verdict::Pass)] {
            let findings = only(&text(points, "/F SIZE"), quality, Check::TypeSize, verdict);
            assert_eq!(findings.is_empty(), verdict == Verdict::Pass);
            for finding in findings {
                let measured = finding.measured.expect("a measure");
                assert_eq!(measured.unit, unit, "{finding:?}");
                assert!(measured.value < measured.limit.expect("a limit"), "{finding:?}");
                assert!(finding.seen.contains(&format!("type of {points:.1} points")), "{finding:?}");
                assert!(finding.seen.contains("“Sphinx of black quartz”"), "{finding:?}");
            }
        }
    }
}

#[test]
fn the_advice_for_small_type_is_enough() {
    let findings = only(&text(4.0, "/F SIZE"), Quality::Fine, Check::TypeSize, Verdict::Warn);
    let fix = &findings[0].fix;
    assert_eq!(fix, "print it in at least 4.5 points, or send at superfine quality");
    only(&text(4.5, "/F SIZE"), Quality::Fine, Check::TypeSize, Verdict::Pass);
    only(&text(4.0, "/F SIZE"), Quality::Superfine, Check::TypeSize, Verdict::Pass);
}

#[test]
fn a_quoted_text_has_spaces_where_the_page_has_gaps_and_an_ellipsis_where_it_is_cut() {
    for (content, expected) in [
        ("BT /F 3 Tf 100 400 Td [(De) 20 (ar) -300 (reader)] TJ ET", "“Dear reader”: "),
        ("BT /F 3 Tf 1 0 0 1 100 400 Tm (Dear) Tj 1 0 0 1 107.5 400 Tm (reader) Tj ET", "“Dear reader”: "),
        ("BT /F 3 Tf 0 1 -1 0 100 400 Tm [(Dear) -300 (reader)] TJ ET", "“Dear reader”: "),
        (
            "BT /F 3.5 Tf 100 400 Td (0123456789 0123456789 0123456789 0123456789) Tj ET",
            "“0123456789 0123456789 0123456789 0123456…”: ",
        ),
    ] {
        let findings = only(content, Quality::Fine, Check::TypeSize, Verdict::Warn);
        assert!(findings[0].seen.starts_with(expected), "{}", findings[0].seen);
    }
}

#[test]
fn scaled_and_turned_type_is_judged_as_it_is_printed() {
    // On a page of 20 inches, scaled to 42 %, type of 9 points is printed in 3.8 points.
    let font = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_vec();
    let leaf = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 1440 1440] /Contents 4 0 R /Resources << /Font << /F 5 0 R >> >> >>";
    let wide = document("", leaf, stream("", text(9.0, "/F SIZE").as_bytes()), &[font]);
    let judged = report(&wide, Quality::Fine);
    assert!(result(&judged, Check::TypeSize).findings[0].seen.contains("type of 3.8 points"), "{judged:?}");
    let upright = "BT /F 4 Tf 0 1 -1 0 100 400 Tm (Sphinx of black quartz) Tj ET";
    let findings = only(upright, Quality::Fine, Check::TypeSize, Verdict::Warn);
    let place = findings[0].place.expect("a place");
    assert!(place.height > 5 * place.width, "{place:?}");
}

#[test]
fn invisible_text_marks_and_symbols_are_not_type() {
    for content in [
        "BT 3 Tr /F 3 Tf 100 400 Td (recognised text) Tj ET 100 100 200 200 re f",
        "BT /F 3 Tf 100 400 Td (1) Tj ET BT /F 12 Tf 100 500 Td (A footnote) Tj ET",
        "BT /F 3 Tf 100 400 Td (-----) Tj ET BT /F 12 Tf 100 500 Td (A rule) Tj ET",
    ] {
        let report = report(&letter(content), Quality::Standard);
        assert_eq!(result(&report, Check::TypeSize).findings, [], "{content}");
    }
}

#[test]
fn white_type_is_judged_on_black_but_not_on_paper() {
    let tag = |ground: &str| format!("{ground} 1 g BT /F 3 Tf 100 400 Td (Sphinx of black quartz) Tj ET");
    let body = "0 g BT /F 12 Tf 100 500 Td (Please sign here) Tj ET";
    for ground in [body.to_owned(), format!("{body} 0 g 90 400.2 200 0.4 re f")] {
        let report = report(&letter(&tag(&ground)), Quality::Fine);
        assert_eq!(result(&report, Check::TypeSize).findings, [], "{ground}");
    }
    let reversed = report(&letter(&tag("0 g 90 390 200 20 re f")), Quality::Fine);
    let findings = &result(&reversed, Check::TypeSize).findings;
    assert!(findings.len() == 1 && findings[0].seen.contains("Sphinx of black quartz"), "{:?}", seen(findings));
}

#[test]
fn grey_type_is_judged_by_its_missing_pels_and_the_thickness_of_its_strokes() {
    for (quality, thin, thick) in [(Quality::Standard, 12.0, 20.0), (Quality::Fine, 8.0, 12.0)] {
        for (gray, points, verdict) in [
            (0.6, thin, Verdict::Fail),
            (0.6, thick, Verdict::Warn),
            (0.4, thin, Verdict::Warn),
            (0.2, thin, Verdict::Pass),
        ] {
            let content = format!("{gray} g {}", text(points, "/F SIZE"));
            only(&content, quality, Check::GreyType, verdict);
        }
    }
    // The blue of links, and a lighter one.
    for (blue, verdict) in [("0.02 0.39 0.76", Verdict::Pass), ("0.2 0.5 0.9", Verdict::Warn)] {
        only(&format!("{blue} rg {}", text(10.0, "/F SIZE")), Quality::Fine, Check::GreyType, verdict);
    }
}

#[test]
fn type_on_a_tint_is_judged_by_the_tint_and_the_thickness_of_its_strokes() {
    let tinted = |gray: f64, points: f64| format!("{gray} g 90 390 220 30 re f 0 g {}", text(points, "/F SIZE"));
    for (quality, thin, thick) in [(Quality::Standard, 12.0, 20.0), (Quality::Fine, 8.0, 14.0)] {
        for (gray, points, verdict) in [
            (0.6, thin, Verdict::Fail),
            (0.6, thick, Verdict::Warn),
            (0.8, thin, Verdict::Warn),
            (0.8, thick, Verdict::Pass),
            (0.92, thin, Verdict::Pass),
        ] {
            for finding in only(&tinted(gray, points), quality, Check::GreyType, verdict) {
                // The measure is the percentage of black dots: a grey of 0.6 has 40 %.
                let measured = finding.measured.expect("a measure");
                assert!((measured.value - (1.0 - gray) * 100.0).abs() < 0.5, "{gray}: {measured:?}");
            }
        }
    }
}

#[test]
fn greys_are_judged_by_the_share_of_the_page_that_they_cover() {
    for quality in Quality::ALL {
        // A letter-size page has 484,704 square points: 5 % are 24,235. This grey is so light that
        // it takes less than a minute to transmit.
        for (side, verdict) in [(180.0, Verdict::Warn), (130.0, Verdict::Pass)] {
            let content = format!("0.9 g 100 100 {side} {side} re f");
            let findings = only(&content, *quality, Check::Greys, verdict);
            let wanted = if verdict == Verdict::Warn { Severity::Warn } else { Severity::Info };
            assert_eq!(findings.iter().map(|finding| finding.severity).collect::<Vec<_>>(), [wanted]);
            let place = findings[0].place.expect("a place");
            let (left, width) = (100.0 / 72.0 * 204.0 - 3.0, side / 72.0 * 204.0);
            assert!((f64::from(place.left) - left).abs() < 17.0, "{place:?}");
            assert!((f64::from(place.width) - width).abs() < 34.0, "{place:?}");
        }
        only("0 g 100 100 300 300 re f", *quality, Check::Greys, Verdict::Pass);
    }
}

#[test]
fn a_line_is_a_hairline_if_its_thickness_is_less_than_half_a_pel() {
    for (quality, down, across) in [
        (Quality::Standard, (0.3, 0.4), (0.15, 0.2)),
        (Quality::Fine, (0.15, 0.2), (0.15, 0.2)),
        (Quality::Superfine, (0.08, 0.1), (0.15, 0.2)),
    ] {
        for (points, verdict) in [(down.0, Verdict::Warn), (down.1, Verdict::Pass)] {
            only(&format!("{points} w 100 400 m 300 400 l S"), quality, Check::Hairlines, verdict);
            // The same line as a filled shape.
            only(&format!("100 400 200 {points} re f"), quality, Check::Hairlines, verdict);
        }
        for (points, verdict) in [(across.0, Verdict::Warn), (across.1, Verdict::Pass)] {
            only(&format!("{points} w 100 400 m 100 600 l S"), quality, Check::Hairlines, verdict);
        }
        let findings =
            only("0 w 100 400 m 300 400 l S 100 410 m 300 410 l S", quality, Check::Hairlines, Verdict::Warn);
        assert!(findings.len() == 1 && findings[0].seen.starts_with("2 lines of no width"), "{findings:?}");
    }
    // A white line is no line.
    only("1 G 0 w 100 400 m 300 400 l S 0 g 10 10 9 9 re f", Quality::Fine, Check::Hairlines, Verdict::Pass);
}

#[test]
fn codes_are_judged_by_the_pels_of_their_modules() {
    for quality in Quality::ALL {
        let rows = f64::from(quality.rows_an_inch()).min(204.0);
        for (pels, verdict) in [(1.4, Verdict::Fail), (2.4, Verdict::Warn), (3.2, Verdict::Pass)] {
            let findings = only(&qr(100.0, 400.0, pels / rows * 72.0), *quality, Check::Codes, verdict);
            assert_eq!(findings.len(), usize::from(verdict != Verdict::Pass), "{findings:?}");
            for finding in findings {
                let measured = finding.measured.expect("a measure");
                assert!(finding.seen.contains("QR code"), "{finding:?}");
                assert!((measured.value - pels).abs() < 0.15, "{pels}: {finding:?}");
            }
        }
        for (pels, verdict) in [(1.4, Verdict::Fail), (2.2, Verdict::Warn), (2.8, Verdict::Pass)] {
            let findings = only(&bars([100.0, 400.0], pels / 204.0 * 72.0, false), *quality, Check::Codes, verdict);
            for finding in findings {
                let measured = finding.measured.expect("a measure");
                assert!(finding.seen.contains("bar code"), "{finding:?}");
                assert!((measured.value - pels).abs() < 0.2, "{pels}: {finding:?}");
            }
            // Bars that follow each other down the page.
            let down = f64::from(quality.rows_an_inch());
            let findings = only(&bars([100.0, 400.0], pels / down * 72.0, true), *quality, Check::Codes, verdict);
            assert!(findings.iter().all(|finding| finding.seen.contains("bar code")), "{findings:?}");
        }
    }
}

#[test]
fn a_code_needs_a_white_margin_and_black_modules() {
    let module = 4.0 / 204.0 * 72.0;
    // A frame two modules from the code.
    let (from, side) = (100.0 - 2.5 * module, 34.0 * module);
    let framed = format!("1 w {from} {} {side} {side} re S {}", 400.0 - 2.5 * module, qr(100.0, 400.0, module));
    let findings = only(&framed, Quality::Fine, Check::Codes, Verdict::Warn);
    assert!(findings[0].seen.contains("margin of 2 modules instead of 4"), "{findings:?}");
    let beside = format!("{} BT /F 12 Tf 94 410 Td (I) Tj ET", bars([100.0, 400.0], module, false));
    let findings = only(&beside, Quality::Fine, Check::Codes, Verdict::Warn);
    assert!(findings[0].seen.contains("bar code has a white margin"), "{findings:?}");
    let findings = only(&format!("0.5 g {}", qr(100.0, 400.0, module)), Quality::Fine, Check::Codes, Verdict::Fail);
    assert!(findings[0].seen.contains("in grey or colour"), "{findings:?}");
}

#[test]
fn type_rules_and_patterns_are_not_codes() {
    let rules: String = (0..60).map(|at| format!("{} 300 0.7 200 re f ", 100 + at * 3)).collect();
    let table: String =
        (0..20).map(|at| format!("{} 300 0.7 200 re f 100 {} 400 0.7 re f ", 100 + at * 20, 300 + at * 10)).collect();
    let text: String = (0..30)
        .map(|at| format!("BT /F 11 Tf 72 {} Td (lllllliiiiiillllllIIIIIIIIHHHHllll) Tj ET ", 700 - at * 14))
        .collect();
    let squares: String = (0..400).map(|at| format!("{} {} 4 4 re f ", 100 + at % 20 * 8, 300 + at / 20 * 8)).collect();
    for content in [rules, table, text, squares] {
        for quality in Quality::ALL {
            let report = report(&letter(&content), *quality);
            assert_eq!(result(&report, Check::Codes).findings, [], "{quality} {}", &content[..60]);
        }
    }
}

#[test]
fn colours_of_the_same_brightness_are_remarked_on_but_pass() {
    for (two, is_alike) in [("0 0.51 0", true), ("0 1 0", false), ("1 0.05 0", false)] {
        let content = format!("1 0 0 rg 100 100 60 60 re f {two} rg 200 100 60 60 re f");
        let findings = only(&content, Quality::Fine, Check::Colors, Verdict::Pass);
        assert_eq!(findings.len(), usize::from(is_alike), "{two}: {findings:?}");
    }
}

#[test]
fn pages_of_other_sizes_are_judged_by_their_scale() {
    for (size, verdict, remarks) in [
        ("0 0 612 792", Verdict::Pass, 0),
        ("0 0 595 842", Verdict::Pass, 0),
        ("0 0 792 612", Verdict::Pass, 1),
        ("0 0 700 900", Verdict::Pass, 1),
        ("0 0 842 1191", Verdict::Warn, 1),
        ("0 0 612 2000", Verdict::Warn, 1),
    ] {
        let leaf = format!("<< /Type /Page /Parent 2 0 R /MediaBox [{size}] /Contents 4 0 R >>");
        let report = report(&document("", &leaf, stream("", b"0 0 2000 2000 re f"), &[]), Quality::Fine);
        let paper = result(&report, Check::Paper);
        assert_eq!((paper.verdict, paper.findings.len()), (verdict, remarks), "{size}: {paper:?}");
    }
}

#[test]
fn blank_pages_losses_and_slow_pages_are_reported() {
    let blank = only("", Quality::Fine, Check::Blank, Verdict::Warn);
    assert!(blank[0].seen.contains("blank"), "{blank:?}");
    let lossy = report(&page("", stream("", b"/X Do 10 10 200 200 re f"), &[]), Quality::Fine);
    let lost = result(&lossy, Check::Lost);
    assert!(lost.verdict == Verdict::Fail && lost.pages() == [1], "{lost:?}");
    let tint = report(&letter("0.5 g 100 100 250 250 re f"), Quality::Fine);
    let time = result(&tint, Check::Time);
    assert!(time.verdict == Verdict::Warn && time.findings[0].fix.contains("tints"), "{time:?}");
    // Each pel of a grey of one half takes three bits, so a square of 120 points (340 × 327 pels) takes 23 s.
    let small = report(&letter("0.5 g 0 0 120 120 re f"), Quality::Fine);
    assert_eq!(result(&small, Check::Time).verdict, Verdict::Pass);
}

#[test]
fn a_scan_is_not_judged_by_its_type() {
    let scan = report(include_bytes!("../../fixtures/documents/tones.jpg"), Quality::Fine);
    for check in [Check::TypeSize, Check::GreyType, Check::Hairlines, Check::Colors] {
        let judged = result(&scan, check);
        assert_eq!((judged.verdict, judged.not_judged.as_slice()), (Verdict::NotJudged, &[1][..]), "{check}");
    }
    assert_eq!(result(&scan, Check::Lost).verdict, Verdict::Pass);
}

#[test]
fn findings_are_limited_and_those_left_out_are_counted() {
    let content: String =
        (0..12).map(|at| format!("BT /F 3 Tf 100 {} Td (far too small) Tj ET ", 100 + at * 50)).collect();
    let report = report(&letter(&content), Quality::Fine);
    assert_eq!(result(&report, Check::TypeSize).findings.len(), judge::FINDINGS_PER_CHECK_MAX);
    assert_eq!(report.left_out, 12 - judge::FINDINGS_PER_CHECK_MAX);
}

#[test]
fn each_picture_shows_the_fax_page_beside_the_document() {
    for quality in Quality::ALL {
        let content = format!("BT /F 1.5 Tf 100 400 Td (too small) Tj ET {}", qr(100.0, 300.0, 0.3));
        let report = report(&letter(&content), *quality);
        let found: Vec<&Finding> = report.results.iter().flat_map(|result| &result.findings).collect();
        assert!(found.len() >= 2, "{quality}: {:?}", found.iter().map(|finding| &finding.seen).collect::<Vec<_>>());
        for finding in found {
            let png = finding.picture.as_deref().expect("a picture");
            let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().expect("a PNG");
            let mut pixels = vec![0; reader.output_buffer_size().expect("a size")];
            let info = reader.next_frame(&mut pixels).expect("pixels");
            assert!((400 * 2 + 12..=1_000 * 2 + 12).contains(&info.width), "{}", info.width);
            assert!((240..=760).contains(&info.height), "{}", info.height);
            // The fax page is black and white; both halves have ink and the red frame.
            let half = (info.width as usize - 12) / 2;
            for columns in [0..half, half + 12..info.width as usize] {
                let rows = pixels.chunks_exact(info.line_size);
                let inside = rows.flat_map(|row| row[columns.start * 3..columns.end * 3].chunks_exact(3));
                let is_dark = |pixel: &[u8]| pixel.iter().all(|channel| *channel < 100);
                let is_red = |pixel: &[u8]| pixel == [0xe0, 0x20, 0x30];
                assert!(inside.clone().filter(|pixel| is_dark(pixel)).count() > 20, "{quality} {}", finding.seen);
                assert!(inside.clone().filter(|pixel| is_red(pixel)).count() > 100, "{quality} {}", finding.seen);
            }
        }
    }
}
