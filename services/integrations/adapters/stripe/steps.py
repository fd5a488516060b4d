"""A step of making an invoice: one idempotency key after another, each only when the one before left nothing behind.

The keys are a fixed chain, so that every process that takes up the work again walks the same way to the same result.
"""

from collections.abc import Awaitable, Callable
from typing import Final

from services.integrations.adapters.stripe.answers import Json
from services.integrations.adapters.stripe.errors import KeySpent

_LONGEST_CHAIN: Final = 5


async def walk(base: str, call: Callable[[str], Awaitable[Json]], look: Callable[[], Awaitable[Json | None]]) -> Json:
    """Calls under `base`, then `base.1`, … until one key is not spent.

    `look` reads what an earlier execution under a spent key left at Stripe: an object that settles the step, or None
    when it is proved that there is nothing. Raises what the calls raise.
    """
    for link in range(_LONGEST_CHAIN - 1):
        try:
            return await call(f"{base}.{link}" if link else base)
        except KeySpent:
            found = await look()
            if found is not None:
                return found
    return await call(f"{base}.{_LONGEST_CHAIN - 1}")
