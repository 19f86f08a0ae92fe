"""The faxes, in a SQLite file: one row per fax, with its document."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone

SCHEMA = """
CREATE TABLE IF NOT EXISTS faxes (
    id TEXT PRIMARY KEY,
    direction TEXT NOT NULL CHECK (direction IN ('inbound', 'outbound')),
    number TEXT NOT NULL,
    status TEXT NOT NULL,
    created TEXT NOT NULL,
    sid TEXT,
    pages INTEGER,
    error TEXT,
    document BLOB
)
"""
LISTED_MAX = 100

UNDER_WAY = {"queued": 0, "processing": 1, "sending": 2, "receiving": 2}
ENDED = 3


def progress(status: str) -> int:
    return UNDER_WAY.get(status, ENDED)


@dataclass(frozen=True)
class Fax:
    id: str
    number: str  # the other party's
    status: str
    created: datetime
    sid: str | None  # Twilio's id, once Twilio has called back about the fax
    pages: int | None
    error: str | None
    is_stored: bool

    @property
    def has_document(self) -> bool:
        """Whether there is a document, stored here or at Twilio."""
        return self.is_stored or self.status in ("received", "delivered")


class Store:
    def __init__(self, path: str) -> None:
        self._path = path
        with self._transaction() as db:
            db.execute(SCHEMA)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        db = sqlite3.connect(self._path)
        db.row_factory = sqlite3.Row
        db.create_function("progress", 1, progress)
        try:
            with db:
                yield db
        finally:
            db.close()

    def add(self, fax_id: str, direction: str, number: str, status: str, document: bytes | None = None) -> None:
        """Adds a fax, unless it is there already: Twilio may repeat a request."""
        now = datetime.now(timezone.utc).isoformat(timespec="seconds")
        with self._transaction() as db:
            db.execute(
                "INSERT OR IGNORE INTO faxes (id, direction, number, status, created, document) VALUES (?, ?, ?, ?, ?, ?)",
                (fax_id, direction, number, status, now, document),
            )

    def advance(self, fax_id: str, sid: str, status: str, pages: int | None, error: str | None) -> bool:
        """Records a status that is ahead of the fax's own: requests may be repeated, or arrive in the wrong order."""
        with self._transaction() as db:
            updated = db.execute(
                "UPDATE faxes SET sid = ?, status = ?, pages = ?, error = ? WHERE id = ? AND progress(status) < ?",
                (sid, status, pages, error, fax_id, progress(status)),
            )
        return updated.rowcount == 1

    def set_document(self, fax_id: str, document: bytes) -> None:
        with self._transaction() as db:
            db.execute("UPDATE faxes SET document = ? WHERE id = ?", (document, fax_id))

    def delete(self, fax_id: str) -> None:
        with self._transaction() as db:
            db.execute("DELETE FROM faxes WHERE id = ?", (fax_id,))

    def document(self, fax_id: str) -> bytes | None:
        with self._transaction() as db:
            row = db.execute("SELECT document FROM faxes WHERE id = ?", (fax_id,)).fetchone()
        return row["document"] if row else None

    def find(self, fax_id: str) -> Fax | None:
        return next(iter(self._select("id = ?", fax_id)), None)

    def newest(self, direction: str) -> list[Fax]:
        return self._select("direction = ?", direction)

    def _select(self, condition: str, value: str) -> list[Fax]:
        with self._transaction() as db:
            rows = db.execute(
                "SELECT id, number, status, created, sid, pages, error, document IS NOT NULL AS is_stored"
                f" FROM faxes WHERE {condition} ORDER BY created DESC, rowid DESC LIMIT {LISTED_MAX}",
                (value,),
            ).fetchall()
        return [Fax(**{**row, "created": datetime.fromisoformat(row["created"])}) for row in rows]
