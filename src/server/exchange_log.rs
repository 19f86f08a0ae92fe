//! The log of the exchanges between the emulator and apps: a line per request in either direction, one per fax that
//! ends and per call that ends without a fax, and a warning per alert. The lines are made from the feed of all
//! accounts, so writing them delays no request and no fax.
//!
//! ```text
//! ← POST /v1/Faxes 400 21211 < 1 ms
//! → POST http://localhost:3000/fax 500 3 ms FX0123…
//! → POST http://localhost:3000/fax → http://localhost:3000/login 200 3 ms FX0123…
//! → POST http://localhost:3000/received 204 3 ms (pedantic) FX0123…
//! → POST http://localhost:3000/fax failed: connection refused: nothing listens on that port FX0123…
//! ```

use std::fmt::Write;

use tracing::Level;

use crate::dialect::advice::{self, Advice};
use crate::dialect::{mask, unseen};
use crate::emulator::Registry;
use crate::engine::event::{Alert, EventKind};
use crate::model::account::Dialect;
use crate::model::sid::{AccountSid, FaxSid};
use crate::model::webhook::{ActingRule, ExchangeFailure, ExchangeRecord};
use crate::world::feed::News;
use crate::world::journal::{ApiRequest, JournalEvent};

/// The maximum number of entries that are read from the feed at a time, so that the log holds few of them in memory.
const ENTRIES_AT_ONCE_MAX: usize = 1_000;

/// The mark of a request on which pedantic mode acted, or on whose response it acted.
const PEDANTIC: &str = " (pedantic)";

/// The log's position in the feed.
pub(super) struct ExchangeLog {
    registry: Registry,
    since: u64,
}

impl ExchangeLog {
    /// Creates a log that begins with the first entry of the feed.
    pub(super) const fn new(registry: Registry) -> Self {
        Self { registry, since: 0 }
    }

    /// Logs new entries until the future is dropped.
    pub(super) async fn follow(&mut self) {
        if !is_wanted() {
            return std::future::pending().await;
        }
        loop {
            self.registry.feed().grown(self.since).await;
            self.catch_up();
            // A busy feed must not keep this thread from its other tasks.
            tokio::task::yield_now().await;
        }
    }

    /// Logs everything that has happened so far.
    pub(super) fn catch_up(&mut self) {
        if !is_wanted() {
            return;
        }
        loop {
            let page = self.registry.feed().read(self.since, ENTRIES_AT_ONCE_MAX);
            if page.evicted > self.since {
                let dropped = page.evicted - self.since;
                tracing::warn!(dropped, "too much has happened at once; some requests and alerts are not in the log");
                self.since = page.evicted;
            }
            let Some(last) = page.entries.last() else { return };
            self.since = last.seq;
            page.entries.iter().for_each(|news| self.log(news));
        }
    }

    fn log(&self, news: &News) {
        // The default account is the usual one, so only others are named.
        let account = news.account.filter(|account| *account != self.registry.default_account());
        match (news.request(), news.journaled()) {
            (Some(request), _) => log_request(request, account),
            (None, Some(event)) => log_event(event, account),
            (None, None) => {}
        }
    }
}

/// Returns whether the log level lets any of these lines through.
fn is_wanted() -> bool {
    tracing::enabled!(Level::WARN)
}

fn log_request(request: &ApiRequest, account: Option<AccountSid>) {
    let account = request.named.or(account);
    let mut line = format!("← {} {}", request.method, request.path);
    if request.is_reset {
        line.push_str(" reset by a rule");
    } else {
        push(&mut line, request.status);
    }
    if let Some(code) = request.code {
        push(&mut line, code);
    }
    line.push(' ');
    line.push_str(&milliseconds(request.duration.as_millis()));
    if request.rule == Some(ActingRule::Pedantic) {
        line.push_str(PEDANTIC);
    }
    if let Some(fax) = request.fax {
        push(&mut line, fax);
    }
    if let Some(account) = account {
        push(&mut line, account);
    }
    if let Some(reason) = request.no_world {
        let _ = write!(line, ": {}", reason.cause());
    }
    tracing::info!(
        http.request.method = &*request.method,
        url.path = &*request.path,
        http.response.status_code = (!request.is_reset).then_some(request.status),
        fax.sid = request.fax.map(|fax| fax.to_string()),
        fauxfax.account = account.map(|account| account.to_string()),
        fauxfax.code = request.code,
        "{}",
        on_one_line(&line)
    );
}

