//! Judgements that checks have in common: whether the app refuses a wrong request, or accepts a right one.

use std::collections::BTreeMap;

use futures_util::future;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::check::activity::Request;
use crate::check::conversation::Conversation;
use crate::check::page::Page;
use crate::check::{Exchange, Finding, Judged, Run, Stop};
use crate::model::webhook::Purpose;

/// Makes a fax with a rule whose `webhook` effect changes the requests with this purpose. Returns the first of these
/// requests, and the conversation that it belongs to.
pub(super) async fn changed(run: &Run, purpose: Purpose, effect: &Value) -> Result<(Conversation, Exchange), Stop> {
    let conversation = made(run, purpose, effect).await?;
    let exchange = first(run, &conversation, purpose).await?;
    Ok((conversation, exchange))
}

/// Makes the same fax as [`changed`]. The rule may also drop the request.
async fn made(run: &Run, purpose: Purpose, effect: &Value) -> Result<Conversation, Stop> {
    if purpose == Purpose::StatusCallback {
        run.send_changed(effect).await
    } else {
        run.receive(run.call_with(purpose, effect)).await
    }
}

/// Returns a conversation's first request with this purpose.
async fn first(run: &Run, conversation: &Conversation, purpose: Purpose) -> Result<Exchange, Stop> {
    if let Some(exchange) = conversation.first_known(purpose) {
        run.meant(exchange).await?;
        return Ok(exchange.clone());
    }
    let why = match conversation.exchanges.iter().find(|exchange| !exchange.is_accepted()) {
        Some(other) => {
            run.meant(other).await?;
            format!("; it {} to another ({})", other.responded(), other.purpose)
        }
        None => String::new(),
    };
    Err(Stop::not_judged(format!("the app got no request ({purpose}){why}")))
}

/// Does the same as [`made`], and also returns the page of `--probe` as it was before the changed request. An app may show a
/// fax from the moment when it is asked for TwiML, so the page is read after that.
async fn made_after_page(run: &Run, purpose: Purpose, effect: &Value) -> Result<(Option<Page>, Conversation), Stop> {
    if run.options.probe.is_none() || !is_asked_before(run, purpose) {
        let before = run.steady_probe().await?;
        return Ok((before, made(run, purpose, effect).await?));
    }
    let pending = run.ring(run.call_held(purpose, effect)).await?;
    run.until_asked(&pending).await?;
    let before = run.steady_probe().await?;
    Ok((before, run.finish(pending).await?))
}

