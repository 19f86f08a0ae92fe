//! Runs the selected checks against the app, within limits on time, requests and rate, and reports the results.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::stream::{self, StreamExt};
use tokio::sync::OnceCell;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, timeout};
use url::Url;

use super::control_test::ControlTests;
use super::conversation::Conversation;
use super::direct::{Closing, Direct, Raw};
use super::effects::Usual;
use super::exchange::Exchange;
use super::old_tls::HelloReply;
use super::options::{CHECKS_AT_ONCE_MAX, FIRST_CALLER, Options, STIMULUS_INTERVAL};
use super::page::Page;
use super::place::Place;
use super::report::{Report, Result as CheckResult};
use super::{Check, Finding, Judged, RunError, Stop, Turn, Verdict};
use crate::client::{ApiError, Endpoint};
use crate::dialect::unseen;
use crate::model::account::Dialect;

/// The maximum number of times that the page of `--probe` is read in one run.
const PAGE_READS_MAX: usize = 2_000;
/// The status of a response that refuses a request because there were too many before it.
const TOO_MANY_REQUESTS: u16 = 429;
/// What replaces the account's token in the results.
const MASK: &str = "***";

/// How far a run has come.
#[derive(Debug, Clone, Copy)]
pub struct Progress<'a> {
    /// The number of checks that have ended.
    pub done: usize,
    /// The number of selected checks.
    pub total: usize,
    /// The newest result.
    pub latest: Option<&'a CheckResult>,
}

/// A run: the account in which it happens, and everything that the checks share.
pub struct Run {
    /// What to check, and how.
    pub options: Options,
    pub(super) place: Place,
    pub(super) control: ControlTests,
    pub(super) callers: AtomicU64,
    pub(super) direct: Direct,
    /// The number of requests to the app that have been made or are expected.
    requests: AtomicUsize,
    pace: tokio::sync::Mutex<Interval>,
    /// Held while the app sends a fax for a check that runs beside others.
    pub(super) sending: tokio::sync::Mutex<()>,
    /// Why no further request may be made.
    stopped: Mutex<Option<String>>,
    /// Whether the emulator stopped responding.
    lost_emulator: AtomicBool,
    /// Whether the page of `--probe` changes by itself, so that it isn't compared.
    pub(super) page_is_unsteady: AtomicBool,
    /// The page of `--probe` before the first fax.
    pub(super) first_page: Option<Page>,
    /// What the app does about a usual fax.
    pub(super) usual: OnceCell<Usual>,
    /// How the app was judged by requests that it must refuse, by the ids of the checks, if all were judged together.
    pub(super) refusals: OnceCell<BTreeMap<&'static str, Judged>>,
    /// How often the page of `--probe` was read.
    page_reads: AtomicUsize,
    /// Whether a check has already failed because the app went down.
    app_is_gone: AtomicBool,
}