fn log_event(event: &JournalEvent, account: Option<AccountSid>) {
    let Some(kind) = event.engine_kind() else { return };
    let about = About { fax: event.fax(), account };
    if let Some(record) = kind.exchange() {
        return log_exchange(event.dialect, record, about);
    }
    if let EventKind::Alert(alert) = kind {
        log_alert(event.dialect, alert, about);
    } else if let EventKind::FaxStatus { new, failure, .. } = kind
        && new.is_final()
    {
        let code = failure.as_ref().and_then(|failure| event.dialect.failure_code(failure));
        let text = failure.as_ref().and_then(|failure| event.dialect.failure_text(failure));
        let why = code.zip(text).map(|(code, text)| format!(": {code} {text}")).unwrap_or_default();
        tracing::info!(
            fax.sid = about.fax(),
            fauxfax.account = about.account(),
            "fax{about} {new}{}",
            on_one_line(&why)
        );
    } else if matches!(kind, EventKind::CallNotAnswered) {
        tracing::info!(fax.sid = about.fax(), fauxfax.account = about.account(), "the call{about} ended without a fax");
    }
}

fn log_exchange(dialect: Dialect, record: &ExchangeRecord, about: About) {
    let (method, url) = (record.method.as_str(), mask::target(&record.url));
    let mut line = format!("→ {method} {url}");
    if let Some(to) = &record.redirected_to {
        push(&mut line, format_args!("→ {}", mask::target(to)));
    }
    if let Some(status) = record.status {
        push(&mut line, status);
    }
    match &record.failure {
        // The status has already been written.
        None | Some(ExchangeFailure::HttpStatus(_)) => {
            line.push(' ');
            line.push_str(&milliseconds(record.duration_ms.into()));
        }
        Some(failure) => {
            let _ = write!(line, " failed: {failure}");
        }
    }
    if record.delivery.is_pedantic() {
        line.push_str(PEDANTIC);
    }
    line.push_str(&about.to_string());
    tracing::info!(
        http.request.method = method,
        url.full = &*url,
        http.response.status_code = record.status,
        fauxfax.code = record.failure.as_ref().map(|failure| dialect.code(failure.fault())),
        fauxfax.purpose = record.purpose.as_str(),
        fax.sid = about.fax(),
        fauxfax.account = about.account(),
        "{}",
        on_one_line(&mask::passwords(&line))
    );
}

fn log_alert(dialect: Dialect, alert: &Alert, about: About) {
    let (level, code) = (alert.level.as_str(), dialect.code(alert.fault));
    let Advice { cause, remedy } = advice::of_alert(alert, dialect);
    let line = format!("{level} {code}{about}: {}. {cause} {remedy}", alert.message.trim_end_matches('.'));
    tracing::warn!(
        fauxfax.code = code,
        fauxfax.level = level,
        fauxfax.cause = cause,
        fauxfax.advice = remedy,
        fax.sid = about.fax(),
        fauxfax.account = about.account(),
        "{}",
        on_one_line(&mask::passwords(&line))
    );
}

/// The subject of a line: the fax or call, and the account if it isn't the default one.
#[derive(Debug, Clone, Copy)]
struct About {
    fax: Option<FaxSid>,
    account: Option<AccountSid>,
}

impl About {
    fn fax(self) -> Option<String> {
        self.fax.map(|fax| fax.to_string())
    }

    fn account(self) -> Option<String> {
        self.account.map(|account| account.to_string())
    }
}

impl std::fmt::Display for About {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        [self.fax(), self.account()].iter().flatten().try_for_each(|sid| write!(f, " {sid}"))
    }
}

fn milliseconds(ms: u128) -> String {
    if ms == 0 { "< 1 ms".to_owned() } else { format!("{ms} ms") }
}

fn push(line: &mut String, word: impl std::fmt::Display) {
    // Writing to a string never fails.
    let _ = write!(line, " {word}");
}

/// Replaces the characters that would break the line, the terminal or the order of the text: an app's response may contain
/// them.
fn on_one_line(text: &str) -> String {
    unseen::replaced(text)
}
