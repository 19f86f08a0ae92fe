"""The rules of an account, which make something go wrong on purpose."""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .resources import Rule

if TYPE_CHECKING:
    from .account import Account


class Rules:
    """The rules of an account. Among rules with the same kind of effect, the first that matches acts."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def add(
        self,
        match: Mapping[str, Any] | None = None,
        *,
        outcome: str | Mapping[str, Any] | None = None,
        line: Mapping[str, Any] | None = None,
        api: Mapping[str, Any] | None = None,
        webhook: Mapping[str, Any] | None = None,
        media: Mapping[str, Any] | None = None,
        after: int | None = None,
        times: int | None = None,
        chance: float | None = None,
    ) -> Rule:
        """Adds a rule with one effect, and returns it.

        - `outcome`: how calls end, such as `"busy"` or `{"status": "failed", "code": 34004, "after_pages": 1}`
        - `line`: the quality of the line, such as `{"rate_bps": 4800}` or `{"noise": 0.02}`
        - `api`: what REST calls get, such as `{"status": 429}`, `{"delay_ms": 500}` or `{"reset": True}`
        - `webhook`: how requests to the app are sent, such as `{"signature": "bad"}`, `{"duplicate": True}`, `{"drop": True}` or
          `{"params": {"set": {"NumPages": "0"}}}`
        - `media`: how a fax's media are served, such as `{"status": 503}` or `{"bytes_per_second": 2000, "cut_after_bytes": 10000}`

        `match` says what the rule acts on, such as `{"to": "+1555*"}` or `{"purpose": "action"}`; everything by default. `after` is the
        number of matches to skip first, `times` limits how often the rule acts, and `chance` is the probability that it acts on a
        match.
        """
        given = {
            "match": match,
            "outcome": {"status": outcome} if isinstance(outcome, str) else outcome,
            "line": line,
            "api": api,
            "webhook": webhook,
            "media": media,
            "after": after,
            "times": times,
            "chance": chance,
        }
        rule = {name: value for name, value in given.items() if value is not None}
        return Rule.of(self._account.control("POST", "/rules", body=rule))

    def list(self) -> builtins.list[Rule]:
        """Returns the rules in the order in which they are tried, each with how often it has matched and acted."""
        return [Rule.of(rule) for rule in self._account.control("GET", "/rules")["rules"]]

    def enable(self, rule: Rule | int, enabled: bool = True) -> Rule:
        """Enables a rule, or disables it so that it neither matches nor counts."""
        return Rule.of(self._account.control("POST", f"/rules/{_id(rule)}", body={"enabled": enabled}))

    def remove(self, rule: Rule | int) -> None:
        """Removes a rule."""
        self._account.control("DELETE", f"/rules/{_id(rule)}")

    def clear(self) -> None:
        """Removes all rules."""
        self._account.control("DELETE", "/rules")


def _id(rule: Rule | int) -> int:
    return rule.id if isinstance(rule, Rule) else rule
