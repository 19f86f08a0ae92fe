"""The errors of this package. Each message says what happened and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .resources import Event

_PROBLEM = "urn:fauxfax:problem:"
# Advice that replaces that of a problem's detail, which names a call of the control API. It names a method or an option of this
# package instead.
_SAME_SEED = "if it belonged to a test, another run with the same seed uses this emulator at the same time: pass another seed with --fauxfax-seed"
_ADVICE = {
    "account-gone": _SAME_SEED,
    "account-not-found": f"emulator.accounts() lists them; {_SAME_SEED}",
    "account-unclaimed": _SAME_SEED,
    "clock-frozen": "use ring() or queue() and then clock.advance() or clock.drain(), or let it run with clock.run()",
    "clock-running": "call clock.freeze() first",
    "control-token-needed": "pass control_token to Emulator.at(), or set FAUXFAX_CONTROL_TOKEN",
    "fax-not-found": "account.faxes() lists them",
    "number-ambiguous": "name one with to=",
    "number-not-found": "account.number('+15017122661') buys one that receives faxes",
    "not-a-fax-number": "change it with account.number('+1…', receive_mode='fax')",
    "rule-not-found": "account.rules.list() lists them",
    "world-broken": "account.reset() repairs it",
}


class FauxfaxError(Exception):
    """The base of all errors of this package."""


class BinaryNotFoundError(FauxfaxError):
    """The fauxfax binary was not found."""


class StartError(FauxfaxError):
    """The emulator didn't start; `output` is what it printed."""

    def __init__(self, message: str, output: str) -> None:
        super().__init__(f"{message}\n{output}".rstrip())
        self.output = output


class EmulatorUnreachableError(FauxfaxError):
    """No fauxfax emulator responds at the URL."""


class ProblemError(FauxfaxError):
    """The control API refused a call.

    `status` and `title` are those of HTTP, `name` is the problem's short name for programs, `detail` says what is wrong, and
    `fax_status` is the status of the fax that the call waited for, if there is one.
    """

    def __init__(self, status: int, name: str, title: str, detail: str, fax_status: str | None = None) -> None:
        # The detail's own advice, which names a call, follows a semicolon or ": leave out".
        advice = _ADVICE.get(name)
        told = f"{detail.split('; ')[0].split(': leave out ')[0]}; {advice}" if advice else detail
        super().__init__(f"{title} ({status}, {name}): {told}")
        self.status = status
        self.name = name
        self.title = title
        self.detail = detail
        self.fax_status = fax_status


class WaitTimeoutError(ProblemError):
    """What the call waited for did not happen in time."""


class StatusUnreachableError(ProblemError):
    """The fax can no longer enter the status that the call waited for."""


class RestError(FauxfaxError):
    """The emulated service refused a REST call, as the real one would.

    `status` is that of HTTP, and `code` the service's error code, such as 21211.
    """

    def __init__(self, status: int, code: int | None, message: str, more_info: str | None = None) -> None:
        told = f" ({more_info})" if more_info else ""
        super().__init__(f"the API refused with status {status}, code {code}: {message}{told}")
        self.status = status
        self.code = code
        self.message = message
        self.more_info = more_info


class NotVerifiedError(FauxfaxError, AssertionError):
    """The journal doesn't contain what was expected; the message compares the closest events field by field."""

    def __init__(self, message: str, found: int, closest: list[Event]) -> None:
        super().__init__(message)
        self.found = found
        self.closest = closest


def problem_of(status: int, body: dict[str, object]) -> ProblemError:
    """Returns the error for a problem document."""
    name = str(body.get("type", "")).replace(_PROBLEM, "")
    fax_status = body.get("fax_status")
    kind = ProblemError
    # 408 is also the status for a request body that arrives too slowly, which isn't a wait that timed out.
    if status == 408 and name != "body-too-slow":
        kind = WaitTimeoutError
    elif name == "status-unreachable":
        kind = StatusUnreachableError
    title, detail = str(body.get("title", "Refused")), str(body.get("detail", ""))
    return kind(status, name, title, detail, None if fax_status is None else str(fax_status))
