//! `/check`: judges an app with the checks of `crate::check`, in an account of this emulator. A run is a separate task,
//! which continues even if its client goes away, because it has to put back what it changed.
//!
//! An account has at most one run at a time. The report of its last run is kept until its next run begins, or until too
//! many other accounts have reports.

use std::collections::BTreeMap;
use std::future::pending;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use futures_util::FutureExt;
use futures_util::future::join_all;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::watch;
use url::Url;

use super::extract::{Addressed, JsonBody, Observed};
use super::problem::Problem;
use crate::check::list::{self, Selection};
use crate::check::{Check, Options, Profile, Progress, RunError, run};
use crate::client::{ApiError, Endpoint};
use crate::emulator::Registry;
use crate::http::{ListenAddress, Scheme, origin};
use crate::model::sid::AccountSid;

/// The maximum number of runs at a time, of all accounts.
const RUNS_MAX: usize = 4;
/// The maximum number of accounts whose last report is kept.
const REPORTS_MAX: usize = 100;
/// How long the emulator waits for runs to put everything back before it stops.
const END_TIME_MAX: Duration = Duration::from_secs(5);
/// The longest time to wait for what the app should do, in seconds.
const PATIENCE_MAX_S: f64 = 60.0;

/// The runs of all accounts. Clones share them.
#[derive(Clone, Default)]
pub struct Checks(Arc<Mutex<Runs>>);

#[derive(Default)]
struct Runs {
    of: BTreeMap<AccountSid, Started>,
    /// The number of runs so far, used to find the oldest report.
    count: u64,
}

struct Started {
    place: u64,
    standing: watch::Receiver<Standing>,
    cancel: watch::Sender<bool>,
}

/// How far a run has come.
#[derive(Debug, Clone, Default)]
struct Standing {
    done: usize,
    total: usize,
    latest: Option<&'static str>,
    end: Option<Result<Arc<Value>, Problem>>,
}

/// The app to check, and how.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CheckOrder {
    /// The app's URL for incoming faxes; it must be the one that the app verifies signatures for.
    url: String,
    /// URL to notify when a fax has been received, instead of the action in the app's TwiML.
    action: Option<String>,
    /// URL that the app names as StatusCallback when it sends a fax.
    status_callback: Option<String>,
    /// Page of the app to compare before and after, such as a list of received faxes.
    probe: Option<String>,
    /// Token that the app verifies signatures with; by default, the account's own.
    auth_token: Option<String>,
    /// The direction of the faxes that the checks are about: `inbound`, `outbound`, or `all`, which is the default.
    profile: Option<String>,
    /// Only the checks that every app must pass.
    #[serde(default)]
    quick: bool,
    /// Only these checks, by name or code, such as `signature-missing` or `S2`; empty for all.
    #[serde(default)]
    only: Vec<String>,
    /// Checks to leave out, by name or code.
    #[serde(default)]
    skip: Vec<String>,
    /// Seconds to wait for what the app should do after it has responded, such as a download; 5 by default.
    patience: Option<f64>,
    /// Whether an app at a public address may be checked, which is allowed only if the host is yours.
    #[serde(default)]
    i_own_this_host: bool,
    /// Whether to respond only when the run has ended, with its report; true by default. If false, the response comes
    /// at once, and GET /check returns the report later.
    wait: Option<bool>,
}

/// A run of the checks: how far it has come, and its report.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "CheckRun")]
pub(super) struct RunView {
    /// `none` if no run is known, `running`, `ended`, or `failed` if the run could not begin or the emulator has a bug.
    state: &'static str,
    /// Number of checks that have ended.
    done: usize,
    /// Number of selected checks.
    total: usize,
    /// The check that ended last.
    latest: Option<&'static str>,
    /// The report, once the run has ended.
    report: Option<Value>,
    /// The reason that the run failed.
    error: Option<String>,
}

/// The list of all checks.
#[derive(Serialize, JsonSchema)]
pub(super) struct CheckList {
    checks: Vec<Value>,
}

/// Lists all checks.
pub(super) async fn list() -> Json<CheckList> {
    Json(CheckList { checks: list::all().map(Check::json).collect() })
}

/// Shows the account's run that is under way, or else the one that ended last.
pub(super) async fn show(Observed(world): Observed, Extension(checks): Extension<Checks>) -> Json<RunView> {
    let standing = checks.lock().of.get(&world.sid()).map(|started| started.standing.borrow().clone());
    Json(standing.map_or_else(RunView::none, RunView::of))
}

