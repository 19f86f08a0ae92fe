//! The account in which a scenario runs: reads its credential, freezes its clock, and puts back what the steps changed
//! in an emulator that keeps running.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::timeout;

use crate::check::{Api, RunError};
use crate::client::{self, ApiError, Endpoint};
use crate::io::client::ClientOptions;

/// The beginning of the name of the snapshot that a run takes.
const SNAPSHOT: &str = "fauxfax-run";
/// The maximum number of times that a REST call is made, if the API refuses it as it does in pedantic mode.
const TRIES_MAX: usize = 3;
/// The time before a refused call is made again while the clock runs: the `Retry-After` of the emulator's refusals.
const RETRY_TIME: Duration = Duration::from_secs(1);
/// The statuses with which the API refuses a call that may succeed later.
pub(super) const PASSING: [u16; 2] = [429, 503];
/// The number of faxes that a page of the list may have.
const FAXES_PER_PAGE: &str = "500";
/// The time limit for putting everything back.
const RESTORE_TIME_MAX: Duration = Duration::from_secs(30);

/// Where a scenario runs.
#[derive(Debug, Clone)]
pub struct Options {
    /// The emulator.
    pub endpoint: Endpoint,
    /// The account; the emulator's default account if left out.
    pub account: Option<String>,
    /// Whether the emulator outlives the run, so that what the steps change in it must be put back.
    pub restores: bool,
    /// How requests are made that don't come from the emulator.
    pub client: ClientOptions,
}

/// The account in which a scenario runs.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) api: Api,
    pub(super) sid: String,
    pub(super) token: String,
    /// The place in the journal at which the scenario began.
    pub(super) since: u64,
    /// What has to be put back: the snapshot, and the clock's mode and time.
    before: Option<(String, String, String)>,
}

impl Place {
    /// Takes a snapshot in an emulator that keeps running, and freezes the account's clock.
    pub(super) async fn prepare(options: &Options) -> Result<Self, RunError> {
        let api = Api::new(options.endpoint.clone());
        let sid = match &options.account {
            Some(sid) => sid.clone(),
            None => text(&api.get("/health", &[]).await?["default_account"]),
        };
        let api = api.with_account(&sid);
        let account = api.get(&format!("/accounts/{sid}"), &[]).await?;
        let token = account["auth_token"].as_str().map(ToOwned::to_owned);
        let token = token.ok_or_else(|| RunError::NoToken { account: sid.clone() })?;
        let mut before = None;
        if options.restores {
            let pending = account["pending"].as_u64().unwrap_or_default();
            if pending > 0 {
                return Err(RunError::Busy { account: sid, pending });
            }
            let clock = api.get("/clock", &[]).await?;
            let name = format!("{SNAPSHOT}-{:016x}", RandomState::new().hash_one(0));
            api.control("PUT", &format!("/snapshots/{name}"), &[], None).await?;
            before = Some((name, text(&clock["mode"]), text(&clock["now"])));
        }
        api.control("PUT", "/clock", &[], Some(&json!({ "mode": "frozen" }))).await?;
        let since = api.get("/events", &[("limit", "0")]).await?["last_seq"].as_u64().unwrap_or_default();
        Ok(Self { api, sid, token, since, before })
    }

    /// Calls the REST API as the account. A call that is refused for now is made again, unless the refusal has the code
    /// that the caller wants.
    pub(super) async fn rest(&self, path: &str, form: &[(&str, &str)], wanted: Option<u64>) -> Result<Value, ApiError> {
        let mut tries = 1;
        loop {
            let answer = self.api.rest(path, (&self.sid, &self.token), form).await;
            let Err(ApiError::Refused { status, name, detail }) = answer else { return answer };
            let refused = |detail| Err(ApiError::Refused { status, name, detail });
            if !PASSING.contains(&status) || wanted.is_some() && self.refusal().await?.0 == wanted {
                return refused(detail);
            }
            if tries == TRIES_MAX {
                return refused(format!("{detail}; {}", tried()));
            }
            // Nothing changes with real time while the clock stands still.
            if self.api.get("/clock", &[]).await?["mode"] != "frozen" {
                let _: Result<(), _> = timeout(RETRY_TIME, std::future::pending()).await;
            }
            tries += 1;
        }
    }

