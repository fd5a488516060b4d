"""How often each operation was asked for, and how it ended."""

from collections import Counter
from typing import Final

from services.sandbox.records import Json

OUTCOMES: Final = ("calls", "succeeded", "refused", "limited", "failed", "replayed", "cut")


class CallCounters:
    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str, str]] = Counter()

    def count(self, account: str, operation: str, status: int, *, replayed: bool, cut: bool) -> None:
        self._counts[account, operation, "calls"] += 1
        if cut:
            outcome = "cut"
        elif status == 429:
            outcome = "limited"
        elif status >= 500:
            outcome = "failed"
        else:
            outcome = "succeeded" if status < 400 else "refused"
        self._counts[account, operation, outcome] += 1
        if replayed:
            self._counts[account, operation, "replayed"] += 1

    def shown(self, account: str | None = None) -> Json:
        operations: Json = {}
        for (of_account, operation, outcome), count in sorted(self._counts.items()):
            if account is None or account == of_account:
                entry = operations.setdefault(operation, dict.fromkeys(OUTCOMES, 0))
                entry[outcome] += count
        return operations

    def clear(self) -> None:
        self._counts.clear()
