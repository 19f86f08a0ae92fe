//! Tests `fauxfax mcp` as a process: the emulator that it finds or starts, what it writes to its streams, and how it ends.
#![cfg(unix)]

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use crate::process::{FAUXFAX, Running, address, eventually, serve};

/// A running `fauxfax mcp`, to which the test writes the protocol's messages itself.
struct Server {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    fn start(home: &Path, flags: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut command = Command::new(FAUXFAX);
        command.arg("mcp").args(flags).current_dir(home).env("HOME", home).env_remove("XDG_DATA_HOME");
        command.envs(variables.iter().copied()).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("it starts");
        let (input, output) = (child.stdin.take(), child.stdout.take().expect("a pipe"));
        let mut server = Self { child, input, output: BufReader::new(output) };
        let hello = server.ask(&json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
            "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": { "name": "test", "version": "1" },
        } }));
        assert_eq!(hello["result"]["serverInfo"]["name"], "fauxfax", "{hello}");
        server.say(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
        server
    }

    fn say(&mut self, message: &Value) {
        writeln!(self.input.as_mut().expect("open"), "{message}").expect("sent");
    }

    /// Reads the next message.
    fn read(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("a line");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
    }

    /// Sends a request and reads the next line, which must be its response: nothing else is written to standard output.
    fn ask(&mut self, message: &Value) -> Value {
        self.say(message);
        let answer = self.read();
        assert_eq!(answer["id"], message["id"], "{answer}");
        answer
    }

    fn call(&mut self, name: &str) -> String {
        let call =
            json!({ "jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": { "name": name, "arguments": {} } });
        self.ask(&call)["result"]["content"][0]["text"].as_str().expect("text").to_owned()
    }

    /// Closes the server's standard input. Returns its exit status, the rest of its standard output, and its standard error.
    fn end(mut self) -> (Option<i32>, String, String) {
        drop(self.input.take());
        let status = eventually(|| self.child.try_wait().expect("a child"), "it does not end");
        let (mut rest, mut errors) = (String::new(), String::new());
        self.output.read_to_string(&mut rest).expect("text");
        self.child.stderr.take().expect("a pipe").read_to_string(&mut errors).expect("text");
        (status.code(), rest, errors)
    }
}

#[test]
fn without_an_emulator_it_starts_one_and_ends_with_its_client() {
    let home = tempfile::tempdir().expect("a folder");
    let mut server =
        Server::start(home.path(), &["--listen", "127.0.0.1:0", "--fax-url", "http://localhost:3000/fax"], &[]);
    let account = server.call("show_account");
    assert!(account.contains("AuthToken: 00000000000000000000000000000000"), "{account}");
    assert!(account.contains("calls http://localhost:3000/fax"), "{account}");
    let (status, rest, errors) = server.end();
    assert_eq!((status, rest.as_str()), (Some(0), ""), "{errors}");
    assert!(errors.starts_with("fauxfax mcp: started an emulator at http://127.0.0.1:"), "{errors}");
}

