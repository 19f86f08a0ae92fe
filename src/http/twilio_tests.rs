//! REST API tests through all routes, in memory and without a port.

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode, header};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use tokio::runtime::Handle;
use tower::ServiceExt;

use crate::emulator::{AccountSetup, GuardOptions, Registry, Settings};
use crate::engine::WorldOptions;
use crate::engine::event::EventKind;
use crate::engine::input::{AddRule, ChangeAccount, DropRules};
use crate::engine::journal::EventFilter;
use crate::engine::rule::{ApiFault, Match, Rule};
use crate::io::client::{Client, ClientOptions};
use crate::model::account::{
    AccountChange, AccountMode, CallbackPolicy, DocumentPolicy, MediaUserAgent, PriceForm, Service,
};
use crate::model::sid::{AccountSid, FaxSid};
use crate::model::time::Pace;
use crate::world::journal::Entry;

const SID: &str = "AC0123456789abcdef0123456789abcdef";
const HOST: &str = "localhost:8329";
const FAXES: &str = "http://localhost:8329/v1/Faxes";
const ORDER: &str = "To=%2B15558675310&From=%2B15017122661&MediaUrl=http%3A%2F%2F127.0.0.1%3A9%2Ffax.pdf";

struct Api {
    registry: Registry,
    credential: String,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Answer {
    fn json(&self) -> Value {
        assert_eq!(self.headers[header::CONTENT_TYPE], "application/json", "{}", self.text);
        serde_json::from_str(&self.text).unwrap()
    }

    /// Returns the status and code of an error, and checks that the body has every field of an error.
    fn error(&self) -> (u16, u64) {
        let body = self.json();
        assert_eq!(body["status"], self.status.as_u16(), "{body}");
        assert_eq!(body["more_info"], format!("https://www.twilio.com/docs/errors/{}", body["code"]));
        assert!(body["message"].is_string(), "{body}");
        (self.status.as_u16(), body["code"].as_u64().unwrap())
    }
}

impl Api {
    fn new(accounts: AccountMode) -> Self {
        let options = WorldOptions {
            pace: Pace::default(),
            callbacks: CallbackPolicy::All,
            documents: DocumentPolicy::Lenient,
            accounts,
            is_pedantic: false,
            media_budget_bytes: 1 << 30,
        };
        let settings = Settings {
            seed: 8,
            options,
            price: PriceForm::Text.into(),
            service: Service::Full,
            public_url: None,
            guard: GuardOptions::default(),
            media_user_agent: MediaUserAgent::Warn,
        };
        let client = Client::new(&ClientOptions::default()).unwrap();
        let setup = AccountSetup {
            sid: Some(AccountSid::from_bytes([0; 16])),
            auth_token: Some("0".repeat(32).into()),
            ..AccountSetup::default()
        };
        let registry = Registry::new(settings, client, setup, Vec::new(), Handle::current()).unwrap();
        Self { registry, credential: basic(SID, "secret") }
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        let service = crate::http::service(self.registry.clone(), ([127, 0, 0, 1], 8329).into());
        let response = service.oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        let text = String::from_utf8(body.to_vec()).unwrap();
        Answer { status: parts.status, headers: parts.headers, text }
    }

    async fn call(&self, method: &str, target: &str, form: &str) -> Answer {
        let request = Request::builder().method(method).uri(target).header(header::HOST, HOST);
        self.send(request.header(header::AUTHORIZATION, &self.credential).body(form.to_owned().into()).unwrap()).await
    }

    async fn get(&self, target: &str) -> Answer {
        self.call("GET", target, "").await
    }

    async fn post(&self, target: &str, form: &str) -> Answer {
        self.call("POST", target, form).await
    }

    /// Sends a fax and returns its SID.
    async fn fax(&self) -> String {
        let answer = self.post("/v1/Faxes", ORDER).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        answer.json()["sid"].as_str().unwrap().to_owned()
    }
}

fn basic(username: &str, password: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("{username}:{password}")))
}

fn account(path: &str) -> String {
    format!("/2010-04-01/Accounts/{SID}{path}")
}

