"""An emulator: a process of its own, or one that is already running."""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any

from .account import Account
from .binary import find_binary
from .connection import Connection, normalized
from .errors import StartError

#: The seed of SIDs and random draws, so that every run of a test is the same.
SEED = 1
# Starting takes a fraction of a second, unless the machine is overloaded.
_START_TIMEOUT_S = 30.0
# The emulator stops at once, unless it has a large state to save.
_STOP_TIMEOUT_S = 30.0
# How much of what the emulator printed is kept for an error.
_OUTPUT_LINES_MAX = 200
_LINE_CHARS_MAX = 2000


class Emulator:
    """A running emulator. One emulator can serve all tests: each test creates its own account.

    `Emulator.start()` starts a process, which `stop()` or the end of a `with` block stops; `Emulator.at()` connects to an emulator
    that is already running, which stays.
    """

    def __init__(self, connection: Connection, process: _Process | None = None) -> None:
        self._connection = connection
        self._process = process

    @classmethod
    def start(
        cls,
        *arguments: str,
        seed: int = SEED,
        pace: str | float = "max",
        dialect: str | None = None,
        control_token: str | None = None,
        binary: str | None = None,
    ) -> Emulator:
        """Starts `fauxfax serve` on a free port of this machine, and returns once it is ready.

        - `arguments`: further arguments of `fauxfax serve`, such as `"--callbacks", "final"`
        - `seed`: that of SIDs, jitter and random draws
        - `pace`: how many times faster than a real line; by default, transmissions take no time
        - `dialect`: `twilio` or `signalwire`, that of the default account
        - `control_token`: protects the control API; FAUXFAX_CONTROL_TOKEN by default
        - `binary`: the program to run, instead of the one that was installed with this package
        """
        given = {"--listen": "127.0.0.1:0", "--seed": str(seed), "--pace": str(pace), "--dialect": dialect}
        command = [binary or find_binary(), "serve", *arguments]
        for flag, value in given.items():
            # An argument of the caller has precedence; the program refuses a flag that is given twice.
            if value is not None and _value_of(flag, arguments) is None:
                command += [flag, value]
        token = control_token or _value_of("--control-token", arguments) or os.environ.get("FAUXFAX_CONTROL_TOKEN") or None
        environment = dict(os.environ)
        if token is not None:
            environment["FAUXFAX_CONTROL_TOKEN"] = token
        process = _Process(command, environment)
        return cls(Connection(process.url, token), process)

    @classmethod
    def at(cls, url: str, control_token: str | None = None) -> Emulator:
        """Connects to an emulator that is already running; fails if none responds there.

        `url` may also be HOST:PORT or a port; `control_token` is FAUXFAX_CONTROL_TOKEN by default.
        """
        connection = Connection(normalized(url), control_token or os.environ.get("FAUXFAX_CONTROL_TOKEN") or None)
        connection.control("GET", "/health")
        return cls(connection)

    def __repr__(self) -> str:
        return f"Emulator({self.url!r})"

    def __enter__(self) -> Emulator:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The base URL of the REST and control APIs, such as `http://127.0.0.1:49152`, without a slash at the end."""
        return self._connection.url

    @property
    def is_own(self) -> bool:
        """Whether `start` started the emulator, so that `stop` stops it."""
        return self._process is not None

    @property
    def output(self) -> str:
        """The end of what the emulator has printed; empty if it was already running."""
        return self._process.output() if self._process else ""

    def stop(self) -> None:
        """Stops the process that `start` started, and waits until it has ended. An emulator that was already running stays."""
        if self._process is not None:
            self._process.stop()

    def health(self) -> dict[str, Any]:
        """Returns the emulator's version, seed, and counts of what it holds."""
        health: dict[str, Any] = self._connection.control("GET", "/health")
        return health

    def account(
        self,
        sid: str | None = None,
        auth_token: str | None = None,
        *,
        dialect: str | None = None,
        numbers: Sequence[str | Mapping[str, Any]] = (),
        **options: Any,
    ) -> Account:
        """Creates an account: an isolated world with its own numbers, faxes, clock, rules and journal.

        - `sid`, `auth_token`: generated from the seed if left out
        - `dialect`: `twilio` or `signalwire`; by default that of the `sid`, or else `twilio`
        - `numbers`: each as a string, which then receives faxes, or as a mapping of REST attributes in snake_case with `phone_number`
        - `options`: others of `POST /accounts`, such as `signing_key`, `callbacks`, `service` or `debugger_url`
        """
        order: dict[str, Any] = {"sid": sid, "auth_token": auth_token, "dialect": dialect, **options}
        order = {name: value for name, value in order.items() if value is not None}
        order["numbers"] = [
            {"phone_number": number, "voice_receive_mode": "fax"} if isinstance(number, str) else dict(number) for number in numbers
        ]
        return Account(self._connection, self._connection.control("POST", "/accounts", body=order))

    def existing_account(self, sid: str) -> Account:
        """Returns an account that has been created before."""
        return Account(self._connection, self._connection.control("GET", f"/accounts/{sid}"))

    def default_account(self) -> Account:
        """Returns the account that exists from the start, with the number +15005550006 unless the configuration names others."""
        return self.existing_account(self.health()["default_account"])

    def accounts(self) -> list[Account]:
        """Returns all accounts."""
        return [Account(self._connection, account) for account in self._connection.control("GET", "/accounts")["accounts"]]


def _value_of(flag: str, arguments: Sequence[str]) -> str | None:
    """Returns the value of a flag among the arguments; None if it isn't there."""
    for argument, following in zip(arguments, [*arguments[1:], ""]):
        if argument == flag:
            return following
        if argument.startswith(f"{flag}="):
            return argument.partition("=")[2]
    return None


class _Process:
    """A process of `fauxfax serve`, which has printed that it is ready."""

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
            )
        except OSError as error:
            raise StartError(f"{command[0]} can't be run: {error}", "") from error
        self._url: str | None = None
        self._lines: deque[str] = deque(maxlen=_OUTPUT_LINES_MAX)
        # Set when the process is ready, or when its output has ended.
        self._is_decided = threading.Event()
        self._reader = threading.Thread(target=self._read, name="fauxfax output", daemon=True)
        self._reader.start()
        # For a program that ends without stopping it.
        atexit.register(self.stop)
        self.url = self._wait_until_ready(command)

    def output(self) -> str:
        # A copy, because the other thread may add a line meanwhile.
        return "".join(self._lines.copy()).rstrip()

    def stop(self) -> None:
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(_STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        # A child of the emulator may hold the pipe open for a moment.
        self._reader.join(_STOP_TIMEOUT_S)
        atexit.unregister(self.stop)

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
        in_time = self._is_decided.wait(_START_TIMEOUT_S)
        if self._url is not None:
            return self._url
        if in_time:
            self._process.wait()
            what = f"ended with status {self._process.returncode} before it was ready"
        else:
            what = f"was not ready within {_START_TIMEOUT_S:g} s"
        self._process.kill()
        self.stop()
        raise StartError(f"{' '.join(command)} {what}", self.output())


def _url_of(line: str) -> str | None:
    """Returns the URL of the line that the emulator prints when it is ready; None for any other line."""
    words = line.split()
    if words[:2] == ["fauxfax", "ready"]:
        return words[2]
    if line.startswith('{"') and '"event":"ready"' in line:
        # --log-format json
        return str(json.loads(line)["url"])
    return None
