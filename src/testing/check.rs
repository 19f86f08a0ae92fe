//! Checks of the app under test in a test: what to check, and the report.

use std::fmt;
use std::future::{Future, IntoFuture, pending};
use std::pin::Pin;
use std::time::Duration;

use super::{Account, Error};
use crate::check::list::Selection;
use crate::check::{Options, Profile, Report, run};
use crate::client::Endpoint;

/// The checks of an app that receives the account's webhooks. They run when this value is awaited.
///
/// The app must be configured with the account's SID and token, and must verify signatures for exactly this URL. During
/// the run, the account's clock is frozen. Afterwards, its numbers, faxes and rules are as they were before.
/// docs/check.md in the repository lists the checks.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let app = wiremock::MockServer::start().await;
/// # let twiml = wiremock::ResponseTemplate::new(200).set_body_raw("<Response><Receive/></Response>", "text/xml");
/// # wiremock::Mock::given(wiremock::matchers::any()).respond_with(twiml).mount(&app).await;
/// # let app_url = app.uri();
/// # let emulator = fauxfax::Emulator::builder().start().await?;
/// let account = emulator.account()?;
/// let report = account.check(&format!("{app_url}/fax")).only(&["twiml", "signature-missing"]).await?;
///
/// // This app gives TwiML to anyone:
/// let failed: Vec<&str> = report.failures().map(|result| result.check.id).collect();
/// assert_eq!(failed, ["signature-missing"], "{report}");
/// # Ok(())
/// # }
/// ```
#[must_use = "the checks don't run before this is awaited"]
pub struct CheckApp {
    account: Account,
    url: String,
    action: Option<String>,
    status_callback: Option<String>,
    send: Option<String>,
    probe: Option<String>,
    work: Option<Duration>,
    owns_host: bool,
    selection: Selection,
}

impl CheckApp {
    pub(super) fn new(account: Account, url: &str) -> Self {
        Self {
            account,
            url: url.to_owned(),
            action: None,
            status_callback: None,
            send: None,
            probe: None,
            work: None,
            owns_host: false,
            selection: Selection::default(),
        }
    }

    /// Sets the URL to notify when a fax has been received, instead of the action in the app's TwiML.
    pub fn action(mut self, url: &str) -> Self {
        self.action = Some(url.to_owned());
        self
    }

    /// Sets the URL that the app names as `StatusCallback` when it sends a fax.
    pub fn status_callback(mut self, url: &str) -> Self {
        self.status_callback = Some(url.to_owned());
        self
    }

    /// Sets the shell command that makes the app send a fax.
    pub fn send_with(mut self, command: &str) -> Self {
        self.send = Some(command.to_owned());
        self
    }

    /// Sets a page of the app that is compared before and after, such as a list of received faxes.
    pub fn probe(mut self, url: &str) -> Self {
        self.probe = Some(url.to_owned());
        self
    }

    /// Sets how long to wait for what the app should do after it has responded; five seconds by default.
    pub const fn patience(mut self, patience: Duration) -> Self {
        self.work = Some(patience);
        self
    }

    /// Runs only the checks about faxes in this direction.
    pub fn profile(mut self, profile: Profile) -> Self {
        self.selection.profiles.push(profile);
        self
    }

    /// Runs only the checks that every app must pass.
    pub const fn quick(mut self) -> Self {
        self.selection.quick = true;
        self
    }

    /// Runs only these checks, given by name or code.
    pub fn only(mut self, checks: &[&str]) -> Self {
        self.selection.only.extend(checks.iter().map(|name| (*name).to_owned()));
        self
    }

    /// Doesn't run these checks, given by name or code.
    pub fn skip(mut self, checks: &[&str]) -> Self {
        self.selection.skip.extend(checks.iter().map(|name| (*name).to_owned()));
        self
    }

    /// Allows an app at a public address, which may be checked only by the host's owner.
    pub const fn i_own_this_host(mut self) -> Self {
        self.owns_host = true;
        self
    }

    async fn judged(self) -> Result<Report, Error> {
        let Account { registry, .. } = &self.account;
        let checks = self.selection.checks().map_err(|error| Error::Check(error.to_string()))?;
        let mut options = Options::new(&self.url, checks);
        if !self.selection.profiles.is_empty() {
            options.profiles = self.selection.profiles;
        }
        options.account = Some(self.account.sid().to_string());
        options.action = self.action;
        options.status_callback = self.status_callback;
        options.send = self.send;
        options.probe = self.probe;
        options.owns_host = self.owns_host;
        options.limits.work = self.work.unwrap_or(options.limits.work);
        options.client = registry.client_options().clone();
        let url = self.account.url.parse().map_err(|error| Error::Check(format!("{}: {error}", self.account.url)))?;
        let control_token = registry.settings().guard.control_token.as_deref().map(ToOwned::to_owned);
        let endpoint = Endpoint { url, address: None, control_token };
        run(endpoint, options, &|_| (), pending()).await.map_err(|error| Error::Check(error.to_string()))
    }
}

impl IntoFuture for CheckApp {
    type Output = Result<Report, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.judged())
    }
}

impl fmt::Debug for CheckApp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CheckApp").field("url", &self.url).field("selection", &self.selection).finish_non_exhaustive()
    }
}
