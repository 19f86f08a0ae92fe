//! Tests `GET /quickstart`: what it says about the running emulator and the account, as text and as JSON, and who sees
//! secrets.

use fauxfax::emulator::AccountSetup;
use fauxfax::io::client::{Client, ClientOptions, Limits, Request, Response};
use fauxfax::model::webhook::Method;
use fauxfax::{Account, Emulator};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::checked_app::CheckedApp;

type Tested = Result<(), Box<dyn std::error::Error>>;

const PROJECT: &str = "b3877c40-da60-4998-90ad-b792e98472ac";
const CONTROL_TOKEN: &str = "let-me-in";

async fn get(url: &str, headers: &[(&str, &str)]) -> Response {
    let client = Client::new(&ClientOptions::default()).expect("a client");
    let request = Request {
        method: Method::Get,
        url,
        body: None,
        cookies: &[],
        limits: Limits::default(),
        redirects_max: 0,
        body_max_bytes: u64::MAX,
        user_agent: "test",
        headers: &|_| headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        edits: None,
        here: None,
    };
    client.exchange(request).await.answer.expect("a response")
}

fn text(answer: &Response) -> String {
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/plain; charset=utf-8")));
    String::from_utf8(answer.body.to_vec()).expect("UTF-8")
}

async fn json_of(emulator: &Emulator, account: &Account, query: &str) -> Value {
    let url = format!("{}/_fauxfax/v1/quickstart?account={}{query}", emulator.url(), account.sid());
    let answer = get(&url, &[("accept", "application/json")]).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
    serde_json::from_slice(&answer.body).expect("JSON")
}

fn accounts(emulator: &Emulator) -> Result<[Account; 2], Box<dyn std::error::Error>> {
    let project = AccountSetup {
        sid: Some(PROJECT.parse()?),
        auth_token: Some("it's a token".into()),
        signing_key: Some("PSK_key".into()),
        ..AccountSetup::default()
    };
    let accounts = [emulator.account()?, emulator.account_as(project)?];
    for account in &accounts {
        account.number("+15017122661")?.fax_url("http://localhost:4000/fax")?;
    }
    Ok(accounts)
}

#[tokio::test]
async fn the_address_the_credential_and_the_number_of_the_account_are_named() -> Tested {
    let emulator = Emulator::builder().start().await?;
    for account in accounts(&emulator)? {
        let (url, sid) = (emulator.url(), account.sid().to_string());
        let shown = json_of(&emulator, &account, "").await;
        assert_eq!((&shown["url"], &shown["account_sid"]), (&json!(url), &json!(sid)));
        assert_eq!(shown["auth_token"], json!(account.auth_token()));
        assert_eq!(shown["signing_key"], json!(account.signing_key()));
        assert_eq!(shown["number"]["phone_number"], "+15017122661");
        assert_eq!(shown["number"]["app_url"], "http://localhost:4000/fax");
        assert_eq!(shown["needs_control_token"], false);
        let text = text(&get(&format!("{url}/_fauxfax/v1/quickstart?account={sid}"), &[]).await);
        let env = shown["env"].as_str().expect("lines");
        for line in env.lines() {
            assert!(text.contains(&format!("    {line}\n")), "{line}: {text}");
        }
        for recipe in shown["recipes"].as_array().expect("recipes") {
            let code = recipe["code"].as_str().expect("code");
            assert!(code.lines().all(|line| text.contains(line)), "{}: {text}", recipe["name"]);
        }
    }
    Ok(())
}

#[tokio::test]
async fn the_variables_are_lines_that_a_shell_reads() -> Tested {
    let emulator = Emulator::builder().start().await?;
    let [twilio, signalwire] = accounts(&emulator)?;
    let env = json_of(&emulator, &twilio, "").await["env"].clone();
    let expected = format!(
        "TWILIO_ACCOUNT_SID={}\nTWILIO_AUTH_TOKEN={}\nFAUXFAX_URL={}\n",
        twilio.sid(),
        twilio.auth_token(),
        emulator.url()
    );
    assert_eq!(env, json!(expected));
    let env = json_of(&emulator, &signalwire, "").await["env"].clone();
    let expected = format!(
        "SIGNALWIRE_SPACE_URL=example.signalwire.com\nSIGNALWIRE_PROJECT_ID={PROJECT}\nSIGNALWIRE_API_TOKEN='it'\\''s a token'\n\
         SIGNALWIRE_SIGNING_KEY=PSK_key\nFAUXFAX_URL={}\n",
        emulator.url()
    );
    assert_eq!(env, json!(expected));
    Ok(())
}

