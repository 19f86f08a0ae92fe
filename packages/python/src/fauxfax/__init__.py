"""A local emulator of Twilio Programmable Fax and of SignalWire's compatibility API for faxes, for tests in Python.

With pytest, the fixture `fauxfax` is an account of its own for each test. Without pytest:

    with fauxfax.Emulator.start() as emulator:
        account = emulator.account(numbers=["+15017122661"])
        account.number(fax_url="http://localhost:3000/fax")
        conversation = account.receive(pages=2)
        assert conversation.outcome == "received"
        account.verify(fauxfax.expect.webhook(purpose="action", status="received"))
"""

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
