"""What the report of a failed test says about its account: the conversations with the app, the requests that were refused, and the
rules that never matched."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .errors import FauxfaxError

if TYPE_CHECKING:
    from .account import Account
    from .emulator import Emulator
    from .resources import Event

# If there are many faxes, the last ones usually explain why a test failed.
_CONVERSATIONS_MAX = 3
_REQUESTS_MAX = 10
_CHARS_MAX = 30_000


def section(account: Account, emulator: Emulator | None) -> str:
    """Returns the section of a failed test's report."""
    try:
        parts = _parts(account)
        if emulator is not None and not emulator.is_own:
            parts.append(f"The account can be seen at {account.console_url}")
    except FauxfaxError as error:
        parts = [str(error)]
        if emulator is not None and emulator.output:
            parts.append(f"The emulator's output ends with:\n{emulator.output}")
    text = "\n\n".join(parts)
    if len(text) > _CHARS_MAX:
        text = f"{text[:_CHARS_MAX]}\n… {len(text) - _CHARS_MAX} more characters"
    return text


def _parts(account: Account) -> list[str]:
    faxes = account.faxes(status="any", limit=_CONVERSATIONS_MAX + 1)
    parts = [account.conversation_markdown(fax.sid).strip() for fax in reversed(faxes[:_CONVERSATIONS_MAX])]
    if len(faxes) > _CONVERSATIONS_MAX:
        parts.insert(0, f"The newest {_CONVERSATIONS_MAX} faxes of account {account.sid}:")
    if not faxes:
        parts.append(f"Account {account.sid} has no fax.")
    refused = [event for event in account.events(kind="api.request") if _is_refused(event)]
    if refused:
        lines = [f"Requests of the app that were refused ({len(refused)}):"]
        lines += [_request(event) for event in refused[-_REQUESTS_MAX:]]
        parts.append("\n".join(lines))
    rules = [f"- rule {rule.id} never matched: {rule.raw}" for rule in account.rules.list() if not rule.matched]
    if rules:
        parts.append("\n".join(["Rules without effect:", *rules]))
    return parts


def _is_refused(event: Event) -> bool:
    status = event.data.get("status")
    return status is None or status >= 400


def _request(event: Event) -> str:
    data = event.data
    answer = data.get("answer")
    message = answer.get("message") if isinstance(answer, dict) else answer
    told = [f"- {data['method']} {data['path']} → {data.get('status') or 'no response'}: {message or data.get('error')}"]
    if data.get("code"):
        told.append(f"(error {data['code']})")
    told += [str(data[name]) for name in ("cause", "advice") if data.get(name)]
    return " ".join(told)