#[tokio::test]
async fn an_unknown_path_and_a_wrong_method_are_errors_in_json() {
    let api = Api::new(AccountMode::Open);
    for path in ["/", "/v1/Fax", "/v1/Faxes/", "/v1/Faxes/FX1/Media/ME1/x", "/2010-04-01/Nothing.json"] {
        let answer = api.get(path).await;
        assert_eq!(answer.error(), (404, 20404), "{path}");
        assert_eq!(answer.json()["message"], format!("The requested resource {path} was not found"));
    }
    for (method, path) in [("PUT", "/v1/Faxes"), ("DELETE", "/v1/Faxes"), ("PUT", "/2010-04-01/Accounts.json")] {
        let answer = api.call(method, path, "").await;
        assert_eq!(answer.error(), (405, 20004), "{method} {path}");
        assert!(answer.headers[header::ALLOW].to_str().unwrap().contains("GET"));
        assert!(answer.json()["message"].as_str().unwrap().contains(path));
    }
}

#[tokio::test]
async fn a_request_without_a_valid_credential_is_401_and_challenged() {
    let mut api = Api::new(AccountMode::Open);
    let request = Request::get("/v1/Faxes").body(Body::empty()).unwrap();
    let answer = api.send(request).await;
    assert_eq!(answer.error(), (401, 20003));
    assert_eq!(answer.headers[header::WWW_AUTHENTICATE], "Basic realm=\"Twilio API\"");
    assert_eq!(answer.json()["detail"], "Your AccountSid or AuthToken was incorrect.");
    assert_eq!(api.get("/v1/Faxes").await.status, 200, "any token may read an account without a world");
    let body = "From=%2B15005550006&To=%2B15558675310&MediaUrl=http%3A%2F%2F127.0.0.1%3A9%2Fa.pdf";
    assert_eq!(api.post("/v1/Faxes", body).await.status, 201, "the first write claims the account");
    api.credential = basic(SID, "another");
    assert_eq!(api.get("/v1/Faxes").await.error(), (401, 20003));
    assert_eq!(api.get(&account("/IncomingPhoneNumbers.json")).await.error(), (401, 20003));
}

#[tokio::test]
async fn the_path_must_name_the_credentials_own_account() {
    let api = Api::new(AccountMode::Open);
    let other = format!("/2010-04-01/Accounts/AC{}.json", "1".repeat(32));
    assert_eq!(api.get(&other).await.error(), (401, 20003));
    assert_eq!(api.get("/2010-04-01/Accounts/me.json").await.error(), (404, 20404));
    assert_eq!(api.get(&account(".json")).await.json()["auth_token"], "secret");
}

#[tokio::test]
async fn in_strict_mode_an_unknown_account_is_refused() {
    let mut api = Api::new(AccountMode::Strict);
    assert_eq!(api.get("/v1/Faxes").await.error(), (401, 20003));
    api.credential = basic(&format!("AC{}", "0".repeat(32)), &"0".repeat(32));
    assert_eq!(api.get("/v1/Faxes").await.status, 200);
}

#[tokio::test]
async fn a_fax_is_created_shown_canceled_and_deleted() {
    let api = Api::new(AccountMode::Open);
    let created = api.post("/v1/Faxes", ORDER).await;
    assert_eq!(created.status, 201);
    let created = created.json();
    assert_eq!((&created["status"], &created["account_sid"]), (&"queued".into(), &SID.into()));
    let path = format!("/v1/Faxes/{}", created["sid"].as_str().unwrap());
    assert_eq!(created["url"], format!("http://{HOST}{path}"));
    assert_eq!(created["links"]["media"], format!("http://{HOST}{path}/Media"));
    let same = api.get(&path).await;
    assert_eq!((same.status.as_u16(), same.json()["sid"].clone()), (200, created["sid"].clone()));
    assert_eq!(api.post(&path, "").await.json()["sid"], created["sid"], "an update may set nothing");
    assert_eq!(api.call("DELETE", &path, "").await.error(), (409, 20009));
    let canceled = api.post(&path, "Status=canceled").await;
    assert_eq!((canceled.status.as_u16(), canceled.json()["status"].clone()), (200, "canceled".into()));
    assert_eq!(api.post(&path, "Status=canceled").await.error(), (409, 20409));
    let deleted = api.call("DELETE", &path, "").await;
    assert_eq!((deleted.status.as_u16(), deleted.text.as_str()), (204, ""));
    for gone in [path.clone(), format!("{path}/Media")] {
        let answer = api.get(&gone).await;
        assert_eq!(answer.error(), (404, 20404));
        assert_eq!(answer.json()["message"], format!("The requested resource {gone} was not found"));
    }
    assert_eq!(api.call("DELETE", &path, "").await.error(), (404, 20404));
}

