"""The customer object, as recorded of API version 2026-08-26.dahlia."""

from typing import Any

from services.sandbox.records import Customer, Json


def new_body(customer_id: str, created: int, invoice_prefix: str, *, livemode: bool) -> Json:
    return {
        "id": customer_id,
        "object": "customer",
        "address": None,
        "balance": 0,
        "created": created,
        "currency": None,
        "customer_account": None,
        "default_source": None,
        "delinquent": False,
        "description": None,
        "discount": None,
        "email": None,
        "invoice_prefix": invoice_prefix,
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": livemode,
        "metadata": {},
        "name": None,
        "next_invoice_sequence": 1,
        "phone": None,
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": None,
    }


def address(given: Any) -> Json | None:
    """A complete address object from the parts given; None when it is unset."""
    if not isinstance(given, dict):
        return None
    return {part: given.get(part) or None for part in ("city", "country", "line1", "line2", "postal_code", "state")}


def reserve_number(customer: Customer) -> str:
    """`TPWQGGSN-0001`, and moves the customer's sequence on."""
    number = f"{customer.body['invoice_prefix']}-{customer.body['next_invoice_sequence']:04d}"
    customer.body["next_invoice_sequence"] += 1
    return number
