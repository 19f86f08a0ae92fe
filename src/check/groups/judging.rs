//! Judgements that checks have in common: whether the app refuses a wrong request, or accepts a right one.

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::check::activity::Request;
use crate::check::conversation::Conversation;
use crate::check::page::Page;
use crate::check::stimulus::held;
use crate::check::{Exchange, Finding, Judged, Run, Stop};
use crate::model::webhook::Purpose;

/// Makes a fax about which the app gets a request with this purpose, changed by a rule's `webhook` effect. Returns that
/// request, and the conversation that it belongs to.
pub(super) async fn changed(run: &Run, purpose: Purpose, effect: &Value) -> Result<(Conversation, Exchange), Stop> {
    let conversation = made(run, purpose, effect).await?;
    let exchange = first(run, &conversation, purpose).await?;
    Ok((conversation, exchange))
}

/// Makes a fax about which the app gets a request with this purpose, changed by a rule's `webhook` effect.
async fn made(run: &Run, purpose: Purpose, effect: &Value) -> Result<Conversation, Stop> {
    if purpose == Purpose::StatusCallback {
        return run.send_changed(effect).await;
    }
    run.receive(run.call_with(purpose, effect)).await
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
    let is_asked_before = purpose == Purpose::Action && run.options.action.is_none();
    if run.options.probe.is_none() || !is_asked_before {
        let before = run.steady_probe().await?;
        return Ok((before, made(run, purpose, effect).await?));
    }
    // At the pace `max`, the notification would come at once.
    let pending = run.ring(run.call_with(purpose, &held(effect))).await?;
    run.until_asked(&pending).await?;
    let before = run.steady_probe().await?;
    Ok((before, run.finish(pending).await?))
}

/// Judges whether the app refuses requests that this effect has made wrong, and does nothing about them.
pub(super) async fn refused(run: &Run, effect: impl Fn(Purpose) -> Value) -> Judged {
    let mut judged = Vec::new();
    for purpose in run.purposes()? {
        let effect = effect(purpose);
        let (before, conversation) = made_after_page(run, purpose, &effect).await?;
        let exchange = first(run, &conversation, purpose).await?;
        if !exchange.is_refused() {
            return Ok(Finding::fail(
                format!("the app {} to the wrong request ({purpose}), not with 401 or 403", exchange.responded()),
                &exchange,
            ));
        }
        if let Some(deed) = deed(run, purpose, &conversation).await? {
            let seen = format!("the app refused the wrong request ({purpose}), but acted on it: {deed}");
            return Ok(Finding::fail(seen, &exchange));
        }
        if run.probe_differs(before.as_ref()).await? && changes_because_of(run, purpose, &effect).await? {
            let seen = format!("the app refused the wrong request ({purpose}), but the page of --probe has changed");
            return Ok(Finding::fail(seen, &exchange));
        }
        judged.push(format!("{purpose}: {}", exchange.outcome()));
    }
    Ok(Finding::pass(format!("the app refused the wrong requests ({})", judged.join(", "))))
}

/// Returns whether the page of `--probe` changes whenever such a request comes, but not if it does not reach the app at all. An
/// app may record late that it was asked for TwiML, and a page may change by itself from time to time.
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
    // Before the action the app may have made calls about the fax, but only the action names the document.
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