#[tokio::test]
async fn a_fax_without_media_has_an_empty_media_list() {
    let api = Api::new(AccountMode::Open);
    let path = format!("/v1/Faxes/{}/Media", api.fax().await);
    let list = api.get(&path).await.json();
    assert_eq!((list["media"].as_array().map(Vec::len), &list["meta"]["key"]), (Some(0), &"media".into()));
    assert_eq!(list["meta"]["url"], format!("http://{HOST}{path}?PageSize=50&Page=0"));
    let media = format!("{path}/ME{}", "1".repeat(32));
    assert_eq!(api.get(&media).await.error(), (404, 20404));
    assert_eq!(api.call("DELETE", &media, "").await.error(), (404, 20404));
    assert_eq!(api.get(&format!("{path}/MEx")).await.error(), (404, 20404));
}

#[tokio::test]
async fn bad_parameters_and_bodies_are_refused() {
    let api = Api::new(AccountMode::Open);
    assert_eq!(api.post("/v1/Faxes", "").await.error(), (400, 21201));
    assert_eq!(
        api.post("/v1/Faxes", "To=%2B15005550001&From=%2B15017122661&MediaUrl=http://h/").await.error(),
        (400, 21211)
    );
    assert_eq!(api.post("/v1/Faxes", "To=%2B15558675310&MediaUrl=http://h/").await.error(), (400, 21213));
    assert_eq!(api.post("/v1/Faxes", &format!("{ORDER}&Quality=x")).await.error(), (400, 20422));
    assert_eq!(api.get("/v1/Faxes?PageSize=x").await.error(), (400, 20422));
    assert_eq!(api.get("/v1/Faxes?From=15017122661").await.error(), (400, 20422), "a number without its plus");
    assert_eq!(api.post("/v1/Faxes", "To=%FF").await.status, 400);
    let big = format!("{ORDER}&x={}", "x".repeat(256 * 1024));
    assert_eq!(api.post("/v1/Faxes", &big).await.error(), (413, 20413));
    assert_eq!(api.get("/v1/Faxes").await.json()["faxes"].as_array().map(Vec::len), Some(0));
}

#[tokio::test]
async fn in_strict_mode_the_account_must_own_the_number_that_it_sends_from() {
    let mut api = Api::new(AccountMode::Strict);
    api.credential = basic(&format!("AC{}", "0".repeat(32)), &"0".repeat(32));
    assert_eq!(api.post("/v1/Faxes", ORDER).await.error(), (400, 21210));
}

#[tokio::test]
async fn a_list_of_faxes_can_be_followed_through_its_own_links() {
    let api = Api::new(AccountMode::Open);
    let mut sids = Vec::new();
    for _ in 0..5 {
        sids.insert(0, api.fax().await);
    }
    let (mut url, mut seen) = (format!("{FAXES}?To=%2B15558675310&PageSize=2"), Vec::new());
    loop {
        let page = api.get(url.strip_prefix(&format!("http://{HOST}")).unwrap()).await.json();
        seen.extend(page["faxes"].as_array().unwrap().iter().map(|fax| fax["sid"].as_str().unwrap().to_owned()));
        let Some(next) = page["meta"]["next_page_url"].as_str() else { break };
        assert!(next.starts_with(&format!("{FAXES}?To=%2B15558675310&PageSize=2&Page=")), "{next}");
        url = next.to_owned();
    }
    assert_eq!(seen, sids);
    assert_eq!(api.get("/v1/Faxes?To=%2B15558675311").await.json()["faxes"].as_array().map(Vec::len), Some(0));
}

