//! Tests downloads of media that a rule delays, slows, cuts off, redirects or refuses, over real connections.

use std::time::Duration;

use fauxfax::emulator::AccountSetup;
use fauxfax::engine::event::EventKind;
use fauxfax::model::fax::Direction;
use fauxfax::rules::DownloadFault;
use fauxfax::{Account, Document, Emulator, Expect};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

type Tested = Result<(), Box<dyn std::error::Error>>;

const PROJECT: &str = "b3877c40-da60-4998-90ad-b792e98472ac";
/// A fault that changes nothing, of which the tests change single fields.
const USUAL: DownloadFault =
    DownloadFault { delay_ms: 0, bytes_per_second: None, cut_after_bytes: None, redirects: 0, status: None };

/// A response as it came over the connection, until its end.
struct Download {
    status: u16,
    head: String,
    body: Vec<u8>,
    took: Duration,
}

impl Download {
    fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    fn length(&self) -> usize {
        self.header("content-length").and_then(|length| length.parse().ok()).expect("a length")
    }
}

async fn open(method: &str, url: &str) -> TcpStream {
    let (host, path) = url.strip_prefix("http://").and_then(|rest| rest.split_once('/')).expect("a URL");
    let mut stream = TcpStream::connect(host).await.expect("a connection");
    let head = format!("{method} /{path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: test\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.expect("writable");
    stream
}

/// Makes one request, and reads until the connection ends.
async fn request(method: &str, url: &str) -> Download {
    let begun = Instant::now();
    let mut stream = open(method, url).await;
    let mut bytes = Vec::new();
    // Even if the connection is reset, the bytes read before that are kept.
    let _ = stream.read_to_end(&mut bytes).await;
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    Download { status, head, body: bytes.split_off(end + 4), took: begun.elapsed() }
}

async fn get(url: &str) -> Download {
    request("GET", url).await
}

/// Receives a fax, and returns its media URL and the document that is served there without a rule.
async fn received(account: &Account) -> Result<(String, Vec<u8>), Box<dyn std::error::Error>> {
    let app = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(204)).mount(&app).await;
    let conversation = account.receive(Document::pages(2)).from("+15552223333").action(&app.uri()).await?;
    let params = conversation.webhooks().last().map(|record| record.params.clone()).unwrap_or_default();
    let url = params.into_iter().find(|(name, _)| name == "MediaUrl").expect("a MediaUrl").1;
    let usual = get(&url).await;
    assert_eq!((usual.status, usual.body.len()), (200, usual.length()));
    Ok((url, usual.body))
}

fn accounts(emulator: &Emulator) -> Result<[Account; 2], Box<dyn std::error::Error>> {
    let project = AccountSetup { sid: Some(PROJECT.parse()?), ..AccountSetup::default() };
    let accounts = [emulator.account()?, emulator.account_as(project)?];
    for account in &accounts {
        account.number("+15017122661")?;
    }
    Ok(accounts)
}

#[tokio::test]
async fn a_refused_download_has_the_rules_status_and_the_next_one_the_document() -> Tested {
    let emulator = Emulator::builder().start().await?;
    for account in accounts(&emulator)? {
        let (url, document) = received(&account).await?;
        let rule = account.rules().once(DownloadFault { status: Some(503), ..USUAL })?;
        let refused = get(&url).await;
        assert_eq!(refused.status, 503);
        assert!(String::from_utf8(refused.body)?.contains("<Code>ServiceUnavailable</Code>"));
        assert_eq!(get(&url).await.body, document);
        let what = format!("rule {rule} refuses the download with 503");
        let told = |kind: &str| Expect::of(kind).times(1);
        account.verify(told("media.refused").with("data.reason", "by-rule").with("data.detail", what.clone()))?;
        account.verify(
            told("rule.fired").with("data.kind", "media").with("data.what", what).with("data.media.status", 503),
        )?;
    }
    Ok(())
}

#[tokio::test]
async fn a_cut_download_ends_early_although_its_whole_length_is_announced() -> Tested {
    let emulator = Emulator::builder().start().await?;
    for account in accounts(&emulator)? {
        let (url, document) = received(&account).await?;
        for cut in [0, 100, u32::try_from(document.len() - 1)?] {
            let rule = account.rules().once(DownloadFault { cut_after_bytes: Some(cut), ..USUAL })?;
            let download = get(&url).await;
            assert_eq!((download.status, download.length()), (200, document.len()));
            assert_eq!(download.body, document[..usize::try_from(cut)?], "rule {rule}");
            let detail = format!(
                "rule {rule} cuts the download off after {cut} bytes; the document has {} bytes",
                document.len()
            );
            account.verify(Expect::of("media.warning").with("data.detail", detail).times(1))?;
        }
        account.rules().once(DownloadFault { cut_after_bytes: Some(1_000_000_000), ..USUAL })?;
        assert_eq!(get(&url).await.body, document, "a document shorter than the cut is whole");
    }
    Ok(())
}

