//! The account in which the checks run: prepares it, and puts back what the run has changed in an emulator that keeps
//! running.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::timeout;

use super::api::Api;
use super::{Options, RunError};
use crate::client::{self, ApiError, Endpoint};
use crate::model::account::Dialect;
use crate::model::webhook::Method;

/// The name of the snapshot that a run takes. While there is such a snapshot, the account belongs to a run: the
/// emulator takes it only if there is none, so of two runs that begin at the same moment, only one gets the account.
const SNAPSHOT: &str = "fauxfax-check";
/// The problem with which the emulator refuses to take a snapshot that there is already.
const SNAPSHOT_EXISTS: &str = "snapshot-exists";
/// The number that is bought for an account without a fax number.
const NUMBER: &str = "+15017122661";
/// The time limit for putting everything back.
const RESTORE_TIME_MAX: Duration = Duration::from_secs(30);

/// The account in which the checks run.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) api: Api,
    pub(super) sid: String,
    pub(super) token: String,
    /// What webhooks are signed with: the token, or the signing key of a SignalWire project that has one.
    pub(super) signing_key: String,
    pub(super) dialect: Dialect,
    /// The number that faxes are sent to.
    pub(super) number: String,
    number_sid: String,
    /// The HTTP method with which the number asks the app.
    pub(super) method: String,
    /// The number's own StatusCallback, which is notified of a fax if the app's TwiML has no action, and its HTTP method.
    pub(super) status_callback: Option<(String, Method)>,
    /// The time that the account's clock shows once it is frozen.
    pub(super) now: Option<String>,
    before: Before,
}

/// What has to be put back.
#[derive(Debug, Default)]
struct Before {
    /// Whether the run created the account.
    created: bool,
    /// The name of the snapshot that was taken.
    snapshot: Option<&'static str>,
    /// The clock as it was: its mode and its time.
    clock: Option<(String, String)>,
    debugger_url: Option<String>,
}

impl Place {
    /// Prepares the account: freezes its clock, sets the tester's rules aside and makes a number ask the app for TwiML.
    /// If this fails, everything is put back.
    pub(super) async fn prepare(endpoint: Endpoint, options: &Options, voice_url: &str) -> Result<Self, RunError> {
        let api = Api::new(endpoint);
        let sid = match &options.account {
            Some(sid) => sid.clone(),
            None => text(&api.get("/health", &[]).await?["default_account"]),
        };
        let api = api.with_account(&sid);
        let mut before = Before::default();
        let account = match api.get(&format!("/accounts/{sid}"), &[]).await {
            Err(error) if error.is_status(404) => {
                before.created = true;
                api.post("/accounts", &json!({ "sid": sid, "auth_token": options.auth_token })).await?
            }
            account => account?,
        };
        let token = token(&account, options.auth_token.as_deref());
        let dialect = client::dialect_of(&sid);
        let (number, number_sid, method) = (String::new(), String::new(), String::new());
        let mut place = match token {
            Ok(token) => Self {
                signing_key: account["signing_key"].as_str().unwrap_or(&token).to_owned(),
                api,
                sid,
                token,
                dialect,
                number,
                number_sid,
                method,
                status_callback: None,
                now: None,
                before,
            },
            Err(error) => return Err(error),
        };
        match place.change(&account, options, voice_url).await {
            Ok(()) => Ok(place),
            Err(error) => {
                place.restore(options).await;
                Err(error)
            }
        }
    }

    async fn change(&mut self, account: &Value, options: &Options, voice_url: &str) -> Result<(), RunError> {
        let claimed = if options.restores { Some(self.claim().await?) } else { None };
        let account = claimed.as_ref().unwrap_or(account);
        let frozen = self.api.control("PUT", "/clock", &[], Some(&json!({ "mode": "frozen" }))).await?;
        self.now = frozen["now"].as_str().map(ToOwned::to_owned);
        self.api.control("DELETE", "/rules", &[], None).await?;
        if account["debugger_url"].is_string() {
            self.api.post(&format!("/accounts/{}", self.sid), &json!({ "debugger_url": null })).await?;
        }
        self.choose_number(account, &options.url).await?;
        Ok(self.set_voice_url(voice_url).await?)
    }

    /// Makes the account the run's own, remembers what has to be put back, and returns the account as it is then.
    async fn claim(&mut self) -> Result<Value, RunError> {
        let path = format!("/snapshots/{SNAPSHOT}");
        let taken = self.api.control("PUT", &path, &[("if_absent", "true")], None).await;
        let taken = taken.map_err(|error| {
            let exists = matches!(&error, ApiError::Refused { name, .. } if name == SNAPSHOT_EXISTS);
            // The account belongs to another run now, even if this one has made it.
            self.before.created &= !exists;
            let under_way = || RunError::UnderWay { account: self.sid.clone(), snapshot: SNAPSHOT.to_owned() };
            if exists { under_way() } else { error.into() }
        })?;
        self.check_idle(taken["pending"].as_u64().unwrap_or_default()).await?;
        self.before.snapshot = Some(SNAPSHOT);
        // Read only now, because a run that was ending may have put these back meanwhile.
        let clock = self.api.get("/clock", &[]).await?;
        let account = self.api.get(&format!("/accounts/{}", self.sid), &[]).await?;
        self.before.clock = Some((text(&clock["mode"]), text(&clock["now"])));
        self.before.debugger_url = account["debugger_url"].as_str().map(ToOwned::to_owned);
        Ok(account)
    }

