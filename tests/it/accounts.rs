//! Tests accounts over the wire: subaccounts, API keys, applications, caller IDs, service modes, and the isolation of
//! worlds from each other. Responses are checked against Twilio's description of the 2010-04-01 API.

use fauxfax::emulator::AccountSetup;
use fauxfax::engine::input::ReceiveFax;
use fauxfax::io::client::ClientOptions;
use fauxfax::model::account::Service;
use fauxfax::model::time::Pace;
use serde_json::{Value, json};
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::control::Bench;
use crate::host::{Host, TOKEN, account, settings, setup};
use crate::script::{call, letter};

const ACCOUNTS: &str = "/2010-04-01/Accounts.json";
const ACCOUNT: &str = "/2010-04-01/Accounts/{Sid}.json";
const APPLICATIONS: &str = "/2010-04-01/Accounts/{AccountSid}/Applications.json";
const APPLICATION: &str = "/2010-04-01/Accounts/{AccountSid}/Applications/{Sid}.json";
const KEYS: &str = "/2010-04-01/Accounts/{AccountSid}/Keys.json";
const KEY: &str = "/2010-04-01/Accounts/{AccountSid}/Keys/{Sid}.json";
const CALLER_IDS: &str = "/2010-04-01/Accounts/{AccountSid}/OutgoingCallerIds.json";
const CALLER_ID: &str = "/2010-04-01/Accounts/{AccountSid}/OutgoingCallerIds/{Sid}.json";
const NUMBERS: &str = "/2010-04-01/Accounts/{AccountSid}/IncomingPhoneNumbers.json";

/// Returns a path below the host's own account.
fn own(path: &str) -> String {
    of(&account().to_string(), path)
}

/// Returns a path below this account.
fn of(sid: &str, path: &str) -> String {
    format!("/2010-04-01/Accounts/{sid}{path}")
}

fn text<'a>(resource: &'a Value, key: &str) -> &'a str {
    resource[key].as_str().unwrap_or_else(|| panic!("no string {key} in {resource}"))
}

/// Returns the number of items in the list that a response has under this key.
fn count(list: &Value, key: &str) -> usize {
    list[key].as_array().map_or(0, Vec::len)
}

#[tokio::test]
async fn a_subaccount_has_its_own_world_which_its_owner_can_reach() {
    let host = Host::new(setup(""));
    let sub = host.api("POST", ACCOUNTS, ACCOUNTS, "FriendlyName=Branch").await;
    let (sid, token) = (text(&sub, "sid").to_owned(), text(&sub, "auth_token").to_owned());
    assert_eq!((text(&sub, "owner_account_sid"), text(&sub, "status")), (account().to_string().as_str(), "active"));
    let listed = host.api("GET", ACCOUNTS, ACCOUNTS, "").await;
    let sids: Vec<_> = listed["accounts"].as_array().into_iter().flatten().map(|each| text(each, "sid")).collect();
    assert_eq!(sids, [sid.as_str(), &account().to_string()]);
    assert_eq!(count(&host.api("GET", ACCOUNTS, &format!("{ACCOUNTS}?FriendlyName=Branch"), "").await, "accounts"), 1);
    let page = host.api("GET", ACCOUNTS, &format!("{ACCOUNTS}?PageSize=1"), "").await;
    let next = host.api("GET", ACCOUNTS, text(&page, "next_page_uri"), "").await;
    assert_eq!(text(&next["accounts"][0], "sid"), account().to_string());
    // The owner's credential works on the subaccount's paths.
    let numbers = of(&sid, "/IncomingPhoneNumbers.json");
    let number = host.api("POST", NUMBERS, &numbers, "PhoneNumber=%2B15017122661&VoiceReceiveMode=fax").await;
    assert_eq!(text(&number, "account_sid"), sid);
    let own_numbers = host.api("GET", NUMBERS, &own("/IncomingPhoneNumbers.json"), "").await;
    assert_eq!(count(&own_numbers, "incoming_phone_numbers"), 1, "the owner lists only its own number");
    // The subaccount's credential opens its own world, not its owner's.
    let as_sub = (sid.as_str(), token.as_str());
    assert_eq!(host.call_as(as_sub, "GET", &numbers, "").await.status, 200);
    assert_eq!(host.call_as(as_sub, "GET", &own(".json"), "").await.error(), (401, 20003));
    assert_eq!(count(&host.call_as(as_sub, "GET", ACCOUNTS, "").await.json(), "accounts"), 1);
    assert_eq!(host.call_as(as_sub, "POST", ACCOUNTS, "").await.error(), (403, 20006));
    // A v1 path names no account: it means the one whose credential is used, here the subaccount and not its owner.
    let fax = "To=%2B15558675310&From=%2B15017122661&MediaUrl=http://127.0.0.1:9/a.pdf";
    let fax = host.call_as(as_sub, "POST", "/v1/Faxes", fax).await.json();
    assert_eq!(text(&fax, "account_sid"), sid);
    let path = format!("/v1/Faxes/{}", text(&fax, "sid"));
    assert_eq!(host.call("GET", &path, "").await.error(), (404, 20404));
}

