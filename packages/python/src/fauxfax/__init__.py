"""A local emulator of Twilio Programmable Fax and of SignalWire's compatibility API for faxes, for tests in Python.

With pytest, the fixture `fauxfax` is a new account for each test. Without pytest:

    with fauxfax.Emulator.start() as emulator:
        account = emulator.account(numbers=["+15017122661"])
        account.number(fax_url="http://localhost:3000/fax")
        conversation = account.receive(pages=2)
        assert conversation.outcome == "received"
        account.verify(fauxfax.expect.webhook(purpose="action", status="received"))
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from . import expect
    from .account import Account
    from .clock import Clock
    from .emulator import Emulator
    from .errors import (
        BinaryNotFoundError,
        EmulatorUnreachableError,
        FauxfaxError,
        NotVerifiedError,
        ProblemError,
        RestError,
        StartError,
        StatusUnreachableError,
        WaitTimeoutError,
    )
    from .numbers import Number
    from .resources import Attempt, Conversation, Event, Explanation, Fax, Rule, Webhook
    from .rules import Rules

__all__ = [
    "Account",
    "Attempt",
    "BinaryNotFoundError",
    "Clock",
    "Conversation",
    "Emulator",
    "EmulatorUnreachableError",
    "Event",
    "Explanation",
    "FauxfaxError",
    "Fax",
    "NotVerifiedError",
    "Number",
    "ProblemError",
    "RestError",
    "Rule",
    "Rules",
    "StartError",
    "StatusUnreachableError",
    "WaitTimeoutError",
    "Webhook",
    "expect",
]

# Where each name is defined. A module is imported only when one of its names is used, because pytest imports this package in every
# run, and most runs use none of it.
_MODULES = {
    "Account": "account",
    "Attempt": "resources",
    "BinaryNotFoundError": "errors",
    "Clock": "clock",
    "Conversation": "resources",
    "Emulator": "emulator",
    "EmulatorUnreachableError": "errors",
    "Event": "resources",
    "Explanation": "resources",
    "FauxfaxError": "errors",
    "Fax": "resources",
    "NotVerifiedError": "errors",
    "Number": "numbers",
    "ProblemError": "errors",
    "RestError": "errors",
    "Rule": "resources",
    "Rules": "rules",
    "StartError": "errors",
    "StatusUnreachableError": "errors",
    "WaitTimeoutError": "errors",
    "Webhook": "resources",
    "expect": "expect",
}


def __getattr__(name: str) -> object:
    from importlib import import_module

    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = import_module(f".{_MODULES[name]}", __name__)
    return module if name == _MODULES[name] else getattr(module, name)


def __dir__() -> "list[str]":
    return [*globals(), *__all__]