#[tokio::test]
async fn links_keep_the_scheme_and_host_that_a_proxys_client_used() {
    let api = Api::new(AccountMode::Open);
    let list = api.get("https://fax.sydney.au1.twilio.com/v1/Faxes").await.json();
    assert_eq!(list["meta"]["url"], "https://fax.sydney.au1.twilio.com/v1/Faxes?PageSize=50&Page=0");
    let fetched = api.get(&format!("https://api.twilio.com/2010-04-01/Accounts/{SID}.json")).await;
    assert_eq!(fetched.json()["sid"], SID);
}

#[tokio::test]
async fn a_number_is_bought_changed_listed_and_released() {
    let api = Api::new(AccountMode::Open);
    let numbers = account("/IncomingPhoneNumbers.json");
    let form = "PhoneNumber=%2B15017122661&VoiceUrl=http%3A%2F%2Fh%2Ffax&VoiceReceiveMode=fax";
    let bought = api.post(&numbers, form).await;
    assert_eq!(bought.status, 201, "{}", bought.text);
    let bought = bought.json();
    assert_eq!((&bought["voice_receive_mode"], &bought["voice_url"]), (&"fax".into(), &"http://h/fax".into()));
    let path = bought["uri"].as_str().unwrap().to_owned();
    assert_eq!(path, account(&format!("/IncomingPhoneNumbers/{}.json", bought["sid"].as_str().unwrap())));
    let changed = api.post(&path, "VoiceUrl=&VoiceReceiveMode=voice&FriendlyName=Desk").await;
    assert_eq!((changed.status.as_u16(), changed.json()["voice_url"].clone()), (200, Value::Null));
    assert_eq!(api.get(path.strip_suffix(".json").unwrap()).await.json()["friendly_name"], "Desk");
    let list = api.get(&format!("{numbers}?FriendlyName=Desk")).await.json();
    assert_eq!(list["incoming_phone_numbers"][0]["sid"], bought["sid"]);
    assert_eq!(list["uri"], format!("{numbers}?FriendlyName=Desk&PageSize=50&Page=0"));
    assert_eq!(api.call("DELETE", &path, "").await.status, 204);
    let gone = api.get(&path).await;
    assert_eq!(gone.error(), (404, 20404));
    assert_eq!(gone.json()["message"], format!("The requested resource {path} was not found"));
}

#[tokio::test]
async fn purchases_are_refused_according_to_twilios_magic_numbers() {
    let api = Api::new(AccountMode::Open);
    let numbers = account("/IncomingPhoneNumbers.json");
    for (form, code) in [
        ("PhoneNumber=%2B15005550000", 21422),
        ("PhoneNumber=%2B15005550001", 21421),
        ("AreaCode=533", 21452),
        ("AreaCode=12", 21451),
        ("AreaCode=415&VoiceFallbackUrl=http://h/", 21405),
        ("", 20001),
    ] {
        assert_eq!(api.post(&numbers, form).await.error(), (400, code), "{form}");
    }
    assert_eq!(api.post(&numbers, "PhoneNumber=%2B15005550006").await.status, 201);
    assert_eq!(api.post(&numbers, "AreaCode=500").await.status, 201);
    let local = account("/IncomingPhoneNumbers/Local.json");
    assert_eq!(api.post(&local, "AreaCode=415").await.error(), (400, 21457));
    assert_eq!(api.post(&local, "PhoneNumber=%2B14155550100").await.status, 201);
    assert_eq!(api.get(&local).await.json()["incoming_phone_numbers"].as_array().map(Vec::len), Some(3));
    let toll_free = api.get(&account("/IncomingPhoneNumbers/TollFree.json")).await.json();
    assert_eq!(toll_free["incoming_phone_numbers"].as_array().map(Vec::len), Some(0));
}

