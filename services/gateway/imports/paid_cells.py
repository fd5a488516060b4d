"""What a cell says that tells how an invoice was paid: a note, yes, no, or the amount that came in."""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from services.common.money import is_currency
from services.gateway.imports.prices import decimal_price, readings
from services.gateway.imports.report import Unfit

_YES: Final = frozenset(["yes", "y", "true", "x", "1", "paid", "✓", "✔", "ok", "ja", "wahr", "oui", "vrai", "si", "sí"])
_NO: Final = frozenset(
    (
        *("no", "n", "false", "0", "-", "–", "—", "none", "unpaid", "not paid", "not yet", "n/a", "na", "n.a"),
        *(
            "null",
            "nil",
            "nan",
            "pending",
            "open",
            "due",
            "overdue",
            "outstanding",
            "waiting",
            "awaiting",
            "tbd",
            "tbc",
        ),
        *("nein", "falsch", "offen", "ausstehend", "unbezahlt", "nicht bezahlt", "non", "faux", "impayé"),
        *("en attente", "pendiente", "no pagado"),
    )
)
"""A column that was filled with yes and no means what it says, in either case."""
_UNCLEAR: Final = re.compile(
    r"[^\w]+|(not|nicht|noch nicht|pas|never|unpaid|awaiting|waiting|pending)\b.*|no payment\b.*"
    r"|part(ial(ly)?|ly)?|half|deposit|teilweise|anzahlung"
)
"""What is no proof of a payment, or of the whole."""
_ERROR: Final = re.compile(r"#(N/?[AVD]|[^\s!?]+[!?])", re.IGNORECASE)
"""What a spreadsheet shows of a formula that found nothing: a payment looked up in a bank's list, for one."""
_WITH_CURRENCY: Final = re.compile(r"([A-Za-z]{3})? ?([^\w\s]?) ?([+-]?[0-9.,][^A-Za-z]*?) ?([^\w\s]?) ?([A-Za-z]{3})?")
_LONGEST_NOTE: Final = 500


@dataclass(frozen=True, slots=True)
class Paid:
    """It was paid outside the provider."""

    note: str
    """How; empty where nobody says."""
    is_amount: bool = False
    """The note is what came in."""


def read_paid(cell: str) -> Paid | None:
    """None where it was not paid. Raises Unfit."""
    word = cell.casefold().strip().rstrip(".!")
    if not word or word in _NO:
        return None
    if word in _YES:
        return Paid("")
    if _ERROR.fullmatch(cell):
        raise Unfit(f"The cell paid_outside holds an error of the spreadsheet, {cell[:20]}. Correct it, or empty it.")
    if _UNCLEAR.fullmatch(word):
        raise Unfit(
            f"The cell paid_outside says '{cell[:40]}'. Empty it where the whole was not paid; else write how it was."
        )
    if len(cell) > _LONGEST_NOTE:
        raise Unfit(f"The column paid_outside has more than {_LONGEST_NOTE} characters.")
    amounts = _amounts(cell)
    return Paid(cell, is_amount=len(amounts) > 0) if any(amounts) or not amounts else None


def _amounts(cell: str) -> list[Decimal]:
    """What it can mean as an amount, in whatever currency; nothing for what is no amount."""
    found = _WITH_CURRENCY.fullmatch(cell)
    if found is None or any(code and not is_currency(code.upper()) for code in found.group(1, 5)):
        return []
    return readings(found.group(3).lstrip("+-"))


def whole_amount(cell: str, currency: str, total: int | None) -> int:
    """Minor units that came in. `total` is what the line says of the invoice. Raises Unfit for another amount."""
    try:
        return decimal_price(cell, currency, total, what="amount")
    except Unfit:
        if total is None:
            raise
    says = f"The cell paid_outside says {cell[:40]}, which is not the total of the line."
    raise Unfit(f"{says} A part cannot be marked: correct the line, or empty the cell.")
