"""The line item object, as recorded of API version 2026-08-26.dahlia."""

from services.sandbox.records import Json


def new_line(
    line_id: str,
    invoice_id: str,
    item_id: str,
    price_id: str,
    product_id: str,
    *,
    amount: int,
    currency: str,
    created: int,
    livemode: bool,
) -> Json:
    """A line made by add_lines: Stripe makes an invoice item and a one-off price for each."""
    return {
        "id": line_id,
        "object": "line_item",
        "amount": amount,
        "currency": currency,
        "description": None,
        "discount_amounts": [],
        "discountable": amount >= 0,
        "discounts": [],
        "invoice": invoice_id,
        "livemode": livemode,
        "metadata": {},
        "parent": {
            "invoice_item_details": {
                "invoice_item": item_id,
                "proration": False,
                "proration_details": {"credited_items": None},
                "subscription": None,
            },
            "subscription_item_details": None,
            "type": "invoice_item_details",
        },
        "period": {"end": created, "start": created},
        "pretax_credit_amounts": [],
        "pricing": {
            "price_details": {"price": price_id, "product": product_id},
            "type": "price_details",
            "unit_amount_decimal": str(amount),
        },
        "quantity": 1,
        "quantity_decimal": "1",
        "subtotal": amount,
        "taxes": [],
    }
