//! What to check, of which app, and within which limits.

use std::time::Duration;

use super::{Check, Profile};
use crate::io::client::ClientOptions;

/// The maximum number of requests to the app in one run.
const REQUESTS_MAX: usize = 500;
/// The number of pages of a long fax. Its document is about nine megabytes long.
const LONG_FAX_PAGES: u32 = 200;
/// The maximum number of checks that run side by side.
pub(super) const CHECKS_AT_ONCE_MAX: usize = 4;
/// The shortest interval between two faxes or direct requests. A run makes at most a hundred of them per second.
pub(super) const STIMULUS_INTERVAL: Duration = Duration::from_millis(10);
/// The maximum number of bytes that are read of the app's response to a direct request, or of the page of `--probe`.
pub(super) const ANSWER_BYTES_MAX: usize = 256 * 1024;
/// The time limit for an app to accept a connection.
pub(super) const CONNECT_TIME_MAX: Duration = Duration::from_secs(5);

/// The first of the numbers that call or are called; the others follow it in order.
pub(super) const FIRST_CALLER: u64 = 15_553_000_000;

/// What to check, and how.
#[derive(Debug, Clone)]
pub struct Options {
    /// The app's address for incoming faxes.
    pub url: String,
    /// The address that the app wants to be notified at when a fax has been received; the one in its TwiML if left out.
    pub action: Option<String>,
    /// The address that the app wants to be notified at about faxes that it sends.
    pub status_callback: Option<String>,
    /// A shell command that makes the app send a fax.
    pub send: Option<String>,
    /// A page of the app that is compared before and after, which shows effects that can't be seen otherwise.
    pub probe: Option<String>,
    /// The account that the app is configured with; the emulator's default account if left out.
    pub account: Option<String>,
    /// The token that the app is configured with; the one that the account has in the emulator if left out.
    pub auth_token: Option<String>,
    /// Whether an app at a public address may be checked.
    pub owns_host: bool,
    /// Whether the emulator outlives the run, so that what the run changes in it must be put back.
    pub restores: bool,
    /// The directions of faxes that are judged.
    pub profiles: Vec<Profile>,
    /// The selected checks, in the order of the list.
    pub checks: Vec<&'static Check>,
    /// How requests that don't come from the emulator reach the app.
    pub client: ClientOptions,
    /// The limits on time and requests.
    pub limits: Limits,
}

/// The limits of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// A response that takes longer than this is worth a warning.
    pub slow: Duration,
    /// A response that takes longer than this is too late: the service gives up.
    pub late: Duration,
    /// How long to look, after the app has responded, for something that it should not do.
    pub settle: Duration,
    /// How long to wait, after the app has responded, for something that it should do, such as a download.
    pub work: Duration,
    /// When many faxes come at once, a response that takes longer than this is too late.
    pub burst: Duration,
    /// How long the app may take to close a connection that it was asked to close.
    pub close: Duration,
    /// How long the command that makes the app send a fax may take.
    pub send: Duration,
    /// How long one check may take.
    pub check: Duration,
    /// How long the whole run may take, not counting the time for putting back what it changed.
    pub run: Duration,
    /// The maximum number of requests to the app.
    pub requests: usize,
    /// The number of pages of a long fax.
    pub long_fax_pages: u32,
}

impl Limits {
    /// Twilio's time limit for a response to a webhook.
    pub const LATE: Duration = Duration::from_secs(15);

    /// Returns the URL for the number: the app's, with the time limit `late` if that isn't the service's own.
    pub(super) fn voice_url(&self, url: &str) -> String {
        if self.late == Self::LATE {
            return url.to_owned();
        }
        let separator = if url.contains('#') { '&' } else { '#' };
        let late = self.late.as_millis();
        format!("{url}{separator}rt={late}&tt={late}")
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            slow: Duration::from_secs(2),
            late: Self::LATE,
            settle: Duration::from_millis(300),
            work: Duration::from_secs(5),
            burst: Duration::from_secs(5),
            close: Duration::from_secs(2),
            send: Duration::from_secs(30),
            check: Duration::from_secs(90),
            run: Duration::from_secs(600),
            requests: REQUESTS_MAX,
            long_fax_pages: LONG_FAX_PAGES,
        }
    }
}

impl Options {
    /// Returns the options for checking the app at this URL with these checks; everything else has its default.
    #[must_use]
    pub fn new(url: &str, checks: Vec<&'static Check>) -> Self {
        Self {
            url: url.to_owned(),
            action: None,
            status_callback: None,
            send: None,
            probe: None,
            account: None,
            auth_token: None,
            owns_host: false,
            restores: true,
            profiles: Profile::ALL.to_vec(),
            checks,
            client: ClientOptions::default(),
            limits: Limits::default(),
        }
    }
}