#[tokio::test]
async fn a_number_that_cannot_fax_cannot_be_switched_to_fax() {
    let api = Api::new(AccountMode::Open);
    let search = account("/AvailablePhoneNumbers/US/Local.json?FaxEnabled=False&PageSize=1");
    let found = api.get(&search).await.json();
    let number = found["available_phone_numbers"][0]["phone_number"].as_str().unwrap().replace('+', "%2B");
    let form = format!("PhoneNumber={number}&VoiceReceiveMode=fax");
    let answer = api.post(&account("/IncomingPhoneNumbers.json"), &form).await;
    assert_eq!(answer.error(), (400, 20422));
    assert!(answer.json()["message"].as_str().unwrap().contains("VoiceReceiveMode"));
}

#[tokio::test]
async fn a_list_of_numbers_can_be_followed_through_relative_links() {
    let api = Api::new(AccountMode::Open);
    for _ in 0..3 {
        assert_eq!(api.post(&account("/IncomingPhoneNumbers.json"), "AreaCode=415").await.status, 201);
    }
    let (mut uri, mut seen) = (account("/IncomingPhoneNumbers.json?PageSize=1"), Vec::new());
    loop {
        let page = api.get(&uri).await.json();
        seen.extend(page["incoming_phone_numbers"].as_array().unwrap().iter().map(|number| number["sid"].to_string()));
        let Some(next) = page["next_page_uri"].as_str() else { break };
        uri = next.to_owned();
    }
    assert_eq!(seen.len(), 3);
    seen.dedup();
    assert_eq!(seen.len(), 3);
}

#[tokio::test]
async fn available_numbers_exclude_those_already_owned() {
    let api = Api::new(AccountMode::Open);
    let search = account("/AvailablePhoneNumbers/US/Local.json?AreaCode=415&FaxEnabled=True&PageSize=2");
    let found = api.get(&search).await.json();
    assert_eq!(found["uri"], search);
    let first = found["available_phone_numbers"][0]["phone_number"].as_str().unwrap();
    let form = format!("VoiceReceiveMode=fax&PhoneNumber={}", first.replace('+', "%2B"));
    assert_eq!(api.post(&account("/IncomingPhoneNumbers.json"), &form).await.status, 201);
    let rest = api.get(&search).await.json();
    assert_eq!(rest["available_phone_numbers"][0], found["available_phone_numbers"][1]);
}

#[tokio::test]
async fn countries_and_their_lists_have_paths() {
    let api = Api::new(AccountMode::Open);
    let index = api.get(&account("/AvailablePhoneNumbers.json")).await.json();
    for country in index["countries"].as_array().unwrap() {
        assert_eq!(api.get(country["uri"].as_str().unwrap()).await.json(), *country);
        for list in country["subresource_uris"].as_object().unwrap().values() {
            assert_eq!(api.get(&format!("{}?PageSize=1", list.as_str().unwrap())).await.status, 200);
        }
    }
    for missing in ["/AvailablePhoneNumbers/ZZ.json", "/AvailablePhoneNumbers/US/Mobile.json"] {
        assert_eq!(api.get(&account(missing)).await.error(), (404, 20404), "{missing}");
    }
}

#[tokio::test]
async fn the_list_of_accounts_contains_only_the_clients_own() {
    let api = Api::new(AccountMode::Open);
    // The first write creates the account. Until then, each request shows its own time as the account's date.
    api.fax().await;
    let list = api.get("/2010-04-01/Accounts.json?PageSize=2").await.json();
    assert_eq!(list["accounts"].as_array().map(Vec::len), Some(1));
    assert_eq!(list["accounts"][0], api.get(&account(".json")).await.json());
}

