//! What the command line prints in a terminal of 80 columns and into pipes, as transcripts that a person can judge. Ports,
//! times and durations are masked; the seed determines the ids.
#![cfg(target_os = "linux")]

use std::net::TcpListener;

use wiremock::matchers::{any, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::terminal::{Printed, Served, in_pipes, in_terminal};

const TRACEBACK: &str = "Traceback (most recent call last):\n  File \"app.py\", line 3, in fax\nKeyError: 'To'\n";

/// Replaces the times of day, dates, ports and durations in a transcript.
fn masked(text: &str) -> String {
    let marks = [("dddd-dd-ddTdd:dd:dd.dddddd", "YYYY-MM-DDTHH:MM:SS.mmmmmm"), ("dddd-dd-dd", "YYYY-MM-DD")];
    let times = [("dd:dd:dd.ddd", "HH:MM:SS.mmm"), ("dd:dd:dd", "HH:MM:SS"), ("127.0.0.1:ddddd", "127.0.0.1:PPPPP")];
    let text = marks.iter().chain(&times).fold(text.to_owned(), |text, (form, mask)| replaced(&text, form, mask));
    let text = ["dddd ms", "ddd ms", "dd ms", "d ms"].iter().fold(text, |text, form| replaced(&text, form, "N ms"));
    text.replace("< N ms", "N ms").split_inclusive('\n').map(without_signature).collect()
}

/// Replaces the query of a media URL, which depends on the time.
fn without_signature(line: &str) -> String {
    match line.split_once('?') {
        Some((url, _)) if url.contains("MediaUrl=") => format!("{url}?QUERY\n"),
        Some(_) | None => line.to_owned(),
    }
}

/// Replaces each part of a text that matches `form`, in which `d` stands for a digit.
fn replaced(text: &str, form: &str, mask: &str) -> String {
    let fits = |rest: &str| {
        let mut characters = rest.chars();
        form.chars().all(|wanted| {
            characters.next().is_some_and(|own| if wanted == 'd' { own.is_ascii_digit() } else { own == wanted })
        })
    };
    let (mut done, mut rest) = (String::new(), text);
    while let Some(character) = rest.chars().next() {
        if fits(rest) {
            done.push_str(mask);
            rest = &rest[form.len()..];
        } else {
            done.push(character);
            rest = &rest[character.len_utf8()..];
        }
    }
    done
}

/// Starts an app that fails at /bad, accepts faxes at /fax and callbacks at /done, and responds anywhere else with a
/// 404 that no emulator would send.
async fn app() -> MockServer {
    let app = MockServer::start().await;
    let respond =
        |at: &'static str, response: ResponseTemplate| Mock::given(path(at)).respond_with(response).mount(&app);
    respond("/bad", ResponseTemplate::new(500).set_body_raw(TRACEBACK, "text/plain")).await;
    let receive = "<Response><Receive action=\"/done\"/></Response>";
    respond("/fax", ResponseTemplate::new(200).set_body_raw(receive, "text/xml")).await;
    respond("/done", ResponseTemplate::new(204)).await;
    let foreign = ResponseTemplate::new(404).insert_header("server", "BaseHTTP/0.6").set_body_string("not here");
    Mock::given(any()).respond_with(foreign).with_priority(9).mount(&app).await;
    app
}

/// Runs the commands, and compares each transcript with its snapshot.
fn transcribe(medium: &str, app: &str, run: fn(std::process::Command) -> Printed) {
    let served = Served::start(&format!("{app}/bad"));
    let nobody = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("an address");
    let (fax_url, nobody) = (format!("{app}/fax"), nobody.to_string());
    let letter = format!("http://{}/_fauxfax/v1/samples/two-pages.pdf", served.address);
    let transcript = |subject: &str, commands: &[&[&str]]| {
        let mut text = String::new();
        for arguments in commands {
            let Printed { text: out, errors, code } = run(served.command(arguments));
            // The command's own requests are left out, because they may be noted before or after the next event.
            let out: String = out.split_inclusive('\n').filter(|line| !line.contains("← POST")).collect();
            text = format!("{text}$ fauxfax {}\n{out}{errors}[exit status {code}]\n\n", arguments.join(" "));
        }
        insta::assert_snapshot!(format!("{subject}_{medium}"), masked(&text));
    };
    transcript("help", &[&["-h"], &["receive", "-h"]]);
    transcript("receive_refused", &[&["receive", "--wait"]]);
    transcript("receive", &[&["receive", "--wait", "--pages", "3", "--fax-url", &fax_url]]);
    let events = in_pipes(served.command(&["faxes", "--json"])).text;
    let faxes: serde_json::Value = serde_json::from_str(&events).expect("JSON");
    let sid = faxes["faxes"][0]["sid"].as_str().expect("a fax").to_owned();
    transcript("events", &[&["events", "--fax", &sid], &["webhooks"]]);
    let call = ["send", "--wait", "--from", "+15005550006", "--to", "+15005550101", &letter];
    transcript("send_busy", &[&call]);
    transcript("faxes", &[&["faxes"], &["faxes", &sid[..9]]]);
    transcript("lists", &[&["alerts"], &["numbers"], &["accounts"], &["snapshots", "take", "before"]]);
    transcript(
        "errors",
        &[
            &["events", "--url", &nobody],
            &["events", "--url", &app["http://".len()..]],
            &["events", "--url", "https://localhost:8329"],
            &["clock", "advance", "5m"],
            &["clock", "advance", "-1h"],
            &["webhooks", "nothing"],
            &["clock", "freeze"],
            &["receive", "--wait"],
            &["wait", "--status", "delivered", "--since", "10000", "--timeout", "10ms"],
        ],
    );
}

#[expect(clippy::disallowed_methods, reason = "waiting for a program must not block the app")]
async fn transcribe_in(medium: &'static str, run: fn(std::process::Command) -> Printed) {
    let app = app().await;
    let url = app.uri();
    tokio::task::spawn_blocking(move || transcribe(medium, &url, run)).await.expect("no panic");
}

#[tokio::test]
async fn into_a_pipe_nothing_is_cut_or_coloured() {
    transcribe_in("pipe", in_pipes).await;
}

#[tokio::test]
async fn in_a_terminal_of_80_columns_the_last_column_is_printed_in_full() {
    transcribe_in("terminal", in_terminal).await;
}
