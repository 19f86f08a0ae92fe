//! Tests webhooks that a rule changes: with other parameters and headers, signed for another URL or with another token,
//! or changed after signing. All are sent over real HTTP, and most of them in both dialects.

use fauxfax::dialect::signature;
use fauxfax::emulator::AccountSetup;
use fauxfax::model::webhook::Purpose;
use fauxfax::rules::{ParamEdits, ParamOrder, RequestEdits, Signature, WebhookFault};
use fauxfax::{Account, Document, Emulator, Expect, Outcome};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

type Tested = Result<(), Box<dyn std::error::Error>>;
type Params = Vec<(String, String)>;

const PROJECT: &str = "b3877c40-da60-4998-90ad-b792e98472ac";
const KEY: &str = "PSK_localtestsigningkey0001";

/// Starts an app that receives each fax. Its action is called with this method.
async fn app(method: &str) -> MockServer {
    let app = MockServer::start().await;
    let receive = format!("<Response><Receive action=\"/done?tenant=1\" method=\"{method}\"/></Response>");
    let twiml = ResponseTemplate::new(200).set_body_raw(receive, "text/xml");
    Mock::given(path("/fax")).respond_with(twiml).mount(&app).await;
    Mock::given(path("/done")).respond_with(ResponseTemplate::new(204)).mount(&app).await;
    app
}

/// Creates an account of each dialect, and returns each with the name of its signature header.
fn accounts(emulator: &Emulator, app: &MockServer) -> Result<[(Account, &'static str); 2], Box<dyn std::error::Error>> {
    let project =
        AccountSetup { sid: Some(PROJECT.parse()?), signing_key: Some(KEY.into()), ..AccountSetup::default() };
    let (twilio, signalwire) = (emulator.account()?, emulator.account_as(project)?);
    for account in [&twilio, &signalwire] {
        account.number("+15017122661")?.fax_url(&format!("{}/fax", app.uri()))?;
    }
    Ok([(twilio, "x-twilio-signature"), (signalwire, "x-signalwire-signature")])
}

/// Receives a fax, and returns the requests that the app got for it.
async fn received(account: &Account, app: &MockServer) -> Result<Vec<Request>, Box<dyn std::error::Error>> {
    let earlier = app.received_requests().await.expect("recorded").len();
    let conversation = account.receive(Document::pages(1)).from("+15552223333").await?;
    assert_eq!(conversation.outcome, Outcome::Received);
    Ok(app.received_requests().await.expect("recorded").split_off(earlier))
}

/// Returns the parameters of a request, from its body or, if that is empty, its query.
fn params(request: &Request) -> Params {
    let query = request.url.query().unwrap_or_default().as_bytes();
    let sent = if request.body.is_empty() { query } else { &request.body };
    url::form_urlencoded::parse(sent).into_owned().collect()
}

/// Returns the URL at which the app was called.
fn url_of(app: &MockServer, request: &Request) -> String {
    let query = request.url.query().map(|query| format!("?{query}")).unwrap_or_default();
    format!("{}{}{query}", app.uri(), request.url.path())
}

/// Returns the signature in this header.
fn signed(request: &Request, header: &str) -> Option<String> {
    request.headers.get(header).map(|value| value.to_str().expect("text").to_owned())
}

/// Returns the signature that an app computes for a request as it arrived.
fn expected(key: &str, app: &MockServer, request: &Request) -> String {
    let url = url_of(app, request);
    if request.body.is_empty() { signature::of_url(key, &url) } else { signature::of_form(key, &url, &params(request)) }
}

/// Lists the values of the parameters with this name.
fn named<'a>(params: &'a Params, name: &str) -> Vec<&'a str> {
    params.iter().filter(|(own, _)| own == name).map(|(_, value)| value.as_str()).collect()
}