/// A check of requests that the app must refuse, by its id, and the rule's effect that makes a request with a purpose wrong.
pub(super) type Wrong = (&'static str, fn(Purpose) -> Value);

/// Judges for the check with this id, which is one of those in `all`, whether the app refuses wrong requests, and does nothing
/// about them. If a page shows what the app does, it is compared once for all of these checks, because each comparison takes
/// its time.
pub(super) async fn refused(run: &Run, all: &[Wrong], id: &str) -> Judged {
    if run.options.probe.is_some() {
        let judged = run.refusals.get_or_init(|| refused_together(run, all)).await.get(id).cloned();
        return judged.unwrap_or_else(|| Err(Stop::not_judged("the check has not been selected")));
    }
    let effect = all.iter().find(|(own, _)| *own == id).map(|(_, effect)| *effect);
    let effect = effect.ok_or_else(|| Stop::not_judged("the check has no wrong request"))?;
    let mut outcomes = Vec::new();
    for purpose in run.purposes()? {
        match refused_once(run, purpose, &effect(purpose)).await? {
            Ok(outcome) => outcomes.push(outcome),
            Err(finding) => return Ok(finding),
        }
    }
    Ok(refusals(&outcomes))
}

fn refusals(outcomes: &[String]) -> Finding {
    Finding::pass(format!("the app refused the wrong requests ({})", outcomes.join(", ")))
}

/// Makes one wrong request. Returns how the app refused it, or a finding if it did not, or did something about it.
async fn refused_once(run: &Run, purpose: Purpose, effect: &Value) -> Result<Result<String, Finding>, Stop> {
    let (before, conversation) = made_after_page(run, purpose, effect).await?;
    let exchange = first(run, &conversation, purpose).await?;
    if let Some(fault) = acceptance(run, purpose, &conversation, &exchange).await? {
        return Ok(Err(fault));
    }
    if run.probe_differs(before.as_ref()).await? && changes_because_of(run, purpose, effect).await? {
        let seen = format!("the app refused the wrong request ({purpose}), but the page of --probe has changed");
        return Ok(Err(Finding::fail(seen, &exchange)));
    }
    Ok(Ok(format!("{purpose}: {}", exchange.outcome())))
}

/// Returns a finding if the app did not refuse the wrong request, or if its calls and downloads show that it acted on it.
async fn acceptance(
    run: &Run,
    purpose: Purpose,
    conversation: &Conversation,
    exchange: &Exchange,
) -> Result<Option<Finding>, Stop> {
    if !exchange.is_refused() {
        let seen = format!("the app {} to the wrong request ({purpose}), not with 401 or 403", exchange.responded());
        return Ok(Some(Finding::fail(seen, exchange)));
    }
    let deed = deed(run, purpose, conversation).await?;
    Ok(deed.map(|deed| {
        let seen = format!("the app refused the wrong request ({purpose}), but acted on it: {deed}");
        Finding::fail(seen, exchange)
    }))
}

/// Judges all selected checks of wrong requests together: makes one request for each at the same time, and compares the
/// page once. If it has changed, each request is made again alone, to find those that the app acted on.
async fn refused_together(run: &Run, all: &[Wrong]) -> BTreeMap<&'static str, Judged> {
    let is_selected = |id: &str| run.options.checks.iter().any(|check| check.id == id);
    let selected = all.iter().filter(|(id, _)| is_selected(id));
    let mut cases: Vec<Case> = selected.map(|(id, effect)| Case::of(id, *effect)).collect();
    match run.purposes() {
        Ok(purposes) => {
            for purpose in purposes {
                judge_purpose(run, purpose, &mut cases).await;
            }
        }
        Err(stop) => cases.iter_mut().for_each(|case| case.end = Some(Err(stop.clone()))),
    }
    let judged = |case: Case| (case.id, case.end.unwrap_or_else(|| Ok(refusals(&case.outcomes))));
    cases.into_iter().map(judged).collect()
}

/// One check among those that are judged together.
struct Case {
    id: &'static str,
    effect: fn(Purpose) -> Value,
    /// How the app refused the requests so far.
    outcomes: Vec<String>,
    /// How the check ended, once it has.
    end: Option<Judged>,
}

impl Case {
    const fn of(id: &'static str, effect: fn(Purpose) -> Value) -> Self {
        Self { id, effect, outcomes: Vec::new(), end: None }
    }

    fn take(&mut self, refused: Result<Result<String, Finding>, Stop>) {
        match refused {
            Ok(Ok(outcome)) => self.outcomes.push(outcome),
            Ok(Err(finding)) => self.end = Some(Ok(finding)),
            Err(stop) => self.end = Some(Err(stop)),
        }
    }
}

/// Makes a wrong request with this purpose for each check that has not ended.
async fn judge_purpose(run: &Run, purpose: Purpose, cases: &mut [Case]) {
    let mut open: Vec<&mut Case> = cases.iter_mut().filter(|case| case.end.is_none()).collect();
    let effects: Vec<Value> = open.iter().map(|case| (case.effect)(purpose)).collect();
    let (made, is_page_same) = match all_at_once(run, purpose, &effects).await {
        Ok(together) => together,
        Err(stop) => return open.iter_mut().for_each(|case| case.end = Some(Err(stop.clone()))),
    };
    for ((case, effect), made) in open.into_iter().zip(&effects).zip(made) {
        case.take(match made {
            Ok(Ok(_)) if !is_page_same => refused_once(run, purpose, effect).await,
            made => made,
        });
    }
}

