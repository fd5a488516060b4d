"""The lines of a supplementary invoice: what each item comes to now, less what was invoiced for it before."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from services.common.money import format_money

Line: TypeAlias = Mapping[str, Any]
"""As the snapshots have it: item_number, title, quantity, unit_price (None while it has none), amount."""


@dataclass(frozen=True, slots=True)
class Before:
    """An invoice that is settled."""

    number: str
    """The provider's, for the reader."""
    total: int
    """Minor units."""
    lines: Sequence[Line]
    adjusted: bool
    """Edited at the provider, so that its lines are not by item."""

    @property
    def by_item(self) -> bool:
        return not self.adjusted and sum(line["amount"] for line in self.lines) == self.total


def difference(now: Sequence[Line], before: Sequence[Before], currency: str) -> list[dict[str, Any]]:
    """Lines whose amounts sum up to the amounts of now less the totals of before; some may be below zero."""
    billed: defaultdict[str, list[Line]] = defaultdict(list)
    for invoice in before:
        for line in invoice.lines if invoice.by_item else ():
            billed[line["item_number"]].append(line)
    # What is not told by item, in an invoice or in the lump line of an earlier supplement.
    lump = sum(invoice.total for invoice in before if not invoice.by_item)
    lump += sum(line["amount"] for line in billed.pop("", []))
    fresh = [dict(line) for line in now if line["item_number"] not in billed]
    changed = [
        _changed(line, billed.pop(line["item_number"]), currency) for line in now if line["item_number"] in billed
    ]
    changed += [_gone(parts, currency) for _, parts in sorted(billed.items())]
    numbers = ", ".join(invoice.number for invoice in before if invoice.number and not invoice.by_item)
    changed.append(_line("", f"Invoiced before {numbers}".strip(), 1, -lump))
    return fresh + [line for line in changed if line["amount"]]


def _changed(line: Line, billed: Sequence[Line], currency: str) -> dict[str, Any]:
    amount = line["amount"] - sum(part["amount"] for part in billed)
    quantity, title = 1, f"{line['title']} (now {_said(line, currency)}, before {_before(billed, currency)})"
    if len(billed) == 1:
        # Told by pieces where only their number changed, by price where only that did.
        more = line["quantity"] - billed[0]["quantity"]
        if line["unit_price"] == billed[0]["unit_price"]:
            quantity = abs(more) or 1
        elif more == 0:
            quantity = line["quantity"]
    return _line(line["item_number"], title, quantity, amount)


def _gone(billed: Sequence[Line], currency: str) -> dict[str, Any]:
    amount = -sum(part["amount"] for part in billed)
    quantity = billed[0]["quantity"] if len(billed) == 1 else 1
    title = f"{billed[0]['title']} (no longer claimed, before {_before(billed, currency)})"
    return _line(billed[0]["item_number"], title, quantity, amount)


def _line(item_number: str, title: str, quantity: int, amount: int) -> dict[str, Any]:
    assert amount % quantity == 0, "pieces of one price"
    return {
        "item_number": item_number,
        "title": title,
        "quantity": quantity,
        "unit_price": amount // quantity,
        "amount": amount,
    }


def _before(billed: Sequence[Line], currency: str) -> str:
    """An item that was invoiced in several steps is told by its sum: the steps are differences themselves."""
    if len(billed) == 1:
        return _said(billed[0], currency)
    return f"{format_money(sum(line['amount'] for line in billed), currency)} in all"


def _said(line: Line, currency: str) -> str:
    if line["unit_price"] is None:
        return f"{line['quantity']} without a price"
    return f"{line['quantity']} × {format_money(line['unit_price'], currency)}"
