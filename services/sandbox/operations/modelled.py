"""Which of Stripe's parameters the sandbox acts on. Any other is refused, unless its value changes nothing."""

from collections.abc import Mapping
from typing import Any, Final

from services.sandbox import errors
from services.sandbox.schema import Parameters


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_CUSTOMER: Final = _names(
    "address balance description email expand invoice_prefix invoice_settings metadata name next_invoice_sequence"
    " phone preferred_locales shipping tax_exempt"
)
_INVOICE: Final = _names(
    "auto_advance automatically_finalizes_at collection_method custom_fields days_until_due description due_date"
    " effective_at expand footer metadata number payment_settings rendering statement_descriptor"
)
_LINE: Final = _names(
    "amount description discountable metadata period price_data quantity quantity_decimal id behavior"
)
_LINES: Final = _names("expand invoice_metadata lines")

MODELLED: Final[Mapping[str, frozenset[str]]] = {
    "customers.create": _CUSTOMER,
    "customers.update": _CUSTOMER,
    "customers.list": _names("created email ending_before expand limit starting_after"),
    "invoices.create": _INVOICE | _names("customer currency from_invoice pending_invoice_items_behavior"),
    "invoices.update": _INVOICE,
    "invoices.list": _names(
        "collection_method created customer due_date ending_before expand limit starting_after status"
    ),
    "invoices.pay": _names("expand forgive off_session paid_out_of_band"),
    "invoices.add_lines": _LINES,
    "invoices.update_lines": _LINES,
    "invoices.remove_lines": _LINES,
    "invoices.lines.update": _LINE | {"expand"},
    "webhook_endpoints.create": _names("api_version connect description enabled_events expand metadata url"),
    "webhook_endpoints.update": _names("description disabled enabled_events expand metadata url"),
}

_WITHOUT_EFFECT: Final[Mapping[str, Any]] = {
    "automatic_tax": {"enabled": False},
    "issuer": {"type": "self"},
    "connect": False,
}
"""Beside these, the empty string: it unsets what was never set."""


def check_modelled(operation: str, params: Parameters) -> None:
    known = MODELLED.get(operation)
    if known is not None:
        _check_names(params, known, "")
    for index, line in enumerate(params.get("lines", ())):
        _check_names(line, _LINE, f"lines[{index}]")


def _check_names(params: Parameters, known: frozenset[str], parent: str) -> None:
    for name, value in params.items():
        if name not in known and value != "" and _WITHOUT_EFFECT.get(name) != value:
            raise errors.not_modelled(f"{parent}[{name}]" if parent else name)