#[test]
fn an_emulator_that_is_running_is_used_and_goes_on() {
    let home = tempfile::tempdir().expect("a folder");
    let _emulator = Running::start(&mut serve(home.path(), &[]));
    let own = address(home.path()).to_string();
    // The emulator is found at the address where a new one would listen, or at the one that `--url` names.
    for (flags, variables) in [(&[][..], &[("FAUXFAX_LISTEN", own.as_str())][..]), (&["--url", own.as_str()], &[])] {
        let mut server = Server::start(home.path(), flags, variables);
        assert!(server.call("show_account").contains(&own));
        let (status, _, errors) = server.end();
        assert!(status == Some(0) && errors.contains("using the emulator at"), "{errors}");
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "another program answers beside the test")]
fn a_missing_control_token_is_reported_and_a_program_that_is_no_emulator_is_refused() {
    let home = tempfile::tempdir().expect("a folder");
    let _emulator = Running::start(&mut serve(home.path(), &["--control-token", "s3cret"]));
    let own = address(home.path()).to_string();
    let mut server = Server::start(home.path(), &["--url", &own], &[]);
    assert!(server.call("show_account").contains("--control-token"));
    let mut server = Server::start(home.path(), &["--url", &own], &[("FAUXFAX_CONTROL_TOKEN", "s3cret")]);
    assert!(server.call("show_account").contains("Base URL for the app"));

    let other = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = other.local_addr().expect("an address").to_string();
    let answering = std::thread::spawn(move || {
        let (mut stream, _) = other.accept().expect("a client");
        let mut request = [0; 1_024];
        let _ = stream.read(&mut request);
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi").expect("sent");
    });
    let refused = Command::new(FAUXFAX)
        .arg("mcp")
        .current_dir(home.path())
        .env("HOME", home.path())
        .env("FAUXFAX_LISTEN", &address)
        .stdin(Stdio::null())
        .output()
        .expect("it runs");
    answering.join().expect("no panic");
    let errors = String::from_utf8_lossy(&refused.stderr);
    assert!(refused.status.code() == Some(1) && errors.contains("--listen") && refused.stdout.is_empty(), "{errors}");
}

#[test]
fn a_client_that_sends_nonsense_gets_an_error_for_each_message_and_no_panic() {
    let home = tempfile::tempdir().expect("a folder");
    let mut server = Server::start(home.path(), &["--listen", "127.0.0.1:0"], &[]);
    let mut input = server.input.take().expect("open");
    let long = "x".repeat(2_000_000);
    let lines = [
        ("not JSON", json!(-32700), "not valid JSON", Value::Null),
        ("{\"jsonrpc\":\"2.0\"}", json!(-32600), "not a message of JSON-RPC 2.0", Value::Null),
        ("[]", json!(-32600), "batch", Value::Null),
        (&*long, json!(-32600), "at most 1048576 bytes", Value::Null),
        ("{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":7}", json!(-32600), "not a message of JSON-RPC 2.0", json!(5)),
    ];
    for (line, ..) in &lines {
        writeln!(input, "{line}").expect("sent");
    }
    // An empty line and an unknown notification get no response.
    writeln!(input, "\r\n{{\"jsonrpc\":\"2.0\",\"method\":\"$/unknown\"}}").expect("sent");
    server.input = Some(input);
    server.say(&json!({ "jsonrpc": "2.0", "id": 9, "method": "ping" }));
    for (line, code, words, id) in lines {
        let answer = server.read();
        let message = answer["error"]["message"].as_str().unwrap_or_default();
        assert_eq!(
            (&answer["error"]["code"], &answer["id"]),
            (&code, &id),
            "{}: {answer}",
            &line[..line.len().min(60)]
        );
        assert!(message.contains(words) && answer["jsonrpc"] == "2.0", "{answer}");
    }
    let answer = server.read();
    assert_eq!((&answer["id"], &answer["result"]), (&json!(9), &json!({})));
    for (method, code, words) in
        [("tools/call", -32602, "have a name"), ("tools/cal", -32601, "no method \"tools/cal\"")]
    {
        let answer = server.ask(&json!({ "jsonrpc": "2.0", "id": 10, "method": method, "params": {} }));
        let message = answer["error"]["message"].as_str().unwrap_or_default();
        assert!(answer["error"]["code"] == code && message.contains(words), "{answer}");
    }
    let (status, rest, errors) = server.end();
    assert!(status == Some(0) && !errors.contains("panicked") && rest.is_empty(), "{rest}{errors}");
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the time until the process has ended is measured")]
fn it_ends_at_once_when_its_client_has_gone_although_a_call_is_in_progress() {
    let home = tempfile::tempdir().expect("a folder");
    let mut server = Server::start(home.path(), &["--listen", "127.0.0.1:0"], &[]);
    let arguments = json!({ "status": "received", "timeout": 300 });
    let call = json!({ "name": "wait", "arguments": arguments });
    server.say(&json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call }));
    server.ask(&json!({ "jsonrpc": "2.0", "id": 2, "method": "ping" }));
    let begun = std::time::Instant::now();
    let (status, _, errors) = server.end();
    assert_eq!(status, Some(0), "{errors}");
    let span = begun.elapsed();
    assert!(span < std::time::Duration::from_secs(1), "it took {span:?}");
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the time until the process has ended is measured")]
fn a_check_in_progress_is_put_back_at_once_when_its_client_has_gone() {
    let home = tempfile::tempdir().expect("a folder");
    let _emulator = Running::start(&mut serve(home.path(), &[]));
    let own = address(home.path());
    let snapshots = || {
        crate::process::ask(own, "GET /_fauxfax/v1/snapshots HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    };
    let mut server = Server::start(home.path(), &["--url", &own.to_string()], &[]);
    let app = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/fax", app.local_addr().expect("an address"));
    let call = json!({ "name": "check", "arguments": { "url": url } });
    server.say(&json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call }));
    // The app accepts the connection, and never responds.
    let _connection = app.accept().expect("the app is called");
    assert!(snapshots().contains("fauxfax-check"), "{}", snapshots());
    let begun = std::time::Instant::now();
    let (status, _, errors) = server.end();
    let span = begun.elapsed();
    assert!(status == Some(0) && span < std::time::Duration::from_secs(1), "it took {span:?}: {errors}");
    assert!(!snapshots().contains("fauxfax-check"), "{}", snapshots());
}

