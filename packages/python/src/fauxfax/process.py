"""The process of a private emulator: starts it, waits until it is ready, and stops it when this program ends."""

from __future__ import annotations

import atexit
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence

from .binary import damaged, unusable
from .errors import StartError

# Starting takes a fraction of a second, unless the machine is overloaded.
_START_TIMEOUT_S = 30.0
# The emulator stops at once, unless it has a large state to save.
_STOP_TIMEOUT_S = 30.0
# How long to wait for the rest of the output once no process is left that should write to it.
_OUTPUT_TIMEOUT_S = 1.0
# The interval at which to check whether the processes still exist. The end of their output usually shows it sooner.
_CHECK_S = 0.05
# How much of what the emulator printed is kept for an error.
_OUTPUT_LINES_MAX = 200
_LINE_CHARS_MAX = 2000
# A shell script that stops the emulator's process group once this program is gone, because the system then closes the pipe.
_WATCH = 'read -r _; kill -s TERM -- "-$1" 2>/dev/null'


class Process:
    """A process of `fauxfax serve`, which has printed that it is ready.

    On Linux and macOS it leads a process group, so that a script that runs the program is stopped together with the program.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        try:
            self._process = subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
                # Windows has neither such sessions nor process groups.
                start_new_session=True,
            )
        except OSError as error:
            raise StartError(unusable(command[0], error), "") from error
        self._watch = _watch(self._process.pid)
        self._owner = os.getpid()
        self._url: str | None = None
        self._lines: deque[str] = deque(maxlen=_OUTPUT_LINES_MAX)
        # Set when the process is ready, or when its output has ended.
        self._is_decided = threading.Event()
        self._reader = threading.Thread(target=self._read, name="fauxfax output", daemon=True)
        self._reader.start()
        # Stops the emulator if this program ends without calling stop().
        atexit.register(self.stop)
        self.url = self._wait_until_ready(command)

    def output(self) -> str:
        """Returns the end of what the process has printed."""
        # A copy, because the other thread may add a line meanwhile.
        return "".join(self._lines.copy()).rstrip()

    def stop(self) -> None:
        """Stops the process, and waits until it has ended."""
        # When a forked child ends, it must not stop its parent's emulator.
        if os.getpid() != self._owner:
            return
        deadline = time.monotonic() + _STOP_TIMEOUT_S
        self._signal(signal.SIGTERM)
        try:
            self._process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            deadline = 0
        # The emulator itself may end later than a script that runs it.
        while self._reader.is_alive() and self._is_any_left() and time.monotonic() < deadline:
            self._reader.join(_CHECK_S)
        if self._reader.is_alive() or self._process.poll() is None:
            self._kill()
            self._process.wait()
            # A process that has left the group may hold the pipe open for as long as it likes.
            self._reader.join(_OUTPUT_TIMEOUT_S)
        self._end_watch()
        atexit.unregister(self.stop)

    def _signal(self, number: signal.Signals) -> None:
        if sys.platform == "win32":
            self._process.send_signal(number)
            return
        try:
            os.killpg(self._process.pid, number)
        except (ProcessLookupError, PermissionError):
            # No process is left; macOS refuses to signal a group of zombies, for which their parent hasn't waited yet.
            return

    def _kill(self) -> None:
        if sys.platform == "win32":
            self._process.kill()
        else:
            self._signal(signal.SIGKILL)

    def _is_any_left(self) -> bool:
        if sys.platform == "win32":
            return self._process.poll() is None
        try:
            os.killpg(self._process.pid, 0)
        except (ProcessLookupError, PermissionError):
            return False
        return True

    def _end_watch(self) -> None:
        if self._watch is None:
            return
        # Killed rather than released, so that it doesn't stop another group that has been given the same id.
        self._watch.kill()
        self._watch.wait()
        if self._watch.stdin is not None:
            self._watch.stdin.close()
        self._watch = None

    def _read(self) -> None:
        """Reads the output to its end, because a pipe that nobody reads would block the emulator when it is full."""
        stdout = self._process.stdout
        if stdout is None:
            return
        with stdout:
            for line in stdout:
                if self._url is None:
                    self._url = _url_of(line)
                    if self._url is not None:
                        self._is_decided.set()
                self._lines.append(line[:_LINE_CHARS_MAX])
        self._is_decided.set()

    def _wait_until_ready(self, command: Sequence[str]) -> str:
        deadline = time.monotonic() + _START_TIMEOUT_S
        while not self._is_decided.wait(_CHECK_S) and time.monotonic() < deadline:
            # A child of a script that has ended may hold the pipe open.
            if self._process.poll() is not None:
                self._is_decided.wait(_OUTPUT_TIMEOUT_S)
                break
        if self._url is not None:
            return self._url
        if self._is_decided.is_set():
            # The output has ended, so the process is about to end too, unless it has only closed its output.
            try:
                self._process.wait(_OUTPUT_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                what = "closed its output before it was ready"
        status = self._process.poll()
        if status is not None:
            what = f"{_end(status)} before it was ready"
            if status < 0:
                what = f"{what}; {damaged(command[0])}"
        elif not self._is_decided.is_set():
            what = f"was not ready within {_START_TIMEOUT_S:g} s"
        self._kill()
        self.stop()
        raise StartError(f"{' '.join(command)} {what}", self.output())


def _watch(group: int) -> subprocess.Popen[bytes] | None:
    """Starts a shell that stops the group if this program ends in a way that runs no exit handler; None if there is no shell."""
    # Windows has no such shell: there, an emulator is left over if this program is killed.
    if sys.platform == "win32":
        return None
    try:
        return subprocess.Popen(
            ["/bin/sh", "-c", _WATCH, "sh", str(group)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # Otherwise it would be interrupted along with this program.
            start_new_session=True,
        )
    except OSError:
        # In container images without a shell, only the exit handler stops the emulator.
        return None


def _end(status: int) -> str:
    """Describes how a process ended."""
    if status >= 0:
        return f"ended with status {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    return f"was ended by {name}"


def _url_of(line: str) -> str | None:
    """Returns the URL of the line that the emulator prints when it is ready; None for any other line."""
    words = line.split()
    if words[:2] == ["fauxfax", "ready"]:
        return words[2] if len(words) > 2 else None
    if line.startswith('{"') and '"event":"ready"' in line:
        # --log-format json
        return str(json.loads(line)["url"])
    return None
