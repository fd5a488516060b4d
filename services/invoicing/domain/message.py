"""The message that carries a link to its buyer."""

from datetime import date

from services.common.money import format_money
from services.common.templates import message_text
from services.invoicing.domain.invoice import Invoice


def values(invoice: Invoice, show_name: str, show_date: date, link: str) -> dict[str, str]:
    """What a template may name."""
    return {
        "buyer": invoice.display_name or invoice.handle,
        "show_name": show_name,
        "show_date": show_date.isoformat(),
        "item_count": str(invoice.line_count),
        "total": format_money(invoice.total, invoice.currency),
        "pay_link": link,
    }


def message(template: str, invoice: Invoice, show_name: str, show_date: date, link: str) -> str:
    """The template with its values, the usual sentence where there is none. Never without the link."""
    return message_text(template, values(invoice, show_name, show_date, link))