#[tokio::test]
async fn the_same_seed_yields_the_same_subaccounts() {
    let mut sids = Vec::new();
    for _ in 0..2 {
        let host = Host::new(setup(""));
        let sub = host.api("POST", ACCOUNTS, ACCOUNTS, "").await;
        assert!(text(&sub, "friendly_name").starts_with("SubAccount Created at 20"), "{sub}");
        sids.push((text(&sub, "sid").to_owned(), text(&sub, "auth_token").to_owned()));
    }
    assert_eq!(sids[0], sids[1]);
}

#[tokio::test]
async fn a_suspended_subaccount_is_unusable_until_reactivated_and_a_closed_one_stays_closed() {
    let host = Host::new(setup(""));
    let sub = host.api("POST", ACCOUNTS, ACCOUNTS, "").await;
    let (sid, token) = (text(&sub, "sid").to_owned(), text(&sub, "auth_token").to_owned());
    let (target, as_sub) = (of(&sid, ".json"), (sid.as_str(), token.as_str()));
    let set = async |status: &str| host.call("POST", &target, &format!("Status={status}")).await;
    assert_eq!(set("suspended").await.json()["status"], "suspended");
    for path in ["/v1/Faxes", "/v1/Alerts", ACCOUNTS, &of(&sid, ".json"), &of(&sid, "/Applications.json")] {
        assert_eq!(host.call_as(as_sub, "GET", path, "").await.error(), (403, 20005), "{path}");
    }
    assert_eq!(host.call("GET", &of(&sid, "/Applications.json"), "").await.error(), (403, 20005));
    assert_eq!(text(&host.api("GET", ACCOUNT, &target, "").await, "status"), "suspended");
    assert_eq!(set("active").await.json()["status"], "active");
    assert_eq!(host.call_as(as_sub, "GET", "/v1/Faxes", "").await.status, 200);
    assert_eq!(host.call_as(as_sub, "POST", &target, "Status=closed").await.error(), (403, 20006));
    assert_eq!(host.api("POST", ACCOUNT, &target, "Status=closed&FriendlyName=Gone").await["friendly_name"], "Gone");
    assert_eq!(set("active").await.error(), (400, 21479));
    assert_eq!(set("open").await.error(), (400, 21475));
    assert_eq!(host.call("POST", &own(".json"), "Status=suspended").await.error(), (400, 21477));
    let long = format!("FriendlyName={}", "x".repeat(65));
    assert_eq!(host.call("POST", &own(".json"), &long).await.error(), (400, 20002));
    assert_eq!(host.call("POST", ACCOUNTS, &long).await.error(), (400, 20002));
}

