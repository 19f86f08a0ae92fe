//! Tests the text of pages: in the control API, in `fax.page` events that `verify` checks, at both ends of a fax, and
//! after snapshots and exports. The core's own tests check how the text is collected.

use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use fauxfax::engine::input::CreateFax;
use fauxfax::http::control::BASE;
use fauxfax::model::phone::PhoneNumber;
use fauxfax::model::time::Pace;
use fauxfax::{Document, Emulator, Expect};
use serde_json::{Value, json};
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::control::Bench;
use crate::pdfs::{file, stream};
use crate::script::order;

/// Builds a letter of two pages. The second names the patient, in two lines.
fn letter() -> Vec<u8> {
    let page = |contents: u32| {
        format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {contents} 0 R /Resources << /Font << /F 7 0 R >> >> >>"
        )
        .into_bytes()
    };
    let text = |text: &str| stream("", format!("BT /F 12 Tf 14 TL 72 700 Td {text} ET").as_bytes());
    file(&[
        b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
        b"<< /Type /Pages /Kids [3 0 R 5 0 R] /Count 2 >>".to_vec(),
        page(4),
        text("(Dear Dr. Roe,) Tj"),
        page(6),
        text("(Patient: Jane) Tj T* (Doe, born 1970) Tj"),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_vec(),
    ])
}

/// Builds a page without text, which counts as a scan.
fn scan() -> Vec<u8> {
    crate::pdfs::page("", stream("", b"100 100 300 300 re f"), &[])
}

/// Receives a document as a fax, and returns the fax's SID.
async fn receive(bench: &Bench, account: &str, document: &[u8]) -> Value {
    let mut form = b"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.pdf\"\r\n\r\n".to_vec();
    form.extend(document);
    form.extend(b"\r\n--b--\r\n");
    let request = Request::post(format!("{BASE}/incoming-faxes?wait=true&account={account}"))
        .header(header::HOST, "localhost:8329")
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=b");
    let response = bench.send(request.body(Body::from(form)).expect("a request")).await;
    let body = to_bytes(response.into_body(), usize::MAX).await.expect("a body");
    let conversation: Value = serde_json::from_slice(&body).expect("JSON");
    assert_eq!(conversation["outcome"], "received", "{conversation}");
    conversation["fax_sid"].clone()
}

/// Requests the text of a page with this `Accept`, and returns the status, the media type and the body.
async fn plain(bench: &Bench, target: &str, accept: &str) -> (u16, String, String) {
    let request = Request::get(format!("{BASE}{target}")).header(header::HOST, "localhost:8329");
    let request = request.header(header::ACCEPT, accept).body(Body::empty()).expect("a request");
    let response = bench.send(request).await;
    let (status, head) = (response.status().as_u16(), response.headers()[header::CONTENT_TYPE].clone());
    let body = to_bytes(response.into_body(), usize::MAX).await.expect("a body");
    (status, head.to_str().expect("text").to_owned(), String::from_utf8(body.to_vec()).expect("UTF-8"))
}

#[tokio::test]
async fn the_text_of_a_page_is_json_or_plain_and_a_scan_has_none() {
    let bench = Bench::new().await;
    let account = bench.account().await;
    let fax = receive(&bench, &account, &letter()).await;
    let target = |fax: &Value, page: &str| {
        format!("/faxes/{}/pages/{page}/text?account={account}", fax.as_str().expect("a SID"))
    };
    let shown = bench.ok("GET", &target(&fax, "2"), Value::Null).await;
    let text = "Patient: Jane\nDoe, born 1970";
    assert_eq!(shown, json!({ "page": 2, "text": text, "known": true, "cut": false }));
    let answer = plain(&bench, &target(&fax, "2"), "text/plain").await;
    assert_eq!(answer, (200, "text/plain; charset=utf-8".to_owned(), text.to_owned()));
    let both = plain(&bench, &target(&fax, "2"), "application/json, text/plain, */*").await;
    assert_eq!(both.1, "application/json");

    let scanned = receive(&bench, &account, &scan()).await;
    let shown = bench.ok("GET", &target(&scanned, "1"), Value::Null).await;
    assert_eq!((&shown["known"], &shown["text"]), (&json!(false), &Value::Null));
    assert!(shown["why"].as_str().expect("a reason").contains("scan"), "{shown}");
    let answer = plain(&bench, &target(&scanned, "1"), "text/plain").await;
    assert_eq!((answer.0, answer.1.as_str()), (404, "application/problem+json"));
    assert!(answer.2.contains("text-not-known") && answer.2.contains("no text layer"), "{}", answer.2);

    for page in ["0", "3", "x", "2.png", "-1"] {
        let (status, why) = bench.refused("GET", &target(&fax, page), Value::Null).await;
        assert!(status == 404 && why.contains("has no page"), "{page}: {status} {why}");
    }
    let (status, why) = bench.refused("GET", &target(&json!("FX1"), "1"), Value::Null).await;
    assert!(status == 404 && why.contains("no fax FX1"), "{status} {why}");
}

