"""Which names a file had before, on disk: the names of a large file would fill the memory."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager


class Repeats:
    """Names with the line where each stood first."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        database.execute("CREATE TABLE names (name TEXT PRIMARY KEY, line INTEGER NOT NULL) WITHOUT ROWID")

    def first_line(self, name: str, line: int) -> int:
        """Where it stood first: this line, when it is new."""
        if self._database.execute("INSERT INTO names VALUES (?, ?) ON CONFLICT DO NOTHING", (name, line)).rowcount:
            return line
        (first,) = self._database.execute("SELECT line FROM names WHERE name = ?", (name,)).fetchone()
        return int(first)


@contextmanager
def repeats() -> Iterator[Repeats]:
    """In a file that is gone with the block."""
    database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
    try:
        database.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -4096")
        database.execute("BEGIN")
        yield Repeats(database)
    finally:
        database.close()
