//! Standard output and standard error of subcommands that print and end. If the reader of a pipe stops reading, as
//! `head` does, the subcommand ends without an error and with exit status 0. The reader has taken all that it wants, so
//! a pipeline under `set -o pipefail` should not fail because of it. Subcommands whose exit status is a verdict keep
//! it.

use std::io::{self, ErrorKind, IsTerminal, Write};

/// The error with which a write fails once nobody reads standard output any more.
#[derive(Debug, thiserror::Error)]
#[error("nobody reads the output any more")]
struct ReaderGone;

/// The effect of a write once the reader of standard output has gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gone {
    /// The write fails, which ends the subcommand.
    Ends,
    /// The rest of the output is dropped.
    IsIgnored,
}

/// A writer to standard output.
pub(super) struct Out<W> {
    inner: W,
    gone: Gone,
}

/// Returns standard output, with colours only on a terminal. A write to a pipe that nobody reads fails, and `main` then
/// exits without an error.
pub(super) fn stdout() -> Out<anstream::Stdout> {
    Out { inner: anstream::stdout(), gone: Gone::Ends }
}

/// Returns standard output for subcommands that have more to do than to print, such as to wait for a fax or to write
/// files: they do it even if nobody reads standard output any more.
pub(super) fn lasting() -> Out<anstream::Stdout> {
    Out { inner: anstream::stdout(), gone: Gone::IsIgnored }
}

/// Returns standard output for bytes that must not be changed, such as those of a document.
pub(super) fn bytes() -> Out<io::Stdout> {
    Out { inner: io::stdout(), gone: Gone::Ends }
}

/// Returns whether standard output is a terminal.
pub(super) fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Prints a line to standard error. Failures are ignored: the line is only a remark.
pub(super) fn note(text: &str) {
    let _ = writeln!(anstream::stderr(), "{text}");
}

/// Replaces the last line on the terminal of standard error; an empty text removes it. Failures are ignored.
pub(super) fn overwrite(text: &str) {
    let _ = write!(anstream::stderr(), "\r\u{1b}[K{text}");
}

/// Returns whether an error only says that nobody reads standard output any more.
pub(super) fn is_reader_gone(error: &anyhow::Error) -> bool {
    let is_marked = |error: &io::Error| error.get_ref().is_some_and(|inner| inner.is::<ReaderGone>());
    error.chain().any(|cause| cause.downcast_ref::<io::Error>().is_some_and(is_marked))
}

/// Returns the result of printing, without the error that nobody reads standard output any more. It is for subcommands
/// whose exit status is a verdict, which does not depend on whether the output was read.
///
/// # Errors
/// Fails if printing failed for another reason, such as a full disk.
pub(super) fn even_if_unread(printed: anyhow::Result<()>) -> anyhow::Result<()> {
    printed.or_else(|error| if is_reader_gone(&error) { Ok(()) } else { Err(error) })
}

impl<W: Write> Write for Out<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes);
        self.unless_gone(written, bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.inner.flush();
        self.unless_gone(flushed, ())
    }
}

impl<W> Out<W> {
    fn unless_gone<T>(&self, result: io::Result<T>, pretended: T) -> io::Result<T> {
        match (result, self.gone) {
            (Err(error), Gone::Ends) if error.kind() == ErrorKind::BrokenPipe => {
                Err(io::Error::new(ErrorKind::BrokenPipe, ReaderGone))
            }
            (Err(error), Gone::IsIgnored) if error.kind() == ErrorKind::BrokenPipe => Ok(pretended),
            (result, _) => result,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Closed;
    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_write_that_nobody_reads_fails_with_a_marked_error_or_is_dropped() {
        let error = writeln!(Out { inner: Closed, gone: Gone::Ends }, "x").expect_err("it is closed");
        let error = anyhow::Error::new(error).context("while printing");
        assert!(is_reader_gone(&error) && even_if_unread(Err(error)).is_ok());
        // A connection to an app can break in the same way, and that is an error.
        assert!(even_if_unread(Err(io::Error::from(ErrorKind::BrokenPipe).into())).is_err());
        assert!(writeln!(Out { inner: Closed, gone: Gone::IsIgnored }, "x").is_ok());
    }
}
