"""The lines of a draft: add, update, remove, list. A line is a final amount, or a unit amount times a quantity."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from services.sandbox import errors, ids, lifecycle, lists, money
from services.sandbox.call import Answer, Call
from services.sandbox.objects.invoice import MAX_LINES
from services.sandbox.objects.line import new_line
from services.sandbox.operations.invoices import find
from services.sandbox.operations.metadata import merged
from services.sandbox.records import Invoice, Json

NOT_A_DRAFT = "This invoice is no longer editable: lines can be changed on draft invoices only."
TOO_MANY = f"An invoice can have at most {MAX_LINES} line items."
_MAX_DESCRIPTION = 5000


class _Line:
    """A line by its id, in the shape that paging wants."""

    def __init__(self, body: Json) -> None:
        self.body = body
        self.id: str = body["id"]


def add(call: Call) -> Answer:
    invoice = _draft(call)
    given: list[Json] = call.params["lines"]
    if len(invoice.lines) + len(given) > MAX_LINES:
        raise errors.refused(TOO_MANY, "lines")
    new = [_new(call, invoice, line, f"lines[{index}]") for index, line in enumerate(given)]

    def alter() -> None:
        invoice.lines = [*invoice.lines, *new]
        _set_invoice_metadata(call, invoice)

    return lifecycle.change(call, invoice, alter)


def update(call: Call) -> Answer:
    invoice = _draft(call)
    changes: list[tuple[int, Json]] = []
    for index, line in enumerate(call.params["lines"]):
        position = _position(invoice, line["id"], f"lines[{index}][id]")
        changes.append((position, _changed(invoice, invoice.lines[position], line, f"lines[{index}]")))

    def alter() -> None:
        lines = list(invoice.lines)
        for position, line in changes:
            lines[position] = line
        invoice.lines = lines
        _set_invoice_metadata(call, invoice)

    return lifecycle.change(call, invoice, alter)


def update_one(call: Call) -> Answer:
    """Answers with the line, not with the invoice."""
    invoice = _draft(call)
    position = _position(invoice, call.path["line"], "line_item_id", status=404)
    line = _changed(invoice, invoice.lines[position], call.params, "")

    def alter() -> None:
        invoice.lines = [*invoice.lines[:position], line, *invoice.lines[position + 1 :]]

    lifecycle.change(call, invoice, alter)
    return line


def remove(call: Call) -> Answer:
    invoice = _draft(call)
    gone = set()
    for index, line in enumerate(call.params["lines"]):
        _position(invoice, line["id"], f"lines[{index}][id]")
        if line["behavior"] != "delete":
            raise errors.not_modelled(f"lines[{index}][behavior]=unassign")
        gone.add(line["id"])

    def alter() -> None:
        invoice.lines = [line for line in invoice.lines if line["id"] not in gone]
        _set_invoice_metadata(call, invoice)

    return lifecycle.change(call, invoice, alter)


def list_(call: Call) -> Answer:
    invoice = find(call)
    url = f"/v1/invoices/{invoice.id}/lines"
    return lists.page(map(_Line, invoice.lines), call.params, lambda line: line.body, noun="line item", url=url)


def _draft(call: Call) -> Invoice:
    invoice = find(call)
    if invoice.body["status"] != "draft":
        raise errors.refused(NOT_A_DRAFT)
    return invoice


def _position(invoice: Invoice, line_id: str, param: str, *, status: int = 400) -> int:
    for position, line in enumerate(invoice.lines):
        if line["id"] == line_id:
            return position
    raise errors.no_such("invoice line item", line_id, param, status=status)


def _new(call: Call, invoice: Invoice, given: Json, name: str) -> Json:
    if "amount" not in given and "price_data" not in given:
        raise errors.refused(f"Missing required param: {name}[amount].", f"{name}[amount]", "parameter_missing")
    account, now = call.dataset.account.id, call.now
    line = new_line(
        ids.object_id("il", account, now),
        invoice.id,
        ids.object_id("ii", account, now),
        ids.object_id("price", account, now),
        ids.short_id("prod"),
        amount=0,
        currency=invoice.body["currency"],
        created=now,
        livemode=call.dataset.livemode,
    )
    return _changed(invoice, line, given, name)


def _changed(invoice: Invoice, line: Json, given: Json, name: str) -> Json:
    """The line with what is given; the old one stays as it was."""
    changed = {**line}
    if "amount" in given and "price_data" in given:
        raise errors.refused(f"You may only specify one of these parameters: {name}[amount], {name}[price_data].")
    if "price_data" in given:
        _price(invoice, changed, given, name)
    elif "amount" in given:
        if given.get("quantity", 1) != 1:
            message = "You cannot specify a quantity with an amount. Use price_data with a unit_amount instead."
            raise errors.refused(message, f"{name}[quantity]" if name else "quantity")
        _set_amount(changed, given["amount"], 1, str(given["amount"]), f"{name}[amount]" if name else "amount")
    elif "quantity" in given:
        _requantify(changed, given["quantity"], f"{name}[quantity]" if name else "quantity")
    if len(given.get("description", "")) > _MAX_DESCRIPTION:
        raise errors.refused("Invalid string: description is too long", name, "parameter_invalid_string_long")
    if "description" in given:
        changed["description"] = given["description"] or None
    if "metadata" in given:
        changed["metadata"] = merged(line["metadata"], given["metadata"])
    for part in ("period", "discountable"):
        if part in given:
            changed[part] = given[part]
    return changed


def _price(invoice: Invoice, line: Json, given: Json, name: str) -> None:
    price: Json = given["price_data"]
    if "product" in price:
        raise errors.no_such("product", price["product"], f"{name}[price_data][product]", status=400)
    if "product_data" not in price:
        param = f"{name}[price_data][product]"
        raise errors.refused(f"Missing required param: {param}.", param, "parameter_missing")
    if money.checked_currency(price["currency"], f"{name}[price_data][currency]") != invoice.body["currency"]:
        raise errors.refused(
            f"The currency of a line must be that of its invoice: {invoice.body['currency']}.",
            f"{name}[price_data][currency]",
        )
    unit = price.get("unit_amount_decimal", price.get("unit_amount"))
    if unit is None:
        param = f"{name}[price_data][unit_amount]"
        raise errors.refused(f"Missing required param: {param}.", param, "parameter_missing")
    _set_amount(line, *_multiplied(unit, given.get("quantity", 1)), f"{name}[price_data][unit_amount]")
    if line["description"] is None:
        line["description"] = price["product_data"]["name"]


def _multiplied(unit: Any, quantity: int) -> tuple[int, int, str]:
    amount = int((Decimal(unit) * quantity).quantize(Decimal(1), ROUND_HALF_UP))
    return amount, quantity, str(unit)


def _requantify(line: Json, quantity: int, name: str) -> None:
    _set_amount(line, *_multiplied(line["pricing"]["unit_amount_decimal"], quantity), name)


def _set_amount(line: Json, amount: int, quantity: int, unit: str, name: str) -> None:
    money.checked_amount(amount, line["currency"], name)
    line["amount"] = line["subtotal"] = amount
    line["quantity"], line["quantity_decimal"] = quantity, str(quantity)
    line["pricing"] = {**line["pricing"], "unit_amount_decimal": unit}
    line["discountable"] = amount >= 0


def _set_invoice_metadata(call: Call, invoice: Invoice) -> None:
    if "invoice_metadata" in call.params:
        invoice.body["metadata"] = merged(invoice.body["metadata"], call.params["invoice_metadata"])
