//! Measures each figure in several rounds, mostly as a ratio to a baseline. docs/benchmarks.md interprets the figures.

use std::process::Command;
use std::time::Duration;

use crate::Result;
use crate::app;
use crate::client::{Connection, load, now, request};
use crate::emulator::{Process, credential};
use crate::gateway;

/// The number of rounds per figure, odd so that the median is one of them.
pub(crate) const ROUNDS: usize = 5;
/// How long one server is put under load in each round.
pub(crate) const SPAN: Duration = Duration::from_secs(2);
/// The number of rounds of `rest`: more than `ROUNDS`, because its POSTs are measured for a shorter time and vary more.
const REST_ROUNDS: usize = 9;
/// How long creates are measured: shorter than `SPAN`, because a world holds at most 100,000 pending faxes.
const POST_SPAN: Duration = Duration::from_millis(500);
/// The maximum number of requests that a world has in flight to one host; the effects of further creates are queued.
const HOST_CAP: usize = 1_024;
/// The number of faxes in a round that counts whole conversations.
const CONVERSATIONS: usize = 4_000;
/// The number of connections over which these faxes are created.
const LANES: usize = 8;
/// The number of faxes in a world with a long history.
const MILLION: usize = 1_000_000;
/// The number of creates whose callbacks hang.
const HANGING: usize = 1_000;
/// The number of creates that are timed in an idle emulator, and again while those callbacks hang.
const CREATES: usize = 1_000;

/// Measures the named figures, or all of them if none is named.
pub(crate) fn run(names: &[String], report: impl Fn(&str)) -> Result<()> {
    let wanted = |name: &str| names.is_empty() || names.iter().any(|own| own == name);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        if wanted("rest") {
            rest(&report).await?;
        }
        if wanted("outbound") {
            conversations(&report, Way::Out).await?;
        }
        if wanted("inbound") {
            conversations(&report, Way::In).await?;
        }
        if wanted("hanging") {
            hanging(&report).await?;
        }
        if wanted("tunnel") {
            gateway::tunnel(&report).await?;
        }
        if wanted("tls") {
            gateway::tls(&report).await?;
        }
        if wanted("million") {
            million(&report).await?;
        }
        Ok(())
    })
}

/// Compares `GET` and `POST` requests to the emulator with the same requests to a bare server that responds with as
/// many bytes.
async fn rest(report: &impl Fn(&str)) -> Result<()> {
    let (app, heard) = app::start().await?;
    let emulator = Process::emulator(&[])?;
    let address = emulator.address;
    let form = format!("To=%2B15558675310&From=%2B15005550006&MediaUrl=http%3A%2F%2F{app}%2Fhang");
    let create = request("POST", "/v1/Faxes", address, &credential(), &form);
    let reset = request("POST", "/_fauxfax/v1/reset", address, "", "");
    let mut connection = Connection::open(address).await?;
    let fetch_of = |created: &[u8]| -> Result<_> {
        let fax = serde_json::from_slice::<serde_json::Value>(created)?;
        let sid = fax["sid"].as_str().ok_or("no sid")?;
        Ok(request("GET", &format!("/v1/Faxes/{sid}"), address, &credential(), ""))
    };
    let mut fetch = fetch_of(connection.ask(&create).await?.1)?;
    let size = connection.ask(&fetch).await?.1.len();
    let bare = Process::bare(size)?;
    let bare_get = request("GET", "/v1/Faxes/x", bare.address, &credential(), "");
    let bare_post = request("POST", "/v1/Faxes", bare.address, &credential(), &form);
    // The host's slots are filled first, so that the creates that are measured cause no requests.
    for _ in 0..HOST_CAP {
        connection.ask(&create).await?;
    }
    heard.hanging(HOST_CAP).await;
    let (mut gets, mut posts) = (Vec::new(), Vec::new());
    for _ in 0..REST_ROUNDS {
        let plain = load(bare.address, &bare_get, 200, SPAN).await?.responses_per_second;
        let own = load(address, &fetch, 200, SPAN).await?.responses_per_second;
        gets.push((own / plain, own));
        let plain = load(bare.address, &bare_post, 200, POST_SPAN).await?.responses_per_second;
        let own = load(address, &create, 201, POST_SPAN).await?.responses_per_second;
        posts.push((own / plain, own));
        connection.ask(&reset).await?;
        // No SID is used again after a reset, so the next round must fetch a new fax.
        fetch = fetch_of(connection.ask(&create).await?.1)?;
    }
    report(&format!("GET /v1/Faxes/{{FX}}      {}", ratio(&mut gets, "requests/s")));
    report(&format!("POST /v1/Faxes          {}", ratio(&mut posts, "requests/s")));
    Ok(())
}

