//! The log on standard error: its level, and its form as text for people or as JSON for programs.

use std::backtrace::BacktraceStatus;
use std::fmt::{self, Debug};
use std::io::{IsTerminal, stderr};

use anyhow::Context;
use tracing::field::{Field, Visit};
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::FormatFields;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{fmt as lines, registry};

use super::output::{LastLines, Output};
use crate::config::{Config, LogFormat};

/// The name of the field that holds an event's text.
const MESSAGE: &str = "message";

/// Sends the log to standard error in the configured form. A thread writes the log, so a stuck reader does not delay the
/// program. When dropped, the returned guard waits until the last lines are written, but at most a second.
pub(super) fn start_log(config: &Config) -> anyhow::Result<LastLines> {
    let report = |dropped| tracing::error!(dropped, "dropped log lines that could not be written in time");
    let (output, last_lines) = Output::start("log", stderr(), report).context("can't start the log writer")?;
    // The configured level is for this program. Libraries log only warnings and errors. rmcp's are about mistakes and
    // canceled calls of clients, which the clients see themselves, so its log needs the level debug or trace.
    let own = config.log_level.as_str().parse::<LevelFilter>().context("invalid log level")?;
    let of_clients = if own >= LevelFilter::DEBUG { LevelFilter::WARN } else { LevelFilter::OFF };
    let levels =
        Targets::new().with_default(LevelFilter::WARN).with_target("rmcp", of_clients).with_target("fauxfax", own);
    let log = registry().with(levels);
    // Otherwise the library would report its own errors directly on standard error, which may block.
    let layer = lines::layer().with_writer(output).log_internal_errors(false);
    match config.log_format {
        LogFormat::Text => {
            log.with(layer.with_ansi(stderr().is_terminal()).with_target(false).fmt_fields(ForPeople)).init();
        }
        LogFormat::Json => log.with(layer.json()).init(),
    }
    // The default hook writes to standard error itself and could block there.
    std::panic::set_hook(Box::new(|panic| {
        let backtrace = std::backtrace::Backtrace::capture();
        let backtrace = (backtrace.status() == BacktraceStatus::Captured).then(|| format!("\n{backtrace}"));
        tracing::error!("{panic}{}", backtrace.unwrap_or_default());
    }));
    Ok(last_lines)
}

/// Formats the fields of an event as text. Fields with a dot in their name, such as `http.request.method`, are for
/// programs and are left out, since the message says the same.
struct ForPeople;

impl<'writer> FormatFields<'writer> for ForPeople {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'writer>, fields: R) -> fmt::Result {
        let mut line = Line { writer, is_begun: false, result: Ok(()) };
        fields.record(&mut line);
        line.result
    }
}

struct Line<'writer> {
    writer: Writer<'writer>,
    is_begun: bool,
    result: fmt::Result,
}

impl Visit for Line<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name().contains('.') || self.result.is_err() {
            return;
        }
        let separator = if self.is_begun { " " } else { "" };
        self.is_begun = true;
        self.result = match field.name() {
            MESSAGE => write!(self.writer, "{separator}{value:?}"),
            name => write!(self.writer, "{separator}{name}={value:?}"),
        };
    }
}