#[tokio::test]
async fn an_api_key_works_until_it_is_deleted_and_cannot_reach_accounts_or_keys() {
    let host = Host::new(setup(""));
    let key = host.api("POST", KEYS, &own("/Keys.json"), "FriendlyName=CI").await;
    let (sid, secret) = (text(&key, "sid").to_owned(), text(&key, "secret").to_owned());
    let as_key = (sid.as_str(), secret.as_str());
    let target = own(&format!("/Keys/{sid}.json"));
    assert_eq!(text(&host.api("GET", KEY, &target, "").await, "friendly_name"), "CI");
    assert_eq!(text(&host.api("POST", KEY, &target, "FriendlyName=Build").await, "friendly_name"), "Build");
    assert_eq!(count(&host.api("GET", KEYS, &own("/Keys.json"), "").await, "keys"), 1);
    let fax = "To=%2B15558675310&From=%2B15005550006&MediaUrl=http://127.0.0.1:9/a.pdf";
    let fax = host.call_as(as_key, "POST", "/v1/Faxes", fax).await;
    assert_eq!((fax.status, text(&fax.json(), "account_sid")), (201, account().to_string().as_str()));
    for path in ["/v1/Faxes", "/v1/Alerts", &own("/IncomingPhoneNumbers.json"), &own("/OutgoingCallerIds.json")] {
        assert_eq!(host.call_as(as_key, "GET", path, "").await.status, 200, "{path}");
    }
    for path in [ACCOUNTS, &own(".json"), &own("/Keys.json"), &target] {
        assert_eq!(host.call_as(as_key, "GET", path, "").await.error(), (401, 20003), "{path}");
    }
    let wrong = [(sid.as_str(), "wrong"), (sid.as_str(), TOKEN), ("SK00000000000000000000000000000000", &secret)];
    for who in wrong {
        assert_eq!(host.call_as(who, "GET", "/v1/Faxes", "").await.error(), (401, 20003), "{who:?}");
    }
    let other = of(&format!("AC{}", "1".repeat(32)), "/IncomingPhoneNumbers.json");
    assert_eq!(host.call_as(as_key, "GET", &other, "").await.error(), (401, 20003));
    host.api("DELETE", KEY, &target, "").await;
    assert_eq!(host.call_as(as_key, "GET", "/v1/Faxes", "").await.error(), (401, 20003));
    assert_eq!(host.call("GET", &target, "").await.error(), (404, 20404));
}

#[tokio::test]
async fn a_number_with_an_application_uses_the_applications_urls() {
    let app = MockServer::start().await;
    let twiml = ResponseTemplate::new(200).set_body_raw("<Response><Receive/></Response>", "text/xml");
    Mock::given(path("/theirs")).respond_with(twiml).expect(1).mount(&app).await;
    Mock::given(path("/told")).respond_with(ResponseTemplate::new(200)).expect(1).mount(&app).await;
    let host = Host::new(setup(&format!("{}/own", app.uri())));
    let form = format!("FriendlyName=Fax&VoiceUrl={0}/theirs&StatusCallback={0}/told", app.uri());
    let application = host.api("POST", APPLICATIONS, &own("/Applications.json"), &form).await;
    let sid = text(&application, "sid").to_owned();
    let target = own(&format!("/Applications/{sid}.json"));
    assert_eq!(host.api("GET", APPLICATION, &target, "").await, application);
    let numbers = host.api("GET", NUMBERS, &own("/IncomingPhoneNumbers.json"), "").await;
    let number = text(&numbers["incoming_phone_numbers"][0], "uri").to_owned();
    let unknown = format!("VoiceApplicationSid=AP{}", "1".repeat(32));
    assert_eq!(host.call("POST", &number, &unknown).await.error(), (400, 21420));
    assert_eq!(host.call("POST", &number, &format!("VoiceApplicationSid={sid}")).await.status, 200);
    let call = ReceiveFax { document: letter(1), ..call(1) };
    host.world().handle(call).expect("the call rings");
    assert!(host.alerts_at_rest().await.is_empty());
    app.verify().await;
    let changed = host.api("POST", APPLICATION, &target, "VoiceUrl=&FriendlyName=Old").await;
    assert_eq!((&changed["voice_url"], text(&changed, "friendly_name")), (&Value::Null, "Old"));
    for (query, found) in [("?FriendlyName=Old", 1), ("?FriendlyName=Fax", 0)] {
        let list = host.api("GET", APPLICATIONS, &own(&format!("/Applications.json{query}")), "").await;
        assert_eq!(count(&list, "applications"), found, "{query}");
    }
    for (form, code) in [
        ("VoiceUrl=ftp://x", 21402),
        ("VoiceMethod=PUT", 21403),
        ("VoiceFallbackUrl=http://h/", 21405),
        ("VoiceCallerIdLookup=perhaps", 20422),
        ("ApiVersion=2030-01-01", 20422),
    ] {
        assert_eq!(host.call("POST", &own("/Applications.json"), form).await.error(), (400, code), "{form}");
    }
    host.api("DELETE", APPLICATION, &target, "").await;
    assert_eq!(host.call("GET", &target, "").await.error(), (404, 20404));
}

