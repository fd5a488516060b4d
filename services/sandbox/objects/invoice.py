"""The invoice object, as recorded of API version 2026-08-26.dahlia."""

from services.sandbox.money import minimum_charge
from services.sandbox.records import Account, Customer, Invoice, Json

EMBEDDED_LINES = 10
MAX_LINES = 250

_OF_CUSTOMER = {
    "customer_address": "address",
    "customer_email": "email",
    "customer_name": "name",
    "customer_phone": "phone",
    "customer_shipping": "shipping",
    "customer_tax_exempt": "tax_exempt",
}
"""On a draft these follow the customer; finalizing freezes them."""


def new_body(invoice_id: str, account: Account, customer: Customer, created: int, *, livemode: bool) -> Json:
    return {
        "id": invoice_id,
        "object": "invoice",
        "account_country": account.country,
        "account_name": account.name,
        "account_tax_ids": None,
        "amount_due": 0,
        "amount_overpaid": 0,
        "amount_paid": 0,
        "amount_remaining": 0,
        "amount_shipping": 0,
        "application": None,
        "attempt_count": 0,
        "attempted": False,
        "auto_advance": False,
        "automatic_tax": {
            "disabled_reason": None,
            "enabled": False,
            "liability": None,
            "provider": None,
            "status": None,
        },
        "automatically_finalizes_at": None,
        "billing_reason": "manual",
        "collection_method": "charge_automatically",
        "created": created,
        "currency": account.default_currency,
        "custom_fields": None,
        "customer": customer.id,
        "customer_account": None,
        "customer_address": None,
        "customer_email": None,
        "customer_name": None,
        "customer_phone": None,
        "customer_shipping": None,
        "customer_tax_exempt": "none",
        "customer_tax_ids": [],
        "default_payment_method": None,
        "default_source": None,
        "default_tax_rates": [],
        "description": None,
        "discounts": [],
        "due_date": None,
        "effective_at": None,
        "ending_balance": None,
        "footer": None,
        "from_invoice": None,
        "hosted_invoice_url": None,
        "invoice_pdf": None,
        "issuer": {"type": "self"},
        "last_finalization_error": None,
        "latest_revision": None,
        "lines": None,
        "livemode": livemode,
        "metadata": {},
        "next_payment_attempt": None,
        "number": None,
        "on_behalf_of": None,
        "parent": None,
        "payment_settings": {
            "default_mandate": None,
            "payment_method_options": None,
            "payment_method_types": None,
        },
        "period_end": created,
        "period_start": created,
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "receipt_number": None,
        "rendering": {
            "amount_tax_display": None,
            "pdf": {"page_size": "auto"},
            "template": None,
            "template_version": None,
        },
        "shipping_cost": None,
        "shipping_details": None,
        "starting_balance": 0,
        "statement_descriptor": None,
        "status": "draft",
        "status_transitions": {
            "finalized_at": None,
            "marked_uncollectible_at": None,
            "paid_at": None,
            "voided_at": None,
        },
        "subtotal": 0,
        "subtotal_excluding_tax": 0,
        "test_clock": None,
        "total": 0,
        "total_discount_amounts": [],
        "total_excluding_tax": 0,
        "total_pretax_credit_amounts": [],
        "total_taxes": [],
        "webhooks_delivered_at": created,
    }


def retotal(invoice: Invoice, customer: Customer) -> None:
    """Works out sums and what is due. On a draft the customer's details and balance of this moment count."""
    body = invoice.body
    total = sum(line["amount"] for line in invoice.lines)
    for name in ("subtotal", "subtotal_excluding_tax", "total", "total_excluding_tax"):
        body[name] = total
    if body["status"] == "draft":
        for name, of_customer in _OF_CUSTOMER.items():
            body[name] = customer.body[of_customer]
        body["starting_balance"] = balance_for(customer, body["currency"])
    due, _ = settlement(total, body["starting_balance"], body["currency"])
    body["amount_due"] = due
    body["amount_remaining"] = due - body["amount_paid"]


def balance_for(customer: Customer, currency: str) -> int:
    """The customer's balance counts only for invoices in the customer's currency. Negative is credit."""
    return int(customer.body["balance"]) if customer.body["currency"] == currency else 0


def settlement(total: int, starting_balance: int, currency: str) -> tuple[int, int]:
    """What is due now, and the balance that finalizing leaves with the customer.

    Credit lowers what is due; what is below the minimum charge is not asked for but carried to the next invoice.
    """
    owed = total + starting_balance
    if owed <= 0 or owed < minimum_charge(currency):
        return 0, owed
    return owed, 0


def line_list(invoice: Invoice) -> Json:
    return {
        "object": "list",
        "data": invoice.lines[:EMBEDDED_LINES],
        "has_more": len(invoice.lines) > EMBEDDED_LINES,
        "total_count": len(invoice.lines),
        "url": f"/v1/invoices/{invoice.id}/lines",
    }


def render(invoice: Invoice, customer: Customer, account: Account) -> Json:
    """The object as the API shows it now."""
    if invoice.body["status"] == "draft":
        retotal(invoice, customer)
    shown = dict(invoice.body)
    shown["account_name"], shown["account_country"] = account.name, account.country
    shown["lines"] = line_list(invoice)
    return shown
