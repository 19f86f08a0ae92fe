"""The telephone numbers of an account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .account import Account


@dataclass(frozen=True)
class Number:
    """A telephone number of an account, as it was when it was read. `raw` has every attribute as the REST API shows it."""

    account: Account = field(repr=False)
    phone_number: str
    sid: str
    fax_url: str | None
    status_callback: str | None
    receive_mode: str | None
    raw: dict[str, Any] = field(repr=False)

    @classmethod
    def of(cls, account: Account, raw: Mapping[str, Any]) -> Number:
        # Twilio's API shows a URL that isn't set as an empty string or null.
        urls = (raw.get("voice_url") or None, raw.get("status_callback") or None)
        return cls(account, raw["phone_number"], raw["sid"], *urls, raw.get("voice_receive_mode"), dict(raw))

    def change(
        self,
        *,
        fax_url: str | None = None,
        twiml: str | None = None,
        status_callback: str | None = None,
        receive_mode: str | None = None,
        **attributes: str,
    ) -> Number:
        """Changes the number and returns it. `Account.number` says what the arguments mean."""
        return self.account.number(
            self.phone_number,
            fax_url=fax_url,
            twiml=twiml,
            status_callback=status_callback,
            receive_mode=receive_mode,
            **attributes,
        )

    def release(self) -> None:
        """Releases the number."""
        self.account.rest("DELETE", f"/2010-04-01/Accounts/{self.account.sid}/IncomingPhoneNumbers/{self.sid}.json")
