"""Stripe's rate limits: per account and mode, over all operations and for each one. Token buckets of one second."""

import time
from collections.abc import Callable

import msgspec

from services.sandbox import errors
from services.sandbox.store import Dataset


class RateLimits(msgspec.Struct, forbid_unknown_fields=True):
    """Requests per second. The figures are those Stripe documents."""

    enabled: bool = True
    live_per_second: float = 100
    test_per_second: float = 25
    endpoint_per_second: float = 25


class _Bucket:
    """Holds up to one second's worth of requests."""

    __slots__ = ("at", "tokens")

    def __init__(self, rate: float, at: float) -> None:
        self.tokens = max(rate, 1.0)
        self.at = at

    def refill(self, rate: float, at: float) -> None:
        self.tokens = min(max(rate, 1.0), self.tokens + (at - self.at) * rate)
        self.at = at


class RateLimiter:
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.limits = RateLimits()
        self._clock = clock
        self._buckets: dict[tuple[str, str], _Bucket] = {}

    def admit(self, dataset: Dataset, operation: str) -> None:
        """Raises 429 without counting the request against any limit."""
        if not self.limits.enabled:
            return
        overall = self.limits.live_per_second if dataset.livemode else self.limits.test_per_second
        whole = self._bucket(dataset.scope, "", overall)
        one = self._bucket(dataset.scope, operation, self.limits.endpoint_per_second)
        if one.tokens < 1:
            raise errors.rate_limited("endpoint-rate", livemode=dataset.livemode)
        if whole.tokens < 1:
            raise errors.rate_limited("global-rate", livemode=dataset.livemode)
        one.tokens -= 1
        whole.tokens -= 1

    def forget(self) -> None:
        """Fresh buckets, after a change of the limits."""
        self._buckets.clear()

    def _bucket(self, scope: str, operation: str, rate: float) -> _Bucket:
        now = self._clock()
        bucket = self._buckets.get((scope, operation))
        if bucket is None:
            bucket = self._buckets[scope, operation] = _Bucket(rate, now)
        else:
            bucket.refill(rate, now)
        return bucket