#[tokio::test]
async fn changed_parameters_are_sent_as_the_rule_says_and_signed() -> Tested {
    for method in ["POST", "GET"] {
        let (emulator, app) = (Emulator::builder().start().await?, app(method).await);
        for (account, header) in accounts(&emulator, &app)? {
            let edits =
                RequestEdits::default().set_param("RemoteStationId", "").set_param("X-New", "ü &").pad_param("From");
            account.rules().always(edits.add_param("To", "+1").remove_param("ApiVersion").reversed_params())?;
            for request in received(&account, &app).await? {
                let params = params(&request);
                assert_eq!(
                    signed(&request, header),
                    Some(expected(&account.signing_key(), &app, &request)),
                    "{params:?}"
                );
                assert_eq!(named(&params, "RemoteStationId"), [""]);
                assert_eq!(named(&params, "X-New"), ["ü &"]);
                assert_eq!(named(&params, "From"), [" +15552223333 "]);
                assert_eq!(named(&params, "To"), ["+1", "+15017122661"], "the order is reversed");
                assert!(named(&params, "ApiVersion").is_empty());
            }
            account.verify(
                Expect::webhook().with_contained("data.note", "sets the parameters RemoteStationId and X-New"),
            )?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn parameters_that_the_order_names_come_first() -> Tested {
    let (emulator, app) = (Emulator::builder().start().await?, app("POST").await);
    let order = ParamOrder::First(vec!["To".into(), "FaxSid".into()]);
    for (account, header) in accounts(&emulator, &app)? {
        let params_first = ParamEdits { order: order.clone(), ..ParamEdits::default() };
        account.rules().always(RequestEdits { params: params_first, ..RequestEdits::default() })?;
        for request in received(&account, &app).await? {
            let names: Vec<_> = params(&request).into_iter().map(|(name, _)| name).collect();
            assert_eq!(names[..3], ["To", "FaxSid", "AccountSid"]);
            assert_eq!(signed(&request, header), Some(expected(&account.signing_key(), &app, &request)));
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_signature_made_with_another_token_never_matches_and_is_explained() -> Tested {
    let (emulator, app) = (Emulator::builder().start().await?, app("POST").await);
    let with = |signature| WebhookFault { signature, ..WebhookFault::default() };
    for (account, header) in accounts(&emulator, &app)? {
        let rule = account.rules().times(2, with(Signature::OtherToken))?;
        account.rules().times(2, with(Signature::Bad))?;
        let (other, bad) = (received(&account, &app).await?, received(&account, &app).await?);
        for (other, bad) in other.iter().zip(&bad) {
            let given = signed(other, header).expect("a signature");
            assert_ne!(given, expected(&account.signing_key(), &app, other));
            assert_ne!(Some(given), signed(bad, header));
        }
        let question = &other[0];
        let sent = params(question);
        let pairs: Vec<_> = sent.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let explained =
            account.explain_signature(&url_of(&app, question), &pairs, &signed(question, header).unwrap_or_default());
        let begins = format!(
            "rule {rule} spoiled this signature on purpose: it was made with a token that isn't this account's"
        );
        assert!(explained.detail.starts_with(&begins), "{}", explained.detail);
    }
    Ok(())
}

#[tokio::test]
async fn in_each_kind_of_webhook_one_parameter_is_changed_after_signing() -> Tested {
    for method in ["POST", "GET"] {
        let (emulator, app) = (Emulator::builder().start().await?, app(method).await);
        for (account, header) in accounts(&emulator, &app)? {
            let tampered = WebhookFault { signature: Signature::Tampered, ..WebhookFault::default() };
            account.rules().always(tampered)?;
            let requests = received(&account, &app).await?;
            let [question, notice] = &requests[..] else { panic!("not two requests: {requests:?}") };
            for (request, name, sent, true_value) in
                [(question, "From", "+155522233330", "+15552223333"), (notice, "FaxStatus", "failed", "received")]
            {
                let params = params(request);
                assert_eq!(named(&params, name), [sent]);
                let given = signed(request, header).expect("a signature");
                assert_ne!(given, expected(&account.signing_key(), &app, request));
                let (url, key) = (url_of(&app, request), account.signing_key());
                let original = if request.body.is_empty() {
                    signature::of_url(&key, &url.replace(&format!("{name}={sent}"), &format!("{name}={true_value}")))
                } else {
                    let params: Params = params
                        .iter()
                        .map(|(own, value)| {
                            (own.clone(), if own == name { true_value.to_owned() } else { value.clone() })
                        })
                        .collect();
                    signature::of_form(&key, &url, &params)
                };
                assert_eq!(given, original, "the signature is that of the original");
            }
            // The journal has what was sent.
            account.verify(Expect::webhook().purpose(Purpose::Action).with("data.params.FaxStatus", "failed"))?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_request_is_signed_for_the_public_url_but_sent_to_the_usual_one() -> Tested {
    for method in ["POST", "GET"] {
        let (emulator, app) = (Emulator::builder().start().await?, app(method).await);
        for (account, header) in accounts(&emulator, &app)? {
            let public = "https://public.test:8443/done?tenant=1";
            let edits = RequestEdits::default().signed_for(public).set_header("X-Forwarded-Proto", "https");
            let edits = edits.set_header("X-Forwarded-Host", "public.test:8443");
            let rule = account.rules().purpose(Purpose::Action).always(edits)?;
            let requests = received(&account, &app).await?;
            let [question, notice] = &requests[..] else { panic!("not two requests: {requests:?}") };
            assert_eq!(signed(question, header), Some(expected(&account.signing_key(), &app, question)));
            let called = url_of(&app, notice);
            assert!(called.starts_with(&format!("{}/done?tenant=1", app.uri())), "{called}");
            let given = signed(notice, header).expect("a signature");
            let rebuilt = called.replace(&app.uri(), "https://public.test:8443");
            let (key, sent) = (account.signing_key(), params(notice));
            let right = if method == "GET" {
                signature::of_url(&key, &rebuilt)
            } else {
                signature::of_form(&key, &rebuilt, &sent)
            };
            assert_eq!(given, right);
            assert_eq!(notice.headers["x-forwarded-host"], "public.test:8443");
            // For a GET, an app passes only the URL to the validator.
            let pairs: Vec<_> = sent.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            let pairs = if method == "GET" { &[][..] } else { &pairs[..] };
            let detail = account.explain_signature(&called, pairs, &given).detail;
            assert!(detail.starts_with(&format!("rule {rule} had this request signed for {public}")), "{detail}");
        }
    }
    Ok(())
}

/// Responds to one request with 204, and returns the request's head and body as they were sent.
async fn raw_request(listener: &TcpListener) -> String {
    let (mut stream, _) = listener.accept().await.expect("a connection");
    let mut text = Vec::new();
    let mut buffer = [0; 4_096];
    // The whole request is there once the body is as long as announced.
    loop {
        let read = stream.read(&mut buffer).await.expect("readable");
        text.extend_from_slice(&buffer[..read]);
        let so_far = String::from_utf8_lossy(&text).into_owned();
        let Some((head, body)) = so_far.split_once("\r\n\r\n") else { continue };
        let length = head.to_ascii_lowercase();
        let length = length.lines().find_map(|line| line.strip_prefix("content-length: ")).expect("a length");
        if body.len() >= length.parse::<usize>().expect("a number") {
            stream.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n").await.expect("writable");
            return so_far;
        }
    }
}

#[tokio::test]
async fn headers_are_changed_on_the_wire_even_in_their_case() -> Tested {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let url = format!("http://{}/done", listener.local_addr()?);
    let emulator = Emulator::builder().start().await?;
    let account = emulator.account()?;
    account.number("+15017122661")?;
    let edits = RequestEdits::default().set_header("user-agent", "Other/1.0").set_header("X-Request-Id", "r1");
    let rules = || account.rules().purpose(Purpose::Action);
    rules().once(edits.remove_header("Accept"))?;
    rules().once(RequestEdits::default().lower_case_headers())?;
    let heads = async {
        let mut heads = Vec::new();
        for _ in 0..2 {
            heads.push(raw_request(&listener).await);
        }
        heads
    };
    let faxes = async {
        for _ in 0..2 {
            let conversation = account.receive(Document::pages(1)).action(&url).await.expect("received");
            assert_eq!(conversation.outcome, Outcome::Received);
        }
    };
    let (heads, ()) = tokio::join!(heads, faxes);
    for line in ["\r\nUser-Agent: Other/1.0\r\n", "\r\nX-Request-Id: r1\r\n", "\r\nX-Twilio-Signature: "] {
        assert_eq!(heads[0].matches(line).count(), 1, "{}", heads[0]);
    }
    assert!(!heads[0].to_ascii_lowercase().contains("\r\naccept:"), "{}", heads[0]);
    let head = heads[1].split_once("\r\n\r\n").expect("a head").0;
    let names = head.lines().skip(1).map(|line| line.split(':').next().unwrap_or_default());
    let names: Vec<_> = names.collect();
    assert!(names.contains(&"x-twilio-signature") && names.contains(&"host"), "{head}");
    assert!(names.iter().all(|name| *name == name.to_ascii_lowercase()), "{head}");
    account.verify(Expect::webhook().with_contained("data.note", "writes header names in lower case").times(1))?;
    Ok(())
}

#[tokio::test]
async fn a_changed_request_is_journaled_with_the_rule_and_its_changes() -> Tested {
    let (emulator, app) = (Emulator::builder().start().await?, app("POST").await);
    let [(account, _), _] = accounts(&emulator, &app)?;
    let rule = account
        .rules()
        .purpose(Purpose::Action)
        .once(RequestEdits::default().set_param("FaxStatus", "some-new-status"))?;
    received(&account, &app).await?;
    account.verify(
        Expect::of("rule.fired")
            .with("data.rule_id", rule)
            .with(
                "data.what",
                format!("rule {rule} changes this webhook: sets the parameter FaxStatus (action, received)"),
            )
            .with("data.webhook.params.set.FaxStatus", "some-new-status"),
    )?;
    account.verify(
        Expect::webhook()
            .with("data.rule_id", rule)
            .with("data.params.FaxStatus", "some-new-status")
            .with("data.note", format!("changed on purpose (sets the parameter FaxStatus) by rule {rule}")),
    )?;
    Ok(())
}
