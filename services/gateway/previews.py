"""The values of a template's variables, from an invoice that stands."""

from services.common.addresses import BaseUrl
from services.common.money import format_money
from services.gateway.schemas.invoices import InvoiceDetail
from services.gateway.schemas.shows import ShowView


def values_of(invoice: InvoiceDetail, show: ShowView, base_url: BaseUrl) -> dict[str, str]:
    """By the variable's name, formatted as invoices and messages have them."""
    began = show.start_time or show.created_at
    return {
        "buyer": invoice.display_name or invoice.handle,
        "show_name": show.name,
        "show_date": began.date().isoformat() if began else "",
        "item_count": str(len(invoice.lines)),
        "total": format_money(invoice.total, invoice.currency),
        "pay_link": f"{base_url}{invoice.pay_path}" if invoice.pay_path else "",
    }