    /// If faxes are in progress, gives the account back and fails. `pending` is their number.
    async fn check_idle(&self, pending: u64) -> Result<(), RunError> {
        if pending == 0 {
            return Ok(());
        }
        self.api.control("DELETE", &format!("/snapshots/{SNAPSHOT}"), &[], None).await?;
        Err(RunError::Busy { account: self.sid.clone(), pending })
    }

    /// Chooses the account's number that already asks the app, or else the account's first fax number; buys one if
    /// there is none.
    async fn choose_number(&mut self, account: &Value, url: &str) -> Result<(), ApiError> {
        let numbers = account["numbers"].as_array().map(Vec::as_slice).unwrap_or_default();
        let of_app = numbers.iter().find(|number| number["voice_url"] == url);
        let bought;
        let number = match of_app.or(numbers.iter().find(|number| number["voice_receive_mode"] == "fax")) {
            Some(number) => number,
            None => {
                let form = [("PhoneNumber", NUMBER), ("VoiceReceiveMode", "fax")];
                bought = self.rest(&self.numbers(".json"), &form).await?;
                &bought
            }
        };
        (self.number, self.number_sid) = (text(&number["phone_number"]), text(&number["sid"]));
        self.method = text(&number["voice_method"]);
        let callback = number["status_callback"].as_str().filter(|url| !url.is_empty());
        let method = number["status_callback_method"].as_str().and_then(Method::from_word).unwrap_or_default();
        self.status_callback = callback.map(|url| (url.to_owned(), method));
        Ok(())
    }

    /// Makes the number ask this URL for TwiML.
    pub(super) async fn set_voice_url(&self, url: &str) -> Result<(), ApiError> {
        let form =
            [("VoiceUrl", url), ("VoiceFallbackUrl", ""), ("VoiceApplicationSid", ""), ("VoiceReceiveMode", "fax")];
        self.rest(&self.numbers(&format!("/{}.json", self.number_sid)), &form).await?;
        Ok(())
    }

    /// Makes the number ask the app with this HTTP method.
    pub(super) async fn set_voice_method(&self, method: &str) -> Result<(), ApiError> {
        self.rest(&self.numbers(&format!("/{}.json", self.number_sid)), &[("VoiceMethod", method)]).await?;
        Ok(())
    }

    /// Calls the REST API as the account.
    pub(super) async fn rest(&self, path: &str, form: &[(&str, &str)]) -> Result<Value, ApiError> {
        self.api.rest(path, (&self.sid, &self.token), form).await
    }

    /// Returns the path to the account's faxes.
    pub(super) fn faxes(&self) -> String {
        client::faxes_path(&self.sid)
    }

    fn numbers(&self, rest: &str) -> String {
        format!("/2010-04-01/Accounts/{}/IncomingPhoneNumbers{rest}", self.sid)
    }

    /// Puts back what the run has changed, and returns what could not be put back, as sentences for the user.
    pub(super) async fn restore(&self, options: &Options) -> Vec<String> {
        if !options.restores {
            return Vec::new();
        }
        let restored = timeout(RESTORE_TIME_MAX, self.put_back()).await;
        match restored {
            Ok(Ok(notes)) => notes,
            Ok(Err(error)) => vec![self.not_restored(&error.to_string())],
            Err(_) => vec![self.not_restored(&format!("no response within {} s", RESTORE_TIME_MAX.as_secs()))],
        }
    }

    async fn put_back(&self) -> Result<Vec<String>, ApiError> {
        if self.before.created {
            self.api.control("DELETE", &format!("/accounts/{}", self.sid), &[], None).await?;
            return Ok(Vec::new());
        }
        let Some(snapshot) = self.before.snapshot else { return Ok(Vec::new()) };
        let path = format!("/snapshots/{snapshot}");
        let Some((mode, then)) = &self.before.clock else {
            self.api.control("DELETE", &path, &[], None).await?;
            return Ok(Vec::new());
        };
        self.api.control("POST", &path, &[], None).await?;
        if let Some(url) = &self.before.debugger_url {
            self.api.post(&format!("/accounts/{}", self.sid), &json!({ "debugger_url": url })).await?;
        }
        let clock = self.api.control("PUT", "/clock", &[], Some(&json!({ "mode": mode }))).await?;
        let now = text(&clock["now"]);
        // Comes last, because another run may begin from then on.
        self.api.control("DELETE", &path, &[], None).await?;
        Ok(vec![format!(
            "account {} is as it was before the run, except that its journal goes on and its clock, which can't be turned \
             back, has moved from {then} to {now}",
            self.sid
        )])
    }

    fn not_restored(&self, why: &str) -> String {
        let reset = match self.before.snapshot.filter(|_| !self.before.created) {
            Some(snapshot) => format!("fauxfax reset --snapshot {snapshot} --account {}", self.sid),
            None => format!("fauxfax accounts remove {}", self.sid),
        };
        format!("account {} could not be put back ({why}); do it with: {reset}, and: fauxfax clock run", self.sid)
    }
}

/// Returns the token that signs webhooks, if it is the one that the app is configured with.
fn token(account: &Value, wanted: Option<&str>) -> Result<String, RunError> {
    let sid = text(&account["sid"]);
    match (account["auth_token"].as_str(), wanted) {
        (Some(own), Some(wanted)) if own != wanted => Err(RunError::OtherToken { account: sid }),
        (Some(own), _) => Ok(own.to_owned()),
        // The first call to the REST API claims the account with this token.
        (None, Some(wanted)) => Ok(wanted.to_owned()),
        (None, None) => Err(RunError::NoToken { account: sid }),
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