#[tokio::test]
async fn verify_finds_the_patient_on_page_2_and_shows_what_the_closest_page_says() {
    let bench = Bench::new().await;
    let account = bench.account().await;
    let fax = receive(&bench, &account, &letter()).await;
    let verify = |page: u32, name: &str| {
        let data = json!({ "page": page, "text": { "contains": name } });
        json!({ "match": { "kind": "fax.page", "fax_sid": fax, "data": data }, "times": 1 })
    };
    let target = format!("/verify?account={account}");
    let found = bench.ok("POST", &target, verify(2, "Jane Doe")).await;
    assert_eq!(found["verified"], true, "{found}");
    let missing = bench.ok("POST", &target, verify(1, "Jane Doe")).await;
    assert_eq!(missing["verified"], false);
    let differs = &missing["closest"][0]["differs"];
    let wanted = json!({ "want": { "contains": "Jane Doe" }, "got": "Dear Dr. Roe," });
    assert!(differs == &json!({ "data.text": wanted }) || differs.get("data.page").is_some(), "{missing}");
    let texts: Vec<&Value> =
        missing["closest"].as_array().expect("a list").iter().map(|miss| &miss["event"]["data"]["text"]).collect();
    assert!(texts.contains(&&json!("Dear Dr. Roe,")), "{missing}");

    let scanned = receive(&bench, &account, &scan()).await;
    let unknown = json!({ "match": { "kind": "fax.page", "fax_sid": scanned, "data": { "page": 1, "text": null } } });
    assert_eq!(bench.ok("POST", &target, unknown).await["verified"], true);
}

#[tokio::test]
async fn the_text_is_still_there_after_an_export_and_an_old_state_has_none() {
    let bench = Bench::new().await;
    let account = bench.account().await;
    let fax = receive(&bench, &account, &letter()).await;
    let target = format!("/faxes/{}/pages/2/text?account={account}", fax.as_str().expect("a SID"));
    let before = bench.ok("GET", &target, Value::Null).await;
    let state_target = format!("/state?account={account}");
    let state = bench.ok("GET", &state_target, Value::Null).await;
    bench.ok("POST", &format!("/reset?account={account}"), Value::Null).await;
    assert_eq!(bench.refused("GET", &target, Value::Null).await.0, 404);
    bench.ok("PUT", &state_target, state.clone()).await;
    assert_eq!(bench.ok("GET", &target, Value::Null).await, before);
    assert_eq!(bench.ok("GET", &state_target, Value::Null).await["faxes"], state["faxes"]);

    // A state may have been written before texts were kept, or edited by hand.
    let written = state.to_string();
    let text = json!({ "content": "Patient: Jane\nDoe, born 1970", "cut": false }).to_string();
    assert!(written.contains(&format!(",\"text\":{text}")), "{written}");
    let old = written.replace(&format!(",\"text\":{text}"), "");
    bench.ok("PUT", &state_target, serde_json::from_str(&old).expect("JSON")).await;
    assert_eq!(bench.ok("GET", &target, Value::Null).await["known"], false);
    let edited = written.replace("Jane\\nDoe", "Jane\\tDoe");
    let (status, why) = bench.refused("PUT", &state_target, serde_json::from_str(&edited).expect("JSON")).await;
    assert!(status == 422 && why.contains("control characters"), "{status} {why}");
}

