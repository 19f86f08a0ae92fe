//! Standard output and standard error of a running emulator. A thread writes the lines, so that a slow or stuck reader
//! delays neither requests nor startup nor shutdown. Lines that don't fit in the queue are dropped and counted.
//!
//! `tracing-appender` does nearly the same. But if it is stopped while the reader is stuck, it prints to standard
//! output, where it may panic or block.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

/// The maximum number of bytes in the queue. At a few hundred bytes per line, this holds more than ten thousand lines.
const WAITING_BYTES_MAX: usize = 4 * 1024 * 1024;
/// How long the process waits, before it exits, for the last lines to be written.
const LAST_LINES_TIMEOUT: Duration = Duration::from_secs(1);
/// How long the writer pauses when a non-blocking pipe is full. Any process that shares the pipe may have made it
/// non-blocking.
const FULL_PIPE_PAUSE: Duration = Duration::from_millis(10);

/// A writer that never blocks. Only whole lines are queued: bytes are held back until a newline arrives.
pub(super) struct Output {
    shared: Arc<Shared>,
    unfinished: Vec<u8>,
}

/// A guard that, when dropped, waits for the last lines to be written, for at most [`LAST_LINES_TIMEOUT`].
#[must_use = "dropping it waits for the lines written so far"]
pub(super) struct LastLines(Arc<Shared>);

/// A function that is called with the number of lines dropped so far, as soon as a line can be written again.
type OnDropped = fn(u64);

struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Default)]
struct Queue {
    lines: VecDeque<Vec<u8>>,
    bytes: usize,
    /// Whether a line has been taken from the queue but not yet written.
    is_writing: bool,
    /// How many lines didn't fit in the queue or could not be written.
    dropped: u64,
}

impl Output {
    /// Starts a thread that writes to `stream`.
    ///
    /// # Errors
    /// Fails if the system allows no further thread.
    pub(super) fn start(
        name: &str,
        stream: impl Write + Send + 'static,
        on_dropped: OnDropped,
    ) -> io::Result<(Self, LastLines)> {
        let shared = Arc::new(Shared { queue: Mutex::default(), changed: Condvar::new() });
        let theirs = Arc::clone(&shared);
        std::thread::Builder::new().name(name.to_owned()).spawn(move || theirs.write_to(stream, on_dropped))?;
        Ok((Self { shared: Arc::clone(&shared), unfinished: Vec::new() }, LastLines(shared)))
    }
}

