"""Writes `parameters.json` from the typed parameters of the installed Stripe SDK.

Run `python -m services.sandbox.generate_parameters` after an upgrade of the SDK; a test fails until it was done.
The file holds one schema per operation. A schema is one of
  {"type": "string" | "integer" | "number" | "boolean" | "decimal"}
  {"enum": [...]}, {"array": schema}, {"map": schema}
  {"object": {name: schema}, "required": [name]}
  {"any": [schema, ...]}
and has `"empty": true` where the empty string is accepted, which unsets a value.
"""

import importlib
import json
import sys
import types
from decimal import Decimal
from typing import Any, Final, Literal, NotRequired, Required, Union, get_args, get_origin, get_type_hints

from stripe._request_options import RequestOptions
from typing_extensions import is_typeddict

from services.sandbox.schema import PARAMETERS_FILE

OPERATIONS: Final[dict[str, str]] = {
    "accounts.retrieve": "AccountRetrieveCurrentParams",
    "balance.retrieve": "BalanceRetrieveParams",
    "customers.create": "CustomerCreateParams",
    "customers.list": "CustomerListParams",
    "customers.retrieve": "CustomerRetrieveParams",
    "customers.update": "CustomerUpdateParams",
    "events.list": "EventListParams",
    "events.retrieve": "EventRetrieveParams",
    "invoices.add_lines": "InvoiceAddLinesParams",
    "invoices.create": "InvoiceCreateParams",
    "invoices.delete": "InvoiceDeleteParams",
    "invoices.finalize": "InvoiceFinalizeInvoiceParams",
    "invoices.lines.list": "InvoiceLineItemListParams",
    "invoices.lines.update": "InvoiceLineItemUpdateParams",
    "invoices.list": "InvoiceListParams",
    "invoices.mark_uncollectible": "InvoiceMarkUncollectibleParams",
    "invoices.pay": "InvoicePayParams",
    "invoices.remove_lines": "InvoiceRemoveLinesParams",
    "invoices.retrieve": "InvoiceRetrieveParams",
    "invoices.send": "InvoiceSendInvoiceParams",
    "invoices.update": "InvoiceUpdateParams",
    "invoices.update_lines": "InvoiceUpdateLinesParams",
    "invoices.void": "InvoiceVoidInvoiceParams",
    "webhook_endpoints.create": "WebhookEndpointCreateParams",
    "webhook_endpoints.delete": "WebhookEndpointDeleteParams",
    "webhook_endpoints.list": "WebhookEndpointListParams",
    "webhook_endpoints.retrieve": "WebhookEndpointRetrieveParams",
    "webhook_endpoints.update": "WebhookEndpointUpdateParams",
}

_PRIMITIVES: Final = {str: "string", int: "integer", float: "number", bool: "boolean", Decimal: "decimal"}

Schema = dict[str, Any]


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


def _parameters_class(name: str) -> type:
    module = importlib.import_module(f"stripe.params.{_snake(name)}")
    found = getattr(module, name)
    assert isinstance(found, type)
    return found


def _object_schema(parameters: type) -> Schema:
    options = set(RequestOptions.__annotations__)
    own = {name: hint for name, hint in parameters.__annotations__.items() if name not in options}
    holder = type("Annotated", (), {"__annotations__": own})
    hints = get_type_hints(holder, globalns=vars(sys.modules[parameters.__module__]))
    fields = {name: _schema(hint) for name, hint in hints.items()}
    schema: Schema = {"object": dict(sorted(fields.items()))}
    required = sorted(set(getattr(parameters, "__required_keys__", ())) - options)
    if required:
        schema["required"] = required
    return schema


def _union_schema(members: tuple[Any, ...]) -> Schema:
    schemas = [_schema(member) for member in members]
    empty = {"enum": [""]} in schemas or any(schema.get("empty") for schema in schemas)
    kept: list[Schema] = []
    for schema in schemas:
        if schema != {"enum": [""]} and schema not in kept:
            kept.append(schema)
    if any("enum" in schema for schema in kept):  # "Literal[...] | str" leaves room for values of later versions
        kept = [schema for schema in kept if schema != {"type": "string"}]
    merged: Schema = dict(kept[0]) if len(kept) == 1 else {"any": kept}
    if empty:
        merged["empty"] = True
    return merged


def _schema(hint: Any) -> Schema:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (NotRequired, Required):
        return _schema(arguments[0])
    if origin in (Union, types.UnionType):
        return _union_schema(tuple(argument for argument in arguments if argument is not type(None)))
    if origin is Literal:
        values = [value for value in arguments if value != ""]
        schema: Schema = {"enum": values or [""]}
        if values and len(values) < len(arguments):
            schema["empty"] = True
        return schema
    if origin is list:
        return {"array": _schema(arguments[0])}
    if origin is dict:
        return {"map": _schema(arguments[1])}
    if origin is not None and getattr(origin, "__name__", "") == "UntypedStripeObject":
        return {"map": _schema(arguments[0])}
    if is_typeddict(hint):
        return _object_schema(hint)
    if hint in _PRIMITIVES:
        return {"type": _PRIMITIVES[hint]}
    raise TypeError(f"The SDK annotates a parameter with {hint!r}, which this generator does not know yet.")


def generate() -> str:
    """The text of `parameters.json`: one operation per line, so that a change of the SDK is a readable diff."""
    lines = [
        f"{json.dumps(operation)}: {json.dumps(_object_schema(_parameters_class(name)), sort_keys=True)}"
        for operation, name in OPERATIONS.items()
    ]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main() -> None:
    PARAMETERS_FILE.write_text(generate(), encoding="utf-8")


if __name__ == "__main__":
    main()
