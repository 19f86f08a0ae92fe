"""An emulator: a process of its own, or one that is already running."""

from __future__ import annotations

import importlib.metadata
import os
import warnings
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any

from .account import Account
from .binary import find_binary
from .connection import Connection, checked_token, foreign, normalized, segment
from .errors import FauxfaxError
from .process import Process

#: The seed of SIDs and random draws, so that every run of a test is the same.
SEED = 1


class Emulator:
    """A running emulator. One emulator can serve all tests: each test creates its own account.

    `Emulator.start()` starts a process, which `stop()` or the end of a `with` block stops; `Emulator.at()` connects to an emulator
    that is already running, and leaves it running.
    """

    def __init__(self, connection: Connection, process: Process | None = None) -> None:
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
        config: str | os.PathLike[str] | None = None,
        env: Mapping[str, str] | None = None,
        binary: str | None = None,
    ) -> Emulator:
        """Starts `fauxfax serve` on a free port of this machine, and returns once it is ready.

        It ignores the file fauxfax.toml in the current folder, and the variables FAUXFAX_… of this program's environment except
        FAUXFAX_BIN: the settings of an emulator for everyday use, such as a file for its state, aren't meant for tests.

        - `arguments`: further arguments of `fauxfax serve`, such as `"--callbacks", "final"`
        - `seed`: the seed of SIDs, jitter and random draws
        - `pace`: how many times faster than a real line; by default, transmissions take no time
        - `dialect`: the dialect of the default account, `twilio` or `signalwire`
        - `control_token`: protects the control API
        - `config`: the path of a configuration file
        - `env`: further environment variables
        - `binary`: the program to run; by default the one that FAUXFAX_BIN names, or else the one installed with this package
        """
        given = {
            "--listen": "127.0.0.1:0",
            "--seed": str(seed),
            "--pace": str(pace),
            "--dialect": dialect,
            # Without this flag, the emulator would read fauxfax.toml.
            "--config": os.fspath(os.devnull if config is None else config),
        }
        command = [binary or find_binary(), "serve", *arguments]
        for flag, value in given.items():
            # The caller's arguments take precedence; the program refuses a flag that is given twice.
            if value is not None and _value_of(flag, arguments) is None:
                command += [flag, value]
        environment = {name: value for name, value in os.environ.items() if not name.upper().startswith("FAUXFAX_")}
        environment.update(env or {})
        control_token = checked_token(control_token)
        if control_token is not None:
            # Passed as a variable, because other users of the machine can see a process's flags.
            environment["FAUXFAX_CONTROL_TOKEN"] = control_token
        token = checked_token(_value_of("--control-token", arguments) or environment.get("FAUXFAX_CONTROL_TOKEN"))
        process = Process(command, environment)
        return cls(Connection(process.url, token), process)

    @classmethod
    def at(cls, url: str | int, control_token: str | None = None) -> Emulator:
        """Connects to an emulator that is already running; fails if none responds there.

        `url` may also be HOST:PORT or a port; `control_token` is FAUXFAX_CONTROL_TOKEN by default. Warns if the emulator's version
        is not this package's, since its calls may differ.
        """
        connection = Connection(normalized(url), checked_token(control_token or os.environ.get("FAUXFAX_CONTROL_TOKEN")))
        health = connection.control("GET", "/health")
        if not isinstance(health, dict) or "version" not in health:
            raise foreign(connection.url)
        if _VERSION not in (None, health["version"]):
            warnings.warn(f"{_versions(connection.url, health['version'])}; use the same version of both", stacklevel=2)
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
        """Stops the process that `start` started, and waits until it has ended. An emulator started elsewhere keeps running."""
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
        numbers: Sequence[str | Mapping[str, Any]] | None = None,
        **options: Any,
    ) -> Account:
        """Creates an account: an isolated world with its own numbers, faxes, clock, rules and journal.

        - `sid`, `auth_token`: generated from the seed if left out
        - `dialect`: `twilio` or `signalwire`; by default that of the `sid`, or else `twilio`
        - `numbers`: a list; a string is a number that receives faxes, and a mapping has `phone_number` and further REST attributes
          in snake_case
        - `options`: further fields of `POST /accounts`, such as `signing_key`, `callbacks`, `service` or `debugger_url`
        """
        order: dict[str, Any] = {"sid": sid, "auth_token": auth_token, "dialect": dialect, **options}
        order = {name: value for name, value in order.items() if value is not None}
        if isinstance(numbers, (str, Mapping)):
            raise TypeError(f"numbers is a list, such as [{numbers!r}]")
        order["numbers"] = [
            {"phone_number": number, "voice_receive_mode": "fax"} if isinstance(number, str) else dict(number)
            for number in numbers or ()
        ]
        return self._account(self._connection.control("POST", "/accounts", body=order))

    def existing_account(self, sid: str) -> Account:
        """Returns an account that has been created before."""
        return self._account(self._connection.control("GET", f"/accounts/{segment(sid)}"))

    def default_account(self) -> Account:
        """Returns the account that exists from the start, with the number +15005550006 unless the configuration names others."""
        return self.existing_account(self.health()["default_account"])

    def accounts(self) -> list[Account]:
        """Returns all accounts."""
        return [self._account(account) for account in self._connection.control("GET", "/accounts")["accounts"]]

    def _account(self, raw: Mapping[str, Any]) -> Account:
        try:
            return Account(self._connection, raw)
        except KeyError as error:
            missing = error.args[0]
        version = self.health().get("version", "unknown")
        raise FauxfaxError(
            f"{_versions(self.url, version)}, and an account of the emulator has no field {missing!r}; use the same version of both"
        )


def _own_version() -> str | None:
    """Returns the version of this package; None if it is not installed."""
    try:
        return importlib.metadata.version("fauxfax")
    except importlib.metadata.PackageNotFoundError:
        return None


_VERSION = _own_version()


def _versions(url: str, version: object) -> str:
    return f"the emulator at {url} has version {version}, and the Python package fauxfax has version {_VERSION or 'unknown'}"


def _value_of(flag: str, arguments: Sequence[str]) -> str | None:
    """Returns the value of a flag among the arguments; None if it isn't there."""
    for argument, following in zip(arguments, [*arguments[1:], ""]):
        if argument == flag:
            return following
        if argument.startswith(f"{flag}="):
            return argument.partition("=")[2]
    return None
