"""The settings, read once from the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

REQUIRED = ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "FAX_NUMBER", "PUBLIC_URL")


@dataclass(frozen=True)
class Settings:
    account_sid: str
    auth_token: str
    fax_number: str
    public_url: str
    database: str
    blocked_numbers: frozenset[str]
    password: str | None
    trust_proxy: bool

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        missing = [name for name in REQUIRED if not environment.get(name)]
        if missing:
            raise SystemExit(f"inbox: {', '.join(missing)} must be set; see README.md")
        blocked = environment.get("BLOCKED_NUMBERS", "").split(",")
        return cls(
            account_sid=environment["TWILIO_ACCOUNT_SID"],
            auth_token=environment["TWILIO_AUTH_TOKEN"],
            fax_number=environment["FAX_NUMBER"],
            public_url=environment["PUBLIC_URL"].rstrip("/"),
            database=environment.get("INBOX_DB") or "inbox.db",
            blocked_numbers=frozenset(number.strip() for number in blocked if number.strip()),
            password=environment.get("INBOX_PASSWORD") or None,
            trust_proxy=environment.get("TRUST_PROXY") == "1",
        )
