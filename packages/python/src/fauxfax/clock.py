"""The virtual clock of an account."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from .checks import seconds
from .resources import Event, moment

if TYPE_CHECKING:
    from .account import Account


class Clock:
    """The virtual clock of an account.

    It runs with real time until it is frozen. While frozen, it moves only through `advance` and `drain`, and the work that falls due
    on the way is performed: redials, retries, expiries.
    """

    def __init__(self, account: Account) -> None:
        self._account = account

    def now(self) -> datetime:
        """Returns the time that the clock shows, in UTC."""
        return moment(self._account.control("GET", "/clock")["now"])

    def mode(self) -> str:
        """Returns `running` or `frozen`."""
        return str(self._account.control("GET", "/clock")["mode"])

    def freeze(self) -> None:
        """Stops the clock; from now on it moves only through `advance` and `drain`."""
        self._account.control("PUT", "/clock", body={"mode": "frozen"})

    def run(self) -> None:
        """Lets the clock run with real time again, from the time shown now."""
        self._account.control("PUT", "/clock", body={"mode": "running"})

    def advance(
        self,
        by: float | timedelta | None = None,
        *,
        to: datetime | None = None,
        timeout: float | None = None,
    ) -> list[Event]:
        """Moves a frozen clock forward, by a number of seconds or a timedelta, or to a time with a time zone.

        Performs the work that falls due, waits until everything has settled, and returns the events that the move caused. `timeout`
        limits the real time that this takes, in seconds.
        """
        if (by is None) == (to is None):
            raise ValueError("give either by or to")
        if to is not None:
            if to.tzinfo is None:
                raise ValueError(f"{to!r} has no time zone; give one, such as datetime.timezone.utc")
            return self._move("advance", {"to": to.isoformat()}, timeout)
        return self._move("advance", {"seconds": by.total_seconds() if isinstance(by, timedelta) else by}, timeout)

    def drain(self, *, timeout: float | None = None) -> list[Event]:
        """Moves a frozen clock from deadline to deadline until no work is left, and returns the events that this caused."""
        return self._move("drain", {}, timeout)

    def _move(self, how: str, body: dict[str, Any], timeout: float | None) -> list[Event]:
        limit = seconds(self._account.timeout if timeout is None else timeout)
        moved = self._account.control("POST", f"/clock/{how}", body={**body, "timeout": limit}, wait_s=limit)
        return [Event.of(event) for event in moved["events"]]