/// Runs the checks. When `cancel` completes, the run ends early. If the emulator outlives the run, what the run has
/// changed is put back before this returns; if the returned future is dropped, that can't happen.
///
/// # Errors
/// Fails if the run can't begin: the app's address is not a URL, or is public, or leads to a public one, or the emulator or
/// its account can't be used.
pub async fn run(
    endpoint: Endpoint,
    options: Options,
    progress: &(dyn Fn(Progress<'_>) + Send + Sync),
    cancel: impl Future<Output = ()>,
) -> Result<Report, RunError> {
    let begun = Instant::now();
    let direct = Direct::new(&options.client, !options.owns_host, options.limits.late)?;
    for url in [Some(&options.url), options.action.as_ref(), options.status_callback.as_ref(), options.probe.as_ref()] {
        let Some(url) = url else { continue };
        let parsed = Url::parse(url).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        parsed.ok_or_else(|| RunError::NotUrl(url.clone()))?;
        direct.check_private(url).await.map_err(RunError::Public)?;
    }
    let place = Place::prepare(endpoint, &options, &options.limits.voice_url(&options.url)).await?;
    let mut run = Run::new(place, options, direct);
    let results = Mutex::new(Vec::new());
    let judging = async {
        run.scout().await?;
        // The checks that compare the page say why it can't be read.
        run.first_page = run.probe().await.unwrap_or_default();
        run.control = ControlTests::made(&run).await;
        run.judge_all(begun, &results, progress).await;
        Ok::<_, RunError>(())
    };
    let (begins, cut) = tokio::select! {
        begins = judging => (begins, None),
        () = cancel => (Ok(()), Some("the run was interrupted")),
    };
    let notes = run.place.restore(&run.options).await;
    begins?;
    let results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    let results = in_order(&run.options.checks, results, cut.unwrap_or("the run ended before this check"));
    Ok(Report {
        url: run.options.url,
        account: run.place.sid,
        results,
        notes,
        interrupted: cut.is_some(),
        lost_emulator: run.lost_emulator.into_inner(),
        requests: run.requests.into_inner(),
        duration: begun.elapsed(),
    })
}

impl Run {
    fn new(place: Place, options: Options, direct: Direct) -> Self {
        let mut pace = interval(STIMULUS_INTERVAL);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            options,
            place,
            control: ControlTests::not_made(),
            callers: AtomicU64::new(FIRST_CALLER),
            direct,
            requests: AtomicUsize::new(0),
            pace: tokio::sync::Mutex::new(pace),
            sending: tokio::sync::Mutex::new(()),
            stopped: Mutex::new(None),
            lost_emulator: AtomicBool::new(false),
            page_is_unsteady: AtomicBool::new(false),
            first_page: None,
            usual: OnceCell::new(),
            refusals: OnceCell::new(),
            page_reads: AtomicUsize::new(0),
            app_is_gone: AtomicBool::new(false),
        }
    }

    /// Returns the dialect of the webhooks that the app receives.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.place.dialect
    }

    /// Returns the account's token, which no response may contain.
    #[must_use]
    pub fn secret(&self) -> &str {
        &self.place.token
    }

    /// Runs the checks that may run beside others first, and then the rest, one after the other.
    async fn judge_all(
        &self,
        begun: Instant,
        results: &Mutex<Vec<CheckResult>>,
        progress: &(dyn Fn(Progress<'_>) + Send + Sync),
    ) {
        let total = self.options.checks.len();
        progress(Progress { done: 0, total, latest: None });
        let judge = async |check: &'static Check| {
            let result = self.judge(check, begun).await;
            let mut results = results.lock().unwrap_or_else(PoisonError::into_inner);
            progress(Progress { done: results.len() + 1, total, latest: Some(&result) });
            results.push(result);
        };
        let is_beside = |check: &&Check| match check.turn {
            Turn::Beside => true,
            Turn::AloneWithProbe => self.options.probe.is_none(),
            Turn::Alone => false,
        };
        let (beside, alone): (Vec<&'static Check>, Vec<_>) = self.options.checks.iter().copied().partition(is_beside);
        stream::iter(beside).for_each_concurrent(CHECKS_AT_ONCE_MAX, judge).await;
        for check in alone {
            // A check that ran out of time may have left rules, which match the faxes of others.
            self.remove_all_rules().await;
            judge(check).await;
        }
    }

    async fn judge(&self, check: &'static Check, begun: Instant) -> CheckResult {
        let started = Instant::now();
        let left = self.options.limits.run.saturating_sub(begun.elapsed());
        let limit = self.options.limits.check.min(left);
        let judged = if left.is_zero() {
            Err(Stop::not_judged(format!("the run had already taken {} s", self.options.limits.run.as_secs_f64())))
        } else {
            let late = || Stop::not_judged(format!("the check did not end within {} s", limit.as_secs_f64()));
            timeout(limit, (check.run)(self)).await.unwrap_or_else(|_| Err(late()))
        };
        // An app that has gone down was brought down by the run's requests, as far as anyone can tell.
        let mut worst = check.severity.worst();
        let judged = match judged {
            Err(Stop::Gone(why)) if self.has_responded() && !self.app_is_gone.swap(true, Ordering::Relaxed) => {
                // The app fails for this whatever the severity of the check that noticed it.
                worst = Verdict::Fail;
                Ok(Finding::fault(format!("{why}; it went down during this check, or one beside it")))
            }
            judged => judged,
        };
        let finding = judged.unwrap_or_else(|stop| {
            if let Stop::Api(ApiError::Unreachable { .. }) = stop {
                self.lost_emulator.store(true, Ordering::Relaxed);
            }
            Finding { verdict: Verdict::NotJudged, seen: stop.to_string(), exchange: None }
        });
        let Finding { verdict, seen, mut exchange } = finding;
        if let Some(exchange) = &mut exchange {
            exchange.mask(&self.place.token, MASK);
        }
        // An app may answer with anything, so the text is put on one line, and its characters can't act on a terminal.
        let seen = unseen::replaced(&seen.replace(&self.place.token, MASK));
        let verdict = if verdict == Verdict::Fail { worst } else { verdict };
        CheckResult { check, verdict, seen, exchange: exchange.map(|exchange| *exchange), duration: started.elapsed() }
    }

    /// Makes a direct request to the app, of a kind that the emulator never makes.
    ///
    /// # Errors
    /// Fails at the limit of requests.
    pub async fn ask(&self, raw: &Raw<'_>) -> Result<Exchange, Stop> {
        self.admit(1).await?;
        Ok(self.direct.ask(raw).await)
    }

    /// Makes a request and asks the app to close the connection after it. Returns how the connection ends, or why that
    /// isn't known.
    ///
    /// # Errors
    /// Fails at the limit of requests.
    pub async fn closing(&self, url: &str) -> Result<Result<Closing, String>, Stop> {
        self.admit(1).await?;
        Ok(self.direct.closing(url, self.options.limits.close).await)
    }

    /// Returns the HTTP method with which the number asks the app.
    #[must_use]
    pub fn method(&self) -> &str {
        &self.place.method
    }

    /// Begins a handshake with the app in a version of TLS that is too old, and returns how the app responds, or why that
    /// isn't known.
    ///
    /// # Errors
    /// Fails at the limit of requests.
    pub async fn old_hello(&self, url: &str) -> Result<Result<HelloReply, String>, Stop> {
        self.admit(1).await?;
        Ok(self.direct.old_hello(url).await)
    }

    /// Returns why the app's certificate is invalid, if it is, whatever the options say about invalid certificates.
    pub async fn certificate_fault(&self, url: &str) -> Option<String> {
        self.direct.connect_verified(url).await.err()
    }

    /// Makes a connection to the app, and returns how long that took, or why it failed.
    pub async fn connect(&self, url: &str) -> Result<Duration, String> {
        self.direct.connect(url).await
    }

    /// Checks that a response says something about the request. That the app limits how many requests it accepts says
    /// nothing about this one. An app that gave no response must still be reachable.
    ///
    /// # Errors
    /// Fails if the app has responded 429, or if it can't be reached any more.
    pub async fn meant(&self, exchange: &Exchange) -> Result<(), Stop> {
        if exchange.status == Some(TOO_MANY_REQUESTS) {
            let why =
                "the app responded 429 because it limits how many requests it accepts; raise its limit for the check";
            return Err(Stop::not_judged(why));
        }
        self.still_there(exchange).await
    }

    /// Checks that an app can still be reached if it gave no response. An app that can't be reached can't be judged; if
    /// it can be reached, the missing response is the app's fault.
    ///
    /// # Errors
    /// Fails if the app can't be reached any more.
    pub async fn still_there(&self, exchange: &Exchange) -> Result<(), Stop> {
        if exchange.status.is_some() {
            return Ok(());
        }
        let gone = |why| Stop::Gone(format!("the app can't be reached any more: {why}"));
        self.connect(&exchange.url).await.map(drop).map_err(gone)
    }

    /// Returns whether the app responded to any of the good requests.
    fn has_responded(&self) -> bool {
        let responded = |made: Result<&Conversation, Stop>| {
            made.is_ok_and(|made| made.exchanges.iter().any(|exchange| exchange.status.is_some()))
        };
        responded(self.received()) || responded(self.sent())
    }

    /// Reads the page of `--probe`. Reading it doesn't count as one of the run's requests, because it changes nothing in
    /// the app.
    ///
    /// # Errors
    /// Fails at the limit of reads, or if no further request may be made.
    pub(super) async fn look(&self, url: &str) -> Result<Exchange, Stop> {
        if self.page_reads.fetch_add(1, Ordering::Relaxed) >= PAGE_READS_MAX {
            return Err(Stop::not_judged(format!("the run has read the page of --probe {PAGE_READS_MAX} times")));
        }
        self.admit(0).await?;
        Ok(self.direct.ask(&Raw { method: "GET", url, ..Raw::default() }).await)
    }

    /// Waits until a stimulus with this number of requests may be made.
    pub(super) async fn admit(&self, requests: usize) -> Result<(), Stop> {
        if let Some(why) = &*self.stopped.lock().unwrap_or_else(PoisonError::into_inner) {
            return Err(Stop::not_judged(why.clone()));
        }
        let limit = self.options.limits.requests;
        if self.requests.fetch_add(requests, Ordering::Relaxed) + requests > limit {
            self.requests.fetch_sub(requests, Ordering::Relaxed);
            return Err(Stop::not_judged(format!("the run has made its {limit} requests to the app")));
        }
        self.pace.lock().await.tick().await;
        Ok(())
    }

    /// Counts requests that a stimulus caused beyond the expected ones.
    pub(super) fn took(&self, requests: usize) {
        self.requests.fetch_add(requests, Ordering::Relaxed);
    }

    /// Stops the run if the app has redirected the emulator to a public address. An emulator in this process has refused
    /// to follow; another one may have followed.
    pub(super) async fn stay_private(&self, url: &str) -> Result<(), Stop> {
        let Err(why) = self.direct.check_private(url).await else { return Ok(()) };
        let why = format!("the app redirects to another host: {why}, which is not checked without --i-own-this-host");
        *self.stopped.lock().unwrap_or_else(PoisonError::into_inner) = Some(why.clone());
        Err(Stop::not_judged(why))
    }
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run").field("url", &self.options.url).field("account", &self.place.sid).finish_non_exhaustive()
    }
}

/// Returns one result for each check, in the order of the checks.
fn in_order(checks: &[&'static Check], mut results: Vec<CheckResult>, why: &str) -> Vec<CheckResult> {
    let missing = |check| CheckResult {
        check,
        verdict: Verdict::NotJudged,
        seen: why.to_owned(),
        exchange: None,
        duration: Duration::ZERO,
    };
    let mut of = |check: &&'static Check| {
        let at = results.iter().position(|result| result.check.id == check.id);
        at.map_or_else(|| missing(*check), |at| results.swap_remove(at))
    };
    checks.iter().map(&mut of).collect()
}