#[tokio::test]
async fn one_language_is_shown_and_an_unknown_one_is_refused_with_the_list() -> Tested {
    let emulator = Emulator::builder().start().await?;
    for account in accounts(&emulator)? {
        for language in ["python", "node", "curl"] {
            let recipes = json_of(&emulator, &account, &format!("&language={language}")).await["recipes"].clone();
            assert_eq!((recipes.as_array().map(Vec::len), &recipes[0]["language"]), (Some(1), &json!(language)));
        }
        let url = format!("{}/_fauxfax/v1/quickstart?account={}&language=cobol", emulator.url(), account.sid());
        let refused = get(&url, &[]).await;
        let problem: Value = serde_json::from_slice(&refused.body)?;
        let detail = problem["detail"].as_str().unwrap_or_default();
        assert_eq!(refused.status, 422);
        assert!(detail.starts_with("language: must be one of ") && detail.ends_with(", not \"cobol\""), "{detail}");
    }
    Ok(())
}

#[tokio::test]
async fn the_links_have_the_host_that_the_client_used_or_the_public_url() -> Tested {
    let emulator = Emulator::builder().start().await?;
    let port = emulator.url().rsplit_once(':').expect("a port").1.to_owned();
    let url = format!("http://localhost:{port}/_fauxfax/v1/quickstart?language=curl");
    let shown = text(&get(&url, &[]).await);
    assert!(shown.contains(&format!("curl http://localhost:{port}/v1/Faxes")), "{shown}");
    let public =
        Emulator::builder().configure(|config| config.public_url = Some("https://fax.test".into())).start().await?;
    let shown = text(&get(&format!("{}/_fauxfax/v1/quickstart?language=curl", public.url()), &[]).await);
    assert!(shown.contains("curl https://fax.test/v1/Faxes") && !shown.contains(&public.url()), "{shown}");
    Ok(())
}

#[tokio::test]
async fn the_quickstart_is_refused_without_the_control_token_and_never_shows_it() -> Tested {
    let guarded =
        Emulator::builder().configure(|config| config.control_token = Some(CONTROL_TOKEN.into())).start().await?;
    let url = format!("{}/_fauxfax/v1/quickstart", guarded.url());
    assert_eq!(get(&url, &[]).await.status, 401);
    let bearer = format!("Bearer {CONTROL_TOKEN}");
    let shown = text(&get(&url, &[("authorization", &bearer)]).await);
    assert!(!shown.contains(CONTROL_TOKEN) && shown.contains("Bearer $FAUXFAX_CONTROL_TOKEN"), "{shown}");
    Ok(())
}

#[tokio::test]
async fn an_account_that_nobody_has_claimed_takes_any_token_and_is_not_created_by_reading() -> Tested {
    let emulator = Emulator::builder().start().await?;
    let sid = format!("AC{}", "7".repeat(32));
    let url = format!("{}/_fauxfax/v1/quickstart?account={sid}", emulator.url());
    let shown = text(&get(&url, &[]).await);
    assert!(shown.contains("TWILIO_AUTH_TOKEN=any-token") && shown.contains("has no number yet"), "{shown}");
    let accounts = get(&format!("{}/_fauxfax/v1/accounts/{sid}", emulator.url()), &[]).await;
    assert_eq!(accounts.status, 404);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_commands_and_the_call_of_curl_work_as_they_are_printed() -> Tested {
    let emulator = Emulator::builder().start().await?;
    let account = emulator.account()?;
    account.number("+15017122661")?;
    let app = CheckedApp::start(&account.sid().to_string(), &account.auth_token(), &[]).await;
    let shown = json_of(&emulator, &account, "&language=curl").await;
    let commands = shown["commands"].as_array().expect("commands").iter();
    let commands = commands.map(|each| each["command"].as_str().expect("a command").to_owned());
    let code = shown["recipes"][0]["code"].as_str().expect("code").to_owned();
    let variables = shown["env"].as_str().expect("lines");
    let mut printed = Vec::new();
    for command in [code].into_iter().chain(commands) {
        // The app of this test has a port of its own.
        let command = format!("{variables}{}", command.replace("http://localhost:3000/fax", &app.fax_url()));
        let ran = Command::new("bash").args(["-euc", &command]).output().await?;
        assert!(ran.status.success(), "{command}: {}", String::from_utf8_lossy(&ran.stderr));
        printed.push(String::from_utf8_lossy(&ran.stdout).into_owned());
    }
    let expected = [
        r#""status":"queued""#,
        &app.fax_url(),
        r#""outcome":"received""#,
        r#""idle":true"#,
        r#""verified":true"#,
        "webhook.attempt",
        r#""canceled""#,
    ];
    assert_eq!(printed.len(), expected.len());
    for (printed, expected) in printed.iter().zip(expected) {
        assert!(printed.contains(expected), "no {expected} in {printed}");
    }
    Ok(())
}
