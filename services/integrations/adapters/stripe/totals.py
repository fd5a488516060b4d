"""Nothing is finalized unless Stripe's total is ours to the unit."""

from services.integrations.adapters.stripe.amounts import to_stripe
from services.integrations.adapters.stripe.answers import Json
from services.integrations.failures import AdapterError, Failure


def require_our_total(found: Json, total: int, currency: str) -> None:
    """`total` in our minor units. Raises AdapterError TOTAL_MISMATCH."""
    ours = to_stripe(total, currency)
    if found["total"] == ours and found["currency"].upper() == currency:
        return
    anew = " To have it made anew, delete the draft in Stripe, then retry." if found["status"] == "draft" else ""
    raise AdapterError(
        Failure.TOTAL_MISMATCH,
        "The invoice in Stripe has another total than ours, so it was not finalized. Compare the two: taxes or"
        f" discounts that Stripe adds by itself, or an edit there, make such a difference.{anew}",
        details={
            "external_id": found["id"],
            "provider_total": found["total"],
            "our_total": ours,
            "provider_currency": found["currency"].upper(),
        },
    )
