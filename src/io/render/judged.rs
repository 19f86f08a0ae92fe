//! Converts what was found on a page to and from the form in which a renderer process reports it: the findings as JSON,
//! and their pictures as bytes.

use serde_json::{Value, json};

use crate::document::judge::{Area, Check, Finding, Measure, PageJudgement, Severity, UNITS};

/// Returns a judgement as JSON, and its pictures one after the other.
pub(super) fn written(judgement: &PageJudgement) -> (Value, Vec<u8>) {
    let pictures: Vec<u8> =
        judgement.findings.iter().filter_map(|finding| finding.picture.as_deref()).flatten().copied().collect();
    let head = json!({
        "judged": judgement.page,
        "findings": judgement.findings.iter().map(finding).collect::<Vec<_>>(),
        "not_judged": judgement.not_judged,
        "left_out": judgement.left_out,
    });
    (head, pictures)
}

fn finding(finding: &Finding) -> Value {
    let place = finding.place.map(|Area { left, top, width, height }| [left, top, width, height]);
    let measured = finding.measured.map(|Measure { value, limit, unit }| {
        json!({
            "value": value, "limit": limit, "unit": unit,
        })
    });
    json!({
        "check": finding.check, "severity": finding.severity, "fax_page": finding.fax_page, "place": place,
        "measured": measured, "seen": finding.seen, "fix": finding.fix,
        "picture": finding.picture.as_ref().map(Vec::len),
    })
}

/// Reads a judgement; `None` if it is not valid.
pub(super) fn read(head: &Value, pictures: &[u8]) -> Option<PageJudgement> {
    let page = small(&head["judged"])?;
    let mut rest = pictures;
    let findings = head["findings"].as_array()?.iter().map(|value| {
        let length = usize::try_from(value["picture"].as_u64().unwrap_or(0)).ok()?;
        let (own, others) = rest.split_at_checked(length)?;
        rest = others;
        read_finding(value, page, own)
    });
    Some(PageJudgement {
        page,
        findings: findings.collect::<Option<_>>()?,
        not_judged: serde_json::from_value(head["not_judged"].clone()).ok()?,
        left_out: usize::try_from(head["left_out"].as_u64()?).ok()?,
    })
}

fn read_finding(value: &Value, page: u32, picture: &[u8]) -> Option<Finding> {
    let text = |name: &str| value[name].as_str();
    let present = |name: &str| Some(&value[name]).filter(|value| !value.is_null());
    let place = match present("place") {
        Some(place) => {
            let [left, top, width, height] = serde_json::from_value(place.clone()).ok()?;
            Some(Area { left, top, width, height })
        }
        None => None,
    };
    let measured = match present("measured") {
        Some(measured) => Some(Measure {
            value: measured["value"].as_f64()?,
            limit: measured["limit"].as_f64(),
            unit: UNITS.into_iter().find(|unit| measured["unit"] == **unit)?,
        }),
        None => None,
    };
    Some(Finding {
        check: Check::from_word(text("check")?)?,
        severity: Severity::from_word(text("severity")?)?,
        page: Some(page),
        fax_page: small(&value["fax_page"]),
        place,
        measured,
        seen: text("seen")?.to_owned(),
        fix: text("fix")?.to_owned(),
        picture: (!picture.is_empty()).then(|| picture.to_vec()),
    })
}

fn small(value: &Value) -> Option<u32> {
    value.as_u64().and_then(|number| u32::try_from(number).ok())
}
