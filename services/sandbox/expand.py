"""`expand[]`: an id replaced by the object it names, or a property that is told only where it is asked for."""

from typing import Final

from services.sandbox import errors
from services.sandbox.call import Call
from services.sandbox.records import Json
from services.sandbox.schema import Parameters

_OF_INVOICE = frozenset({"customer", "lines", "lines.data", "amount_paid_off_stripe"})
_NOT_AN_INVOICE = frozenset({"invoices.delete", "invoices.lines.list", "invoices.lines.update"})


def check_expand(operation: str, params: Parameters) -> None:
    """Before execution: only what an invoice has can be expanded; other properties are refused by name."""
    for path in params.get("expand") or []:
        one = path.removeprefix("data.") if operation == "invoices.list" else path
        if not operation.startswith("invoices.") or operation in _NOT_AN_INVOICE or one not in _OF_INVOICE:
            raise errors.invalid_parameter("expand", f"This property cannot be expanded ({path}).")


def expanded(call: Call, answer: Json) -> Json:
    wanted = call.params.get("expand") or []
    for path in wanted:
        one = path.removeprefix("data.")
        if (add := _ADDED.get(one)) is None:
            continue
        of_many = {"data": [add(call, each) for each in answer["data"]]} if one != path else {}
        answer = {**answer, **of_many} if of_many else add(call, answer)
    return answer


def _with_customer(call: Call, shown: Json) -> Json:
    return {**shown, "customer": call.dataset.customers[shown["customer"]].body}


def _with_amount_off_stripe(call: Call, shown: Json) -> Json:
    outside = call.dataset.invoices[shown["id"]].settled_by == "out_of_band"
    return {**shown, "amount_paid_off_stripe": shown["amount_paid"] if outside else 0}


_ADDED: Final = {"customer": _with_customer, "amount_paid_off_stripe": _with_amount_off_stripe}
