"""One JSON line on standard output per request. No key, e-mail or secret is ever in it."""

import sys
import time
from typing import Any

import msgspec

_requests_shown = True


def show_requests(shown: bool) -> None:
    global _requests_shown
    _requests_shown = shown


def line(event: str, **fields: Any) -> None:
    record = {"time": round(time.time(), 3), "service": "sandbox", "event": event, **fields}
    sys.stdout.write(msgspec.json.encode(record).decode() + "\n")
    sys.stdout.flush()


def request(**fields: Any) -> None:
    if _requests_shown:
        line("request", **fields)