#[test]
fn requests_that_are_piped_in_get_their_responses() {
    let home = tempfile::tempdir().expect("a folder");
    let mut server = Server::start(home.path(), &["--listen", "127.0.0.1:0"], &[]);
    let call = json!({ "name": "list_faxes", "arguments": {} });
    server.say(&json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call }));
    let (status, rest, errors) = server.end();
    assert!(status == Some(0) && rest.contains("\"id\":1"), "{rest}{errors}");
}

#[test]
fn an_assistant_that_loses_the_emulator_of_another_one_gets_its_own() {
    let home = tempfile::tempdir().expect("a folder");
    let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port");
    let own = port.to_string();
    let variables = [("FAUXFAX_LISTEN", own.as_str())];
    let mut first = Server::start(home.path(), &[], &variables);
    let mut second = Server::start(home.path(), &[], &variables);
    assert!(first.call("show_account").contains(&own) && second.call("show_account").contains(&own));
    first.end();
    let told = second.call("show_account");
    assert!(told.contains(&format!("the emulator at http://{own} has ended")), "{told}");
    assert!(told.contains("a new one has been started at the same address"), "{told}");
    assert!(second.call("show_account").contains(&own));
    // Its own emulator is found by the next assistant.
    let mut third = Server::start(home.path(), &[], &variables);
    assert!(third.call("show_account").contains(&own));
    let (_, _, errors) = third.end();
    assert!(errors.contains("using the emulator at"), "{errors}");
    let (status, _, errors) = second.end();
    assert!(status == Some(0) && errors.contains("fauxfax mcp: started an emulator at"), "{errors}");
}

#[test]
fn the_configuration_names_this_program_and_the_flags_that_were_given() {
    let print = |arguments: &[&str]| {
        let output = Command::new(FAUXFAX).args(["mcp", "--print-config"]).args(arguments).output().expect("it runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    };
    let json: Value = serde_json::from_str(&print(&["cursor", "--url", "9000"])).expect("JSON");
    let server = &json["mcpServers"]["fauxfax"];
    assert_eq!(server["args"], json!(["mcp", "--url", "http://127.0.0.1:9000"]));
    assert!(Path::new(server["command"].as_str().expect("a path")).is_absolute(), "{server}");
    let all = print(&[]);
    for client in ["claude mcp add fauxfax -- ", "# cursor", "# vscode", "[mcp_servers.fauxfax]"] {
        assert!(all.contains(client), "{all}");
    }
}