#[tokio::test]
async fn every_admitted_call_is_journaled_with_its_outcome() {
    let api = Api::new(AccountMode::Open);
    let sid: FaxSid = api.fax().await.parse().unwrap();
    api.get("/v1/Faxes?PageSize=0").await;
    api.get(&account(".json?x=1")).await;
    let world = api.registry.world(SID.parse().unwrap()).unwrap();
    let filter = EventFilter { kind: Some("api.request".into()), ..EventFilter::default() };
    let events = world.read_journal(|journal| journal.events(&filter, usize::MAX));
    let told = events.iter().map(|event| {
        let Entry::Request(request) = &event.entry else { panic!("{event:?}") };
        (request.fax, request.method.to_string(), request.path.to_string(), request.status, request.code)
    });
    let expected = [
        (Some(sid), "POST".to_owned(), "/v1/Faxes".to_owned(), 201, None),
        (None, "GET".to_owned(), "/v1/Faxes?PageSize=0".to_owned(), 400, Some(20422)),
        (None, "GET".to_owned(), account(".json?x=1"), 200, None),
    ];
    assert_eq!(told.collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn a_call_is_journaled_together_with_its_effect() {
    let api = Api::new(AccountMode::Open);
    for _ in 0..20 {
        api.fax().await;
    }
    let world = api.registry.world(SID.parse().unwrap()).unwrap();
    let events = world.read_journal(|journal| journal.events(&EventFilter::default(), usize::MAX));
    let pairs = events.windows(2).filter(|pair| matches!(pair[1].entry, Entry::Request(_)));
    let mut calls = 0;
    for pair in pairs {
        let (done, call) = (&pair[0], &pair[1]);
        let created = matches!(done.engine_kind(), Some(EventKind::FaxStatus { old: None, .. }));
        assert!(created, "nothing comes between a fax and its call: {pair:?}");
        assert_eq!((done.fax(), done.at()), (call.fax(), call.at()));
        calls += 1;
    }
    assert_eq!(calls, 20);
}

#[tokio::test]
async fn a_change_to_the_account_takes_effect_on_the_next_call() {
    let api = Api::new(AccountMode::Open);
    api.fax().await;
    let world = api.registry.world(SID.parse().unwrap()).unwrap();
    let change = |service| AccountChange { service: Some(service), ..AccountChange::default() };
    let set = |service| world.handle(ChangeAccount(change(service))).unwrap();
    set(Service::Retired);
    assert_eq!(api.get("/v1/Faxes").await.status, 403);
    set(Service::Full);
    assert_eq!(api.get("/v1/Faxes").await.status, 200);
    assert!(!world.admission().has_api_rules);
    let fault = ApiFault { refusal: Some((429, Some(20429))), delay_ms: 0, reset: false };
    let rule =
        Rule { matches: Match::default(), after: 0, times: None, chance: None, enabled: true, effect: fault.into() };
    world.handle(AddRule(rule)).unwrap();
    assert_eq!(api.get("/v1/Faxes").await.status, 429);
    world.handle(DropRules).unwrap();
    assert_eq!(api.get("/v1/Faxes").await.status, 200);
    assert!(world.claim("another token").is_none() && world.claim("secret").is_some());
}

#[tokio::test]
async fn a_refused_download_gets_an_error_in_the_xml_of_the_storage_service() {
    let api = Api::new(AccountMode::Open);
    let path = format!("/fax/{SID}/{}/ME{}", api.fax().await, "1".repeat(32));
    let fetch = |target: &str, agent: &'static str| {
        let request = Request::get(target).header(header::HOST, HOST).header(header::USER_AGENT, agent);
        request.body(Body::empty()).unwrap()
    };
    for (target, agent, status, code) in [
        (path.clone(), "curl", 403, "SignatureDoesNotMatch"),
        (
            format!("{path}?X-Amz-Date=20210301T100000Z&X-Amz-Expires=7200&X-Amz-Signature=00"),
            "curl",
            403,
            "SignatureDoesNotMatch",
        ),
        (path.clone(), "", 403, "SignatureDoesNotMatch"),
        (format!("/fax/AC{}/FX/ME", "0".repeat(32)), "curl", 404, "NoSuchKey"),
    ] {
        let answer = api.send(fetch(&target, agent)).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.headers[header::CONTENT_TYPE]),
            (status, &"application/xml".parse().unwrap())
        );
        assert!(answer.text.contains(&format!("<Code>{code}</Code>")), "{}", answer.text);
    }
}
