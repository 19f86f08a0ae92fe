//! Tests what a run of a scenario copes with: calls that are refused, an account that has been used before, and an emulator on
//! another machine.
#![cfg(target_os = "linux")]

use fauxfax::Emulator;

use crate::scenarios::{run, told, written};

#[test]
fn the_scenario_itself_copes_with_pedantic_mode() {
    let sends: String =
        (0..60).map(|n| format!("[[steps]]\nname = \"{n}\"\nsend = {{ to = \"+15558675310\" }}\n")).collect();
    // The refusals of pedantic mode are in the journal.
    let text = format!(
        "title = \"t\"\n[settings]\npedantic = true\n{sends}[[steps]]\nname = \"calls were refused\"\n\
         expect = {{ match = {{ kind = \"api.request\", data = {{ status = 429 }} }} }}\n"
    );
    let (folder, file) = written(&text);
    let output = run(folder.path(), &[&file]);
    assert!(told(&output).contains("61 passed, 0 failed"), "{}", told(&output));
    let refused = "title = \"t\"
[[steps]]
name = \"the API refuses a call\"
rule = { times = 1, api = { status = 429 } }
[[steps]]
name = \"which is expected\"
send = { to = \"+15558675310\", refused = 20429 }
";
    let (folder, file) = written(refused);
    let output = run(folder.path(), &[&file]);
    assert!(told(&output).contains("2 passed, 0 failed"), "{}", told(&output));
}

#[test]
fn a_call_that_is_refused_each_time_says_how_often_it_was_made_and_what_to_do() {
    for (step, expected) in [
        ("send = { to = '+15558675310' }", "the API refused it with error 20429: "),
        ("send = { to = '+15558675310', refused = 21211 }", "error 20429: "),
        ("receive = { fax_url = 'http://127.0.0.1:9/' }", "Too Many Requests"),
    ] {
        let rule = "[[steps]]\nname = 'r'\nrule = { api = { status = 429 } }\n";
        let (folder, file) = written(&format!("title = 't'\n{rule}[[steps]]\nname = 's'\n{step}\n"));
        let output = run(folder.path(), &[&file]);
        let told = told(&output);
        assert!(output.status.code() == Some(1) && told.contains(expected), "{step}: {told}");
        let advice = "the call was made 3 times; if a rule refuses it, limit the rule with `times`";
        assert!(told.contains(advice), "{step}: {told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::disallowed_methods, reason = "waiting for a program must not block the emulator")]
async fn expectations_count_only_what_the_scenario_has_made() {
    let emulator = Emulator::builder().start().await.expect("it starts");
    let account = emulator.account().expect("an account");
    account.number("+15017122661").expect("a number");
    for _ in 0..2 {
        account.receive(fauxfax::Document::pages(1)).await.expect("it ends");
    }
    let text = "title = 't'
[[steps]]
name = 'no fax has been made yet'
expect = { faxes = { q = 'status:any', times = 0 } }
[[steps]]
name = 'a fax is received'
receive = { fax_twiml = '<Response><Receive/></Response>' }
[[steps]]
name = 'it ends'
wait = { for = 'settled' }
[[steps]]
name = 'only this one is counted'
expect = { faxes = { q = 'status:any', times = 1 }, match = { kind = 'fax.page' }, times = 1 }
[[steps]]
name = 'an app that is not there is called'
receive = { fax_url = 'http://127.0.0.1:9/' }
[[steps]]
name = 'it has ended'
wait = { for = 'settled' }
[[steps]]
name = 'a call without a fax is counted if it is searched for'
expect = { faxes = { q = 'status:not-answered', times = 1 } }
[[steps]]
name = 'and both together'
expect = { faxes = { q = 'status:any', times = 2 } }
";
    let (folder, file) = written(text);
    let (path, url, sid) = (folder.path().to_owned(), emulator.url(), account.sid().to_string());
    let output = tokio::task::spawn_blocking(move || run(&path, &[&file, "--url", &url, "--account", &sid]));
    let told = told(&output.await.expect("it ends"));
    assert!(told.contains("8 passed, 0 failed"), "{told}");
}

#[test]
fn a_remote_emulator_causes_a_warning_if_it_needs_what_the_run_serves() {
    for (step, warns) in [("send = { to = '+15558675310', pages = 1 }", true), ("clock = 'drain'", false)] {
        let (folder, file) = written(&format!("title = 't'\n[[steps]]\nname = 's'\n{step}\n"));
        let output = run(folder.path(), &[&file, "--url", "http://emulator.invalid:8329"]);
        assert_eq!(output.status.code(), Some(3), "{}", told(&output));
        let warning = "documents and its sample app are served at 127.0.0.1, which an emulator on another machine";
        assert_eq!(told(&output).contains(warning), warns, "{}", told(&output));
    }
}

#[test]
fn a_wrong_address_of_the_app_or_number_of_pages_is_a_mistake_in_the_file() {
    let request = "[[steps]]\nname = 'a'\nrequest = { url = '${app}/x' }\n";
    let cases = [
        (
            request.to_owned(),
            "s.toml:4:19: there is no variable \"app\"; the app's address stands in the file, as url under [app]",
        ),
        (
            format!("[app]\nurl = 'localhost:3000'\n{request}"),
            "s.toml:2:1: app.url: must be an http or https URL, such as http://localhost:3000, not \"localhost:3000\"",
        ),
        (
            "[[steps]]\nname = 'a'\nsend = { to = '+15558675310', pages = 501 }\n".to_owned(),
            "steps[0].send.pages: must be 1 to 500 test pages, not 501",
        ),
    ];
    for (text, expected) in cases {
        let (folder, file) = written(&format!("title = 't'\n{text}"));
        let output = run(folder.path(), &[&file]);
        assert!(output.status.code() == Some(2) && told(&output).contains(expected), "{}", told(&output));
    }
    let (folder, file) = written(&format!("title = 't'\n[app]\nsample = true\n{request}"));
    let output = run(folder.path(), &[&file, "--var", "app=3000"]);
    let expected = "--var app: must be an http or https URL, such as http://localhost:3000, not \"3000\"";
    assert!(output.status.code() == Some(2) && told(&output).contains(expected), "{}", told(&output));
}