impl Clone for Output {
    fn clone(&self) -> Self {
        // An unfinished line belongs to the writer that began it.
        Self { shared: Arc::clone(&self.shared), unfinished: Vec::new() }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.unfinished.extend_from_slice(bytes);
        if self.unfinished.ends_with(b"\n") {
            self.shared.push(std::mem::take(&mut self.unfinished));
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Output {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        // Nothing panics while this lock is held, and every state of the queue is valid.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, line: Vec<u8>) {
        let mut queue = self.queue();
        if queue.bytes + line.len() > WAITING_BYTES_MAX {
            queue.dropped += 1;
            return;
        }
        queue.bytes += line.len();
        queue.lines.push_back(line);
        // The writer and `LastLines` wait on the same condition variable, so wake both.
        self.changed.notify_all();
    }

    /// Waits for a line and takes it from the queue.
    fn next_line(&self) -> Vec<u8> {
        let mut queue = self.queue();
        loop {
            if let Some(line) = queue.lines.pop_front() {
                queue.bytes -= line.len();
                queue.is_writing = true;
                return line;
            }
            // Tells `wait_for_last_lines` that all lines are written.
            queue.is_writing = false;
            self.changed.notify_all();
            queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Writes lines from the queue for the lifetime of the process.
    fn write_to(&self, mut stream: impl Write, on_dropped: OnDropped) {
        let mut reported = 0;
        loop {
            let line = self.next_line();
            if write_line(&mut stream, &line).is_err() {
                // The reader is gone or the disk is full. If the log goes to a file, that may change, so continue.
                self.queue().dropped += 1;
                continue;
            }
            // Reported only after a line has been written: any earlier, the report would be dropped as well.
            let dropped = self.queue().dropped;
            if dropped > reported {
                on_dropped(dropped);
                reported = dropped;
            }
        }
    }

    /// Waits until all lines are written, for at most `timeout`.
    fn wait_for_last_lines(&self, timeout: Duration) {
        let is_busy = |queue: &mut Queue| queue.is_writing || !queue.lines.is_empty();
        // The process ends next, whether or not all lines were written.
        drop(self.changed.wait_timeout_while(self.queue(), timeout, is_busy));
    }
}

impl Drop for LastLines {
    fn drop(&mut self) {
        self.0.wait_for_last_lines(LAST_LINES_TIMEOUT);
    }
}

/// Writes the process's last message to standard error. Waits for a stuck reader for at most [`LAST_LINES_TIMEOUT`].
pub(super) fn write_last_words(text: String) {
    let write = move || {
        // If the terminal is gone, there is nowhere left to report the failure.
        let _ = anstream::stderr().write_all(text.as_bytes());
    };
    let (written, is_written) = std::sync::mpsc::channel();
    let spawned = std::thread::Builder::new().spawn(move || {
        write();
        // An error means that the time ran out and nobody is waiting any more.
        let _ = written.send(());
    });
    // Without a thread the message is lost: writing it here could block forever.
    if spawned.is_ok() {
        // The process ends next, whether or not the message was written.
        let _ = is_written.recv_timeout(LAST_LINES_TIMEOUT);
    }
}

fn write_line(stream: &mut impl Write, mut line: &[u8]) -> io::Result<()> {
    while !line.is_empty() {
        match stream.write(line) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => line = &line[written..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => std::thread::sleep(FULL_PIPE_PAUSE),
            Err(error) => return Err(error),
        }
    }
    stream.flush()
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    /// A reader that accepts a write only when the test allows it, and reports the bytes read.
    struct Slow {
        allowed: Receiver<()>,
        taken: Sender<Vec<u8>>,
    }

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            // If the test drops its end, all writes are allowed.
            let _ = self.allowed.recv();
            let _ = self.taken.send(bytes.to_vec());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn slow() -> (Slow, Sender<()>, Receiver<Vec<u8>>) {
        let ((allow, allowed), (take, taken)) = (channel(), channel());
        (Slow { allowed, taken: take }, allow, taken)
    }

    #[test]
    fn a_stuck_reader_delays_no_writer_and_dropped_lines_are_counted() {
        static REPORTED: Mutex<Vec<u64>> = Mutex::new(Vec::new());
        let (stream, allow, taken) = slow();
        let report = |dropped| REPORTED.lock().unwrap().push(dropped);
        let (mut output, last_lines) = Output::start("test", stream, report).expect("a thread");
        let line = [vec![b'x'; WAITING_BYTES_MAX / 4 - 1], vec![b'\n']].concat();
        let sent = 12;
        for _ in 0..sent {
            output.write_all(&line).expect("an `Output` never fails");
        }
        let dropped = output.shared.queue().dropped;
        assert!((7..=8).contains(&dropped), "{dropped} of {sent}; four are queued, and one may be being written");
        drop(allow);
        drop(last_lines);
        assert_eq!(taken.iter().take(usize::try_from(sent - dropped).unwrap()).count() as u64, sent - dropped);
        assert_eq!(*REPORTED.lock().unwrap(), [dropped], "reported once, as soon as a line is written again");
    }

    #[test]
    fn the_wait_for_the_last_lines_is_limited() {
        let (stream, _allow, _taken) = slow();
        let (mut output, last_lines) = Output::start("test", stream, |_| ()).expect("a thread");
        writeln!(output, "one {}", 1).expect("an `Output` never fails");
        drop(last_lines);
    }

    #[test]
    fn a_line_written_in_pieces_arrives_whole() {
        let (stream, allow, taken) = slow();
        let (mut output, last_lines) = Output::start("test", stream, |_| ()).expect("a thread");
        drop(allow);
        writeln!(output, "{} and {}", 1, 2).expect("an `Output` never fails");
        drop(last_lines);
        assert_eq!(taken.recv(), Ok(b"1 and 2\n".to_vec()));
    }

    #[test]
    fn a_failed_write_loses_one_line_and_later_lines_are_written() {
        struct Full(u32);
        impl Write for Full {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0 += 1;
                match self.0 {
                    1 => Err(io::ErrorKind::StorageFull.into()),
                    2 => Err(io::ErrorKind::WouldBlock.into()),
                    _ => Ok(bytes.len().min(2)),
                }
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        static REPORTED: Mutex<Vec<u64>> = Mutex::new(Vec::new());
        let report = |dropped| REPORTED.lock().unwrap().push(dropped);
        let (mut output, last_lines) = Output::start("test", Full(0), report).expect("a thread");
        for text in ["lost", "written"] {
            writeln!(output, "{text}").expect("an `Output` never fails");
        }
        drop(last_lines);
        assert_eq!(*REPORTED.lock().unwrap(), [1]);
    }
}
