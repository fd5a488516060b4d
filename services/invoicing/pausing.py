"""How long to wait after a failed try, and when to stop trying."""

import random
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from services.common.errors import Kind, ShowbillError
from services.invoicing.domain.fairness import Account

_BACKOFF: Final = (0.5, 60.0)
"""Shortest and longest delay in seconds after a failed try."""
_GIVE_UP_AFTER: Final = 30 * 60
"""Seconds of failed tries after which an entry is left to the operator."""
_LEAST_TRIES: Final = 10
_STREAK: Final = 3
"""Failed tries in a row after which an account rests: its provider is down, not one entry wrong."""


@dataclass(slots=True)
class Pauses:
    """Accounts that are not to be called for a while: a limit was met, or calls failed one after the other."""

    until: dict[Account, float] = field(default_factory=dict)
    failures: Counter[Account] = field(default_factory=Counter)
    rests: Counter[Account] = field(default_factory=Counter)

    def resting(self, account: Account) -> bool:
        return time.monotonic() < self.until.get(account, 0.0)

    def went_well(self, account: Account) -> None:
        self.failures.pop(account, None)
        self.rests.pop(account, None)

    def failed(self, account: Account, error: ShowbillError) -> None:
        if error.kind is Kind.RATE_LIMITED:
            self._rest(account, error.retry_after or 1.0)
        elif not self.resting(account):  # calls that were cut off together count once
            self.failures[account] += 1
            if self.failures[account] >= _STREAK:
                self._rest(account, min(0.25 * 2 ** min(self.rests[account], 8), 15.0))
                self.rests[account] += 1
                self.failures[account] = 0

    def _rest(self, account: Account, seconds: float) -> None:
        self.until[account] = max(self.until.get(account, 0.0), time.monotonic() + seconds)


def delay_after(tries: int, error: ShowbillError) -> float:
    """Seconds until the next try: as the provider says where it limits us, else more with each try."""
    return error.retry_after if error.kind is Kind.RATE_LIMITED and error.retry_after else backoff(tries)


def backoff(tries: int) -> float:
    """Seconds to wait after so many failed tries: doubling, and spread out so that they do not all return at once."""
    shortest, longest = _BACKOFF
    return float(min(shortest * 2 ** min(tries, 16), longest) * random.uniform(0.75, 1.25))  # noqa: S311  # no secret


def is_hopeless(tries: int, since: datetime, error: ShowbillError) -> bool:
    """Whether it was tried for so long that the operator should look at it. Waiting for a turn is no try."""
    if error.kind is Kind.RATE_LIMITED or tries + 1 < _LEAST_TRIES:
        return False
    return (datetime.now(UTC) - since).total_seconds() > _GIVE_UP_AFTER