#[derive(Clone, Copy)]
enum Way {
    Out,
    In,
}

/// Compares whole conversations per second, webhooks included, with a loop that makes the same requests.
async fn conversations(report: &impl Fn(&str), way: Way) -> Result<()> {
    let (app, heard) = app::start().await?;
    let emulator = Process::emulator(&["--fax-url", &format!("http://{app}/fax")])?;
    let address = emulator.address;
    let (ask, status, plan, name) = match way {
        Way::Out => {
            let form = format!(
                "To=%2B15558675310&From=%2B15005550006&MediaUrl=http%3A%2F%2F{app}%2Fletter.pdf\
                 &StatusCallback=http%3A%2F%2F{app}%2Fstatus"
            );
            (request("POST", "/v1/Faxes", address, &credential(), &form), 201, "gssss", "outbound faxes")
        }
        Way::In => {
            let json = "{\"pages\":2}";
            let headers = "Content-Type: application/json\r\n";
            (request("POST", "/_fauxfax/v1/incoming-faxes", address, headers, json), 202, "qs", "inbound faxes")
        }
    };
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        heard.forget();
        let started = now();
        let mut lanes = Vec::new();
        for _ in 0..LANES {
            lanes.push(Connection::open(address).await?);
        }
        futures_util::future::try_join_all(lanes.iter_mut().map(|lane| ask_often(lane, &ask, status))).await?;
        heard.ends(CONVERSATIONS).await;
        let own = count(CONVERSATIONS) / started.elapsed().as_secs_f64();
        let started = now();
        let arguments = ["bare-webhooks".to_owned(), app.to_string(), CONVERSATIONS.to_string(), plan.to_owned()];
        let mut bare = Command::new(std::env::current_exe()?).args(arguments).spawn()?;
        while bare.try_wait()?.is_none() {
            pause(Duration::from_millis(2)).await;
        }
        let plain = count(CONVERSATIONS) / started.elapsed().as_secs_f64();
        rounds.push((own / plain, own));
    }
    report(&format!("{name:<23} {}", ratio(&mut rounds, "faxes/s")));
    report(&format!(
        "{:<23} {} KiB resident after {} faxes",
        "",
        emulator.resident_bytes()? / 1024,
        CONVERSATIONS * ROUNDS
    ));
    Ok(())
}

/// Measures the memory per fax at a million ended faxes, and compares how often per second the first and the last page
/// of their list can be fetched.
async fn million(report: &impl Fn(&str)) -> Result<()> {
    let emulator = Process::emulator(&[])?;
    let address = emulator.address;
    let mut connection = Connection::open(address).await?;
    let before = emulator.resident_bytes()?;
    // Nothing listens on port 1, so each fax fails immediately and leaves an alert behind.
    let form = "To=%2B15558675310&From=%2B15005550006&MediaUrl=http%3A%2F%2F127.0.0.1%3A1%2Fletter.pdf";
    let create = request("POST", "/v1/Faxes", address, &credential(), form);
    let idle = request("GET", "/_fauxfax/v1/wait?for=idle&timeout=600", address, "", "");
    let mut lanes = Vec::new();
    for _ in 0..LANES {
        lanes.push(Connection::open(address).await?);
    }
    for _ in 0..MILLION / CONVERSATIONS {
        futures_util::future::try_join_all(lanes.iter_mut().map(|lane| ask_often(lane, &create, 201))).await?;
        // A world limits its pending faxes, so each batch must end before the next begins.
        connection.ask(&idle).await?;
    }
    let each = (emulator.resident_bytes()? - before) / MILLION as u64;
    report(&format!("a finished fax          {each} bytes resident, including the bounded logs, at {MILLION} faxes"));
    for filter in ["", "To=%2B15558675310&"] {
        let first = format!("/v1/Faxes?{filter}PageSize=50");
        let last = last_page(&mut connection, address, &first).await?;
        let mut rounds = Vec::new();
        for _ in 0..ROUNDS {
            let newest = load(address, &request("GET", &first, address, &credential(), ""), 200, SPAN).await?;
            let oldest = load(address, &request("GET", &last, address, &credential(), ""), 200, SPAN).await?;
            rounds.push((newest.responses_per_second / oldest.responses_per_second, oldest.responses_per_second));
        }
        report(&format!("last page / first {filter:<5.2} {}", ratio(&mut rounds, "last pages/s")));
    }
    Ok(())
}