#[tokio::test]
async fn a_fax_may_be_sent_from_a_verified_caller_id() {
    let mut strict = settings(Pace::Max);
    strict.options.accounts = fauxfax::model::account::AccountMode::Strict;
    let host = Host::with(strict, &ClientOptions::default(), setup(""));
    let fax = "To=%2B15558675310&From=%2B15017122661&MediaUrl=http://127.0.0.1:9/a.pdf";
    assert_eq!(host.call("POST", "/v1/Faxes", fax).await.error(), (400, 21210));
    let root = own("/OutgoingCallerIds.json");
    let validation = host.api("POST", CALLER_IDS, &root, "PhoneNumber=%2B15017122661&FriendlyName=Desk").await;
    assert_eq!(text(&validation, "validation_code").len(), 6);
    assert_eq!(host.call("POST", "/v1/Faxes", fax).await.status, 201);
    assert_eq!(host.call("POST", &root, "PhoneNumber=%2B15017122661").await.error(), (400, 21450));
    let list = host.api("GET", CALLER_IDS, &format!("{root}?PhoneNumber=%2B15017122661"), "").await;
    let target = text(&list["outgoing_caller_ids"][0], "uri").to_owned();
    let renamed = host.api("POST", CALLER_ID, &target, "FriendlyName=Front+desk").await;
    assert_eq!(host.api("GET", CALLER_ID, &target, "").await, renamed);
    assert_eq!(
        count(&host.api("GET", CALLER_IDS, &format!("{root}?FriendlyName=Desk"), "").await, "outgoing_caller_ids"),
        0
    );
    host.api("DELETE", CALLER_ID, &target, "").await;
    assert_eq!(host.call("POST", "/v1/Faxes", fax).await.error(), (400, 21210));
    for (form, code) in [
        ("", 20001),
        ("PhoneNumber=12", 21401),
        ("PhoneNumber=%2B15017122662&CallDelay=61", 21454),
        ("PhoneNumber=%2B15017122662&StatusCallback=x", 21502),
    ] {
        assert_eq!(host.call("POST", &root, form).await.error(), (400, code), "{form}");
    }
}

#[tokio::test]
async fn number_lists_are_as_described() {
    let host = Host::new(setup(""));
    for kind in ["Local", "TollFree", "Mobile"] {
        let path = format!("/IncomingPhoneNumbers/{kind}.json");
        host.api("GET", &format!("/2010-04-01/Accounts/{{AccountSid}}{path}"), &own(&path), "").await;
    }
    let root = "/2010-04-01/Accounts/{AccountSid}/AvailablePhoneNumbers";
    host.api("GET", &format!("{root}.json"), &own("/AvailablePhoneNumbers.json"), "").await;
    host.api("GET", &format!("{root}/{{CountryCode}}.json"), &own("/AvailablePhoneNumbers/US.json"), "").await;
    for (country, kind) in [("US", "Local"), ("US", "TollFree"), ("GB", "Mobile")] {
        let target = own(&format!("/AvailablePhoneNumbers/{country}/{kind}.json?FaxEnabled=true&PageSize=3"));
        host.api("GET", &format!("{root}/{{CountryCode}}/{kind}.json"), &target, "").await;
    }
    for kind in ["National", "SharedCost", "Voip", "MachineToMachine"] {
        let target = own(&format!("/AvailablePhoneNumbers/US/{kind}.json"));
        assert_eq!(host.call("GET", &target, "").await.error(), (404, 20404), "no numbers of this kind are for sale");
    }
}

#[tokio::test]
async fn resources_of_another_world_are_not_found() {
    let host = Host::new(setup(""));
    let application = host.api("POST", APPLICATIONS, &own("/Applications.json"), "FriendlyName=a").await;
    let number = host.api("GET", NUMBERS, &own("/IncomingPhoneNumbers.json"), "").await;
    let key = host.api("POST", KEYS, &own("/Keys.json"), "").await;
    let stranger = format!("AC{}", "1".repeat(32));
    let who = (stranger.as_str(), "theirs");
    for path in [
        format!("/Applications/{}.json", text(&application, "sid")),
        format!("/IncomingPhoneNumbers/{}.json", text(&number["incoming_phone_numbers"][0], "sid")),
        format!("/OutgoingCallerIds/PN{}.json", "1".repeat(32)),
        format!("/Keys/{}.json", text(&key, "sid")),
    ] {
        for method in ["GET", "POST", "DELETE"] {
            let theirs = host.call_as(who, method, &of(&stranger, &path), "").await;
            assert_eq!(theirs.error(), (404, 20404), "{method} {path}");
            assert_eq!(host.call_as(who, method, &own(&path), "").await.error(), (401, 20003), "{method} {path}");
        }
    }
    let nobody = of(&format!("AC{}", "9".repeat(32)), ".json");
    let (exists, does_not) =
        (host.call_as(who, "GET", &own(".json"), "").await, host.call_as(who, "GET", &nobody, "").await);
    assert_eq!(exists.error(), does_not.error(), "a stranger can't tell which accounts exist");
    assert!(host.registry.world("AC99999999999999999999999999999999".parse().expect("a SID")).is_none());
}

