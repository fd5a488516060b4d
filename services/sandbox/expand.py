"""`expand[]`: an id replaced by the object it names."""

from services.sandbox import errors
from services.sandbox.call import Call
from services.sandbox.records import Json
from services.sandbox.schema import Parameters

_OF_INVOICE = frozenset({"customer", "lines", "lines.data"})
_NOT_AN_INVOICE = frozenset({"invoices.delete", "invoices.lines.list", "invoices.lines.update"})


def check_expand(operation: str, params: Parameters) -> None:
    """Before execution: only an invoice's customer can be expanded; other properties are refused by name."""
    for path in params.get("expand") or []:
        one = path.removeprefix("data.") if operation == "invoices.list" else path
        if not operation.startswith("invoices.") or operation in _NOT_AN_INVOICE or one not in _OF_INVOICE:
            raise errors.invalid_parameter("expand", f"This property cannot be expanded ({path}).")


def expanded(call: Call, answer: Json) -> Json:
    wanted = call.params.get("expand") or []
    if "customer" in wanted:
        return _with_customer(call, answer)
    if "data.customer" in wanted:
        return {**answer, "data": [_with_customer(call, one) for one in answer["data"]]}
    return answer


def _with_customer(call: Call, shown: Json) -> Json:
    return {**shown, "customer": call.dataset.customers[shown["customer"]].body}
