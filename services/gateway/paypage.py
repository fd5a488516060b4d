"""What the pay page says: one table from where an invoice stands to words, colour and what can be done."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from urllib.parse import urlsplit

from services.gateway.reader import Reader
from services.gateway.schemas.paylink import PayLink


@dataclass(frozen=True, slots=True)
class State:
    """How a state is told: a word, its tone and icon, and a sentence."""

    word: str
    tone: str
    sentence: str = ""


_PAYABLE: Final = State("To pay", "open")
_FAILED: Final = State("Payment failed", "warn", "The last payment did not go through. You can try again.")
_BY_HAND: Final = State("To pay", "open", "Pay the seller directly, as written below.")
_NO_WAY: Final = State(
    "To pay", "open", "How to pay cannot be shown just now. Try again in a minute, or ask the seller."
)
_PREPARED: Final = State("Not ready yet", "calm", "This invoice is being prepared. Look again a little later.")
_HELD_BACK: Final[Mapping[str, State]] = {
    "needs_price": State(
        "Not ready yet", "calm", "The seller still has to set a price. Look again later: this link stays the same."
    ),
    "below_minimum": State(
        "Not ready yet", "calm", "The total is too small to be paid online. Ask the seller how to pay it."
    ),
}
_SETTLED: Final[Mapping[str, State]] = {
    "paid": State("Paid", "good", "This invoice is paid. Thank you."),
    "void": State("Cancelled", "gone", "This invoice was cancelled. There is nothing to pay."),
    "uncollectible": State("Closed", "gone", "This invoice was closed. Ask the seller if you want to pay it."),
}


def web_address(url: str) -> str:
    """The address if it leads to a web page; else nothing: a link must never lead into a script."""
    return url if urlsplit(url).scheme in ("https", "http") else ""


def state_of(link: PayLink) -> State:
    """What is to be said of an invoice."""
    if settled := _SETTLED.get(link.status or ""):
        return settled
    if not link.payable:
        return _HELD_BACK.get(link.draft_reason or "", _PREPARED)
    if not web_address(link.external_url):
        return _BY_HAND if link.payment_instructions else _NO_WAY
    return _FAILED if link.status == "payment_failed" else _PAYABLE


def content(link: PayLink, reader: Reader, path: str) -> dict[str, Any]:
    """What the template shows. `path` is the page's own."""
    state = state_of(link)
    payable = link.payable and bool(web_address(link.external_url))
    unpriced = any(line.unit_price is None for line in link.lines)
    return {
        "state": state,
        "link": link,
        "language": reader.language,
        "total": "" if not link.currency or (unpriced and not link.total) else reader.money(link.total, link.currency),
        "total_word": "Total so far" if unpriced else "Total",
        "pay_path": f"{path}/pay" if payable else "",
        "opened_path": f"{path}/opened",
        "show_day": _day(link.show_date, reader),
        "paid_day": (link.paid_at.date().isoformat(), reader.day(link.paid_at.date())) if link.paid_at else None,
        "paid_before": reader.money(link.paid_before, link.currency) if link.paid_before else "",
        "lines": [_line(line, link.currency, reader) for line in link.lines],
        "changed": _changed(link, reader),
        "struck": state.tone == "gone",
    }


def _day(text: str, reader: Reader) -> tuple[str, str] | None:
    """A day for machines and for the reader."""
    try:
        return text, reader.day(date.fromisoformat(text))
    except ValueError:
        return None


def _changed(link: PayLink, reader: Reader) -> str:
    """By how much the total is not what the lines come to: edited at the provider, by a discount for example. Of a long
    invoice the lines are not told anew."""
    difference = link.total - sum(line.amount for line in link.lines)
    return reader.money(difference, link.currency) if difference and link.lines and link.currency else ""


def _line(line: Any, currency: str, reader: Reader) -> dict[str, str]:
    unpriced = line.unit_price is None
    each = "" if unpriced or line.quantity == 1 else reader.money(line.unit_price, currency)
    return {
        "title": line.title or f"Item {line.item_number}",
        "number": line.item_number if line.title else "",
        "quantity": f"{line.quantity} × {each}" if each else (f"{line.quantity} ×" if line.quantity != 1 else ""),
        "amount": "Price to come" if unpriced else reader.money(line.amount, currency),
    }
