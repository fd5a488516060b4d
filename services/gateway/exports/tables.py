"""What stands in each file: columns, and a row's cells. Each can be imported again, invoices as marks alone."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from services.common.cells import marked
from services.common.money import format_decimal
from services.gateway.schemas.invoices import InvoiceRow
from services.gateway.schemas.shows import BuyerView, ClaimView, ItemView

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Context:
    """What rows need to know of their surroundings."""

    currency: str
    base_url: str

    def money(self, amount: int | None) -> str:
        """Decimal with a point, in the currency's places; empty where there is no amount."""
        return "" if amount is None else format_decimal(amount, self.currency)

    def link(self, path: str) -> str:
        return self.base_url + path if path else ""


@dataclass(frozen=True, slots=True)
class Table(Generic[T]):
    """A file. A cell that is a text is marked where a spreadsheet would run it; numbers stay numbers."""

    columns: dict[str, Callable[[T, Context], object]]

    def row(self, entry: T, context: Context) -> list[object]:
        return [_cell(value(entry, context)) for value in self.columns.values()]


@dataclass(frozen=True, slots=True)
class Number:
    """Digits that are a number and no text."""

    digits: str


def _cell(value: object) -> object:
    if isinstance(value, Number):
        return value.digits
    if isinstance(value, str):
        return marked(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return "" if value is None else value


ITEMS: Table[ItemView] = Table(
    {
        "item_number": lambda item, _: item.item_number,
        "title": lambda item, _: item.title,
        "price_decimal": lambda item, context: Number(context.money(item.price)),
        "price_minor": lambda item, _: item.price,
        "currency": lambda _, context: context.currency,
        "quantity": lambda item, _: item.quantity,
    }
)

CLAIMS: Table[ClaimView] = Table(
    {
        "claim_id": lambda claim, _: claim.claim_id,
        "platform": lambda claim, _: claim.platform,
        "platform_user_id": lambda claim, _: claim.platform_user_id,
        "user_handle": lambda claim, _: claim.user_handle,
        "display_name": lambda claim, _: claim.display_name,
        "email": lambda claim, _: claim.email,
        "item_number": lambda claim, _: claim.item_number,
        "quantity": lambda claim, _: claim.quantity,
        "status": lambda claim, _: claim.status,
        "claimed_at": lambda claim, _: claim.claimed_at,
        "sequence": lambda claim, _: claim.sequence,
    }
)

BUYERS: Table[BuyerView] = Table(
    {
        "platform": lambda buyer, _: buyer.platform,
        "platform_user_id": lambda buyer, _: buyer.platform_user_id,
        "user_handle": lambda buyer, _: buyer.handle,
        "display_name": lambda buyer, _: buyer.display_name,
        "email": lambda buyer, _: buyer.email,
        "claims": lambda buyer, _: buyer.claim_count,
        "lines": lambda buyer, _: buyer.line_count,
        "unpriced_lines": lambda buyer, _: buyer.unpriced_count,
        "total_decimal": lambda buyer, context: Number(context.money(buyer.total)),
        "total_minor": lambda buyer, _: buyer.total,
        "currency": lambda _, context: context.currency,
        "pay_link": lambda buyer, context: context.link(buyer.pay_path),
    }
)

INVOICES: Table[InvoiceRow] = Table(
    {
        "invoice_id": lambda invoice, _: invoice.id,
        "number": lambda invoice, _: invoice.number,
        "platform": lambda invoice, _: invoice.platform,
        "platform_user_id": lambda invoice, _: invoice.platform_user_id,
        "user_handle": lambda invoice, _: invoice.handle,
        "display_name": lambda invoice, _: invoice.display_name,
        "email": lambda invoice, _: invoice.email,
        "status": lambda invoice, _: invoice.status,
        "draft_reason": lambda invoice, _: invoice.draft_reason,
        "note": lambda invoice, _: invoice.status_reason,
        "total_decimal": lambda invoice, _: Number(format_decimal(invoice.total, invoice.currency)),
        "total_minor": lambda invoice, _: invoice.total,
        "currency": lambda invoice, _: invoice.currency,
        "lines": lambda invoice, _: invoice.line_count,
        "unpriced_lines": lambda invoice, _: invoice.unpriced_count,
        "revision": lambda invoice, _: invoice.revision,
        "created_at": lambda invoice, _: invoice.created_at,
        "sent_at": lambda invoice, _: invoice.sent_at,
        "times_sent": lambda invoice, _: invoice.send_count,
        "paid_at": lambda invoice, _: invoice.paid_at,
        "paid_outside": lambda invoice, _: invoice.paid_outside,
        "adjusted_at_provider": lambda invoice, _: invoice.adjusted_at_provider,
        "provider": lambda invoice, _: invoice.provider,
        "account": lambda invoice, _: invoice.external_account,
        "live": lambda invoice, _: invoice.livemode,
        "provider_id": lambda invoice, _: invoice.external_id,
        "provider_url": lambda invoice, _: invoice.provider_url,
        "payment_url": lambda invoice, _: invoice.external_url,
        "pay_link": lambda invoice, context: context.link(invoice.pay_path),
    }
)