#[tokio::test]
async fn a_retired_service_refuses_every_fax_call_as_twilio_does_today() {
    let mut retired = settings(Pace::Max);
    retired.service = Service::Retired;
    let host = Host::with(retired, &ClientOptions::default(), setup(""));
    let sid = format!("/v1/Faxes/FX{}", "1".repeat(32));
    for (method, path) in [
        ("GET", "/v1/Faxes"),
        ("POST", "/v1/Faxes"),
        ("GET", sid.as_str()),
        ("POST", &sid),
        ("DELETE", &sid),
        ("GET", &format!("{sid}/Media")),
    ] {
        let answer = host.call(method, path, "").await;
        assert_eq!(answer.error(), (403, 34005), "{method} {path}");
        assert_eq!(answer.json()["message"], "Programmable Fax is no longer available");
    }
    assert_eq!(host.call("GET", &own("/IncomingPhoneNumbers.json"), "").await.status, 200);
    assert_eq!(host.call("GET", "/v1/Alerts", "").await.status, 200);
}

#[tokio::test]
async fn test_credentials_can_buy_numbers_but_neither_send_faxes_nor_read() {
    let setup = AccountSetup { service: Some(Service::TestCredentials), ..setup("") };
    let host = Host::new(setup);
    let fax = "To=%2B15558675310&From=%2B15005550006&MediaUrl=http://127.0.0.1:9/a.pdf";
    let refused = host.call("POST", "/v1/Faxes", fax).await;
    assert_eq!(refused.error(), (403, 20008));
    assert_eq!(refused.json()["message"], "Resource not accessible with Test Account Credentials");
    for path in ["/v1/Alerts", ACCOUNTS, &own(".json"), &own("/IncomingPhoneNumbers.json")] {
        assert_eq!(host.call("GET", path, "").await.error(), (403, 20008), "{path}");
    }
    let numbers = own("/IncomingPhoneNumbers.json");
    assert_eq!(host.call("POST", &numbers, "PhoneNumber=%2B15005550000").await.error(), (400, 21422));
    assert_eq!(host.call("POST", &numbers, "AreaCode=500").await.status, 201);
}

#[tokio::test]
async fn an_account_shows_its_faxes_pending_work_alerts_and_last_activity() {
    let bench = Bench::new().await;
    let (used, unused) = (bench.account().await, bench.account().await);
    let counts = |account: &Value| ["faxes", "pending", "alerts"].map(|name| account[name].as_u64().expect("a count"));
    let shown = async |sid: &str| bench.ok("GET", &format!("/accounts/{sid}"), Value::Null).await;
    let before = shown(&used).await;
    assert_eq!((counts(&before), &before["last_activity"]), ([0; 3], &Value::Null));
    bench.receive(&used).await;
    // A number without an app raises an alert when it is called.
    let numbers = json!({ "numbers": [{ "phone_number": "+15017122662", "voice_receive_mode": "fax" }] });
    let deaf = bench.ok("POST", "/accounts", numbers).await["sid"].as_str().expect("a SID").to_owned();
    bench.ok("POST", &format!("/incoming-faxes?wait=true&account={deaf}"), json!({})).await;
    assert_eq!(counts(&shown(&deaf).await), [0, 0, 1]);
    let delayed = json!({ "match": { "purpose": "fax-url" }, "webhook": { "delay_ms": 3_600_000 } });
    bench.ok("POST", &format!("/rules?account={used}"), delayed).await;
    bench.ok("POST", &format!("/incoming-faxes?account={used}"), json!({})).await;
    let after = shown(&used).await;
    assert_eq!(counts(&after), [1, 1, 0], "{after}");
    assert!(after["last_activity"].as_str().is_some_and(|at| at.ends_with('Z')), "{after}");
    // Looking at an account doesn't count as activity.
    assert_eq!(shown(&used).await["last_activity"], after["last_activity"]);
    assert_eq!(shown(&unused).await["last_activity"], Value::Null);
}