/// Returns the target of the last page, with a page token as in the links that clients follow. To get the token, this
/// goes to the page by its number, then one page back and one forward.
async fn last_page(connection: &mut Connection, address: std::net::SocketAddr, first: &str) -> Result<String> {
    let mut target = format!("{first}&Page={}", MILLION / 50 - 1);
    for link in ["previous_page_url", "next_page_url"] {
        let body = connection.ask(&request("GET", &target, address, &credential(), "")).await?.1;
        let page: serde_json::Value = serde_json::from_slice(body)?;
        let url = page["meta"][link].as_str().ok_or_else(|| format!("no {link} at {target}"))?;
        target = url.split_once("/v1").map(|(_, rest)| format!("/v1{rest}")).ok_or("a foreign link")?;
    }
    Ok(target)
}

async fn ask_often(lane: &mut Connection, ask: &[u8], status: u16) -> Result<()> {
    for _ in 0..CONVERSATIONS / LANES {
        let (found, body) = lane.ask(ask).await?;
        if found != status {
            return Err(format!("{found} instead of {status}: {}", String::from_utf8_lossy(body)).into());
        }
    }
    Ok(())
}

/// Compares how long creates take in an idle emulator and while callbacks hang, each as the 99th percentile.
async fn hanging(report: &impl Fn(&str)) -> Result<()> {
    let (app, _) = app::start().await?;
    let emulator = Process::emulator(&[])?;
    let address = emulator.address;
    let order = |callback: &str| {
        let form = format!(
            "To=%2B15558675310&From=%2B15005550006&MediaUrl=http%3A%2F%2F{app}%2Fletter.pdf\
             &StatusCallback=http%3A%2F%2F{app}%2F{callback}"
        );
        request("POST", "/v1/Faxes", address, &credential(), &form)
    };
    let (quick, hang) = (order("status"), order("hang"));
    let mut connection = Connection::open(address).await?;
    let (mut ratios, mut worst) = (Vec::new(), Duration::ZERO);
    for _ in 0..ROUNDS {
        let (alone, slowest) = p99(&mut connection, &quick).await?;
        worst = worst.max(slowest);
        for _ in 0..HANGING {
            connection.ask(&hang).await?;
        }
        let (beside, slowest) = p99(&mut connection, &quick).await?;
        worst = worst.max(slowest);
        ratios.push((beside.as_secs_f64() / alone.as_secs_f64(), beside.as_secs_f64() * 1e6));
        connection.ask(&request("POST", "/_fauxfax/v1/reset", address, "", "")).await?;
    }
    report(&format!("create with {HANGING} hanging receivers  {}", ratio(&mut ratios, "µs p99")));
    report(&format!("  the slowest create of all: {} µs", worst.as_micros()));
    Ok(())
}

/// Returns the 99th percentile and the maximum of the time that creates take at a steady pace.
async fn p99(connection: &mut Connection, create: &[u8]) -> Result<(Duration, Duration)> {
    let mut times = Vec::new();
    for _ in 0..CREATES {
        let started = now();
        let (status, body) = connection.ask(create).await?;
        if status != 201 {
            return Err(format!("{status}: {}", String::from_utf8_lossy(body)).into());
        }
        times.push(started.elapsed());
        pause(Duration::from_millis(1)).await;
    }
    times.sort_unstable();
    Ok((times[CREATES * 99 / 100], times[CREATES - 1]))
}

/// Formats the median ratio, the range of ratios, and the figure of the median round.
pub(crate) fn ratio(rounds: &mut [(f64, f64)], unit: &str) -> String {
    rounds.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (median, figure) = rounds[rounds.len() / 2];
    let (least, most) = (rounds[0].0, rounds[rounds.len() - 1].0);
    format!("{median:.2} ({least:.2}–{most:.2})   {figure:.0} {unit}")
}

fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

#[expect(clippy::disallowed_methods, reason = "a benchmark paces its load")]
async fn pause(span: Duration) {
    tokio::time::sleep(span).await;
}
