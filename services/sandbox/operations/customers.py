"""Customers: create, retrieve, update, list. Nothing is unique: two creates are two customers."""

import re
from collections.abc import Callable
from typing import Any, Final

from services.sandbox import errors, events, ids, lists
from services.sandbox.call import Answer, Call
from services.sandbox.objects import customer as customers
from services.sandbox.operations.metadata import merged
from services.sandbox.records import Customer

_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
_LENGTHS: Final = {"email": 512, "name": 256, "phone": 20, "description": 5000}


def find(call: Call, customer_id: str, param: str = "id", *, status: int = 404) -> Customer:
    found = call.dataset.customers.get(customer_id)
    if found is None:
        other = call.store.dataset(call.dataset.account.id, livemode=not call.dataset.livemode)
        mode = ("test" if call.dataset.livemode else "live") if customer_id in other.customers else None
        raise errors.no_such("customer", customer_id, param, status=status, other_mode=mode)
    return found


def create(call: Call) -> Answer:
    dataset = call.dataset
    body = customers.new_body(ids.short_id("cus"), call.now, ids.invoice_prefix(), livemode=dataset.livemode)
    customer = Customer(id=body["id"], seq=dataset.next_seq(), body=body)
    _apply(call, customer)
    call.store.save(dataset, customer)
    events.emit(call, "customer.created", body)
    return body


def retrieve(call: Call) -> Answer:
    return find(call, call.path["id"]).body


def update(call: Call) -> Answer:
    customer = find(call, call.path["id"])
    before = events.snapshot(customer.body)
    _apply(call, customer)
    call.store.save(call.dataset, customer)
    previous = events.changed(before, customer.body)
    if previous:
        events.emit(call, "customer.updated", customer.body, previous)
    return customer.body


def list_(call: Call) -> Answer:
    params = call.params
    chosen = (
        customer
        for customer in reversed(call.dataset.customers.values())
        if ("email" not in params or customer.body["email"] == params["email"])
        and ("created" not in params or lists.in_range(customer.body["created"], params["created"]))
    )
    return lists.page(chosen, params, lambda one: one.body, noun="customer", url="/v1/customers")


def _apply(call: Call, customer: Customer) -> None:
    params = call.params
    _check(params)
    for name, value in params.items():
        if name in _SPECIAL:
            _SPECIAL[name](customer, value)
        elif name != "expand":
            customer.body[name] = value if value != "" else None
    if customer.body["balance"] and not customer.body["currency"]:
        customer.body["currency"] = call.dataset.account.default_currency


def _check(params: dict[str, Any]) -> None:
    for name, longest in _LENGTHS.items():
        if len(params.get(name, "")) > longest:
            message = f"Invalid string: {params[name][:20]}...; must be at most {longest} characters"
            raise errors.refused(message, name, "parameter_invalid_string_long")
    if "default_payment_method" in params.get("invoice_settings", {}):
        raise errors.not_modelled("invoice_settings[default_payment_method]")
    email = params.get("email")
    if email and not _EMAIL.fullmatch(email):
        raise errors.refused(f"Invalid email address: {email}", "email", "email_invalid")


def _set_metadata(customer: Customer, value: Any) -> None:
    customer.body["metadata"] = merged(customer.body["metadata"], value)


def _set_address(customer: Customer, value: Any) -> None:
    customer.body["address"] = customers.address(value)


def _set_shipping(customer: Customer, value: Any) -> None:
    shipping = None
    if value != "":
        shipping = {
            "address": customers.address(value["address"]),
            "name": value["name"],
            "phone": value.get("phone") or None,
        }
    customer.body["shipping"] = shipping


def _set_invoice_settings(customer: Customer, value: Any) -> None:
    for name, part in value.items():
        customer.body["invoice_settings"][name] = part or None


def _set_balance(customer: Customer, value: Any) -> None:
    customer.body["balance"] = value


def _set_locales(customer: Customer, value: Any) -> None:
    customer.body["preferred_locales"] = value or []


def _set_tax_exempt(customer: Customer, value: Any) -> None:
    customer.body["tax_exempt"] = value or "none"


_SPECIAL: Final[dict[str, Callable[[Customer, Any], None]]] = {
    "metadata": _set_metadata,
    "address": _set_address,
    "shipping": _set_shipping,
    "invoice_settings": _set_invoice_settings,
    "balance": _set_balance,
    "preferred_locales": _set_locales,
    "tax_exempt": _set_tax_exempt,
}
