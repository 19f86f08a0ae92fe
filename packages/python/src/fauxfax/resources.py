"""What the emulator reports, as typed records. `raw` holds everything as the API shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Union


@dataclass(frozen=True)
class Event:
    """An event of the journal. docs/control-api.md lists the kinds and what `data` contains."""

    seq: int
    at: datetime
    kind: str
    fax_sid: str | None
    data: dict[str, Any]

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Event:
        return cls(raw["seq"], moment(raw["at"]), raw["kind"], raw["fax_sid"], raw["data"])

    def __str__(self) -> str:
        about = f" of {self.fax_sid}" if self.fax_sid else ""
        return f"event {self.seq}, {self.kind}{about}"


@dataclass(frozen=True)
class Fax:
    """A fax, or a call that nobody took, whose status is `not-answered`."""

    sid: str
    status: str
    direction: str
    from_: str
    to: str
    num_pages: int | None
    media_url: str | None
    error_code: int | None
    error_message: str | None
    raw: dict[str, Any] = field(repr=False)

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Fax:
        return cls(
            raw["sid"],
            raw["status"],
            raw["direction"],
            raw["from"],
            raw["to"],
            raw.get("num_pages"),
            raw.get("media_url"),
            raw.get("error_code"),
            raw.get("error_message"),
            dict(raw),
        )


@dataclass(frozen=True)
class Attempt:
    """One attempt of a request to the app. `status` is that of the app's response; None if there was none."""

    seq: int
    at: datetime
    replay: bool
    status: int | None
    error: str | None
    raw: dict[str, Any] = field(repr=False)

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Attempt:
        exchange = raw["exchange"]
        error = exchange.get("error")
        return cls(raw["seq"], moment(raw["at"]), raw["replay"], exchange.get("status"), error and error.get("message"), dict(raw))


@dataclass(frozen=True)
class Webhook:
    """A request to the app, with its attempts. `delivered` says whether any of them succeeded."""

    id: str
    fax_sid: str | None
    purpose: str
    method: str
    url: str
    params: dict[str, str]
    delivered: bool
    attempts: list[Attempt]

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Webhook:
        return cls(
            raw["id"],
            raw["fax_sid"],
            raw["purpose"],
            raw["method"],
            raw["url"],
            dict(raw["params"]),
            raw["delivered"],
            [Attempt.of(attempt) for attempt in raw["attempts"]],
        )


@dataclass(frozen=True)
class Conversation:
    """Everything that happened to one fax or call.

    `outcome` is `received`, `failed`, `rejected` or `not-answered` for an incoming fax, and the last status of an outgoing one;
    it is None while the conversation goes on. `fax` is None if the call never became one, or the fax has been deleted.
    """

    fax_sid: str
    outcome: str | None
    fax: Fax | None
    events: list[Event] = field(repr=False)
    webhooks: list[Webhook] = field(repr=False)

    @property
    def num_pages(self) -> int | None:
        """The number of pages that were transmitted; None if there is no fax."""
        return self.fax.num_pages if self.fax else None


@dataclass(frozen=True)
class Rule:
    """A rule that makes something go wrong, and how often it has matched and acted."""

    id: int
    enabled: bool
    matched: int
    fired: int
    warning: str | None
    raw: dict[str, Any] = field(repr=False)

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Rule:
        return cls(raw["id"], raw.get("enabled", True), raw["matched"], raw["fired"], raw["warning"], dict(raw))


@dataclass(frozen=True)
class Explanation:
    """Why a signature doesn't match. `mistake` is None if it does, and `unknown` if no known mistake explains it."""

    valid: bool
    mistake: str | None
    detail: str
    signature: str
    expected: str
    raw: dict[str, Any] = field(repr=False)

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Explanation:
        return cls(raw["valid"], raw["mistake"], raw["detail"], raw["signature"], raw["expected"], dict(raw))


#: A fax, or a call: its SID, or what a method of `Account` has returned for it.
FaxRef = Union[str, Fax, Conversation]


def fax_sid(fax: FaxRef) -> str:
    """Returns the SID of a fax or call."""
    if isinstance(fax, Fax):
        return fax.sid
    if isinstance(fax, Conversation):
        return fax.fax_sid
    if not isinstance(fax, str):
        raise TypeError(
            f"a fax is named by its SID, or by a Fax or Conversation, not by {fax!r}; pass a fax's .sid, or the .fax_sid of anything else"
        )
    if not fax:
        raise ValueError("the SID of the fax is empty; account.faxes() lists the faxes with their SIDs")
    return fax


def moment(text: str) -> datetime:
    """Returns a time of the API, which is in UTC."""
    # Before Python 3.11, fromisoformat() doesn't understand the Z.
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
