"""A file of invoices: what was paid outside the provider, in the column that the export has for it."""

from collections.abc import AsyncIterator
from typing import BinaryIO, Final

from services.common.context import Identity
from services.common.money import is_currency
from services.gateway.backends.invoices import Invoices
from services.gateway.backends.shows import Shows
from services.gateway.imports.columns import Columns
from services.gateway.imports.paid_cells import read_paid, whole_amount
from services.gateway.imports.prices import decimal_price
from services.gateway.imports.repeats import Repeats
from services.gateway.imports.report import Unfit, whole_number
from services.gateway.imports.rows import Row, open_sheet
from services.gateway.imports.taking import FileKind, take_sheet
from services.gateway.schemas.marks import MarksReport, MarksTaken, PaidMark

COLUMNS: Final = Columns(
    required=("invoice_id", "paid_outside"),
    optional=("number", "total_decimal", "total_minor", "currency"),
    synonyms={
        **dict.fromkeys(("id", "invoice"), "invoice_id"),
        **dict.fromkeys(("invoice_number", "invoice_no", "no"), "number"),
        **dict.fromkeys(("paid_elsewhere", "paid_out_of_band"), "paid_outside"),
        **dict.fromkeys(("total", "amount", "amount_decimal"), "total_decimal"),
        **dict.fromkeys(("amount_minor", "total_minor_units"), "total_minor"),
    },
    instead={"invoice_id": "number"},
    passed_over=(
        *("platform", "platform_user_id", "user_handle", "display_name", "email", "status", "draft_reason", "note"),
        *("lines", "unpriced_lines", "revision", "created_at", "sent_at", "times_sent", "paid_at"),
        *("adjusted_at_provider", "provider", "account", "live", "provider_id", "provider_url", "payment_url"),
        "pay_link",
    ),
)
_MOST_NOTES: Final = 6
"""Different ones that are shown."""


async def import_marks(
    file: BinaryIO,
    shows: Shows,
    invoices: Invoices,
    caller: Identity,
    show_id: str,
    *,
    all_or_none: bool = False,
    validate_only: bool = False,
    notes: list[str] | None = None,
) -> MarksReport:
    """Queues the good lines, or all or none; or only says what would be. Raises BadHeader and NothingTaken.

    `notes` takes the first few different ones of what is to be marked.
    """
    sheet, answers = await open_sheet(file, COLUMNS), list[MarksTaken]()
    currency = (await shows.get(caller, show_id)).currency

    async def send(batches: AsyncIterator[list[PaidMark]], whole: bool) -> MarksTaken:
        looked_at = batches if notes is None else _noting(batches, notes)
        answers.append(await invoices.stream_marks(caller, show_id, looked_at, whole, validate_only))
        return answers[0]

    report = await take_sheet(sheet, marks_in(currency), send, all_or_none=all_or_none and not validate_only)
    return MarksReport.of(report, answers[0])


async def _noting(batches: AsyncIterator[list[PaidMark]], notes: list[str]) -> AsyncIterator[list[PaidMark]]:
    async for batch in batches:
        for mark in batch:
            if mark.paid and len(notes) < _MOST_NOTES and (note := mark.note or "yes") not in notes:
                notes.append(note)
        yield batch


def marks_in(currency: str) -> FileKind[PaidMark]:
    """Files of a show in this currency."""
    return FileKind(COLUMNS, lambda row, known: parse_mark(row, currency, known))


def parse_mark(row: Row, currency: str, known: Repeats) -> PaidMark:
    """Raises Unfit. Of an invoice that is left as it is nothing else counts."""
    fields = row.fields
    invoice_id, number = fields.get("invoice_id", ""), fields.get("number", "")
    if not (invoice_id or number):
        raise Unfit("The line names no invoice. Fill in its invoice_id, or its number.")
    first = known.first_line(invoice_id or number, row.line)
    if first != row.line:
        raise Unfit(f"The invoice {(invoice_id or number)[:60]} is on line {first} already.")
    paid = read_paid(fields["paid_outside"])
    if paid is None:
        return PaidMark(invoice_id, number)
    told = fields.get("currency", "").upper()
    amount = _amount(fields, told or currency)
    if paid.is_amount:
        amount = whole_amount(paid.note, told or currency, amount)
    return PaidMark(invoice_id, number, True, paid.note, amount, told)


def _amount(fields: dict[str, str], currency: str) -> int | None:
    if not is_currency(currency):
        raise Unfit(f"The currency '{currency[:10]}' is none. Write it as GBP.")
    minor = whole_number(fields["total_minor"], "total_minor") if fields.get("total_minor") else None
    if fields.get("total_decimal"):
        return decimal_price(fields["total_decimal"], currency, minor, what="total")
    return minor