#[tokio::test]
async fn redirects_lead_to_the_document_and_count_as_one_download() -> Tested {
    let emulator = Emulator::builder().start().await?;
    for account in accounts(&emulator)? {
        let (url, document) = received(&account).await?;
        account.rules().times(2, DownloadFault { redirects: 3, cut_after_bytes: Some(10), ..USUAL })?;
        for _ in 0..2 {
            let mut target = url.clone();
            for _ in 0..3 {
                let redirect = get(&target).await;
                assert_eq!((redirect.status, redirect.body.len()), (302, 0));
                redirect.header("location").expect("a location").clone_into(&mut target);
                assert!(target.starts_with(account.url()), "{target}");
            }
            assert_eq!(get(&target).await.body, document[..10], "the document is cut off only after the last redirect");
        }
        assert_eq!(get(&url).await.status, 200, "the rule has acted twice");
        account.verify(Expect::of("rule.fired").times(2))?;
    }
    Ok(())
}

#[tokio::test]
async fn a_slow_download_takes_its_time_and_holds_up_nobody() -> Tested {
    let emulator = Emulator::builder().start().await?;
    for account in accounts(&emulator)? {
        let (url, document) = received(&account).await?;
        let half_second = u32::try_from(document.len() * 2)?;
        account.rules().once(DownloadFault { bytes_per_second: Some(half_second), ..USUAL })?;
        let slow = get(&url);
        let others = async {
            for _ in 0..16 {
                // This download is requested after the slow one, since futures are polled in order.
                assert_eq!(get(&url).await.body, document);
            }
            Instant::now()
        };
        let (slow, others) = tokio::join!(async { (slow.await, Instant::now()) }, others);
        let (slow, slow_end) = slow;
        assert_eq!((slow.status, slow.length()), (200, document.len()));
        assert!(slow.body == document && slow.took >= Duration::from_millis(300), "{:?}", slow.took);
        assert!(others < slow_end, "the other downloads end before the slow one");
    }
    Ok(())
}

#[tokio::test]
async fn a_delayed_download_waits_in_real_time() -> Tested {
    let emulator = Emulator::builder().start().await?;
    for account in accounts(&emulator)? {
        let (url, document) = received(&account).await?;
        account.clock().freeze();
        account.rules().once(DownloadFault { delay_ms: 300, ..USUAL })?;
        let delayed = get(&url).await;
        assert!(delayed.took >= Duration::from_millis(300) && delayed.body == document);
    }
    Ok(())
}

#[tokio::test]
async fn slow_downloads_end_when_the_emulator_stops() -> Tested {
    let emulator = Emulator::builder().start().await?;
    let account = emulator.account()?;
    account.number("+15017122661")?;
    let (url, document) = received(&account).await?;
    account.rules().once(DownloadFault { bytes_per_second: Some(10), ..USUAL })?;
    let mut stream = open("GET", &url).await;
    let mut first = [0; 1];
    stream.read_exact(&mut first).await?;
    let begun = Instant::now();
    drop((account, emulator));
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;
    assert!(rest.len() < document.len(), "the document takes over a minute at this speed");
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    Ok(())
}

#[tokio::test]
async fn a_rule_matches_downloads_by_fax_method_and_path() -> Tested {
    let emulator = Emulator::builder().start().await?;
    let account = emulator.account()?;
    account.number("+15017122661")?;
    let (url, document) = received(&account).await?;
    let gone = DownloadFault { status: Some(404), ..USUAL };
    account.rules().direction(Direction::Outbound).always(gone)?;
    account.rules().to("+1555*").always(gone)?;
    account.rules().pages(3, 9).always(gone)?;
    account.rules().path("/v1/*").always(gone)?;
    assert_eq!(get(&url).await.body, document);
    account.rules().from("+1555*").pages(1, 2).path("/fax/*").after(1).once(gone)?;
    let head = request("HEAD", &url).await;
    assert_eq!((head.status, head.length(), head.body.len()), (200, document.len(), 0));
    assert_eq!(get(&format!("{url}0")).await.status, 403, "a forged URL is refused without any rule");
    assert_eq!(get(&url).await.status, 404);
    let fired = account
        .events()
        .iter()
        .filter(|event| matches!(event.engine_kind(), Some(EventKind::RuleFired { .. })))
        .count();
    assert_eq!(fired, 1);
    Ok(())
}
