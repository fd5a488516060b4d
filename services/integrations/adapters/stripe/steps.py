"""A step of making an invoice: one idempotency key after another, each only when the one before left nothing behind.

The keys are a fixed chain, so that every process that takes up the work again walks the same way to the same result.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Final

from services.integrations.adapters.stripe.answers import Json
from services.integrations.adapters.stripe.errors import KeySpent

_LONGEST_CHAIN: Final = 1_000
"""Keys of one step. A fault of Stripe's own spends one, and workers try for half an hour: a bound, no aim."""
_REMEMBERED: Final = 10_000
"""Chains."""


class Chains:
    """Walks chains, and remembers how far: a key that is spent for good needs no asking again."""

    def __init__(self) -> None:
        self._next: OrderedDict[str, int] = OrderedDict()

    async def walk(
        self, base: str, call: Callable[[str], Awaitable[Json]], look: Callable[[], Awaitable[Json | None]]
    ) -> Json:
        """Calls under `base`, then `base.1`, … until one key is not spent.

        `look` reads what an earlier execution under a spent key left at Stripe: an object that settles the step, or
        None when it is proved that there is nothing. Raises what the calls raise.
        """
        link = self._next.get(base, 0)
        while True:
            try:
                return await call(f"{base}.{link}" if link else base)
            except KeySpent:
                found = await look()
                if found is not None:
                    return found
                if link == _LONGEST_CHAIN:
                    raise
            link += 1
            self._remember(base, link)

    def _remember(self, base: str, link: int) -> None:
        """Only where nothing was left behind: else the next key would make a second one."""
        self._next[base] = link
        self._next.move_to_end(base)
        if len(self._next) > _REMEMBERED:
            self._next.popitem(last=False)
