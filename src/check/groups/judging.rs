//! Judgements that checks have in common: whether the app refuses a wrong request, or accepts a right one.

use serde_json::{Value, json};

use crate::check::conversation::Conversation;
use crate::check::page::Page;
use crate::check::{Exchange, Finding, Judged, Run, Stop};
use crate::model::webhook::Purpose;

/// Makes a fax about which the app gets a request with this purpose, changed by a rule's `webhook` effect. Returns that
/// request, and the conversation that it belongs to.
pub(super) async fn changed(run: &Run, purpose: Purpose, effect: &Value) -> Result<(Conversation, Exchange), Stop> {
    let conversation = if purpose == Purpose::StatusCallback {
        run.send(run.order_like_good()?.webhook(purpose, effect)).await?
    } else {
        run.receive(run.call_with(purpose, effect)).await?
    };
    let exchange = first(run, &conversation, purpose).await?;
    Ok((conversation, exchange))
}

/// Returns a conversation's first request with this purpose.
async fn first(run: &Run, conversation: &Conversation, purpose: Purpose) -> Result<Exchange, Stop> {
    let exchange = conversation.of(purpose).next().cloned();
    let exchange = exchange.ok_or_else(|| Stop::not_judged(format!("the app got no request ({purpose})")))?;
    run.still_there(&exchange).await?;
    Ok(exchange)
}

/// Does the same as [`changed`], and also returns the page of `--probe` as it was before the changed request. An app may show
/// a fax from the moment when it is asked for TwiML, so the page is read after that.
async fn changed_after_page(
    run: &Run,
    purpose: Purpose,
    effect: &Value,
) -> Result<(Option<Page>, Conversation, Exchange), Stop> {
    let is_asked_before = purpose == Purpose::Action && run.options.action.is_none();
    if run.options.probe.is_none() || !is_asked_before {
        let before = run.steady_probe().await?;
        let (conversation, exchange) = changed(run, purpose, effect).await?;
        return Ok((before, conversation, exchange));
    }
    let pending = run.ring(run.call_with(purpose, effect)).await?;
    run.until_asked(&pending).await?;
    let before = run.steady_probe().await?;
    let conversation = run.finish(pending).await?;
    let exchange = first(run, &conversation, purpose).await?;
    Ok((before, conversation, exchange))
}

/// Judges whether the app refuses requests that this effect has made wrong, and does nothing about them.
pub(super) async fn refused(run: &Run, effect: impl Fn(Purpose) -> Value) -> Judged {
    let mut judged = Vec::new();
    for purpose in run.purposes()? {
        let (before, conversation, exchange) = changed_after_page(run, purpose, &effect(purpose)).await?;
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
        if run.probe_differs(before.as_ref()).await? && !changes_anyway(run, purpose).await? {
            let seen = format!("the app refused the wrong request ({purpose}), but the page of --probe has changed");
            return Ok(Finding::fail(seen, &exchange));
        }
        judged.push(format!("{purpose}: {}", exchange.outcome()));
    }
    Ok(Finding::pass(format!("the app refused the wrong requests ({})", judged.join(", "))))
}

/// Returns whether the page of `--probe` changes in the same way if the request does not reach the app at all, for instance
/// because the app records late that it was asked for TwiML.
async fn changes_anyway(run: &Run, purpose: Purpose) -> Result<bool, Stop> {
    let (before, ..) = changed_after_page(run, purpose, &json!({ "drop": true })).await?;
    Ok(before.is_none() || run.probe_differs(before.as_ref()).await?)
}

/// Returns what the app did about a fax although it refused the request.
async fn deed(run: &Run, purpose: Purpose, conversation: &Conversation) -> Result<Option<String>, Stop> {
    let requests = run.requests_about(&conversation.fax).await?;
    // Before the action the app may have made calls about the fax, but only the action names the document.
    let shows = |kind: &str| purpose == Purpose::FaxUrl || kind == "media";
    Ok(requests.iter().find(|request| shows(&request.kind)).map(crate::check::activity::Request::words))
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
