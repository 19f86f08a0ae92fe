"""Builds the descriptions of events that `Account.verify` takes.

A value is compared exactly, unless it is a mapping with `prefix`, `regex` or `contains`:

    account.verify(expect.webhook(purpose="action", status="received", params={"MediaUrl": {"prefix": "http://"}}))
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Union

from .resources import FaxRef, fax_sid

#: A value of an event's field: exact, or {"prefix": …}, {"regex": …} or {"contains": …}.
Expected = Union[None, bool, int, float, str, Mapping[str, Any]]


def webhook(
    purpose: str | None = None,
    status: str | None = None,
    answered_with: int | None = None,
    fax: FaxRef | None = None,
    params: Mapping[str, Expected] | None = None,
) -> dict[str, Any]:
    """Expects a request to the app: for TwiML, or a notification. Each attempt is a separate event.

    `purpose` is `fax-url`, `fallback-url`, `action` or `status-callback`; `status` is the request's FaxStatus, `answered_with` the
    HTTP status of the app's response.
    """
    expected_params = dict(params or {})
    if status is not None:
        expected_params["FaxStatus"] = status
    data = {"purpose": purpose, "status": answered_with, "params": expected_params or None}
    return event("webhook.attempt", fax, **{name: value for name, value in data.items() if value is not None})


def entered(status: str, fax: FaxRef | None = None) -> dict[str, Any]:
    """Expects that a fax entered this status."""
    return event("fax.status", fax, new=status)


def page(number: int, containing: str | None = None, fax: FaxRef | None = None) -> dict[str, Any]:
    """Expects that this page, counted from 1, went over the line and, if `containing` is given, that its text contains it.

    White space and line ends don't count. A page whose text is not known, such as a scan, contains no text.
    """
    text = {} if containing is None else {"text": {"contains": containing}}
    return event("fax.page", fax, page=number, **text)


def event(kind: str, fax: FaxRef | None = None, **data: Any) -> dict[str, Any]:
    """Expects an event of this kind, such as `alert` or `rule.fired`, with these fields in its data."""
    expected: dict[str, Any] = {"kind": kind}
    if fax is not None:
        expected["fax_sid"] = fax_sid(fax)
    if data:
        expected["data"] = data
    return expected