    /// Returns the code of the REST API's last refusal and the reason for it, as the journal has them.
    pub(super) async fn refusal(&self) -> Result<(Option<u64>, Option<String>), ApiError> {
        let since = self.since.to_string();
        let list = self.api.get("/events", &[("kind", "api.request"), ("since", &since), ("limit", "10000")]).await?;
        let last = list["events"].as_array().and_then(|events| events.last()).map(|event| &event["data"]);
        let Some(data) = last else { return Ok((None, None)) };
        let answer = &data["answer"];
        let of_list = answer["errors"][0]["message"].as_str().or(answer["errors"][0]["detail"].as_str());
        let text = answer["message"].as_str().or(of_list).map(ToOwned::to_owned);
        Ok((data["code"].as_u64(), text))
    }

    /// Returns the path to the account's faxes.
    pub(super) fn faxes(&self) -> String {
        client::faxes_path(&self.sid)
    }

    /// Returns how many of the faxes and calls that a search finds were made since the scenario began.
    pub(super) async fn hits(&self, q: &str) -> Result<usize, ApiError> {
        let own = self.own().await?;
        let (mut count, mut token) = (0, None::<String>);
        loop {
            let mut query = vec![("q", q), ("limit", FAXES_PER_PAGE)];
            query.extend(token.as_deref().map(|token| ("page_token", token)));
            let list = self.api.get("/faxes", &query).await?;
            let page = list["faxes"].as_array().map(Vec::as_slice).unwrap_or_default();
            let of_page =
                page.iter().take_while(|fax| fax["sid"].as_str().is_some_and(|sid| own.contains(sid))).count();
            count += of_page;
            token = list["next_page_token"].as_str().map(ToOwned::to_owned);
            // The newest come first, so all that follow one from before the scenario are older still.
            if token.is_none() || of_page < page.len() {
                return Ok(count);
            }
        }
    }

    /// Returns the SIDs of the faxes and calls that were made since the scenario began.
    async fn own(&self) -> Result<BTreeSet<String>, ApiError> {
        let since = self.since.to_string();
        let mut own = BTreeSet::new();
        for kind in ["fax.status", "call.not-answered"] {
            let query = [("kind", kind), ("since", &since), ("limit", "10000")];
            let list = self.api.get("/events", &query).await?;
            let made = list["events"].as_array().into_iter().flatten().filter(|event| event["data"]["old"].is_null());
            own.extend(made.filter_map(|event| event["fax_sid"].as_str()).map(ToOwned::to_owned));
        }
        Ok(own)
    }

    /// Returns the account's numbers.
    pub(super) async fn numbers(&self) -> Result<Vec<Value>, ApiError> {
        let account = self.api.get(&format!("/accounts/{}", self.sid), &[]).await?;
        Ok(account["numbers"].as_array().cloned().unwrap_or_default())
    }

    /// Makes a number ask this URL for TwiML.
    pub(super) async fn set_voice_url(&self, number_sid: &str, url: &str) -> Result<(), ApiError> {
        let path = format!("/2010-04-01/Accounts/{}/IncomingPhoneNumbers/{number_sid}.json", self.sid);
        let form = [("VoiceUrl", url), ("VoiceApplicationSid", ""), ("VoiceReceiveMode", "fax")];
        self.rest(&path, &form, None).await.map(drop)
    }

    /// Puts back what the steps have changed, and returns what could not be put back, as sentences.
    pub(super) async fn restore(&self) -> Vec<String> {
        let Some((snapshot, mode, then)) = &self.before else { return Vec::new() };
        let why = match timeout(RESTORE_TIME_MAX, self.put_back(snapshot, mode)).await {
            Ok(Ok(now)) => {
                return vec![format!(
                    "account {} is as it was before the run, except that its journal goes on and its clock, which can't \
                     be turned back, has moved from {then} to {now}",
                    self.sid
                )];
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no response within {} s", RESTORE_TIME_MAX.as_secs()),
        };
        let reset = format!("fauxfax reset --snapshot {snapshot} --account {}", self.sid);
        vec![format!("account {} could not be put back ({why}); do it with: {reset}, and: fauxfax clock run", self.sid)]
    }

    async fn put_back(&self, snapshot: &str, mode: &str) -> Result<String, ApiError> {
        let path = format!("/snapshots/{snapshot}");
        self.api.control("POST", &path, &[], None).await?;
        self.api.control("DELETE", &path, &[], None).await?;
        let clock = self.api.control("PUT", "/clock", &[], Some(&json!({ "mode": mode }))).await?;
        Ok(text(&clock["now"]))
    }
}

/// Says that a call was refused each time that it was made, and what to do.
pub(super) fn tried() -> String {
    format!("the call was made {TRIES_MAX} times; if a rule refuses it, limit the rule with `times`")
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
