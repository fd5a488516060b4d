"""Nothing is finalized unless Stripe's total is ours to the unit."""

from typing import Final

from services.integrations.adapters.stripe.amounts import to_stripe
from services.integrations.adapters.stripe.answers import Json
from services.integrations.failures import AdapterError, Failure

_DRAFT: Final = (
    "The invoice in Stripe has another total than ours, so it was not finalized. Compare the two: taxes or discounts"
    " that Stripe adds by itself, or an edit there, make such a difference. To have it made anew, delete the draft in"
    " Stripe, then retry."
)
_FINAL: Final = (
    "The invoice in Stripe is final, with another total than ours. Compare the two: taxes or discounts that Stripe adds"
    " by itself, or an edit there, make such a difference. Void it in Stripe where it is wrong."
)
OPEN: Final = (
    "The invoice in Stripe has another total than ours, so it was not marked as paid: it was edited there. Look at its"
    " new total, then mark it again."
)


def require_our_total(found: Json, total: int, currency: str, sentence: str = "") -> None:
    """`total` in our minor units; `sentence` says what was not done. Raises AdapterError TOTAL_MISMATCH."""
    ours = to_stripe(total, currency)
    if found["total"] == ours and found["currency"].upper() == currency:
        return
    raise AdapterError(
        Failure.TOTAL_MISMATCH,
        sentence or (_DRAFT if found["status"] == "draft" else _FINAL),
        details={
            "external_id": found["id"],
            "provider_total": found["total"],
            "our_total": ours,
            "provider_currency": found["currency"].upper(),
        },
    )
