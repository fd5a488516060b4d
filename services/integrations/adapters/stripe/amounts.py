"""Amounts between ISO 4217 minor units, which are ours, and Stripe's, which differ for three currencies."""

from typing import Final

from services.integrations.failures import AdapterError, Failure

# Stripe's smallest units to one of ours: it takes krónur and shillings with two decimals, and ariary with none.
_FINER: Final = {"ISK": 100, "UGX": 100}
_COARSER: Final = {"MGA": 100}


def to_stripe(amount: int, currency: str) -> int:
    """Raises AdapterError PROVIDER_REFUSED for an amount that Stripe's units cannot express."""
    if currency in _FINER:
        return amount * _FINER[currency]
    whole, rest = divmod(amount, _COARSER.get(currency, 1))
    if rest:
        raise AdapterError(
            Failure.PROVIDER_REFUSED, f"Stripe takes whole {currency} only. Round the prices of this show."
        )
    return whole


def from_stripe(amount: int, currency: str) -> int:
    """Rounds down where somebody made an amount at Stripe that ours cannot express. Raises TypeError for no integer."""
    if type(amount) is not int:
        raise TypeError("an amount of Stripe's is an integer")
    if currency in _FINER:
        return amount // _FINER[currency]
    return amount * _COARSER.get(currency, 1)
