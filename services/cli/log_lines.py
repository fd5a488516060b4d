"""Reading the lines that the children log: our services write JSON, Postgres and NATS their own form."""

import json
from typing import Any


def serious(line: str) -> str | None:
    """What is worth the terminal: warnings and errors of our services, and of servers what they cannot bear."""
    if (entry := _entry(line)) is not None:
        return plain(line) if entry.get("level") in ("warning", "error", "critical") else None
    for mark in (" FATAL:  ", " PANIC:  ", "[ERR] ", "[FTL] "):
        if mark in line:
            return line.partition(mark)[2].strip()
    return None


def plain(line: str) -> str:
    """The line for a person: of JSON its level, event and error, without the traceback, which the log keeps."""
    entry = _entry(line)
    if entry is None:
        return line
    words = [str(entry[key]) for key in ("level", "event", "error", "reason") if entry.get(key)]
    return ": ".join(words) or line


def _entry(line: str) -> dict[str, Any] | None:
    if not line.startswith("{"):
        return None
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None