/// Ends the account's run early, if one is under way, and returns once everything that it changed has been put back.
pub(super) async fn cancel(
    State(registry): State<Registry>,
    Observed(world): Observed,
    Extension(checks): Extension<Checks>,
) -> Result<StatusCode, Problem> {
    let running = {
        let runs = checks.lock();
        let started = runs.of.get(&world.sid()).filter(|started| started.is_running());
        started.map(|started| {
            started.cancel.send_replace(true);
            started.standing.clone()
        })
    };
    if let Some(running) = running {
        // The report or error of the run does not matter here.
        let _ = ended(&registry, running).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Begins a run.
pub(super) async fn start(
    State(registry): State<Registry>,
    Addressed(world): Addressed,
    Extension(checks): Extension<Checks>,
    Extension(ListenAddress(address)): Extension<ListenAddress>,
    parts: Parts,
    JsonBody(order): JsonBody<CheckOrder>,
) -> Result<Response, Problem> {
    let waits = order.wait.unwrap_or(true);
    let options = options(order, world.sid(), &registry)?;
    let endpoint = endpoint(&registry, &parts, address)?;
    let standing = checks.begin(world.sid(), endpoint, options)?;
    if waits {
        let report = ended(&registry, standing).await??;
        return Ok(Json(Value::clone(&report)).into_response());
    }
    let view = RunView::of(standing.borrow().clone());
    Ok((StatusCode::ACCEPTED, Json(view)).into_response())
}

/// Waits for the end of a run.
async fn ended(
    registry: &Registry,
    mut standing: watch::Receiver<Standing>,
) -> Result<Result<Arc<Value>, Problem>, Problem> {
    let gone = || Problem::new(500, "check-failed", "the run was given up because of a bug in the emulator");
    let end = async {
        let last = standing.wait_for(|standing| standing.end.is_some()).await.map_err(|_| gone())?;
        last.end.clone().ok_or_else(gone)
    };
    tokio::select! {
        end = end => end,
        () = registry.stopping() => Err(Problem::stopping()),
    }
}

impl Checks {
    /// Ends all runs early, and waits until what they changed has been put back, or at most [`END_TIME_MAX`].
    pub async fn end_all(&self) {
        let running: Vec<watch::Receiver<Standing>> = {
            let runs = self.lock();
            let running = runs.of.values().filter(|started| started.is_running());
            let ended = running.map(|started| {
                started.cancel.send_replace(true);
                started.standing.clone()
            });
            ended.collect()
        };
        // Not an async closure, over which incremental builds with rustc 1.95 panic when an earlier build is reused.
        let ends = running.into_iter().map(|mut standing| async move {
            // An error means that the run's task has ended, too.
            drop(standing.wait_for(|standing| standing.end.is_some()).await);
        });
        // A run that can't put everything back in time must not keep the emulator from stopping.
        let _ = tokio::time::timeout(END_TIME_MAX, join_all(ends)).await;
    }

    fn lock(&self) -> MutexGuard<'_, Runs> {
        // Each change of the map is a single call, so a panic can't have left one half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[expect(clippy::disallowed_methods, reason = "a run must put back what it changed, even if its client has gone")]
    fn begin(
        &self,
        account: AccountSid,
        endpoint: Endpoint,
        options: Options,
    ) -> Result<watch::Receiver<Standing>, Problem> {
        let total = options.checks.len();
        let (report, standing) = watch::channel(Standing { total, ..Standing::default() });
        let (cancel, mut canceled) = watch::channel(false);
        let mut runs = self.lock();
        if runs.of.get(&account).is_some_and(Started::is_running) {
            let detail =
                format!("checks are running in account {account}; wait for them, or end them with DELETE /check");
            return Err(Problem::new(409, "check-running", detail));
        }
        if runs.of.values().filter(|started| started.is_running()).count() >= RUNS_MAX {
            let detail = format!("the checks of {RUNS_MAX} other accounts are running; try again later");
            return Err(Problem::new(429, "limit-reached", detail));
        }
        runs.count += 1;
        let place = runs.count;
        runs.of.insert(account, Started { place, standing: standing.clone(), cancel });
        runs.forget_oldest();
        drop(runs);
        tokio::runtime::Handle::current().spawn(async move {
            let stop = async move {
                // The sender lives as long as the run, so an error can't occur before the run ends.
                if canceled.wait_for(|canceled| *canceled).await.is_err() {
                    pending::<()>().await;
                }
            };
            let progress = |progress: Progress<'_>| {
                report.send_modify(|standing| {
                    standing.done = progress.done;
                    standing.latest = progress.latest.map(|result| result.check.id);
                });
            };
            let judged = AssertUnwindSafe(run(endpoint, options, &progress, stop)).catch_unwind().await;
            let end = match judged {
                Ok(Ok(report)) => Ok(Arc::new(report.json())),
                Ok(Err(error)) => Err(problem(&error)),
                Err(_) => Err(Problem::new(500, "check-failed", "the run failed because of a bug in the emulator")),
            };
            report.send_modify(|standing| standing.end = Some(end));
        });
        Ok(standing)
    }
}

impl Runs {
    /// Forgets the oldest report of an ended run if there are too many.
    fn forget_oldest(&mut self) {
        let ended = self.of.iter().filter(|(_, started)| !started.is_running());
        let oldest = ended.min_by_key(|(_, started)| started.place).map(|(account, _)| *account);
        if self.of.len() > REPORTS_MAX
            && let Some(account) = oldest
        {
            self.of.remove(&account);
        }
    }
}

impl Started {
    fn is_running(&self) -> bool {
        self.standing.borrow().end.is_none()
    }
}

impl RunView {
    fn none() -> Self {
        Self { state: "none", done: 0, total: 0, latest: None, report: None, error: None }
    }

    fn of(standing: Standing) -> Self {
        let Standing { done, total, latest, end } = standing;
        let (state, report, error) = match end {
            None => ("running", None, None),
            Some(Ok(report)) => ("ended", Some(Value::clone(&report)), None),
            Some(Err(problem)) => ("failed", None, Some(problem.detail().to_owned())),
        };
        Self { state, done, total, latest, report, error }
    }
}

fn options(order: CheckOrder, account: AccountSid, registry: &Registry) -> Result<Options, Problem> {
    let bad = |detail: String| Problem::new(422, "bad-field", detail);
    let profiles = match order.profile.as_deref() {
        None | Some("all") => Vec::new(),
        Some(word) => {
            let profile = Profile::from_word(word);
            let wrong = || bad(format!("profile: must be inbound, outbound or all, not {word:?}"));
            vec![profile.ok_or_else(wrong)?]
        }
    };
    let patience = order.patience.map(|patience| {
        let is_valid = (0.0..=PATIENCE_MAX_S).contains(&patience);
        let wrong = || bad(format!("patience: must be seconds from 0 to {PATIENCE_MAX_S}, not {patience}"));
        is_valid.then(|| Duration::from_secs_f64(patience)).ok_or_else(wrong)
    });
    let patience = patience.transpose()?;
    let selection = Selection { profiles, quick: order.quick, only: order.only, skip: order.skip };
    let checks = selection.checks().map_err(|unknown| {
        let hint = unknown.nearest.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
        bad(format!("only, skip: must name checks, not {:?}{hint}; GET /check/list has them", unknown.name))
    })?;
    if checks.is_empty() {
        return Err(bad("only, skip: this selection leaves no checks to run".to_owned()));
    }
    let mut options = Options::new(&order.url, checks);
    if !selection.profiles.is_empty() {
        options.profiles = selection.profiles;
    }
    options.account = Some(account.to_string());
    options.auth_token = order.auth_token;
    options.action = order.action;
    options.status_callback = order.status_callback;
    options.probe = order.probe;
    options.owns_host = order.i_own_this_host;
    options.limits.work = patience.unwrap_or(options.limits.work);
    options.client = registry.client_options().clone();
    Ok(options)
}

/// Returns the endpoint of this emulator. Its URL has the configured public host, or else the host that this call was
/// addressed to, so that the app can reach the emulator. The run itself connects to the listener's address, because the
/// host name may not resolve inside a container.
fn endpoint(registry: &Registry, parts: &Parts, address: SocketAddr) -> Result<Endpoint, Problem> {
    let settings = registry.settings();
    let origin = origin(parts, settings.public_url.as_ref());
    // The run speaks plain HTTP, which every listener accepts.
    let url = origin.replacen(&format!("{}://", Scheme::Https.as_str()), "http://", 1);
    let invalid = |error| Problem::new(400, "bad-host", format!("{origin}: {error}"));
    let url = Url::parse(&url).map_err(invalid)?;
    let ip = if address.ip().is_unspecified() { IpAddr::V4(Ipv4Addr::LOCALHOST) } else { address.ip() };
    let address = Some(SocketAddr::new(ip, address.port()));
    let control_token = settings.guard.control_token.as_deref().map(ToOwned::to_owned);
    Ok(Endpoint { url, address, control_token })
}

fn problem(error: &RunError) -> Problem {
    let (status, name) = match error {
        RunError::NotUrl(_) => (422, "bad-field"),
        RunError::Public(_) => (422, "public-app"),
        RunError::OtherToken { .. } => (409, "other-token"),
        RunError::NoToken { .. } => (409, "account-unclaimed"),
        RunError::Busy { .. } => (409, "faxes-in-progress"),
        RunError::UnderWay { .. } => (409, "check-running"),
        RunError::Api(ApiError::Refused { .. }) => (409, "check-refused"),
        RunError::Api(ApiError::Unreachable { .. } | ApiError::Foreign { .. }) | RunError::Client(_) => {
            (500, "check-failed")
        }
    };
    Problem::new(status, name, error.to_string())
}