#[tokio::test]
async fn the_text_of_a_stamped_scan_is_marked_as_less_than_the_page_says() {
    let bench = Bench::new().await;
    let account = bench.account().await;
    let image = "/Type /XObject /Subtype /Image /Width 2 /Height 2 /ColorSpace /DeviceGray /BitsPerComponent 8";
    let picture = |matrix: &str| {
        let content = format!("q {matrix} cm /I Do Q BT /F 12 Tf 400 20 Td (Bates 000123) Tj ET");
        let font = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_vec();
        crate::pdfs::page(
            "/Resources << /Font << /F 5 0 R >> /XObject << /I 6 0 R >> >>",
            stream("", content.as_bytes()),
            &[font, stream(image, &[0, 255, 255, 0])],
        )
    };
    // A scan fills the page; a logo doesn't.
    let scan = receive(&bench, &account, &picture("612 0 0 792 0 0")).await;
    let logo = receive(&bench, &account, &picture("100 0 0 100 50 600")).await;
    let text = async |fax: &Value| {
        let target = format!("/faxes/{}/pages/1/text?account={account}", fax.as_str().expect("a SID"));
        bench.ok("GET", &target, Value::Null).await
    };
    let stamped = json!({ "page": 1, "text": "Bates 000123", "known": true, "cut": false, "pictures": true });
    assert_eq!(text(&scan).await, stamped);
    assert_eq!(text(&logo).await["pictures"], Value::Null);
    let data = json!({ "pictures": true, "text": "Bates 000123" });
    let pattern = json!({ "match": { "kind": "fax.page", "data": data }, "times": 1 });
    assert_eq!(bench.ok("POST", &format!("/verify?account={account}"), pattern).await["verified"], true);
    let state_target = format!("/state?account={account}");
    let state = bench.ok("GET", &state_target, Value::Null).await;
    bench.ok("PUT", &state_target, state).await;
    assert_eq!(text(&scan).await, stamped);
}

#[tokio::test]
async fn a_page_that_never_went_over_the_line_has_no_text() {
    let (bench, app) = (Bench::new().await, MockServer::start().await);
    let document = ResponseTemplate::new(200).set_body_raw(letter(), "application/pdf");
    Mock::given(path("/letter.pdf")).respond_with(document).mount(&app).await;
    let account = bench.account().await;
    let world = bench.registry.world(account.parse().expect("a SID")).expect("a world");
    // Calls to the first number break after a page; the second is busy.
    for (to, is_known) in [(15_005_550_104, [true, false]), (15_005_550_101, [false, false])] {
        let media_url = format!("{}/letter.pdf", app.uri()).into();
        let sent = CreateFax { media_url, ..order(PhoneNumber::from_digits(to)) };
        let fax = world.handle(sent).expect("accepted");
        bench.ok("GET", &format!("/wait?for=idle&account={account}"), Value::Null).await;
        for (page, is_known) in (1..).zip(is_known) {
            let target = format!("/faxes/{fax}/pages/{page}/text?account={account}");
            let shown = bench.ok("GET", &target, Value::Null).await;
            assert_eq!((&shown["known"], shown["text"].is_string()), (&json!(is_known), is_known), "{shown}");
            let why = shown["why"].as_str().unwrap_or_default();
            assert!(is_known || why.contains("has not been transmitted"), "{shown}");
        }
    }
}

#[tokio::test]
async fn both_ends_of_a_fax_between_own_numbers_have_the_text_and_keep_it_in_a_snapshot()
-> Result<(), Box<dyn std::error::Error>> {
    let (emulator, app) = (Emulator::builder().pace(Pace::Max).start().await?, MockServer::start().await);
    let twiml = ResponseTemplate::new(200).set_body_raw("<Response><Receive pageSize=\"a4\"/></Response>", "text/xml");
    Mock::given(path("/fax")).respond_with(twiml).mount(&app).await;
    let document = ResponseTemplate::new(200).set_body_raw(letter(), "application/pdf");
    Mock::given(path("/letter.pdf")).respond_with(document).mount(&app).await;
    let account = emulator.account()?;
    account.number("+15017122661")?;
    account.number("+15017122662")?.fax_url(&format!("{}/fax", app.uri()))?;

    let sent = account.send("+15017122662", &format!("{}/letter.pdf", app.uri())).queue()?;
    account.wait_idle().await?;
    account.verify(Expect::page(2).containing("Jane Doe").times(2))?;
    account.verify(Expect::page(1).containing("Jane Doe").times(0))?;
    let received = account.newest_fax().expect("a fax");
    assert_ne!(received.sid, sent);
    account.snapshot("delivered")?;
    account.reset()?;
    assert!(account.fax(sent).is_err());
    account.restore("delivered")?;
    for sid in [sent, received.sid] {
        assert_eq!(account.fax(sid)?.page_text(2), Some("Patient: Jane\nDoe, born 1970"), "{sid}");
    }

    // The call drops during page 2. How much of its text arrived is unknown, so the page has none.
    let broken = account.receive(Document::bytes(letter())).to("+15017122662").failing(34004, 1).await?;
    let broken = broken.fax.expect("a fax");
    assert_eq!((broken.page_text(1), broken.page_text(2)), (Some("Dear Dr. Roe,"), None));
    Ok(())
}
