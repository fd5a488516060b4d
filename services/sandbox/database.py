"""The SQLite file behind the memory: every record as one row, all writes of a request in one transaction."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS records (
  kind TEXT NOT NULL, scope TEXT NOT NULL, id TEXT NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY (kind, scope, id)
)
"""
_UPSERT: Final = (
    "INSERT INTO records (kind, scope, id, body) VALUES (?, ?, ?, ?)"
    " ON CONFLICT (kind, scope, id) DO UPDATE SET body = excluded.body"
)
_DELETE: Final = "DELETE FROM records WHERE kind = ? AND scope = ? AND id = ?"

RowKey = tuple[str, str, str]
"""kind, scope (`acct_…:test`, or empty), id"""


class FolderInUse(Exception):
    """Another sandbox uses the folder of SANDBOX_DATA, or it cannot be written."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"Another sandbox uses the folder {folder.name} of SANDBOX_DATA, or it cannot be written.")


class Database:
    """Without a folder nothing is written, and a restart begins anew."""

    def __init__(self, folder: Path | None) -> None:
        self._pending: dict[RowKey, bytes | None] = {}
        self._connection: sqlite3.Connection | None = None
        if folder is None:
            return
        folder.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(folder / "sandbox.sqlite3", isolation_level=None, timeout=0.2)
        try:
            self._connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._connection.execute(_SCHEMA)
        except sqlite3.OperationalError as error:
            raise FolderInUse(folder) from error

    def put(self, kind: str, scope: str, record_id: str, body: bytes) -> None:
        if self._connection is not None:
            self._pending[kind, scope, record_id] = body

    def remove(self, kind: str, scope: str, record_id: str) -> None:
        if self._connection is not None:
            self._pending[kind, scope, record_id] = None

    def discard(self) -> None:
        """Drops what was put since the last commit."""
        self._pending.clear()

    def commit(self) -> None:
        if self._connection is None or not self._pending:
            return
        written = [(*key, body) for key, body in self._pending.items() if body is not None]
        removed = [key for key, body in self._pending.items() if body is None]
        self._pending.clear()
        with self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany(_UPSERT, written)
            self._connection.executemany(_DELETE, removed)

    def rows(self, kind: str) -> Iterator[tuple[str, bytes]]:
        """(scope, body) of every record of a kind."""
        if self._connection is not None:
            yield from self._connection.execute("SELECT scope, body FROM records WHERE kind = ?", (kind,))

    def clear(self, scope: str | None = None) -> None:
        """Forgets one data set, or everything but what belongs to none (accounts, keys, settings)."""
        if self._connection is None:
            return
        self.commit()
        if scope is None:
            self._connection.execute("DELETE FROM records WHERE scope <> ''")
        else:
            self._connection.execute("DELETE FROM records WHERE scope = ?", (scope,))

    def close(self) -> None:
        if self._connection is not None:
            self.commit()
            self._connection.close()
            self._connection = None
