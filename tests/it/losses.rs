//! Tests losses: a part of a document that its fax pages lack is reported, as an event of the fax and as a line of
//! `convert`'s output.

use std::path::Path;
use std::process::{Command, Output};

use fauxfax::document::bitmap::Bitmap;
use fauxfax::document::ccitt::g4;
use fauxfax::model::fax::Status;
use fauxfax::model::time::Pace;
use fauxfax::{Document, Emulator, Expect};
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

type Tested = Result<(), Box<dyn std::error::Error>>;

const WIDTH: u32 = 1_728;
const HEIGHT: u32 = 400;

/// Builds a one-page TIFF in T.6 that has only this percentage of its data.
pub(crate) fn tiff(percent: usize) -> Vec<u8> {
    let mut image = Bitmap::white(WIDTH, HEIGHT);
    (0..HEIGHT).for_each(|y| image.blacken_run(y, y * 3, y * 4 + 20));
    let coded = g4(&image);
    let strip = &coded[..coded.len() * percent / 100];
    // Width, height, compression (4: T.6), photometric interpretation, strip offset and strip length.
    let tags = [(256, WIDTH), (257, HEIGHT), (259, 4), (262, 0), (273, 8), (279, strip.len() as u32)];
    let mut bytes = b"II\x2a\0".to_vec();
    bytes.extend((8 + strip.len() as u32).to_le_bytes());
    bytes.extend_from_slice(strip);
    bytes.extend((tags.len() as u16).to_le_bytes());
    for (tag, value) in tags {
        bytes.extend((tag as u16).to_le_bytes());
        // Each tag has one value of type LONG.
        bytes.extend([4, 0, 1, 0, 0, 0]);
        bytes.extend((value).to_le_bytes());
    }
    bytes.extend([0; 4]);
    bytes
}

/// Returns the expectation of a loss of rows on the first page.
fn loss() -> Expect {
    Expect::of("document.loss").with("data.page", 1).with_regex("data.what", "rows")
}

#[tokio::test]
async fn losses_are_fax_events_in_both_directions_and_raise_no_alert() -> Tested {
    let (emulator, app) = (Emulator::builder().pace(Pace::Max).start().await?, MockServer::start().await);
    let twiml = ResponseTemplate::new(200).set_body_raw("<Response><Receive/></Response>", "text/xml");
    Mock::given(path("/fax")).respond_with(twiml).mount(&app).await;
    let document = ResponseTemplate::new(200).set_body_raw(tiff(50), "image/tiff");
    Mock::given(path("/cut.tiff")).respond_with(document).mount(&app).await;
    let account = emulator.account()?;
    account.number("+15017122661")?.fax_url(&format!("{}/fax", app.uri()))?;

    account.receive(Document::bytes(tiff(50))).await?;
    account.verify(loss().times(1))?;
    account.receive(Document::bytes(tiff(100))).await?;
    account.verify(loss().times(1))?;
    let sent = account.send("+15558675310", &format!("{}/cut.tiff", app.uri())).queue()?;
    account.wait_for(sent, Status::Delivered).await?;
    account.verify(loss().with("fax_sid", sent.to_string()).times(1))?;
    account.verify(Expect::of("alert").times(0))?;
    Ok(())
}

fn convert(folder: &Path, document: &[u8], flags: &[&str]) -> Output {
    std::fs::write(folder.join("in.tiff"), document).expect("a file");
    let mut convert = Command::new(env!("CARGO_BIN_EXE_fauxfax"));
    convert.current_dir(folder).args(["convert", "in.tiff", "out.tiff"]).args(flags).output().expect("run")
}

#[test]
fn convert_prints_losses_to_stderr_and_fails_only_if_asked_to() {
    let folder = tempfile::tempdir().expect("a folder");
    for (percent, flags, code) in [
        (100, &["--fail-on-loss"][..], 0),
        (50, &[], 0),
        (50, &["--quiet"], 0),
        (50, &["--quiet", "--fail-on-loss"], 1),
    ] {
        let output = convert(folder.path(), &tiff(percent), flags);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{percent} {flags:?}: {errors}");
        assert_eq!(errors.starts_with("lost: page 1: "), percent < 100, "{percent} {flags:?}: {errors}");
        assert!(folder.path().join("out.tiff").exists());
    }
}