/// How the app refused a wrong request, or a finding if it did not, or if its calls and downloads show that it acted on it.
type Made = Result<Result<String, Finding>, Stop>;

/// Makes these requests at the same time. Also returns whether the page of `--probe` is the same after them.
async fn all_at_once(run: &Run, purpose: Purpose, effects: &[Value]) -> Result<(Vec<Made>, bool), Stop> {
    let (before, made) = if is_asked_before(run, purpose) {
        let ringing = effects.iter().map(async |effect| {
            let pending = run.ring(run.call_held(purpose, effect)).await?;
            run.until_asked(&pending).await?;
            Ok::<_, Stop>(pending)
        });
        let pending = future::try_join_all(ringing).await?;
        // Read only now, because the app may show a fax from the moment when it is asked for TwiML.
        let before = run.steady_probe().await?;
        (before, future::join_all(pending.into_iter().map(|pending| run.finish(pending))).await)
    } else {
        let before = run.steady_probe().await?;
        (before, future::join_all(effects.iter().map(|effect| made(run, purpose, effect))).await)
    };
    // Side by side, since the app's calls and its page are watched during the same time.
    let judged = made.into_iter().map(async |made| {
        let conversation = made?;
        let exchange = first(run, &conversation, purpose).await?;
        let fault = acceptance(run, purpose, &conversation, &exchange).await?;
        Ok(fault.map_or_else(|| Ok(format!("{purpose}: {}", exchange.outcome())), Err))
    });
    let (judged, is_page_changed) = future::join(future::join_all(judged), run.probe_differs(before.as_ref())).await;
    Ok((judged, !is_page_changed?))
}

/// Returns whether the app is asked for TwiML before it gets a request with this purpose.
fn is_asked_before(run: &Run, purpose: Purpose) -> bool {
    purpose == Purpose::Action && run.options.action.is_none()
}

/// Returns whether the page of `--probe` changes whenever such a request comes, but not when the request is kept from
/// the app. An app may record late that it was asked for TwiML, and a page may change by itself from time to time.
async fn changes_because_of(run: &Run, purpose: Purpose, effect: &Value) -> Result<bool, Stop> {
    if run.changes_by_itself().await? {
        return Ok(false);
    }
    for (effect, expected) in [(&json!({ "drop": true }), false), (effect, true)] {
        let (before, _) = made_after_page(run, purpose, effect).await?;
        if run.probe_differs(before.as_ref()).await? != expected {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Returns what the app did about a fax although it refused the request, once it has had time to.
async fn deed(run: &Run, purpose: Purpose, conversation: &Conversation) -> Result<Option<String>, Stop> {
    if purpose == Purpose::StatusCallback {
        return Ok(None);
    }
    // The app may already have made calls about the fax before the action, but only the action names the document.
    let shows = |request: &Request| purpose == Purpose::FaxUrl || request.is_for_media();
    let end = Instant::now() + run.options.limits.settle;
    let requests = run.requests_until(end, &conversation.fax, |requests| requests.iter().any(shows)).await?;
    Ok(requests.iter().find(|request| shows(request)).map(Request::words))
}

/// Judges whether the app accepts requests that are right, although this effect has made them unusual. `what` describes
/// them in the plural.
pub(super) async fn accepted(run: &Run, what: &str, effect: impl Fn(Purpose) -> Option<Value>) -> Judged {
    let mut judged = Vec::new();
    for purpose in run.purposes()? {
        let Some(effect) = effect(purpose) else { continue };
        let (_, exchange) = changed(run, purpose, &effect).await?;
        if !exchange.is_accepted() {
            let seen = format!("the app {} to {what} ({purpose})", exchange.responded());
            return Ok(Finding::fail(seen, &exchange));
        }
        judged.push(format!("{purpose}: {}", exchange.outcome()));
    }
    Ok(Finding::pass(format!("the app accepted {what} ({})", judged.join(", "))))
}
