//! The signals that stop a running emulator: SIGTERM, Ctrl-C, and SIGHUP unless `nohup` made the process ignore it. On
//! Windows: Ctrl-C, Ctrl-Break, closing the console and shutting down.

/// Registers for the signals immediately. The returned future completes when the first signal arrives.
///
/// # Errors
/// Fails if the system refuses to register a handler.
#[cfg(unix)]
pub(super) fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = if hangup_stops() { Some(signal(SignalKind::hangup())?) } else { None };
    Ok(async move {
        let hung_up = async {
            match &mut hangup {
                Some(hangup) => hangup.recv().await,
                // Never completes, so that only the other signals have an effect.
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hung_up => {}
        }
    })
}

/// Registers for the console's events immediately. The returned future completes when the first event arrives.
///
/// # Errors
/// Fails if the system refuses to register a handler.
#[cfg(not(unix))]
pub(super) fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::windows::{ctrl_break, ctrl_c, ctrl_close, ctrl_shutdown};
    let (mut interrupt, mut stop, mut close, mut shutdown) =
        (ctrl_c()?, ctrl_break()?, ctrl_close()?, ctrl_shutdown()?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = stop.recv() => {}
            _ = close.recv() => {}
            _ = shutdown.recv() => {}
        }
    })
}

/// Returns whether to handle SIGHUP. A handler would override a request to ignore the signal, so one is installed only
/// if the system reports that SIGHUP isn't ignored. Otherwise the default applies: SIGHUP ends the process or is
/// ignored.
#[cfg(unix)]
pub(super) fn hangup_stops() -> bool {
    std::fs::read_to_string("/proc/self/status").is_ok_and(|status| !ignores_hangup(&status))
}

/// Returns whether SIGHUP is in the set of ignored signals of `/proc/PID/status` (see proc(5)).
#[cfg(unix)]
fn ignores_hangup(status: &str) -> bool {
    /// SIGHUP is signal 1, which corresponds to the lowest bit.
    const HANGUP: u64 = 1;
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    // If the set can't be read, assume that SIGHUP is ignored.
    ignored.is_none_or(|ignored| ignored & HANGUP != 0)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn sighup_is_the_lowest_bit_of_the_ignored_signals() {
        for (status, is_ignored) in [
            ("Name:\tx\nSigIgn:\t0000000000001001\nSigCgt:\t0", true),
            ("SigIgn:\t0000000000001000\n", false),
            ("SigIgn:\t0000000000000001\n", true),
            ("SigCgt:\t0000000000000001\n", true),
            ("SigIgn:\tnonsense\n", true),
        ] {
            assert_eq!(ignores_hangup(status), is_ignored, "{status}");
        }
    }
}
